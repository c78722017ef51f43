import { UNKNOWN_CPU } from "../../ingest/events/kinds.ts";
import type { Invariant } from "./invariant.ts";
import { ThreadStates } from "./thread-states.ts";

/** A thread needs longer than a clock's step to move from one CPU to another. */
export const threadOnTwoCpus: Invariant = {
  id: "THREAD_ON_TWO_CPUS",
  sentence: "a thread has events on two CPUs at the same time",
  meaning: "the CPUs' clocks differ, or two machines' traces (or two threads' numbers) are mixed",
  kinds: "all",
  needs: [],
  observe(violations) {
    const threads = new ThreadStates(() => ({ ns: Number.NaN, cpu: -1 }));
    return {
      event(batch, row) {
        const pid = batch.pid[row]!;
        const cpu = batch.cpu[row]!;
        // The idle thread of every CPU is pid 0.
        if (pid <= 0 || cpu === UNKNOWN_CPU) return;
        const thread = threads.of(pid);
        const ns = batch.tsNs[row]!;
        if (thread.ns === ns && thread.cpu !== cpu) {
          const from = thread.cpu;
          violations.add(batch.line[row]!, ns, () => `pid ${pid}: CPU ${from} and CPU ${cpu}`);
        }
        thread.ns = ns;
        thread.cpu = cpu;
      },
    };
  },
};
