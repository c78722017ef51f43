import type { Invariant, ViolationExample } from "./invariant.ts";
import { CALLS, CALLS_AND_RETURNS, type OpenCall, OpenCalls } from "./open-calls.ts";

interface Unreturned {
  count: number;
  readonly examples: ViolationExample[];
}

/** Where a call's returns are recorded, each call has one. */
export const callWithoutReturn: Invariant = {
  id: "CALL_WITHOUT_RETURN",
  sentence: "a stage-2 call whose return is recorded for others and missing for it",
  meaning: "the trace ends inside the call, or events (or kretprobe instances) were lost",
  kinds: CALLS_AND_RETURNS,
  needs: [["map_ret", "unmap_ret", "wrprotect_ret", "relax_perms_ret", "split_ret"]],
  observe(violations) {
    const calls = new OpenCalls();
    // Whether a call's returns are recorded at all is only known later.
    const found: Unreturned[] = CALLS.map(() => ({ count: 0, examples: [] }));
    const unreturned = ({ call, line, tsNs, pid }: OpenCall): void => {
      const of = found[call]!;
      of.count += 1;
      if (of.examples.length < 5) {
        of.examples.push({ line, tsNs, detail: `${CALLS[call]!} of pid ${pid}` });
      }
    };
    return {
      event: (batch, row) => calls.event(batch, row, unreturned, undefined),
      lost: () => calls.clear(),
      finish() {
        for (const open of calls.stillOpen()) unreturned(open);
        for (const [call, { count, examples }] of found.entries()) {
          if (calls.hasReturns[call] !== true) continue;
          for (const { line, tsNs, detail } of examples) violations.add(line, tsNs, () => detail);
          violations.count += count - examples.length;
        }
      },
    };
  },
};
