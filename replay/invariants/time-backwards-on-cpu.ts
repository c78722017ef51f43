import type { Invariant } from "./invariant.ts";

/** A ring buffer is written in order: only a damaged file, or several put together, runs backwards. */
export const timeBackwardsOnCpu: Invariant = {
  id: "TIME_BACKWARDS_ON_CPU",
  sentence: "time runs backwards on one CPU",
  meaning: "the file was put together, sorted or edited, or its clock was changed while recording",
  kinds: "all",
  needs: [],
  observe(violations) {
    const lastNs: number[] = [];
    return {
      event(batch, row) {
        const cpu = batch.cpu[row]!;
        const ns = batch.tsNs[row]!;
        const before = lastNs[cpu];
        if (before !== undefined && ns < before) {
          violations.add(batch.line[row]!, ns, () => `CPU ${cpu}: ${before - ns} back`);
        }
        lastNs[cpu] = ns;
      },
    };
  },
};
