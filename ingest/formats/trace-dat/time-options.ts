import { type ByteReader, DatDamage, latin1 } from "./byte-reader.ts";

/** One measured difference between two machines' clocks. */
export interface ShiftSample {
  /** Clock of this trace at which it was measured. */
  readonly time: bigint;
  readonly offset: bigint;
  /** This clock's ticks times `scaling` >> `fractionBits` are the other's. */
  readonly scaling: bigint;
  readonly fractionBits: bigint;
}

/** What turns a guest's times into those of its host. */
export interface TimeShift {
  /** Whether offsets between two samples are interpolated, or hold until the next. */
  readonly isInterpolated: boolean;
  /** By CPU: samples in the order of their times, each time once. */
  readonly samplesOf: readonly (readonly ShiftSample[])[];
}

/** Turns ticks into ns: ticks * multiplier >> shift. */
export interface TicksToNs {
  readonly multiplier: bigint;
  readonly shift: bigint;
}

/** What a file says is to be done with its times when they are read. */
export interface TimeOptions {
  shift: TimeShift | undefined;
  ticks: TicksToNs | undefined;
  /** To be added to every time. */
  offsetNs: bigint;
}

const IS_INTERPOLATED = 1;
/** Beyond these the factors are none: a shift by more bits than a time has. */
const MAX_TICK_SHIFT = 32;
const MAX_FRACTION_BITS = 63n;

/** Text of the OFFSET option, a decimal, hexadecimal or octal number as C writes it. @throws DatDamage. */
export function readOffset(reader: ByteReader): bigint {
  const text = latin1(reader.bytes).replace(/\0[^]*$/, "");
  const [, sign, digits] = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|\d+)\s*$/.exec(text) ?? [];
  if (digits === undefined) throw new DatDamage("an offset that is no number", 0);
  const isOctal = /^0[0-7]+$/.test(digits);
  const value = BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
  return sign === "-" ? -value : value;
}

/** @throws DatDamage. */
export function readTicksToNs(reader: ByteReader): TicksToNs | undefined {
  const multiplier = reader.u32();
  const shift = reader.u32();
  // A point of both clocks, which trace-cmd stores and does not use either.
  reader.skip(8);
  if (shift > MAX_TICK_SHIFT) throw new DatDamage(`a shift by ${shift} bits`, 4);
  return multiplier === 0 ? undefined : { multiplier: BigInt(multiplier), shift: BigInt(shift) };
}

/**
 * Reads a TIME_SHIFT option: for each CPU the samples' times, offsets and factors; behind all of them, in
 * newer files, the factors' fraction bits. @throws DatDamage.
 */
export function readTimeShift(reader: ByteReader): TimeShift {
  reader.skip(8); // Identifier of the other trace.
  const flags = reader.u32();
  const cpus = reader.u32();
  const columns: (readonly [readonly bigint[], readonly bigint[], readonly bigint[]])[] = [];
  for (let cpu = 0; cpu < cpus; cpu += 1) {
    const count = reader.u32();
    const times = wordsOf(reader, count);
    const offsets = wordsOf(reader, count).map((word) => BigInt.asIntN(64, word));
    columns.push([times, offsets, wordsOf(reader, count)]);
  }
  const hasFractions = reader.remaining > 0;
  const samplesOf = columns.map(([times, offsets, scalings]) => {
    const fractions = hasFractions ? wordsOf(reader, times.length) : [];
    const samples = times.map((time, i) => {
      const fractionBits = fractions[i] ?? 0n;
      if (fractionBits > MAX_FRACTION_BITS) {
        throw new DatDamage(`a factor with ${fractionBits} fraction bits`, reader.at);
      }
      return { time, offset: offsets[i]!, scaling: scalings[i]!, fractionBits };
    });
    return inOrder(samples);
  });
  return { isInterpolated: (flags & IS_INTERPOLATED) !== 0, samplesOf };
}

function wordsOf(reader: ByteReader, count: number): readonly bigint[] {
  // Before anything is allocated for a damaged count.
  if (count * 8 > reader.remaining)
    throw new DatDamage(`${count} samples should follow`, reader.at);
  return Array.from({ length: count }, () => reader.bits64());
}

function inOrder(samples: readonly ShiftSample[]): readonly ShiftSample[] {
  const sorted = [...samples].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  return sorted.filter(({ time }, i) => i === 0 || time !== sorted[i - 1]!.time);
}
