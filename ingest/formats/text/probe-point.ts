import { EventKind } from "../../events/kinds.ts";
import { type DeclaredArguments, declaredArguments } from "../../vocabulary/declared-arguments.ts";
import type { FunctionMeaning } from "../../vocabulary/functions.ts";
import type { ProbeDefinition } from "../../vocabulary/probe-definitions.ts";
import { meaningOfEntryAt, meaningOfReturnOf, type ProbeMeaning } from "../../vocabulary/probes.ts";
import { wordsOf } from "../words.ts";
import type { ArgumentPlan } from "./argument-plan.ts";

/**
 * One probe location as lines print it, `(kvm_pgtable_stage2_map+0x0/0x1a0)` or
 * `(stage2_apply_range+0xd8/0x110 <- kvm_pgtable_stage2_unmap)`, and what it means.
 */
export interface ProbePoint {
  /** The location's bytes, parentheses included. */
  readonly location: Uint8Array;
  readonly locationWords: Int32Array;
  /** Symbol of the probed function, without compiler suffixes where it is known. */
  readonly symbol: string;
  readonly isReturn: boolean;
  /** Undefined: a function that the vocabulary does not know, or a probe in its middle. */
  readonly meaning: FunctionMeaning | undefined;
  /** Code of the kind. */
  readonly kind: number;
  /** Why a probe has no meaning, for a message; undefined where none is due. */
  readonly remark: string | undefined;
  /** What the probe's definition says of its arguments, where that is known. */
  readonly declared?: DeclaredArguments;
  /** Of the lines seen so far; the one that fitted last is `plan`. */
  readonly plans: ArgumentPlan[];
  plan: ArgumentPlan | undefined;
}

const SYMBOL = String.raw`([^\s()+]+)\+0x([0-9a-f]+)/0x[0-9a-f]+(?: \[[^\]]+\])?`;
const ENTRY_LOCATION = new RegExp(String.raw`^\(${SYMBOL}\)$`);
const RETURN_LOCATION = new RegExp(
  String.raw`^\((?:${SYMBOL}|0x[0-9a-f]+) <- ([^\s()+]+)(?:\+0x[0-9a-f]+/0x[0-9a-f]+)?(?: \[[^\]]+\])?\)$`,
);
/** A user probe: an address in a program, never a kernel function. */
const USER_PROBE: ProbeMeaning = { meaning: undefined, kind: "other", remark: undefined };
const ADDRESSES = /^\(0x([0-9a-f]+)(?: <- 0x[0-9a-f]+)?\)$/;
/** A kernel address of a 64-bit machine. */
export const KERNEL_ADDRESS: RegExp = /^[89a-f][0-9a-f]{15}$/;

/** Reads a location, parentheses included; undefined where this is not one. */
export function readProbePoint(location: Uint8Array): ProbePoint | undefined {
  const text = Buffer.from(location).toString("latin1");
  const address = ADDRESSES.exec(text)?.[1];
  // One of the kernel's has no symbol there, and its function cannot be told.
  if (address !== undefined)
    return KERNEL_ADDRESS.test(address) ? undefined : inUserProgram(location);
  const returned = RETURN_LOCATION.exec(text);
  if (returned !== null) return atReturn(location, returned[3]!);
  const entered = ENTRY_LOCATION.exec(text);
  if (entered === null) return undefined;
  return atEntry(location, entered[1]!, Number.parseInt(entered[2]!, 16));
}

/**
 * Whether a location holds bare addresses: what other programs print that could not look the symbols
 * up. Which function it was cannot be told.
 */
export function isBareAddress(location: Uint8Array): boolean {
  const text = Buffer.from(location).toString("latin1");
  return /^\((?:0x)?[0-9a-f]{8,16}(?: <- (?:0x)?[0-9a-f]{8,16})?\)$/.test(text);
}

/** A probe `offset` bytes into a function. */
export function atEntry(location: Uint8Array, symbol: string, offset: number): ProbePoint {
  return probePoint(location, symbol, false, meaningOfEntryAt(symbol, offset));
}

/** A probe where a function returns. */
export function atReturn(location: Uint8Array, symbol: string): ProbePoint {
  return probePoint(location, symbol, true, meaningOfReturnOf(symbol));
}

/** A probe in a user's program, which is never a kernel function. */
export function inUserProgram(location: Uint8Array): ProbePoint {
  return probePoint(location, Buffer.from(location).toString("latin1"), false, USER_PROBE);
}

/** The point, with what the definitions of its event say of its arguments. */
export function withDeclared(
  point: ProbePoint,
  definitions: readonly ProbeDefinition[],
): ProbePoint {
  if (definitions.length === 0 || point.meaning === undefined) return point;
  return { ...point, declared: declaredArguments(definitions, point.symbol, point.isReturn) };
}

function probePoint(
  location: Uint8Array,
  symbol: string,
  isReturn: boolean,
  { meaning, kind, remark }: ProbeMeaning,
): ProbePoint {
  return {
    location,
    locationWords: wordsOf(location),
    symbol,
    isReturn,
    meaning,
    kind: EventKind[kind],
    remark,
    plans: [],
    plan: undefined,
  };
}
