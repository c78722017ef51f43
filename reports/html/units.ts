import type { StallRange } from "../../replay/timeline/stall-estimate.ts";
import { formatCount } from "../terminal.ts";

/** `1.25 s`, `310 ms`, `4.2 µs`, `90 ns`: three digits and the unit that fits. */
export function durationText(ns: number): string {
  if (ns >= 1e9) return `${digits(ns / 1e9)} s`;
  if (ns >= 1e6) return `${digits(ns / 1e6)} ms`;
  if (ns >= 1e3) return `${digits(ns / 1e3)} µs`;
  return `${digits(ns)} ns`;
}

/** `1.8 ms [1.4 to 2.6]`: median, and the ends of an interval, in µs. */
export function stallText({ low, median, high }: StallRange): string {
  const [from, middle, to] = [signedDuration(low), signedDuration(median), signedDuration(high)];
  const unit = middle.split(" ")[1];
  const isOneUnit = [from, to].every((text) => text.split(" ")[1] === unit);
  return isOneUnit
    ? `${middle} [${from.split(" ")[0]!} to ${to.split(" ")[0]!}]`
    : `${middle} [${from} to ${to}]`;
}

/** Of a row of `stalls`; undefined where a call has no price, and in results that were not priced. */
export function stallOfRow(row: {
  readonly stall_us_low: number | null;
  readonly stall_us_median: number | null;
  readonly stall_us_high: number | null;
}): string | undefined {
  const { stall_us_low: low, stall_us_median: median, stall_us_high: high } = row;
  return low === null || median === null || high === null
    ? undefined
    : stallText({ low, median, high });
}

/** Two digits: no constant behind it is known better. */
function signedDuration(us: number): string {
  const text = durationText(Number((Math.abs(us) * 1e3).toPrecision(2)));
  return us < 0 ? `−${text}` : text;
}

/** `4 KiB`, `1.5 GiB`. */
export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${digits(value)} ${units[unit]!}`;
}

/** An address as the kernel prints it. */
export function hexText(address: number): string {
  return `0x${address.toString(16)}`;
}

/** `[start, end)` of an IPA range, with its size; `whole VM` where it names none. */
export function rangeText(startBytes: number | null, lenBytes: number | null): string {
  if (startBytes === null || lenBytes === null) return "whole VM";
  return `${hexText(startBytes)} + ${bytesText(lenBytes)}`;
}

/** A number that need not be whole: three digits, thousands apart. */
export function numberText(value: number): string {
  if (Number.isInteger(value)) return formatSigned(value);
  if (Math.abs(value) >= 1000) return formatSigned(Math.round(value));
  return digits(value);
}

/** `+12`, `−3`, `0`. */
export function differenceText(value: number): string {
  if (value === 0) return "0";
  return `${value > 0 ? "+" : "−"}${numberText(Math.abs(value))}`;
}

function formatSigned(value: number): string {
  return value < 0 ? `−${formatCount(-value)}` : formatCount(value);
}

function digits(value: number): string {
  if (value === 0) return "0";
  if (Math.abs(value) >= 999.5) return formatCount(Math.round(value));
  return String(Number(value.toPrecision(3)));
}
