import type { Invariant } from "./invariant.ts";
import { CALLS, CALLS_AND_RETURNS, OpenCalls } from "./open-calls.ts";

/** A return belongs to the call that its thread has open. */
export const returnWithoutCall: Invariant = {
  id: "RETURN_WITHOUT_CALL",
  sentence: "a return of a stage-2 call that its thread has not open",
  meaning: "the trace began inside the call, its entry is not probed, or events were lost",
  kinds: CALLS_AND_RETURNS,
  needs: [["map_ret", "unmap_ret", "wrprotect_ret", "relax_perms_ret", "split_ret"]],
  observe(violations) {
    const calls = new OpenCalls();
    return {
      event(batch, row) {
        calls.event(batch, row, undefined, (call) => {
          const pid = batch.pid[row]!;
          const detail = (): string => `${CALLS[call]!}_ret of pid ${pid}`;
          violations.add(batch.line[row]!, batch.tsNs[row]!, detail);
        });
      },
      lost: () => calls.clear(),
    };
  },
};
