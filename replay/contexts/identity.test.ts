/** Which tables an event speaks of: pgt, mmu and kvm pointers of VMs, as different kernels record them. */
import { describe, expect, it } from "vitest";
import { Diagnostics } from "../../ingest/diagnostics.ts";
import { issuedBy } from "../testing/issued.ts";
import { ALL_IDS, BOTH, callsOf, NEITHER, replayOf, told } from "../testing/replay-of.ts";
import { GIB, KIB, MIB, type Probes, TIB, Trace, type Vm } from "../testing/trace-builder.ts";

const SLOT = { base: 0, size: TIB };
const COMPARE = { compare: true, ipaBits: 40 } as const;

/** An unmap of 4 KiB inside its scopes, with what was recorded in it. */
function unmapRecording(
  vm: Vm,
  ipa: number,
  recorded: (vm: Vm) => void,
  object: "mmu" | "kvm",
): void {
  const pointer = vm.pointers[object];
  vm.add({ kind: "unmap_gfn", kvm: vm.pointers.kvm, addr: ipa / 4096, len: 1 });
  const range = { addr: ipa, len: 4 * KIB, arg0: 1 };
  vm.add({ kind: "apply_range", mmu: pointer, kvm: pointer, ...range });
  vm.begin("unmap", { addr: ipa, len: 4 * KIB });
  recorded(vm);
  vm.add({ kind: "unmap_ret", arg0: 0 });
}

describe.each<readonly [string, Probes & { applied: "mmu" | "kvm" }]>([
  ["calls that name pgt and mmu", { applied: "mmu" }],
  ["calls that name the pgt only (7.2)", { mmuInCalls: false, applied: "mmu" }],
  ["stage2_apply_range with a kvm (6.1)", { applied: "kvm" }],
  ["stage2_apply_range with a kvm, calls with the pgt only", { mmuInCalls: false, applied: "kvm" }],
])("%s", (_, probes) => {
  it("keep two VMs apart, and match each one's own recorded calls", () => {
    const trace = new Trace(12, probes);
    const a = trace.vm(100, 0).create(SLOT);
    const b = trace.vm(200, 1).create(SLOT);
    // A first notifier call of each, of nothing, tells which tables are whose.
    unmapRecording(a, 0, () => undefined, probes.applied);
    unmapRecording(b, 0, () => undefined, probes.applied);
    a.populate(GIB, 4 * MIB, 2 * MIB);
    b.populate(GIB, 4 * MIB, 4 * KIB);
    unmapRecording(a, GIB, (vm) => vm.hwIpa(GIB, 2), probes.applied);
    unmapRecording(b, GIB, (vm) => vm.hwIpa(GIB, 3), probes.applied);
    // Recorded on the other VM's mmu: it is not what this one's unmap of its last block issues.
    unmapRecording(a, GIB + 2 * MIB, () => b.on(100).hwIpa(GIB + 2 * MIB, 2), probes.applied);
    const result = replayOf(trace, ["pgtable-6.5"], BOTH, COMPARE);
    // Two blocks and their table in a; one page in b, whose tables stay.
    expect(told(result, "pgtable-6.5")).toBe("4 IPA = 8 TLBI");
    expect(result.fits[0]).toMatchObject({ matched: 2, missed: 1, spurious: 2, unknown: 0 });
  });
});

describe("a VM's tables", () => {
  it("begin empty where the trace shows its first memslot", () => {
    const trace = new Trace();
    trace.vm().create(SLOT).unmap(GIB, MIB);
    const diagnostics = new Diagnostics("test");
    const result = replayOf(trace, ["pgtable-6.5"], BOTH, { diagnostics });
    expect(told(result, "pgtable-6.5")).toBe("nothing");
    expect(diagnostics.count("UNKNOWN_CONTEXT")).toBe(0);
  });

  it("are unknown where it does not, which is said", () => {
    const trace = new Trace();
    trace.vm().unmap(GIB, 2 * MIB);
    const diagnostics = new Diagnostics("test");
    const result = replayOf(trace, ["pgtable-6.5", "range-6.6", "range-6.9"], BOTH, {
      diagnostics,
      ipaBits: 40,
    });
    // 512 leaves, their table, and the table of the GiB.
    expect(told(result, "pgtable-6.5")).toBe("0 IPA (at most 514 more) = 0 TLBI");
    expect(told(result, "range-6.6")).toBe("1 RANGE = 2 TLBI");
    expect(told(result, "range-6.9")).toBe("0 IPA (at most 2 more) + 1 RANGE = 2 TLBI");
    expect(diagnostics.count("UNKNOWN_CONTEXT")).toBe(1);
  });

  it("are unknown after the first event of a VM is not a memslot's creation", () => {
    const trace = new Trace();
    trace
      .vm()
      .enableLog(SLOT)
      .create({ ...SLOT, id: 1 })
      .unmap(GIB, 4 * KIB);
    expect(callsOf(replayOf(trace, ["pgtable-6.5"]), "pgtable-6.5", "IPA").unknown).toBe(3);
  });

  it.each([
    ["memslot 0", 0, 0],
    ["memslot 0 of QEMU's second address space", 0x10000, 0],
    ["a later memslot: the VM ran before the trace began", 7, 3],
  ])("are judged by the first memslot that is made: %s", (_, id, unknown) => {
    const trace = new Trace();
    trace
      .vm()
      .create({ ...SLOT, id })
      .unmap(GIB, 4 * KIB);
    expect(callsOf(replayOf(trace, ["pgtable-6.5"]), "pgtable-6.5", "IPA").unknown).toBe(unknown);
  });

  it("are what the user says, if the user says so", () => {
    const trace = new Trace();
    trace.vm().unmap(GIB, 2 * MIB);
    expect(told(replayOf(trace, ["pgtable-6.5"], BOTH, { start: "fresh" }), "pgtable-6.5")).toBe(
      "nothing",
    );
    const born = new Trace();
    born
      .vm()
      .create(SLOT)
      .unmap(GIB, 4 * KIB);
    const doubted = replayOf(born, ["pgtable-6.5"], BOTH, { start: "unknown", ipaBits: 40 });
    expect(told(doubted, "pgtable-6.5")).toBe("0 IPA (at most 3 more) = 0 TLBI");
  });

  it("are gone with the VM: one with the same pointers begins empty", () => {
    const trace = new Trace();
    trace
      .vm(100, 0, 0)
      .create(SLOT)
      .populate(GIB, 4 * MIB, 2 * MIB)
      .destroy();
    trace
      .vm(300, 0, 0)
      .create(SLOT)
      .unmap(GIB, 4 * MIB)
      .populate(GIB, 8 * KIB, 4 * KIB)
      .unmap(GIB, 4 * KIB);
    expect(issuedBy(trace, "pgtable-6.5", BOTH, { ipaBits: 40 })).toEqual(["IPA 0x40000 level 3"]);
  });

  it("are found again by a request on the kvm, when they were seen before it", () => {
    // The trace begins in the middle of its life: first a fault (pgt and mmu), then ageing (kvm).
    const trace = new Trace();
    const vm = trace.vm();
    vm.fault(GIB, 3, "translation")
      .map(GIB, 4 * KIB, TIB)
      .age(GIB, MIB)
      .remote();
    expect(told(replayOf(trace, ["range-6.9"]), "range-6.9", "age")).toBe("1 VM = 1 TLBI");
  });
});

describe("state that faults reveal", () => {
  it("a translation fault at level 3: no leaf, and a table to hold it", () => {
    const trace = new Trace();
    const vm = trace.vm();
    vm.fault(GIB, 3, "translation")
      .map(GIB, 4 * KIB, TIB)
      .unmap(GIB, 4 * KIB);
    // Only the page that was mapped in the trace is certain; its tables may hold others.
    expect(issuedBy(trace, "pgtable-6.5", BOTH, { ipaBits: 40 })).toEqual([
      "IPA 0x40000 level 3",
      "IPA 0x40000 level 2 at most",
      "IPA 0x40000 level 1 at most",
    ]);
  });

  it("a translation fault at level 2: nothing in the whole block", () => {
    const trace = new Trace();
    const vm = trace.vm();
    vm.fault(GIB, 2, "translation")
      .map(GIB, 4 * KIB, TIB)
      .unmap(GIB, 2 * MIB);
    expect(issuedBy(trace, "pgtable-6.5", BOTH, { ipaBits: 40 })).toEqual([
      "IPA 0x40000 level 3",
      "IPA 0x40000 level 2",
      "IPA 0x40000 level 1 at most",
    ]);
  });

  it("a permission fault at level 2: a block, broken by a page for certain", () => {
    const trace = new Trace();
    const vm = trace.vm();
    vm.fault(GIB, 2, "permission").map(GIB, 4 * KIB, TIB);
    const result = replayOf(trace, ALL_IDS, NEITHER);
    expect(told(result, "range-6.9", "split")).toBe("1 IPA = 2 TLBI");
    expect(told(result, "legacy-5.8", "split")).toBe("1 IPA = 2 TLBI");
  });

  it("a permission fault at level 3 that a block answers: a collapse for certain", () => {
    const trace = new Trace();
    trace
      .vm()
      .fault(GIB, 3, "permission")
      .map(GIB, 2 * MIB, TIB);
    const result = replayOf(trace, ["range-6.9", "pgtable-6.5", "legacy-5.9"], BOTH);
    expect(told(result, "range-6.9")).toBe("1 RANGE = 2 TLBI");
    expect(told(result, "pgtable-6.5")).toBe("1 VM = 1 TLBI");
    // The faulting leaf and the table; the other 511 leaves are not known.
    expect(told(result, "legacy-5.9")).toBe("2 IPA (at most 511 more) = 4 TLBI");
  });

  it("no fault: a block over unknown state may have replaced anything below it", () => {
    const trace = new Trace();
    trace.vm().map(GIB, 2 * MIB, TIB);
    const result = replayOf(trace, ["legacy-5.8", "pgtable-6.5", "range-6.9"], BOTH, {
      ipaBits: 40,
    });
    // On the way down the GiB may have been a block (1), or at the end: a block (1), or 512 + 1.
    const told3 = ["legacy-5.8", "pgtable-6.5", "range-6.9"].map((id) =>
      callsOf(result, id, "IPA"),
    );
    expect(told3[0]?.unknown).toBeGreaterThanOrEqual(513);
    expect(told3.map(({ calls }) => calls)).toEqual([0, 0, 0]);
    expect(callsOf(result, "pgtable-6.5", "VM").unknown).toBeGreaterThanOrEqual(1);
    expect(callsOf(result, "range-6.9", "RANGE").unknown).toBeGreaterThanOrEqual(1);
  });

  it("nothing where the history is known: the model stands", () => {
    const trace = new Trace();
    const vm = trace.vm().create(SLOT);
    vm.fault(GIB, 2, "permission").map(GIB, 4 * KIB, TIB);
    expect(told(replayOf(trace, ["range-6.9"]), "range-6.9")).toBe("nothing");
  });
});

/** The last 4 KiB of a VM are unmapped with so many recorded table flushes, mapped again and unmapped. */
function unmapOfLastPage(recordedTables: number) {
  const trace = new Trace();
  const vm = trace
    .vm()
    .create(SLOT)
    .populate(GIB, 4 * KIB, 4 * KIB);
  unmapRecording(
    vm,
    GIB,
    (own) => {
      own.hwIpa(GIB, 3);
      for (let table = 0; table < recordedTables; table += 1) own.hwIpa(GIB, 0x7fffffff);
    },
    "mmu",
  );
  vm.populate(GIB, 4 * KIB, 4 * KIB).unmap(GIB, 4 * KIB);
  const diagnostics = new Diagnostics("test");
  const result = replayOf(trace, ["range-6.9"], NEITHER, {
    compare: true,
    reference: "range-6.9",
    ipaBits: undefined,
    diagnostics,
  });
  return { diagnostics, predicted: told(result, "range-6.9"), missed: result.fits[0]?.missed };
}

describe("the start level", () => {
  it("is learned from a recorded flush of a level-1 table: the walk starts at level 0", () => {
    const { diagnostics, predicted, missed } = unmapOfLastPage(3);
    expect({ predicted, missed }).toEqual({ predicted: "8 IPA = 16 TLBI", missed: 0 });
    const learned = diagnostics.examples.filter(({ code }) => code === "LEARNED");
    expect(learned.map(({ code, detail }) => [code, detail])).toEqual([
      ["LEARNED", "context 1: the stage-2 walk starts at level 0, from the tables that were freed"],
    ]);
  });

  it("is confirmed where such a flush is missing", () => {
    const { diagnostics, predicted, missed } = unmapOfLastPage(2);
    expect({ predicted, missed }).toEqual({ predicted: "6 IPA = 12 TLBI", missed: 0 });
    expect(diagnostics.count("LEARNED")).toBe(1);
  });

  it("is not learned from a recording that fits neither way", () => {
    const { diagnostics, missed } = unmapOfLastPage(4);
    expect(diagnostics.count("LEARNED")).toBe(0);
    expect(missed).toBe(2);
  });
});
