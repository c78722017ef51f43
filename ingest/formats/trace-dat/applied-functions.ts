import { APPLIED_FUNCTIONS } from "../../events/kinds.ts";
import type { ProbeSites } from "./probe-sites.ts";

/** Tells which of APPLIED_FUNCTIONS a function pointer is; the last answer is kept. */
export class AppliedFunctions {
  readonly #sites: ProbeSites;
  #high = 0;
  #low = 0;
  #index = 0;

  constructor(sites: ProbeSites) {
    this.#sites = sites;
  }

  /** Its index; 0: another function. */
  indexOf(high: number, low: number): number {
    if (this.#high !== high || this.#low !== low) {
      this.#high = high;
      this.#low = low;
      const symbol = this.#sites.symbolAt(high, low)?.replace(/\..*$/, "");
      this.#index = Math.max(
        0,
        APPLIED_FUNCTIONS.findIndex((name) => name === symbol),
      );
    }
    return this.#index;
  }
}
