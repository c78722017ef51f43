import { type DeclaredArguments, declaredArguments } from "../../vocabulary/declared-arguments.ts";
import { EventKind } from "../../events/kinds.ts";
import {
  isWholeKernel,
  type ProbeDefinition,
  type ProbeDefinitions,
} from "../../vocabulary/probe-definitions.ts";
import {
  MAX_ENTRY_OFFSET,
  meaningOfEntryAt,
  meaningOfReturnOf,
  type ProbeMeaning,
} from "../../vocabulary/probes.ts";
import { ArgumentPlan } from "../text/argument-plan.ts";
import { numberBytesOf } from "./field-values.ts";
import type { EventFormat, FormatField } from "./format-texts.ts";
import type { Symbols } from "./symbols.ts";

/** What the events of one probe event with one probed address mean, and where their values stand. */
export interface ProbeSite {
  readonly symbol: string;
  readonly kind: number;
  /** Undefined: nothing is read but the kind. */
  readonly plan: ArgumentPlan | undefined;
  /** Of each argument of the plan; size 0: not a number. */
  readonly offsets: Uint32Array;
  readonly sizes: Uint8Array;
  readonly signed: Uint8Array;
  /** Why a probe has no meaning, for a message; undefined where none is due. */
  readonly remark: string | undefined;
  /** The function is not known at all: events of this site are a loss. */
  readonly isUnresolved: boolean;
}

/** Fields of a probe that are its place, not its arguments. */
const PLACE = /^(?:common_|__probe_)/;

/** How probes of a file are tied to the functions that they probe. */
export class ProbeSites {
  readonly #symbols: Symbols | undefined;
  /** From a probe list saved beside the trace or named by the user; where the symbols fail. */
  readonly #listed: ProbeDefinitions;

  constructor(symbols: Symbols | undefined, listed: ProbeDefinitions) {
    this.#symbols = symbols;
    this.#listed = listed;
  }

  /** Name of the function at an address; undefined where the symbols do not tell. */
  symbolAt(high: number, low: number): string | undefined {
    return this.#symbols?.lookup(high >>> 0, low >>> 0)?.name;
  }

  /** The site of an event whose probe stands at (or, for a return, whose function begins at) an address. */
  siteOf(format: EventFormat, isReturn: boolean, high: number, low: number): ProbeSite {
    // A user probe: an address in a program, never a kernel function.
    if (high >= 0 && (high !== 0 || low !== 0)) {
      return bareSite("a user probe", "other", undefined, false);
    }
    const found = this.#symbols?.lookup(high >>> 0, low >>> 0);
    const listed = this.#listedPlace(format.name, isReturn);
    // A damaged symbol table makes the address seem to lie far behind an earlier symbol.
    const isDoubtful = found === undefined || found.offset > MAX_ENTRY_OFFSET;
    if (isDoubtful && listed?.symbol !== undefined) {
      return this.#site(format, isReturn, listed.symbol, listed.offset);
    }
    if (found === undefined) return bareSite(format.name, "other", undefined, true);
    return this.#site(format, isReturn, found.name, found.offset);
  }

  /** What the list says of a probe; undefined where it says nothing, or two things. */
  #listedPlace(name: string, isReturn: boolean): ProbeDefinition | undefined {
    // A place counted from the whole kernel's beginning names no function.
    const places = this.#listed
      .of(name, undefined)
      .filter((one) => one.isReturn === isReturn && !isWholeKernel(one.symbol));
    const first = places[0];
    const same = (one: ProbeDefinition): boolean =>
      one.symbol === first?.symbol && one.offset === first?.offset;
    return places.every(same) ? first : undefined;
  }

  #site(format: EventFormat, isReturn: boolean, symbol: string, offset: number): ProbeSite {
    const meaning = isReturn ? meaningOfReturnOf(symbol) : meaningOfEntryAt(symbol, offset);
    const definitions = this.#listed.of(format.name, undefined);
    return siteFor(format, symbol, meaning, declaredArguments(definitions, symbol, isReturn));
  }
}

/** Stands for the function that wrote a `print` entry. */
export function callerSite(symbol: string): ProbeSite {
  return bareSite(symbol, "marker", undefined, false);
}

function siteFor(
  format: EventFormat,
  symbol: string,
  probe: ProbeMeaning,
  declared: DeclaredArguments,
): ProbeSite {
  if (probe.meaning === undefined) return bareSite(symbol, probe.kind, probe.remark, false);
  const fields = format.fields.filter(({ name }) => !PLACE.test(name));
  return {
    symbol,
    kind: EventKind[probe.kind],
    plan: new ArgumentPlan(
      fields.map(({ name }) => name),
      probe.meaning,
      declared,
    ),
    offsets: Uint32Array.from(fields, ({ offset }) => offset),
    sizes: Uint8Array.from(fields, numberBytesOf),
    signed: Uint8Array.from(fields, (field: FormatField) => (field.isSigned ? 1 : 0)),
    remark: undefined,
    isUnresolved: false,
  };
}

function bareSite(
  symbol: string,
  kind: ProbeMeaning["kind"],
  remark: string | undefined,
  isUnresolved: boolean,
): ProbeSite {
  const none = new Uint8Array(0);
  return {
    symbol,
    kind: EventKind[kind],
    plan: undefined,
    offsets: new Uint32Array(0),
    sizes: none,
    signed: none,
    remark,
    isUnresolved,
  };
}
