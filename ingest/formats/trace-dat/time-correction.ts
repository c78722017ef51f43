import type { TimeBase } from "./time-base.ts";
import type { ShiftSample, TimeOptions, TimeShift } from "./time-options.ts";

/**
 * Applies what a file says is to be done with its times: first the shift to its host's clock, then ticks
 * to ns. (A plain offset moves all times alike, and is added where they count from.) It counts from a
 * zero of its own, so that its results are exact doubles.
 */
export class TimeCorrection {
  readonly #base: TimeBase;
  readonly #options: TimeOptions;
  readonly #zero: bigint;

  /** @param base that uncorrected times count from; it is set already. */
  constructor(base: TimeBase, options: TimeOptions) {
    this.#base = base;
    this.#options = options;
    this.#zero = this.#corrected(0, 0);
  }

  /** The corrected time of a record of `cpu`, counted from `absolute(0)`. */
  apply(timeNs: number, cpu: number): number {
    return Number(this.#corrected(timeNs, cpu) - this.#zero);
  }

  /** The clock value of a corrected time. */
  absolute(correctedNs: number): bigint {
    return this.#zero + BigInt(correctedNs);
  }

  #corrected(timeNs: number, cpu: number): bigint {
    const { shift, ticks } = this.#options;
    const time = this.#base.absolute(timeNs);
    const shifted = shift === undefined ? time : shiftedBy(shift, time, cpu);
    return ticks === undefined ? shifted : (shifted * ticks.multiplier) >> ticks.shift;
  }
}

/** Gives the clock values that times count from. */
export class TraceClock {
  /** Undefined: times are as they stand in the pages. */
  readonly correction: TimeCorrection | undefined;
  readonly #base: TimeBase;
  readonly #offsetNs: bigint;

  /** @param base set already. */
  constructor(base: TimeBase, options: TimeOptions) {
    const { shift, ticks, offsetNs } = options;
    this.#base = base;
    this.#offsetNs = offsetNs;
    this.correction =
      shift === undefined && ticks === undefined ? undefined : new TimeCorrection(base, options);
  }

  /** The clock value of a stream's `orderNs`. */
  absolute(orderNs: number): bigint {
    return (this.correction ?? this.#base).absolute(orderNs) + this.#offsetNs;
  }
}

/** A CPU without samples keeps its times; with one, only its offset counts, as trace-cmd has it. */
function shiftedBy({ samplesOf, isInterpolated }: TimeShift, time: bigint, cpu: number): bigint {
  const samples = samplesOf[cpu] ?? [];
  const [only] = samples;
  if (only === undefined) return time;
  if (samples.length === 1) return time + only.offset;
  const at = segmentOf(samples, time);
  const sample = samples[at]!;
  const { offset, scaling, fractionBits } = sample;
  const added = isInterpolated ? interpolated(sample, samples[at + 1]!, time) : offset;
  return ((time * scaling) >> fractionBits) + added;
}

/** Offset on the line through two samples, rounded up from its half (toward zero where it is negative). */
function interpolated(from: ShiftSample, to: ShiftSample, time: bigint): bigint {
  const apart = to.time - from.time;
  const product = (time - from.time) * (to.offset - from.offset);
  return from.offset + (product + apart / 2n) / apart;
}

/** The last sample that is not later, but never the last of all: the line before it goes on. */
function segmentOf(samples: readonly ShiftSample[], time: bigint): number {
  let low = 0;
  let high = samples.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (samples[middle]!.time <= time) low = middle;
    else high = middle - 1;
  }
  return low;
}
