import { APPLIED_FUNCTIONS } from "../../events/kinds.ts";
import type { ProbeSites } from "./probe-sites.ts";

/** A trace has a handful of such functions; a damaged one must not fill the memory. */
const MAX_KNOWN = 64;

interface KnownFunction {
  readonly high: number;
  readonly low: number;
  readonly index: number;
}

/** Tells which of APPLIED_FUNCTIONS a function pointer is; looks through the symbols once for each. */
export class AppliedFunctions {
  readonly #sites: ProbeSites;
  readonly #known: KnownFunction[] = [];
  #last: KnownFunction = { high: 0, low: 0, index: 0 };

  constructor(sites: ProbeSites) {
    this.#sites = sites;
  }

  /** Its index; 0: another function. */
  indexOf(high: number, low: number): number {
    if (this.#last.high !== high || this.#last.low !== low) this.#last = this.#find(high, low);
    return this.#last.index;
  }

  #find(high: number, low: number): KnownFunction {
    const known = this.#known.find((one) => one.high === high && one.low === low);
    if (known !== undefined) return known;
    const symbol = this.#sites.symbolAt(high, low)?.replace(/\..*$/, "");
    const index = APPLIED_FUNCTIONS.findIndex((name) => name === symbol);
    const found = { high, low, index: Math.max(0, index) };
    if (this.#known.length < MAX_KNOWN) this.#known.push(found);
    return found;
  }
}
