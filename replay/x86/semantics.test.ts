/** The reference's section 4, row by row; the expectations are its numbers and those of the captures' README. */
import { describe, expect, it } from "vitest";
import {
  X86_COLLAPSIBLE_BATCH,
  X86_COLLAPSIBLE_PER_SPTE,
  X86_ONCE_5_18,
  X86_PER_TABLE_5_10,
  X86_RCU_PROXY_2021,
  X86_RFC_LIST_2021,
} from "./policies/families.ts";
import type { X86Policy, X86PolicyFlags } from "./policies/flags.ts";
import { tablesWhenFull } from "./spte.ts";
import { flushesOf, pathsOf, replayOf, type Spte, X86Trace } from "./testing/x86-trace.ts";

const GIB_PAGES = 512 * 512;

function withFlags(policy: X86Policy, flags: Partial<X86PolicyFlags>): X86Policy {
  return { ...policy, flags: { ...policy.flags, ...flags } };
}

/** A fault puts a 1 GiB page in place of 513 tables. */
function collapse(to: Spte = "leaf"): X86Trace {
  return new X86Trace().fault().removeFull(GIB_PAGES * 4, 3, to);
}

describe("a removed page table", () => {
  it.each([
    [X86_PER_TABLE_5_10, 513],
    [X86_RFC_LIST_2021, 1],
    [X86_RCU_PROXY_2021, 1],
    [X86_ONCE_5_18, 1],
    [X86_COLLAPSIBLE_PER_SPTE, 1],
    [X86_COLLAPSIBLE_BATCH, 1],
  ])("%o: a 1 GiB entry that was fully split", (policy, flushes) => {
    expect(flushesOf(collapse(), policy)).toBe(flushes);
  });

  it("is counted by the arithmetic of full tables", () => {
    expect([1, 2, 3, 4].map((level) => tablesWhenFull(level))).toEqual([0, 1, 513, 262_657]);
  });

  it("costs 262,657 flushes below one root entry of 512 GiB", () => {
    const trace = new X86Trace().fault().removeFull(0, 4, "leaf");
    const result = replayOf(trace, [X86_PER_TABLE_5_10, X86_ONCE_5_18]);
    expect(result.fits.map(({ calls }) => calls.VM.predicted)).toEqual([262_657, 1]);
    expect(result.tablesRemoved).toBe(262_657);
  });

  it("is flushed for with its own range, the inner ones first (5.10)", () => {
    const first = GIB_PAGES * 4;
    const trace = new X86Trace().fault().change(first, 3, "table", "leaf");
    trace.change(first, 2, "table", "none").change(first, 1, "leaf", "none");
    trace
      .flush(first, 512)
      .change(first + 512, 2, "table", "none")
      .flush(first + 512, 512);
    trace.flush(first, GIB_PAGES);
    const [fit] = replayOf(trace, [X86_PER_TABLE_5_10]).fits;
    expect(fit).toMatchObject({ matched: 3, missed: 0, spurious: 0, unknown: 0 });
    const swapped = new X86Trace().fault().change(first, 3, "table", "leaf");
    swapped.flush(first, GIB_PAGES).change(first, 2, "table", "none").flush(first, 512);
    expect(replayOf(swapped, [X86_PER_TABLE_5_10]).fits[0]!.missed).toBe(1);
  });

  it("waits for its flush: with the others until the caller's, or the list's, or for its own", () => {
    const policies = [X86_PER_TABLE_5_10, X86_RFC_LIST_2021, X86_ONCE_5_18];
    const { costs } = replayOf(collapse(), policies);
    expect(costs.map(({ tablesWaitingMax }) => tablesWaitingMax)).toEqual([2, 513, 513]);
    expect(policies.map(({ flags }) => flags.tableFree)).toEqual(["own-flush", "list", "reader"]);
  });
});

describe("a notifier call", () => {
  it("flushes once for all that it zapped, and not for nothing", () => {
    for (const policy of [X86_PER_TABLE_5_10, X86_ONCE_5_18, X86_COLLAPSIBLE_BATCH]) {
      const trace = new X86Trace().notifier();
      for (let gfn = 0; gfn < 40; gfn += 1) trace.change(gfn, 1, "leaf", "none");
      trace.flush().notifier();
      expect(replayOf(trace, [policy]).fits[0]).toMatchObject({
        matched: 1,
        missed: 0,
        spurious: 0,
      });
    }
  });

  it("flushes once more for a table that went with it (5.10)", () => {
    const trace = new X86Trace().notifier().removeFull(0, 2, "none");
    expect(pathsOf(trace, X86_PER_TABLE_5_10)).toEqual(["unmap VM 2"]);
    expect(pathsOf(trace, X86_ONCE_5_18)).toEqual(["unmap VM 1"]);
  });

  it("flushes before each yield that owes it, and at its end", () => {
    const trace = new X86Trace().notifier();
    trace.change(0, 1, "leaf", "none").flush().change(1, 1, "leaf", "none").flush();
    trace.change(2, 1, "leaf", "none").flush();
    const { fits, costs } = replayOf(trace, [X86_ONCE_5_18]);
    expect(fits[0]).toMatchObject({ matched: 3, missed: 0, spurious: 0 });
    expect(costs[0]!.yields).toBe(2);
    const without = replayOf(trace, [X86_ONCE_5_18], { operationsOnly: true }).fits[0];
    expect(without).toMatchObject({ matched: 1, missed: 0, spurious: 0, unknown: 2 });
  });

  it("is told from the next one where no tracepoint begins it", () => {
    const trace = new X86Trace();
    for (const gfn of [0, 1]) {
      trace.add({ kind: "unmap_gfn", addr: gfn, len: 1 }).change(gfn, 1, "leaf", "none");
    }
    expect(pathsOf(trace, X86_ONCE_5_18)).toEqual(["unmap VM 2"]);
    // One notifier of two memslots, which its tracepoint begins.
    const one = new X86Trace().notifier().change(0, 1, "leaf", "none");
    one.add({ kind: "unmap_gfn", addr: 512, len: 1 }).change(512, 1, "leaf", "none");
    expect(pathsOf(one, X86_ONCE_5_18)).toEqual(["unmap VM 1"]);
  });

  it("of another VM in the same thread is another operation", () => {
    const trace = new X86Trace().notifier().change(0, 1, "leaf", "none").flush();
    trace.add({ kind: "unmap_gfn", kvm: 8, addr: 0, len: 1 });
    trace.add({ kind: "spte_changed", kvm: 8, addr: 0, arg0: 1, arg1: 0x867, arg2: 0, prot: 0 });
    trace.add({ kind: "remote", kvm: 8 });
    expect(replayOf(trace, [X86_ONCE_5_18]).fits[0]).toMatchObject({
      matched: 2,
      missed: 0,
      spurious: 0,
    });
  });
});

/** Logging ends for three tables of small pages; the leaves go with them, or alone (5.10). */
function disableLog(kind: "tables" | "leaves" | "recover"): X86Trace {
  const trace = new X86Trace().logging(false);
  trace.add({ kind: kind === "recover" ? "recover_huge_pages" : "zap_collapsible" });
  for (let table = 0; table < 3; table += 1) {
    const gfn = table * 512;
    if (kind === "tables") trace.removeFull(gfn, 2, "none", true);
    else if (kind === "recover") trace.removeFull(gfn, 2, "leaf", true);
    else for (let i = 0; i < 512; i += 1) trace.change(gfn + i, 1, "leaf", "none");
  }
  return trace;
}

describe("logging that ends", () => {
  const each = withFlags(X86_ONCE_5_18, { collapsible: "each-leaf" });
  it.each([
    ["its leaves, with one flush a walk (5.10)", X86_PER_TABLE_5_10, 1],
    ["one flush for every zapped leaf (5.13 to 5.18)", each, 1536],
    ["one for every zapped entry (to 6.12)", X86_COLLAPSIBLE_PER_SPTE, 3],
    ["one a memslot (6.13)", X86_COLLAPSIBLE_BATCH, 1],
  ])("zaps %s", (_, policy, flushes) => {
    for (const kind of ["tables", "leaves", "recover"] as const) {
      expect(pathsOf(disableLog(kind), policy), kind).toEqual([`disable_log VM ${flushes}`]);
    }
  });

  it("zaps the entry that a huge page stood in before, where one is known", () => {
    const trace = new X86Trace().fault().change(0, 3, "leaf", "none").change(0, 3, "none", "table");
    for (const gfn of [0, 512]) {
      trace.change(gfn, 2, "none", "table").change(gfn, 1, "none", "leaf");
    }
    trace.logging(false).add({ kind: "zap_collapsible" });
    trace.change(0, 1, "leaf", "none").change(512, 1, "leaf", "none");
    const paths = pathsOf(trace, X86_COLLAPSIBLE_PER_SPTE);
    expect(paths).toEqual(["split VM 1", "disable_log VM 1"]);
  });

  it("flushes before it yields, and then only for what came after (6.13)", () => {
    const trace = new X86Trace().logging(false).add({ kind: "recover_huge_pages" });
    trace.removeFull(0, 2, "leaf").flush().removeFull(512, 2, "leaf");
    trace.add({ kind: "remote_memslot" }).flush();
    const ended = new X86Trace().logging(false).add({ kind: "recover_huge_pages" });
    ended.removeFull(0, 2, "leaf").flush();
    for (const [one, flushes] of [
      [trace, 2],
      [ended, 1],
    ] as const) {
      const [fit] = replayOf(one, [X86_COLLAPSIBLE_BATCH]).fits;
      expect(fit).toMatchObject({ matched: flushes, missed: 0, spurious: 0 });
    }
  });
});

/** Logging goes on for a slot whose huge page is split. */
function protect(isChanged: boolean): X86Trace {
  const trace = new X86Trace().logging(true).add({ kind: "slot_split" });
  trace.change(0, 2, "leaf", "table").add({ kind: "slot_wrprotect" });
  return isChanged ? trace.change(0, 1, "leaf", "read-only") : trace;
}

/** A word of the dirty log is read. */
function read(mask: number): X86Trace {
  return new X86Trace().add({
    kind: "enable_log_pt_masked",
    addr: 0,
    arg0: 0,
    arg1: mask,
    arg2: 0,
  });
}

describe("other operations", () => {
  it("logging that begins: where an entry changed (to 5.19), or always (6.0)", () => {
    expect(flushesOf(protect(true), X86_PER_TABLE_5_10)).toBe(1);
    expect(flushesOf(protect(false), X86_PER_TABLE_5_10)).toBe(0);
    expect(flushesOf(protect(true), X86_COLLAPSIBLE_PER_SPTE)).toBe(1);
    expect(flushesOf(protect(false), X86_COLLAPSIBLE_PER_SPTE)).toBe(1);
  });

  it("a read of the dirty log: one, where a word had a dirty page", () => {
    expect(flushesOf(read(5), X86_PER_TABLE_5_10)).toBe(1);
    expect(flushesOf(read(5), X86_COLLAPSIBLE_BATCH)).toBe(1);
    expect(flushesOf(read(0), X86_COLLAPSIBLE_BATCH)).toBe(0);
  });

  it("a deleted memslot: each table and one more (5.10), nothing where roots are reloaded (5.18)", () => {
    const trace = new X86Trace()
      .add({ kind: "flush_shadow_memslot" })
      .add({ kind: "zap_all_fast" });
    trace.change(0, 4, "table", "none").change(0, 3, "table", "none").removeFull(0, 2, "none");
    expect(pathsOf(trace, X86_PER_TABLE_5_10)).toEqual(["memslot VM 4"]);
    expect(pathsOf(trace, X86_RFC_LIST_2021)).toEqual(["memslot VM 2"]);
    expect(pathsOf(trace, X86_ONCE_5_18)).toEqual([]);
    // KVM_X86_QUIRK_SLOT_ZAP_ALL off: only the slot's leaves go, and are flushed for.
    const leaves = new X86Trace()
      .add({ kind: "flush_shadow_memslot" })
      .change(0, 1, "leaf", "none");
    expect(pathsOf(leaves, X86_COLLAPSIBLE_BATCH)).toEqual(["memslot VM 1"]);
  });

  it("the end of a VM: flushed for (5.10), or not (5.18)", () => {
    const trace = new X86Trace().add({ kind: "flush_shadow_all" }).add({ kind: "zap_all" });
    trace.removeFull(0, 2, "none");
    expect(pathsOf(trace, X86_PER_TABLE_5_10)).toEqual(["teardown VM 2"]);
    expect(pathsOf(trace, X86_ONCE_5_18)).toEqual([]);
  });

  it("a huge page that a fault breaks: one flush, or none where it is split in place (6.2)", () => {
    const zapped = new X86Trace()
      .fault()
      .change(512, 2, "leaf", "none")
      .change(512, 2, "none", "table");
    const inPlace = new X86Trace().fault().change(512, 2, "leaf", "table");
    for (const trace of [zapped, inPlace]) {
      expect(pathsOf(trace, X86_PER_TABLE_5_10)).toEqual(["split VM 1"]);
      expect(pathsOf(trace, X86_COLLAPSIBLE_BATCH)).toEqual([]);
    }
  });

  it("ageing that cleared an accessed bit: at most one, and none since 6.13", () => {
    const trace = new X86Trace().add({ kind: "age_gfn", addr: 0, len: 1 });
    trace.add({ kind: "spte_changed", addr: 0, arg0: 1, arg1: 0x867, arg2: 0, prot: 0x847 });
    expect(pathsOf(trace, X86_COLLAPSIBLE_PER_SPTE)).toEqual(["age VM 0≤1"]);
    expect(pathsOf(trace, X86_COLLAPSIBLE_BATCH)).toEqual([]);
  });

  it("on Hyper-V a flush that names a range is of that range", () => {
    const hyperv = withFlags(X86_PER_TABLE_5_10, { hyperv: true });
    const trace = new X86Trace().notifier().removeFull(1024, 2, "none");
    trace.add({ kind: "hv_flush_range", addr: 1024, len: 512 }).flush();
    expect(pathsOf(trace, hyperv)).toEqual(["unmap VM 1", "unmap RANGE 1"]);
    expect(replayOf(trace, [hyperv]).fits[0]).toMatchObject({ matched: 2, missed: 0, spurious: 0 });
  });

  it("a flush that nothing in the trace explains is missed", () => {
    const trace = new X86Trace().add({ kind: "userspace_exit" }).flush();
    expect(replayOf(trace, [X86_ONCE_5_18]).fits[0]).toMatchObject({ missed: 1, unknown: 0 });
  });

  it("it is unknown where the thread may have been in the middle of an operation", () => {
    const began = new X86Trace().flush();
    expect(replayOf(began, [X86_ONCE_5_18]).fits[0]).toMatchObject({ missed: 0, unknown: 1 });
    const lost = new X86Trace().add({ kind: "userspace_exit" }).add({ kind: "lost" }).flush();
    expect(replayOf(lost, [X86_ONCE_5_18]).fits[0]).toMatchObject({ missed: 0, unknown: 1 });
  });

  it("lost events cut what is open: nothing is spurious, and nothing carries over", () => {
    const trace = new X86Trace().notifier().change(0, 1, "leaf", "none");
    trace.add({ kind: "lost" });
    expect(replayOf(trace, [X86_ONCE_5_18]).fits[0]).toMatchObject({ missed: 0, spurious: 0 });
  });
});
