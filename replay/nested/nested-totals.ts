import { NESTED_CAUSES, type NestedCause } from "./invalidation.ts";

/** Sums of one policy for one cause. */
export interface NestedTotals {
  /** Invalidations, and shadow contexts that they reached. */
  events: number;
  contexts: number;
  /** kvm_pgtable_stage2_unmap (or _wrprotect) calls. */
  calls: number;
  leavesDropped: number;
  overInvalidated: number;
  leavesLeft: number;
  leavesProtected: number;
  refaults: number;
  targetUnknown: number;
  /** Besides those of the calls: stage-1 TLBIs executed for the guest. */
  stage1Tlbis: number;
}

export function emptyTotals(): NestedTotals {
  return {
    events: 0,
    contexts: 0,
    calls: 0,
    leavesDropped: 0,
    overInvalidated: 0,
    leavesLeft: 0,
    leavesProtected: 0,
    refaults: 0,
    targetUnknown: 0,
    stage1Tlbis: 0,
  };
}

/** Totals by cause, made where they are first needed. */
export class CauseTotals {
  readonly #byCause = new Map<NestedCause, NestedTotals>();

  of(cause: NestedCause): NestedTotals {
    let totals = this.#byCause.get(cause);
    if (totals === undefined) {
      totals = emptyTotals();
      this.#byCause.set(cause, totals);
    }
    return totals;
  }

  /** Causes that occurred, in the order of reports. */
  present(): readonly NestedCause[] {
    return NESTED_CAUSES.filter((cause) => this.#byCause.has(cause));
  }

  sum(field: keyof NestedTotals): number {
    let sum = 0;
    for (const totals of this.#byCause.values()) sum += totals[field];
    return sum;
  }
}
