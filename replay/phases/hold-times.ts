import { DurationHistogram } from "../../ingest/durations.ts";
import type { Hold } from "../migration/inputs.ts";

/** How long calls of one kind took, from entry to return. */
export class HoldTimes {
  readonly #histogram = new DurationHistogram();
  #sumNs = 0;
  #maxNs = -1;
  #maxLine = 0;

  /** A time that runs backwards counts as 0. */
  add(ns: number, line: number): void {
    const whole = Math.max(0, Math.round(ns));
    this.#histogram.add(whole);
    this.#sumNs += whole;
    if (whole <= this.#maxNs) return;
    this.#maxNs = whole;
    this.#maxLine = line;
  }

  absorb(other: HoldTimes): void {
    this.#histogram.absorb(other.#histogram);
    this.#sumNs += other.#sumNs;
    if (other.#maxNs <= this.#maxNs) return;
    this.#maxNs = other.#maxNs;
    this.#maxLine = other.#maxLine;
  }

  summary(lock: Hold["lock"]): Hold {
    return { ...this.#histogram.summary(), sumNs: this.#sumNs, maxLine: this.#maxLine, lock };
  }
}
