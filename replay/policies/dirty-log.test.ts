/** Write-protection issues nothing; what its callers invalidate afterwards, with and without request probes. */
import { describe, expect, it } from "vitest";
import { issuedBy } from "../testing/issued.ts";
import {
  ALL_IDS,
  BOTH,
  FWB_ONLY,
  NEITHER,
  RANGE_ONLY,
  replayOf,
  rowsOf,
  told,
} from "../testing/replay-of.ts";
import { GIB, KIB, MIB, PROT, type Slot, Trace } from "../testing/trace-builder.ts";

const OLD = ["legacy-5.8", "legacy-5.9", "rfc-2020", "pgtable-5.10", "pgtable-6.2", "pgtable-6.5"];
const NEW = ["range-6.6", "range-6.9"];
const SLOT: Slot = { base: GIB, size: 20 * GIB };

function newVm(...slots: readonly Slot[]) {
  const trace = new Trace();
  const vm = trace.vm().create(...(slots.length === 0 ? [SLOT] : slots));
  return { trace, vm: vm.populate(GIB, 4 * MIB, 2 * MIB) };
}

describe("switching logging on", () => {
  it("write-protects the slot, then is one VM up to 6.5", () => {
    const { trace, vm } = newVm();
    vm.enableLog(SLOT).wrprotect(SLOT.base, SLOT.size).remoteMemslot(SLOT);
    const result = replayOf(trace, OLD);
    for (const id of OLD) expect(told(result, id, "enable_log")).toBe("1 VM = 1 TLBI");
  });

  it("is RANGE over the whole slot, cut at 2^21 pages, from 6.6 on", () => {
    const { trace, vm } = newVm();
    vm.enableLog(SLOT).wrprotect(SLOT.base, SLOT.size).remoteMemslot(SLOT);
    for (const features of [BOTH, RANGE_ONLY]) {
      for (const id of NEW) {
        expect(issuedBy(trace, id, features)).toEqual([
          "RANGE 0x40000+2097152",
          "RANGE 0x240000+2097152",
          "RANGE 0x440000+1048576",
        ]);
      }
    }
  });

  it("is one VM from 6.6 on without TLBIRANGE", () => {
    const { trace, vm } = newVm();
    vm.enableLog(SLOT).wrprotect(SLOT.base, SLOT.size).remoteMemslot(SLOT);
    for (const features of [NEITHER, FWB_ONLY]) {
      for (const id of NEW) expect(issuedBy(trace, id, features)).toEqual(["VM"]);
    }
  });

  it("is that of a slot made with logging on, whatever a probe read as the flags of no slot", () => {
    for (const oldFlags of [0, 0xffff_ffff]) {
      const { trace, vm } = newVm();
      const { kvm } = vm.pointers;
      vm.add({
        kind: "commit_region",
        kvm,
        addr: GIB,
        len: 512,
        arg0: 0,
        arg1: oldFlags,
        arg2: 1,
        arg3: 7,
      });
      vm.wrprotect(GIB * 4 * KIB, 2 * MIB).remoteMemslot({ base: GIB * 4 * KIB, size: 2 * MIB });
      expect(told(replayOf(trace, ["pgtable-6.5"]), "pgtable-6.5", "enable_log")).toBe(
        "1 VM = 1 TLBI",
      );
    }
  });

  it("of 192 GiB costs 48 instructions where a VM is one", () => {
    const slot = { base: GIB, size: 192 * GIB };
    const { trace, vm } = newVm(slot);
    vm.enableLog(slot).wrprotect(slot.base, slot.size).remoteMemslot(slot);
    const result = replayOf(trace, ["pgtable-6.5", "range-6.9"]);
    expect(told(result, "range-6.9")).toBe("24 RANGE = 48 TLBI");
    expect(rowsOf(result, "range-6.9")[0]?.dsb).toBe(72);
    expect(told(result, "pgtable-6.5")).toBe("1 VM = 1 TLBI");
  });

  it("with manual protection and initially-set bits is nothing", () => {
    const { trace, vm } = newVm();
    vm.enableLog(SLOT).entry();
    const result = replayOf(trace, ALL_IDS);
    for (const id of ALL_IDS) expect([id, told(result, id)]).toEqual([id, "nothing"]);
  });

  it("is told from the memslot where requests were not recorded", () => {
    const { trace, vm } = newVm();
    vm.enableLog(SLOT).wrprotect(SLOT.base, SLOT.size).add({ kind: "userspace_exit" });
    const result = replayOf(trace, ["pgtable-6.5", "range-6.9"]);
    expect(told(result, "pgtable-6.5", "enable_log")).toBe("1 VM = 1 TLBI");
    expect(told(result, "range-6.9", "enable_log")).toBe("3 RANGE = 6 TLBI");
  });
});

it("switching logging off is nothing", () => {
  const { trace, vm } = newVm();
  vm.disableLog(SLOT).entry();
  const result = replayOf(trace, ALL_IDS);
  for (const id of ALL_IDS) expect([id, told(result, id)]).toEqual([id, "nothing"]);
});

describe("GET or CLEAR_DIRTY_LOG", () => {
  it("is one flush of the slot per ioctl, whatever was dirty", () => {
    const { trace, vm } = newVm();
    vm.maskWord(SLOT, 0, [0, 63])
      .maskWord(SLOT, 64, [1])
      .maskWord(SLOT, 512, [5])
      .remoteMemslot(SLOT);
    vm.maskWord(SLOT, 1024, [7]).remoteMemslot(SLOT);
    const result = replayOf(trace, [...OLD, ...NEW]);
    for (const id of OLD) expect(told(result, id, "dirty_log")).toBe("2 VM = 2 TLBI");
    for (const id of NEW) expect(told(result, id, "dirty_log")).toBe("6 RANGE = 12 TLBI");
  });

  it("is flushed even where the protected words had no leaf", () => {
    const { trace, vm } = newVm();
    vm.maskWord(SLOT, 4 * 2 ** 18, [1]).remoteMemslot(SLOT);
    expect(told(replayOf(trace, ["pgtable-6.5"]), "pgtable-6.5")).toBe("1 VM = 1 TLBI");
    expect(told(replayOf(trace, ["ideal"]), "ideal")).toBe("nothing");
  });

  it("without request probes may have been several ioctls: the rest is an allowance", () => {
    const { trace, vm } = newVm();
    vm.maskWord(SLOT, 0, [0]).maskWord(SLOT, 64, [1]).maskWord(SLOT, 512, [5]).entry();
    expect(told(replayOf(trace, ["pgtable-6.5"]), "pgtable-6.5")).toBe(
      "1 VM (at most 2 more) = 1 TLBI",
    );
    expect(told(replayOf(trace, ["range-6.9"]), "range-6.9")).toBe(
      "3 RANGE (at most 6 more) = 6 TLBI",
    );
  });

  it("without request probes ends where the words begin again", () => {
    const { trace, vm } = newVm();
    vm.maskWord(SLOT, 64, [0]).maskWord(SLOT, 0, [1]).entry();
    expect(told(replayOf(trace, ["pgtable-6.5"]), "pgtable-6.5")).toBe("2 VM = 2 TLBI");
  });

  it("without request probes ends at a recorded flush", () => {
    const { trace, vm } = newVm();
    vm.maskWord(SLOT, 0, [0]).maskWord(SLOT, 64, [1]).hwVm();
    vm.maskWord(SLOT, 128, [0]).hwVm().entry();
    const result = replayOf(trace, ["pgtable-6.5"], BOTH, { compare: true });
    expect(told(result, "pgtable-6.5")).toBe("2 VM = 2 TLBI");
    expect(result.fits[0]).toMatchObject({ matched: 2, missed: 0, spurious: 0, unknown: 0 });
  });

  it("protects from the lowest to the highest bit of a word, holes too", () => {
    const { trace, vm } = newVm();
    vm.populate(2 * GIB, 64 * 4 * KIB, 4 * KIB)
      .maskWord(SLOT, 2 ** 18, [3, 40])
      .remoteMemslot(SLOT);
    expect(issuedBy(trace, "ideal")).toEqual(["RANGE 0x80003+38"]);
    expect(told(replayOf(trace, ["per-page"]), "per-page")).toBe("38 IPA = 76 TLBI");
  });

  it("protects a block as a whole", () => {
    const { trace, vm } = newVm();
    vm.maskWord(SLOT, 64, [3]).remoteMemslot(SLOT);
    expect(issuedBy(trace, "ideal")).toEqual(["RANGE 0x40000+512"]);
  });

  it("of a page that is protected already leaves nothing to invalidate for ideal", () => {
    const { trace, vm } = newVm();
    vm.populate(2 * GIB, 4 * KIB, 4 * KIB, PROT.rx)
      .maskWord(SLOT, 2 ** 18, [0])
      .remoteMemslot(SLOT);
    expect(issuedBy(trace, "ideal")).toEqual([]);
    expect(issuedBy(trace, "vmid-wide")).toEqual(["VM"]);
  });
});

describe("the dirty ring", () => {
  it.each([...OLD, ...NEW])("reset is one VM, never a range, in %s", (id) => {
    const { trace, vm } = newVm();
    vm.ringReset().remote();
    expect(told(replayOf(trace, [id]), id, "dirty_ring")).toBe("1 VM = 1 TLBI");
  });

  it("a VM covers what was write-protected before: nothing of it is left for the next flush", () => {
    const { trace, vm } = newVm();
    vm.wrprotect(GIB, 2 * MIB)
      .ringReset()
      .remote();
    vm.maskWord(SLOT, 2 ** 18, [0]).remoteMemslot(SLOT);
    const requests = { requestMode: "recorded" } as const;
    expect(issuedBy(trace, "ideal", BOTH, requests)).toEqual(["VM"]);
    expect(issuedBy(trace, "per-page", BOTH, requests)).toEqual(["VM"]);
  });
});

describe("requests", () => {
  it("that call each other are one request", () => {
    const { trace, vm } = newVm();
    const pages = { addr: SLOT.base / (4 * KIB), len: SLOT.size / (4 * KIB), kvm: vm.pointers.kvm };
    vm.maskWord(SLOT, 64, [3]).remoteMemslot(SLOT);
    vm.add({ kind: "remote_range", ...pages }).add({ kind: "arch_remote_range", ...pages });
    vm.add({ kind: "tlb_range", mmu: vm.pointers.mmu, addr: SLOT.base, len: SLOT.size });
    expect(told(replayOf(trace, ["range-6.9"]), "range-6.9")).toBe("3 RANGE = 6 TLBI");
  });

  it("of the same rank are one each", () => {
    const { trace, vm } = newVm();
    vm.remote().remote();
    expect(told(replayOf(trace, ["range-6.9"]), "range-6.9")).toBe("2 VM = 2 TLBI");
  });

  it("can be left out of account: then flushes are derived from what precedes them", () => {
    const { trace, vm } = newVm();
    vm.enableLog(SLOT).wrprotect(SLOT.base, SLOT.size).remoteMemslot(SLOT).remote().entry();
    const ignored = replayOf(trace, ["range-6.9"], BOTH, { requestMode: "ignored" });
    expect(told(ignored, "range-6.9")).toBe("3 RANGE = 6 TLBI");
  });
});
