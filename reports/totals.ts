import type { FlushRow } from "../replay/results.ts";

/** The name under which the invalidations that the trace itself recorded stand beside the policies. */
export const RECORDED = "recorded";

/** Sums over all paths and primitives of one policy. */
export interface PolicyTotals {
  readonly policy: string;
  readonly calls: number;
  readonly tlbi: number;
  readonly dsb: number;
  readonly unknownCalls: number;
}

export function totalsOf(flushes: readonly FlushRow[], policy: string): PolicyTotals {
  let [calls, tlbi, dsb, unknownCalls] = [0, 0, 0, 0];
  for (const row of flushes) {
    if (row.policy !== policy) continue;
    calls += row.calls;
    tlbi += row.tlbi;
    dsb += row.dsb;
    unknownCalls += row.unknown_calls;
  }
  return { policy, calls, tlbi, dsb, unknownCalls };
}
