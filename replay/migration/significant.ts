/** Numbers as estimates are printed: two significant figures, and the unit that keeps them readable. */

/** `0.0123` as `0.012`, `286.8` as `290`; zero and infinities as they are. */
export function twoFigures(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const rounded = Number(value.toPrecision(2));
  // toPrecision turns to exponents from 100 on; numbers are printed in full.
  const digits = Math.max(0, 1 - Math.floor(Math.log10(Math.abs(rounded))));
  return digits === 0 ? grouped(rounded) : rounded.toFixed(Math.min(digits, 20));
}

function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

const STEPS: readonly (readonly [least: number, unit: string])[] = [
  [1, "s"],
  [1e-3, "ms"],
  [1e-6, "µs"],
  [1e-9, "ns"],
];

/** `350 ms [320 to 530]` with one unit where that suits all three, else each with its own. */
export function durationRangeText(interval: {
  readonly p5: number;
  readonly p50: number;
  readonly p95: number;
}): string {
  const [low, middle, high] = [interval.p5, interval.p50, interval.p95].map(durationText);
  const unit = unitOf(middle);
  if (unitOf(low) !== unit || unitOf(high) !== unit) return `${middle} [${low} to ${high}]`;
  return `${middle} [${low?.split(" ")[0]} to ${high?.split(" ")[0]}]`;
}

function unitOf(text = ""): string {
  return text.split(" ")[1] ?? "";
}

/** A time in seconds with the unit that suits it: `290 ms`, `6.9 s`, `3.1 µs`. */
export function durationText(seconds: number): string {
  if (seconds === 0) return "0 s";
  if (!Number.isFinite(seconds)) return `${seconds} s`;
  const size = Math.abs(Number(seconds.toPrecision(2)));
  const [step, unit] = STEPS.find(([least]) => size >= least) ?? [1e-9, "ns"];
  return `${twoFigures(seconds / step)} ${unit}`;
}
