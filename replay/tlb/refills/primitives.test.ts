import { describe, expect, it } from "vitest";
import { policyOf } from "../../testing/replay-of.ts";
import { refillsOf } from "../../testing/refills-of.ts";
import { GIB, KIB, MIB, PROT, TIB, Trace, type Vm } from "../../testing/trace-builder.ts";
import type { Hypothesis } from "../shape.ts";
import type { RefillResult } from "./refill-result.ts";

const PAGE = 4 * KIB;
const SLOT = { base: GIB, size: 64 * MIB };
/** Four pages that the guest touches before and behind a flush, and others that change. */
const TOUCHED = GIB;
const OTHER = GIB + 32 * MIB;

/** The vCPU's thread enters the guest, faults on a page that is mapped then, and goes on. */
function touchFirst(vm: Vm, ipa: number, prot: number = PROT.rwx): void {
  vm.entry().exit();
  vm.fault(ipa, 3, "translation")
    .map(ipa, PAGE, TIB + ipa + PAGE, prot)
    .entry()
    .exit();
}

/** As the s2 driver: a marker, the guest runs, and ends with an MMIO exit. */
function access(vm: Vm, ipa: number, count: number, op: "read" | "write" = "read"): void {
  const columns = { addr: ipa, len: PAGE, arg0: count, arg1: op === "write" ? 1 : 0, arg2: 0 };
  vm.add({ kind: "marker", ...columns });
  vm.entry().exit().add({ kind: "userspace_exit", arg0: 6 });
}

/** A VM whose four pages are in the TLB of the thread's CPU. */
function warm(trace: Trace): Vm {
  const vm = trace.vm().create(SLOT);
  // The marker before the first fault tells whose VM 0 is.
  vm.add({ kind: "marker", addr: TOUCHED, len: PAGE, arg0: 4, arg1: 0, arg2: 0 });
  for (let page = 0; page < 4; page += 1) touchFirst(vm, TOUCHED + page * PAGE);
  touchFirst(vm, OTHER);
  access(vm, TOUCHED, 4);
  return vm;
}

interface Told {
  readonly combined: number;
  readonly stage2: number;
  readonly references: number;
  readonly stale: number;
}

function told(result: RefillResult, policy: string, hypothesis: Hypothesis): Told {
  const total = result.totals.find(
    (one) => one.policy === policy && one.hypothesis === hypothesis,
  )!;
  return {
    combined: total.combined.median,
    stage2: total.stage2!.median,
    references: total.walkReferences.median,
    stale: total.staleHits,
  };
}

describe("four pages in the TLB", () => {
  const strategies = ["per-page", "range", "vmid-wide"];

  it("cost nothing without a flush", () => {
    const trace = new Trace();
    const vm = warm(trace);
    access(vm, TOUCHED, 4);
    const result = refillsOf(trace, strategies);
    for (const policy of strategies) {
      const none = { combined: 0, stage2: 0, references: 0, stale: 0 };
      expect(told(result, policy, "minimum")).toEqual(none);
    }
    // 4 faults that are tried again and the 5th, then 4 accesses twice; the first 4 are the faults' own.
    expect(result.counts.visits).toBe(13);
  });

  it("are refilled once each behind an unmap elsewhere, whatever flushes", () => {
    const trace = new Trace();
    const vm = warm(trace);
    vm.unmap(OTHER, PAGE);
    access(vm, TOUCHED, 4);
    const result = refillsOf(trace, strategies);
    /*
     * Four refills each. Hardware that keeps stage-2-only entries of pages (`minimum`) reads the four
     * stage-1 tables for the first and the last of them for each other one: 4 + 3. The VM's flush takes
     * the stage-2-only entries of 4 pages and 4 tables too: walks of 3 for each table and the first
     * page, of 1 for the other three pages: 7 + 12 + 3 + 3.
     */
    const spared = { combined: 4, stage2: 0, references: 7, stale: 0 };
    expect(told(result, "per-page", "minimum")).toEqual(spared);
    expect(told(result, "range", "minimum")).toEqual(spared);
    const all = { combined: 4, stage2: 8, references: 25, stale: 0 };
    expect(told(result, "vmid-wide", "minimum")).toEqual(all);
    // With entries for blocks only there is nothing that a page's flush could spare.
    expect(told(result, "range", "combined")).toMatchObject({ combined: 4, stage2: 0 });
    expect(told(result, "range", "combined").references).toBeGreaterThan(7);
    const paths = result.rows.filter(({ combined_refills: n }) => n !== 0).map(({ path }) => path);
    expect(new Set(paths)).toEqual(new Set(["unmap"]));
  });

  it("are refilled on both CPUs by a broadcast, on one by a local flush", () => {
    const trace = new Trace();
    const vm = warm(trace);
    const second = vm.on(101, 1);
    second.add({ kind: "marker", addr: TOUCHED, len: PAGE, arg0: 4, arg1: 0, arg2: 0 });
    touchFirst(second, OTHER + PAGE, PROT.rx);
    access(second, TOUCHED, 4);
    // A write to the page that is mapped read-only.
    vm.entry()
      .exit()
      .fault(OTHER + PAGE, 3, "permission")
      .relax(OTHER + PAGE);
    access(second, TOUCHED, 4);
    access(vm, TOUCHED, 4);
    const result = refillsOf(trace, ["pgtable-6.2", "range-6.9"]);
    expect(told(result, "pgtable-6.2", "combined").combined).toBe(8);
    expect(told(result, "range-6.9", "combined").combined).toBe(4);
    expect(result.rows.find(({ policy }) => policy === "range-6.9")?.path).toBe("relax");
  });

  it("are refilled when another vCPU of the VM is loaded on the CPU", () => {
    const trace = new Trace();
    const vm = warm(trace);
    const second = vm.on(101);
    second.add({ kind: "marker", addr: TOUCHED, len: PAGE, arg0: 4, arg1: 0, arg2: 0 });
    touchFirst(second, OTHER + PAGE);
    access(second, TOUCHED, 4);
    const result = refillsOf(trace, ["range-6.9"]);
    expect(told(result, "range-6.9", "combined").combined).toBe(4);
    const row = result.rows.find(({ hypothesis }) => hypothesis === "combined");
    expect(row).toMatchObject({ path: "vcpu_switch", combined_refills: 4 });
  });
});

describe("markers", () => {
  it("of another VM's operations do not pass for the last announced one's", () => {
    const trace = new Trace();
    const vm = warm(trace);
    // The thread works on VM 1 now, whose first fault is announced by no access.
    const other = trace.vm().create(SLOT);
    other.add({ kind: "marker", arg1: 4, arg2: 1 });
    touchFirst(other, OTHER);
    access(vm, TOUCHED, 4);
    const { counts } = refillsOf(trace, ["range-6.9"]);
    // 5 faults and 4 announced pages of the first VM, the fault of the second, and again the 4.
    expect(counts).toMatchObject({ provenVisits: 5 + 4 + 1 + 4, provenLost: 0 });
  });

  it("do not make a device's page a lost access", () => {
    const trace = new Trace();
    const vm = warm(trace);
    vm.entry().exit().fault(0x7000_0000, 2, "translation");
    vm.add({ kind: "userspace_exit", arg0: 6 });
    vm.entry().exit();
    expect(refillsOf(trace, ["range-6.9"]).counts).toMatchObject({ provenLost: 0 });
  });
});

describe("a VMID roll-over", () => {
  it("takes every VM's entries from every PE, under every policy alike", () => {
    const trace = new Trace();
    const vm = warm(trace);
    const other = vm.on(101, 1);
    other.add({ kind: "marker", addr: TOUCHED, len: PAGE, arg0: 4, arg1: 0, arg2: 0 });
    touchFirst(other, OTHER + PAGE);
    access(other, TOUCHED, 4);
    vm.add({ kind: "hw_vm_context" });
    access(other, TOUCHED, 4);
    access(vm, TOUCHED, 4);
    const result = refillsOf(trace, ["range-6.9", "vmid-wide"]);
    for (const policy of ["range-6.9", "vmid-wide"]) {
      expect(told(result, policy, "combined").combined).toBe(8);
    }
    const rows = result.rows.filter(({ hypothesis }) => hypothesis === "combined");
    expect(rows.map(({ path }) => path)).toEqual(["vmid_rollover", "vmid_rollover"]);
  });
});

describe("stale hits", () => {
  const broken = {
    ...policyOf("range-6.9"),
    id: "no-ring-flush",
    flags: { ...policyOf("range-6.9").flags, ringReset: "none" as const },
  };

  it("are writes through entries that a policy leaves writable", () => {
    const trace = new Trace();
    const vm = warm(trace);
    vm.ringReset()
      .wrprotect(TOUCHED, 4 * PAGE)
      .remote();
    access(vm, TOUCHED, 4, "read");
    access(vm, TOUCHED, 4, "write");
    const result = refillsOf(trace, ["range-6.9", broken]);
    expect(told(result, "range-6.9", "combined").stale).toBe(0);
    expect(told(result, "no-ring-flush", "combined")).toMatchObject({ combined: 0, stale: 4 });
    const examples = result.staleExamples;
    expect(examples.map(({ ipa }) => ipa)).toEqual([0, 1, 2, 3].map((n) => TOUCHED + n * PAGE));
    for (const one of examples) {
      expect(one).toMatchObject({ policy: "no-ring-flush", cpu: 0, pid: 100, isWrite: true });
      expect(one.held).toBe(
        "an entry of the level-3 leaves of [0x40000000, 0x40004000), write-protected by dirty_ring",
      );
      expect(one.flush).toBe("none");
      expect(one.tsNs).toBeGreaterThan(one.flushNs!);
    }
  });

  it("are uses of stage-2-only entries that the corrupt operand of 2^21 pages leaves", () => {
    const trace = new Trace();
    const slot = { base: 8 * GIB, size: 8 * GIB };
    const vm = trace.vm().create(slot);
    const last = slot.base + slot.size - 2 * MIB;
    const columns = { addr: last, len: PAGE, arg0: 1, arg1: 0, arg2: 0 };
    const mapBlock = (phys: number): void => {
      vm.entry()
        .exit()
        .fault(last, 2, "translation")
        .map(last, 2 * MIB, phys)
        .entry()
        .exit();
    };
    vm.add({ kind: "marker", ...columns });
    mapBlock(TIB);
    access(vm, last, 1);
    // One request over the whole slot, in one piece: 2^21 pages.
    vm.unmap(slot.base, slot.size);
    mapBlock(2 * TIB);
    access(vm, last, 1);
    const range = policyOf("range");
    const corrupt = {
      ...range,
      id: "corrupt",
      flags: { ...range.flags, rangeEncoder: "ascending" as const },
    };
    const result = refillsOf(trace, [range, corrupt]);
    expect(told(result, "range", "combined").stale).toBe(0);
    expect(told(result, "corrupt", "combined").stale).toBeGreaterThan(0);
    // The call names the whole slot; its instructions do not.
    expect(result.staleExamples[0]).toMatchObject({
      policy: "corrupt",
      ipa: last,
      flush: "RANGE [0x200000000, 0x400000000)",
      held: "an entry of the level-2 leaves of [0x3ffe00000, 0x400000000), removed by unmap",
    });
  });
});
