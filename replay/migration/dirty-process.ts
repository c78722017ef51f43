/**
 * How many distinct pages a guest dirties in a stretch of time. Three kinds of input, best first; they are not
 * the same quantity, and a rate alone supports bounds only.
 */
export type DirtyProcess =
  /** From a trace: unique bytes dirtied until a time after logging began. */
  | { readonly kind: "curve"; readonly curve: UniqueCurve; readonly scale: number }
  /** First-write rate and writable working set. */
  | {
      readonly kind: "rate-and-set";
      readonly bytesPerS: number;
      readonly setBytes: number;
      readonly pattern: DirtyPattern;
    }
  /** A rate and nothing on what is written: the set is anything up to the whole memory. */
  | { readonly kind: "rate-only"; readonly bytesPerS: number };

/** `sequential`: round and round through the set. `random`: each write to any page of the set alike. */
export const DIRTY_PATTERNS = ["sequential", "random"] as const;
export type DirtyPattern = (typeof DIRTY_PATTERNS)[number];

/**
 * Unique bytes dirtied within windows of any length, as a trace shows it: `bytes[i]` in a window of
 * `windowS[i]` seconds. Ascending in both; beyond the last point the curve is flat, which is a lower bound.
 */
export interface UniqueCurve {
  readonly windowS: Float64Array;
  readonly bytes: Float64Array;
}

/** Distinct bytes dirtied in `seconds` by a writer slowed to `speed` (0 to 1) of its own. */
export function dirtiedBytes(process: DirtyProcess, seconds: number, speed: number): number {
  if (process.kind === "curve") return uniqueWithin(process.curve, seconds * speed * process.scale);
  const writtenBytes = process.bytesPerS * speed * seconds;
  return process.kind === "rate-only" ? writtenBytes : coverage(process, writtenBytes);
}

/** Most that can be dirty at once; infinite where only a rate is known. */
export function setBytesOf(process: DirtyProcess): number {
  if (process.kind === "curve") return process.curve.bytes.at(-1) ?? 0;
  return process.kind === "rate-only" ? Number.POSITIVE_INFINITY : process.setBytes;
}

/** First writes a second at the start of a stretch, in bytes, for a writer at full speed. */
export function rateOf(process: DirtyProcess): number {
  if (process.kind !== "curve") return process.bytesPerS;
  const { windowS, bytes } = process.curve;
  const first = windowS.findIndex((w, i) => w > 0 && (bytes[i] ?? 0) > 0);
  return first < 0 ? 0 : ((bytes[first] ?? 0) / (windowS[first] ?? 1)) * process.scale;
}

function coverage(
  { setBytes, pattern }: { readonly setBytes: number; readonly pattern: DirtyPattern },
  writtenBytes: number,
): number {
  if (setBytes === 0) return 0;
  if (pattern === "sequential") return Math.min(writtenBytes, setBytes);
  return -setBytes * Math.expm1(-writtenBytes / setBytes);
}

/** Linear between the points, from nothing at 0. */
function uniqueWithin({ windowS, bytes }: UniqueCurve, seconds: number): number {
  const last = windowS.length - 1;
  if (last < 0) return 0;
  if (seconds >= windowS[last]!) return bytes[last]!;
  let low = -1;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (windowS[middle]! <= seconds) low = middle;
    else high = middle;
  }
  const t0 = low < 0 ? 0 : windowS[low]!;
  const b0 = low < 0 ? 0 : bytes[low]!;
  const span = windowS[high]! - t0;
  return span <= 0 ? bytes[high]! : b0 + ((bytes[high]! - b0) * (seconds - t0)) / span;
}
