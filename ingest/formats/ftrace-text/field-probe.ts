import type { FunctionMeaning } from "../../vocabulary/functions.ts";
import { meaningOfEntryAt, meaningOfReturnOf } from "../../vocabulary/probes.ts";
import { roleOfArgument, type RoleName } from "../../vocabulary/roles.ts";
import { literal, matchesAt, textOf } from "../bytes.ts";
import type { NamedProbes } from "../text/named-probes.ts";

/** How an argument of a probe is carried over from the `fields` option's text. */
export const Carry = {
  asItIs: 0,
  /** An address whose function has to be looked up. */
  symbol: 1,
  /** A signed number: the option prints one byte without its sign. */
  signed: 2,
} as const;

interface CarriedArgument {
  readonly name: Uint8Array;
  readonly carry: number;
}

/** A probe as the `fields` option prints it, by everything up to its own arguments. */
export class FieldProbe {
  /** Event name and the probe's own addresses, as lines print them. */
  readonly header: Uint8Array;
  /** `name: (function+0x0/0x0)`, as the default layout begins; undefined: it is not known which function. */
  readonly start: Uint8Array | undefined;
  /** Why there is no `start`. */
  readonly reason: string;
  /** Whether the replay reads the arguments; those of other functions are of no use. */
  readonly hasArguments: boolean;
  readonly #takes: readonly RoleName[];
  readonly #arguments: CarriedArgument[] = [];

  constructor(
    header: Uint8Array,
    event: string,
    digits: string,
    isReturn: boolean,
    probes: NamedProbes,
  ) {
    this.header = header;
    const place = placeOf(event, digits, isReturn, probes);
    this.reason = typeof place === "string" ? place : "";
    this.start = typeof place === "string" ? undefined : literal(`${event}: ${place.location}`);
    const meaning = typeof place === "string" ? undefined : place.meaning;
    this.hasArguments = meaning !== undefined;
    this.#takes = meaning?.takes ?? [];
  }

  /** How the argument whose name stands at `from`…`to` is carried over: argument `index` of the line. */
  carryOf(index: number, bytes: Uint8Array, from: number, to: number): number {
    const known = this.#arguments[index];
    if (
      known !== undefined &&
      known.name.length === to - from &&
      matchesAt(bytes, from, known.name)
    )
      return known.carry;
    const reading = roleOfArgument(textOf(bytes, from, to), this.#takes)?.reading;
    const carry =
      reading === "symbol" ? Carry.symbol : reading === "int32" ? Carry.signed : Carry.asItIs;
    this.#arguments[index] = { name: bytes.slice(from, to), carry };
    return carry;
  }
}

interface ProbedPlace {
  readonly location: string;
  readonly meaning: FunctionMeaning | undefined;
}

/** The probed place by its address and by the event's name, which must agree; or why it is not known. */
function placeOf(
  name: string,
  address: string,
  isReturn: boolean,
  probes: NamedProbes,
): ProbedPlace | string {
  const place = probes.placeOf({ name }, { address, isReturn });
  if ("lost" in place) return `${place.lost} (at 0x${address})`;
  const { symbol } = place;
  if (symbol === undefined) return { location: `(0x${address})`, meaning: undefined };
  if (isReturn) {
    return { location: `(0x0 <- ${symbol})`, meaning: meaningOfReturnOf(symbol).meaning };
  }
  const { meaning } = meaningOfEntryAt(symbol, place.offset);
  return { location: `(${symbol}+0x${place.offset.toString(16)}/0x0)`, meaning };
}
