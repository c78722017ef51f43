import type { KernelSymbols } from "../../beside/kernel-symbols.ts";
import type { ProbeNames } from "../../beside/probe-names.ts";
import { withoutCompilerSuffix } from "../../vocabulary/functions.ts";
import { isWholeKernel, type ProbeDefinition } from "../../vocabulary/probe-definitions.ts";
import { MAX_ENTRY_OFFSET } from "../../vocabulary/probes.ts";
import type { EventName } from "./event-names.ts";
import type { LostProbe, ProbePlaces } from "./probe-places.ts";
import {
  atEntry,
  atReturn,
  inUserProgram,
  isBareAddress,
  KERNEL_ADDRESS,
  type ProbePoint,
  readProbePoint,
  withDeclared,
} from "./probe-point.ts";

/** What a location says where it holds addresses only. */
export interface BareLocation {
  /** Of the function that returns, or of the probe. */
  readonly address: string;
  readonly isReturn: boolean;
}

/** The library that trace-cmd and perf print with writes the function first, then where it returns to. */
const BARE =
  /^(?:\(([0-9a-f]{1,16})(?: <- ([0-9a-f]{1,16}))?\)|__probe_ip=(?:0x)?([0-9a-f]{1,16})|__probe_func=(?:0x)?([0-9a-f]{1,16}) __probe_ret_ip=(?:0x)?([0-9a-f]{1,16}))$/;
/** An instruction of arm64, in bytes. */
const INSTRUCTION = 4;

/**
 * Tells which function a probe is on from the name of its event, by the list that defined it, or from
 * its address, by the kernel's symbols. Where both speak and disagree, neither is believed.
 */
export class NamedProbes implements ProbePlaces {
  readonly #names: ProbeNames;

  constructor(names: ProbeNames) {
    this.#names = names;
  }

  pointOf(name: EventName, location: Uint8Array): ProbePoint | LostProbe | undefined {
    const point = this.#pointOf(name, location);
    if (point === undefined || "lost" in point) return point;
    return withDeclared(point, this.#names.definitions.of(name.name, name.group));
  }

  #pointOf(name: EventName, location: Uint8Array): ProbePoint | LostProbe | undefined {
    const symbolic = readProbePoint(location);
    if (symbolic !== undefined) return symbolic;
    const bare = bareLocationOf(location);
    if (bare === undefined) {
      if (isBareAddress(location)) return lost("a probe whose address has no symbol");
      const isProbe = Buffer.from(location).toString("latin1").startsWith("__probe_");
      return isProbe ? lost("a probe whose address is not printed in hexadecimal") : undefined;
    }
    const place = this.placeOf(name, bare);
    if ("lost" in place) return place;
    if (place.symbol === undefined) return inUserProgram(location);
    return bare.isReturn
      ? atReturn(location, place.symbol)
      : atEntry(location, place.symbol, place.offset);
  }

  /** The place of the event that is printed with this address; without a symbol in a user's program. */
  placeOf(
    name: { readonly name: string; readonly group?: string | undefined },
    bare: BareLocation,
  ): Place | UserPlace | LostProbe {
    const defined = this.#names.definitions.of(name.name, name.group);
    const ofKind = defined.filter(({ isReturn }) => isReturn === bare.isReturn);
    if (isUserProbe(bare, ofKind)) return { symbol: undefined };
    const places = distinct(ofKind);
    const here = placesAt(this.#names.symbols, BigInt(`0x${bare.address}`));
    const agreed = here.length === 0 ? places : places.filter((place) => standsIn(here, place));
    if (agreed.length === 1) return agreed[0]!;
    if (places.length > 0) return lost(contradiction(name.name, places, here));
    const functions = [...new Set(here.map(({ symbol }) => withoutCompilerSuffix(symbol)))];
    if (functions.length === 1) return here[0]!;
    if (ofKind.length > 0) {
      return lost(
        `the probe ${name.name} is defined by a place in the whole kernel, not by a function`,
      );
    }
    if (defined.length > 0) {
      const printed = bare.isReturn ? "a return" : "a call";
      return lost(`the probe ${name.name} prints ${printed}, which its definition is not`);
    }
    return lost(`it is not known which function the probe ${name.name} is on`);
  }
}

/** A place in a kernel function. */
export interface Place {
  readonly symbol: string;
  readonly offset: number;
}

interface UserPlace {
  readonly symbol: undefined;
}

/** Functions that begin at the address or, a landing pad or a slot of the tracer, just before it. */
export function placesAt(symbols: KernelSymbols, address: bigint): readonly Place[] {
  for (let offset = 0; offset <= MAX_ENTRY_OFFSET; offset += INSTRUCTION) {
    const found = symbols.at(address - BigInt(offset));
    if (found.length > 0) return found.map((symbol) => ({ symbol, offset }));
  }
  return [];
}

function bareLocationOf(location: Uint8Array): BareLocation | undefined {
  const [, probed, returnedTo, ip, func, retIp] =
    BARE.exec(Buffer.from(location).toString("latin1")) ?? [];
  const address = probed ?? ip ?? func;
  if (address === undefined) return undefined;
  return { address, isReturn: (returnedTo ?? retIp) !== undefined };
}

/** Whether a probe is on a user's program: its list says so, or its address is not the kernel's. */
function isUserProbe({ address }: BareLocation, defined: readonly ProbeDefinition[]): boolean {
  if (defined.length > 0) return defined.every(({ symbol }) => symbol === undefined);
  return !KERNEL_ADDRESS.test(address);
}

function distinct(definitions: readonly ProbeDefinition[]): readonly Place[] {
  const places = new Map<string, Place>();
  for (const { symbol, offset } of definitions) {
    if (symbol !== undefined && !isWholeKernel(symbol))
      places.set(`${symbol}+${offset}`, { symbol, offset });
  }
  return [...places.values()];
}

/** A place in a function's middle begins no symbol, so symbols say nothing against it. */
function standsIn(here: readonly Place[], { symbol, offset }: Place): boolean {
  const wanted = withoutCompilerSuffix(symbol);
  return offset > 0 || here.some((place) => withoutCompilerSuffix(place.symbol) === wanted);
}

function contradiction(name: string, places: readonly Place[], here: readonly Place[]): string {
  const defined = places.map(({ symbol }) => symbol).join(" and ");
  if (here.length === 0)
    return `the probe ${name} is defined on ${defined}, and the text does not tell which`;
  const found = here.map(({ symbol }) => symbol).join(" and ");
  return `the probe ${name} is defined on ${defined}, and its address is that of ${found}`;
}

function lost(reason: string): LostProbe {
  return { lost: reason };
}
