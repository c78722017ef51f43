import { functionAt, type ProbeSymbols } from "../../beside/probe-symbols.ts";
import {
  type FunctionMeaning,
  meaningOfReturn,
  meaningOfSymbol,
} from "../../vocabulary/functions.ts";
import { roleOfArgument, type RoleName } from "../../vocabulary/roles.ts";
import { literal, matchesAt, textOf } from "../bytes.ts";

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
    symbols: ProbeSymbols,
  ) {
    this.header = header;
    const place = placeOf(event, digits, isReturn, symbols);
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
  event: string,
  digits: string,
  isReturn: boolean,
  { symbols, probes }: ProbeSymbols,
): ProbedPlace | string {
  const byAddress = functionAt(symbols, digits);
  const listed = probes.get(event);
  if (listed !== undefined && listed.isReturn !== isReturn) {
    return `${event}: the saved probe list and the trace differ in whether this is a return`;
  }
  const place = byAddress ?? listed;
  if (place === undefined)
    return `${event}: no file beside the trace says which function is at 0x${digits}`;
  const { symbol, offset } = place;
  if (listed !== undefined && !sameFunction(listed.symbol, symbol)) {
    return `${event}: a probe of ${listed.symbol} by the saved probe list, of ${symbol} by the saved kallsyms`;
  }
  const meaning = meaningOfSymbol(symbol);
  if (!isReturn) return { location: `(${symbol}+0x${offset.toString(16)}/0x0)`, meaning };
  const kind = meaning?.returnKind;
  return {
    location: `(0x0 <- ${symbol})`,
    meaning: kind === undefined ? undefined : meaningOfReturn(kind),
  };
}

/** A compiler's suffix may be in one list and not in the other. */
function sameFunction(one: string, other: string): boolean {
  return one === other || one.split(".", 1)[0] === other.split(".", 1)[0];
}
