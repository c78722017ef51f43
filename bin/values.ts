import { TraceError } from "../ingest/errors.ts";
import { showDash } from "./dash.ts";
import { suggest } from "../replay/policies/suggest.ts";

/**
 * From the texts of the command line to checked values. yargs hands over whatever was typed (an array
 * where an option was repeated, NaN for `--bits abc`, a rounded double for a long address), so every
 * option is declared as a string and goes through one of these. All throw TraceError BAD_OPTION.
 */

/** What yargs may hand to a coercer of a string option. */
export type RawValue = string | readonly string[];

let latestRefusal: TraceError | undefined;

export function badOption(option: string, message: string, hint?: string): TraceError {
  latestRefusal = new TraceError("BAD_OPTION", message, `--${option}`, hint);
  return latestRefusal;
}

/** The refusal behind a message of yargs, which keeps only the message of what a coercer throws. */
export function refusalOf(message: string | null): TraceError | undefined {
  return latestRefusal?.message === message ? latestRefusal : undefined;
}

/** The one value of an option that may not be repeated. */
export function single(option: string, raw: RawValue): string {
  if (typeof raw !== "string") throw badOption(option, `is given ${raw.length} times, not once`);
  const value = showDash(raw).trim();
  if (value === "") throw badOption(option, "needs a value");
  return value;
}

/** The values of an option that may be repeated, in order. */
export function repeated(option: string, raw: RawValue): readonly string[] {
  const values = typeof raw === "string" ? [raw] : raw;
  return values.map((value) => single(option, value));
}

export function choice<Name extends string>(
  option: string,
  raw: RawValue,
  names: readonly Name[],
): Name {
  const value = single(option, raw);
  const found = names.find((name) => name === value);
  if (found === undefined) throw unknownName(option, value, names);
  return found;
}

/** A comma-separated list without repeats. */
export function list(option: string, raw: RawValue): readonly string[] {
  const items = single(option, raw)
    .split(",")
    .map((item) => item.trim());
  if (items.includes("")) throw badOption(option, "has an empty item in its list");
  const twice = items.find((item, i) => items.indexOf(item) !== i);
  if (twice !== undefined) throw badOption(option, `names '${twice}' twice`);
  return items;
}

/** Like `list`, with every item one of `names`. */
export function choices<Name extends string>(
  option: string,
  raw: RawValue,
  names: readonly Name[],
): readonly Name[] {
  return list(option, raw).map((item) => choice(option, item, names));
}

/** A decimal whole number within bounds (both included, both safe integers). */
export function wholeNumber(option: string, raw: RawValue, min: number, max: number): number {
  const value = single(option, raw);
  const number = /^\d+$/.test(value) ? BigInt(value) : undefined;
  if (number === undefined || number < BigInt(min) || number > BigInt(max)) {
    throw badOption(option, `'${value}' is not a whole number from ${min} to ${max}`);
  }
  return Number(number);
}

const BYTE_SUFFIXES: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["k", 2 ** 10],
  ["m", 2 ** 20],
  ["g", 2 ** 30],
]);

/** A number of bytes of at least 1, with K, M or G (powers of 1024). */
export function byteCount(option: string, raw: RawValue): number {
  const value = single(option, raw);
  const match = /^(\d+)([kmg]?)$/i.exec(value);
  const unit = BYTE_SUFFIXES.get(match?.[2]?.toLowerCase() ?? "");
  const bytes = match === null || unit === undefined ? Number.NaN : Number(match[1]) * unit;
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    throw badOption(option, `'${value}' is not a number of bytes`, "write it like 512M or 8G");
  }
  return bytes;
}

/** An address or a size of up to 64 bits, hexadecimal (`0x…`) or decimal; exact, so a bigint. */
export function address(option: string, raw: RawValue): bigint {
  const value = single(option, raw);
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(value)) {
    throw badOption(option, `'${value}' is not an address`, "write 0x80000000 or a decimal number");
  }
  const number = BigInt(value);
  if (BigInt.asUintN(64, number) !== number) {
    throw badOption(option, `'${value}' does not fit into 64 bits`);
  }
  return number;
}

function unknownName(option: string, value: string, names: readonly string[]): TraceError {
  const nearest = suggest(value, names);
  const hint = nearest === undefined ? undefined : `did you mean '${nearest}'?`;
  return badOption(option, `'${value}' is not one of ${names.join(", ")}`, hint);
}
