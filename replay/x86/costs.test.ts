/** What flushes cost beside their number: interrupts of vCPUs that run. */
import { describe, expect, it } from "vitest";
import { X86_ONCE_5_18, X86_PER_TABLE_5_10 } from "./policies/families.ts";
import { replayOf, X86Trace } from "./testing/x86-trace.ts";

describe("interrupts", () => {
  it("go to the vCPUs inside the guest, of each flush", () => {
    const trace = new X86Trace();
    for (const pid of [1, 2, 3]) trace.add({ kind: "kvm_entry", kvm: 0, pid });
    trace.add({ kind: "kvm_exit", kvm: 0, pid: 3 });
    trace.notifier().removeFull(0, 2, "none").flush(0, 512).flush();
    const { interrupts, costs } = replayOf(trace, [X86_PER_TABLE_5_10, X86_ONCE_5_18]);
    expect(interrupts).toEqual({ kicks: 2, sent: 4 });
    expect(costs.map((cost) => [cost.kicks, cost.interrupts])).toEqual([
      [2, 4],
      [1, 2],
    ]);
  });

  it("are not known without entries and exits", () => {
    expect(replayOf(new X86Trace().notifier().flush(), [X86_ONCE_5_18]).interrupts).toBeUndefined();
  });
});
