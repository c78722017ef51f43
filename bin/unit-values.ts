import type { Ranged } from "../replay/migration/distribution.ts";
import { badOption, type RawValue, single } from "./values.ts";

/**
 * Values with units, as sizes, rates and times of migrations are given. A unit is always needed: MB and MiB
 * differ by 5 %, MB and Mbit by 8, and nobody says which a bare number was. All throw TraceError BAD_OPTION.
 */
interface Unit {
  readonly names: ReadonlyMap<string, number>;
  readonly what: string;
  readonly hint: string;
}

const DECIMAL = { k: 1e3, m: 1e6, g: 1e9, t: 1e12 } as const;
const BINARY = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 } as const;

function prefixed(
  factors: Readonly<Record<string, number>>,
  name: (prefix: string) => string,
  each: number,
): readonly (readonly [string, number])[] {
  return Object.entries(factors).map(([prefix, scale]) => [name(prefix), scale * each] as const);
}

const BYTES: Unit = {
  what: "a size",
  hint: "write it like 192GiB (2^30), 192G (the same) or 206GB (10^9)",
  names: new Map([
    ["b", 1],
    ...prefixed(DECIMAL, (p) => `${p}b`, 1),
    ...prefixed(BINARY, (p) => `${p}ib`, 1),
    ...prefixed(BINARY, (p) => p, 1),
  ]),
};

const RATES: Unit = {
  what: "a rate",
  hint: "write it like 500MB/s, 477MiB/s, 4Gbit/s or 122000pages/s (of 4 KiB)",
  names: new Map([
    ["b/s", 1],
    ["pages/s", 4096],
    ...prefixed(DECIMAL, (p) => `${p}b/s`, 1),
    ...prefixed(BINARY, (p) => `${p}ib/s`, 1),
    ...prefixed(DECIMAL, (p) => `${p}bit/s`, 1 / 8),
    ...prefixed(DECIMAL, (p) => `${p}bps`, 1 / 8),
  ]),
};

const TIMES: Unit = {
  what: "a time",
  hint: "write it like 300ms, 1.2s, 20us or 10min",
  names: new Map([
    ["ns", 1e-9],
    ["us", 1e-6],
    ["µs", 1e-6],
    ["ms", 1e-3],
    ["s", 1],
    ["min", 60],
    ["h", 3600],
  ]),
};

/** Nothing larger is a machine, a link or a wait of today: a mistake in the unit. */
const MOST_BYTES = 2 ** 50;
const MOST_BYTES_PER_S = 1e13;
const MOST_SECONDS = 1e7;

/** At least one byte. */
export function sizeBytes(option: string, raw: RawValue): number {
  return positive(option, raw, BYTES, MOST_BYTES);
}

/** Not negative. */
export function sizeOrZero(option: string, raw: RawValue): number {
  return valueOf(option, single(option, raw), BYTES, 0, MOST_BYTES);
}

/** `A` or `A..B`, in bytes; above 0. */
export function sizeRange(option: string, raw: RawValue): Ranged {
  return rangeOf(option, raw, BYTES, Number.MIN_VALUE, MOST_BYTES);
}

/** Bytes a second, `A` or `A..B`. */
export function rateRange(option: string, raw: RawValue, mayBeZero: boolean): Ranged {
  return rangeOf(option, raw, RATES, mayBeZero ? 0 : Number.MIN_VALUE, MOST_BYTES_PER_S);
}

/** Seconds, above 0. */
export function duration(option: string, raw: RawValue, most: number = MOST_SECONDS): number {
  return positive(option, raw, TIMES, most);
}

/** Seconds, not negative. */
export function durationOrZero(option: string, raw: RawValue): number {
  return valueOf(option, single(option, raw), TIMES, 0, MOST_SECONDS);
}

/** A bare number, or `A..B`. */
export function numberRange(option: string, raw: RawValue, least: number, most: number): Ranged {
  const none: Unit = {
    what: "a number",
    hint: `from ${least} to ${most}`,
    names: new Map([["", 1]]),
  };
  return rangeOf(option, raw, none, least, most);
}

/** A factor above 0, such as `2` or `0.5`. */
export function factor(option: string, raw: RawValue): number {
  return numberRange(option, raw, 1e-6, 1e6).low;
}

function rangeOf(option: string, raw: RawValue, unit: Unit, least: number, most: number): Ranged {
  const text = single(option, raw);
  const [from = "", to, ...more] = text.split("..");
  if (more.length > 0) throw badOption(option, `'${text}' is not of the form LOW..HIGH`);
  const high = valueOf(option, to ?? from, unit, least, most);
  // `500..1000MB/s`: the unit of the higher end counts for both.
  const bare =
    to !== undefined && /^[\d.]+$/.test(from) ? from + (/[^\d.]+$/.exec(to)?.[0] ?? "") : from;
  const low = to === undefined ? high : valueOf(option, bare, unit, least, most);
  if (low > high) throw badOption(option, `'${text}' does not ascend`);
  return { low, high, law: "uniform" };
}

function positive(option: string, raw: RawValue, unit: Unit, most: number): number {
  return valueOf(option, single(option, raw), unit, Number.MIN_VALUE, most);
}

function valueOf(option: string, text: string, unit: Unit, least: number, most: number): number {
  const [, digits = "", name = ""] =
    /^(-?\d+(?:\.\d*)?(?:e[+-]?\d+)?)\s*(.*)$/i.exec(text.trim()) ?? [];
  if (digits === "") throw badOption(option, `'${text}' is not ${unit.what}`, unit.hint);
  const each = unit.names.get(name.toLowerCase());
  if (each === undefined) {
    const why =
      name === "" ? "has no unit" : `has the unit '${name}', which is not one of ${unit.what}`;
    throw badOption(option, `'${text}' ${why}`, unit.hint);
  }
  const value = Number(digits) * each;
  if (value < 0) throw badOption(option, `'${text}' is negative`, unit.hint);
  if (value < least) throw badOption(option, `'${text}' must be more than 0`, unit.hint);
  if (!(value <= most)) {
    throw badOption(option, `'${text}' cannot be meant: is the unit right?`, unit.hint);
  }
  return value;
}
