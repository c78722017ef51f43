import type { EventTime } from "./context-fields.ts";
import type { LineProblems } from "./problems.ts";

const NS_PER_SECOND = 1e9;

/**
 * Times of a trace, relative to its first event and exact: seconds are subtracted before they are
 * scaled, so no digit of a large clock value passes through a rounded product.
 */
export class TraceClock {
  /** Of the last accepted event; NaN before the first. */
  lastNs: number = Number.NaN;
  firstNs: number = Number.NaN;
  /** True where the clock prints bare integers; undefined before the first event. */
  isTicks: boolean | undefined = undefined;
  #baseWhole = 0;
  #baseFractionNs = 0;
  readonly #problems: LineProblems;

  constructor(problems: LineProblems) {
    this.#problems = problems;
  }

  /** Clock value that the times count from, in ns (or ticks). */
  get baseNs(): bigint {
    const whole = BigInt(this.#baseWhole);
    return this.isTicks === true ? whole : whole * 1_000_000_000n + BigInt(this.#baseFractionNs);
  }

  /** Time of a line; NaN where it is of another clock than the first line's, or too far from it. */
  relativeNs(context: EventTime): number {
    if (this.isTicks !== context.isTicks) {
      if (this.isTicks !== undefined) return Number.NaN;
      this.isTicks = context.isTicks;
      this.#baseWhole = context.whole;
      this.#baseFractionNs = context.fractionNs;
    }
    const whole = context.whole - this.#baseWhole;
    if (context.isTicks) return whole;
    const ns = whole * NS_PER_SECOND + (context.fractionNs - this.#baseFractionNs);
    return Math.abs(ns) <= Number.MAX_SAFE_INTEGER ? ns : Number.NaN;
  }

  /** Takes note of the time of an event that became a row. */
  accept(tsNs: number): void {
    if (tsNs < this.lastNs) {
      const back = this.lastNs - tsNs;
      this.#problems.note("TIME_BACKWARDS", `by ${back} ${this.isTicks === true ? "ticks" : "ns"}`);
    } else if (this.firstNs !== this.firstNs) {
      this.firstNs = tsNs;
    }
    this.lastNs = tsNs;
  }
}
