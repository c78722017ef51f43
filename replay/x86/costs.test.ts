/** What flushes cost beside their number: interrupts of vCPUs that run, and refills. */
import { describe, expect, it } from "vitest";
import { Diagnostics } from "../../ingest/diagnostics.ts";
import { shapeOf } from "../tlb/preset-shape.ts";
import { findPreset } from "../tlb/presets/registry.ts";
import { feedRows } from "../testing/rows.ts";
import { X86_ONCE_5_18, X86_PER_TABLE_5_10 } from "./policies/families.ts";
import { X86Replay, type X86ReplayResult } from "./replay.ts";
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

function refillsOf(trace: X86Trace): X86ReplayResult["refills"] {
  const preset = findPreset("zen4")!;
  const replay = new X86Replay(
    {
      policies: [X86_PER_TABLE_5_10, X86_ONCE_5_18],
      compare: false,
      operationsOnly: false,
      presentForm: "bit-11",
      flushesProbed: undefined,
    },
    new Diagnostics("test"),
    undefined,
    { id: preset.id, shape: shapeOf(preset, []).shape },
  );
  feedRows(trace.rows, (batch) => {
    replay.consume(batch);
  });
  return replay.finish().refills;
}

/** 100 pages are mapped, and one of them goes twice. */
function busyGuest(): X86Trace {
  const trace = new X86Trace().fault();
  for (let gfn = 0; gfn < 100; gfn += 1) trace.change(gfn, 1, "none", "leaf");
  trace.notifier().change(7, 1, "leaf", "none");
  trace.fault().change(7, 1, "none", "leaf");
  return trace.notifier().change(8, 1, "leaf", "none");
}

describe("refills", () => {
  it("of a flush are every page that is used again, and none of the first use", () => {
    const { byPolicy, episodes } = refillsOf(busyGuest())!;
    expect(episodes).toBe(2);
    // The second flush drops what the first operation's uses brought in: at most the 99 other pages.
    expect(byPolicy[0]).toEqual(byPolicy[1]);
    expect(byPolicy[0]!.refills).toBeGreaterThan(80);
    expect(byPolicy[0]!.refills).toBeLessThanOrEqual(99);
    expect(byPolicy[0]!.references).toBeGreaterThan(byPolicy[0]!.refills);
  });

  it("are one policy's only where the other does not flush", () => {
    const trace = busyGuest().logging(true).add({ kind: "slot_split" });
    trace.fault().change(512, 2, "none", "table");
    trace
      .add({ kind: "flush_shadow_all" })
      .add({ kind: "zap_all" })
      .change(512, 2, "table", "none");
    const { byPolicy } = refillsOf(trace)!;
    expect(byPolicy[0]!.refills - byPolicy[1]!.refills).toBeGreaterThan(80);
  });
});
