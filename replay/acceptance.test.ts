/**
 * The acceptance vectors of the flush semantics (#1–#13, #15; #14 is nested), each as a whole replay:
 * what a VM does, then what each kernel generation issues for it.
 */
import { describe, expect, it } from "vitest";
import { callOf } from "./replay.ts";
import {
  BOTH,
  FWB_ONLY,
  instructionsOf,
  NEITHER,
  policyOf,
  RANGE_ONLY,
  replayOf,
  told,
} from "./testing/replay-of.ts";
import { GIB, KIB, MIB, PROT, Trace, TIB } from "./testing/trace-builder.ts";
import { listInstructions } from "./tlbi/listing.ts";
import { Primitive } from "./tlbi/primitives.ts";

const OLD = ["legacy-5.8", "legacy-5.9", "pgtable-5.10", "pgtable-6.2", "pgtable-6.5"];
const PGTABLE = ["pgtable-5.10", "pgtable-6.2", "pgtable-6.5"];
const NEW = ["range-6.6", "range-6.9"];
/** CPUs on which a deferred unmap is not possible. */
const NO = [
  ["neither feature", NEITHER],
  ["TLBIRANGE only", RANGE_ONLY],
  ["FWB only", FWB_ONLY],
] as const;

/** Expects the column "≤ 6.5 or no" of every kernel in it. */
function expectOldOrNo(trace: Trace, expected: string): void {
  const old = replayOf(trace, OLD);
  for (const id of OLD) expect([id, told(old, id)]).toEqual([id, expected]);
  for (const [name, features] of NO) {
    const fallen = replayOf(trace, NEW, features);
    for (const id of NEW) expect([id, name, told(fallen, id)]).toEqual([id, name, expected]);
  }
}

function expectNew(trace: Trace, range66: string, range69: string): void {
  const result = replayOf(trace, NEW, BOTH);
  expect(told(result, "range-6.6")).toBe(range66);
  expect(told(result, "range-6.9")).toBe(range69);
}

function newVm(pageShift: 12 | 14 | 16 = 12) {
  const trace = new Trace(pageShift);
  const vm = trace.vm().create({ base: 0, size: TIB });
  return { trace, vm };
}

describe("#1 unmap of 2 MiB mapped by 4 KiB, neighbours still mapped", () => {
  const { trace, vm } = newVm();
  vm.populate(GIB - 2 * MIB, 6 * MIB, 4 * KIB).unmap(GIB, 2 * MIB);

  it("is an IPA per leaf and for the emptied table where nothing is deferred", () => {
    expectOldOrNo(trace, "513 IPA = 1026 TLBI");
  });
  it("is one RANGE in 6.6, and one IPA more for the table from 6.9 on", () => {
    expectNew(trace, "1 RANGE = 2 TLBI", "1 IPA + 1 RANGE = 4 TLBI");
  });
});

describe("#2 unmap of 4 KiB inside a 2 MiB block", () => {
  const { trace, vm } = newVm();
  vm.populate(GIB, 4 * MIB, 2 * MIB).unmap(GIB + 20 * KIB, 4 * KIB);

  it("is one IPA where nothing is deferred", () => {
    expectOldOrNo(trace, "1 IPA = 2 TLBI");
  });
  it("is one RANGE of a single page, which is two instructions", () => {
    expectNew(trace, "1 RANGE = 2 TLBI", "1 RANGE = 2 TLBI");
    const result = replayOf(trace, NEW);
    for (const id of NEW)
      expect(instructionsOf(result, id)).toEqual({ ipas2e1is: 1, vmalle1is: 1 });
  });
  it("clears the whole block: its other pages are not mapped any more", () => {
    const again = newVm();
    again.vm
      .populate(GIB, 2 * MIB, 2 * MIB)
      .unmap(GIB + 20 * KIB, 4 * KIB)
      .unmap(GIB, 2 * MIB);
    // Two IPA: the block, and the table of its GiB, which had no other entry. Nothing at the second call.
    expect(told(replayOf(again.trace, OLD), "pgtable-6.5")).toBe("2 IPA = 4 TLBI");
  });
});

describe("#3 unmap of 2 GiB at 0x3fe00000, mapped by 2 MiB, neighbours mapped", () => {
  //  1 GiB-2 MiB │ 1 GiB … 2 GiB │ … 3 GiB-2 MiB     pieces of 2 MiB, 1 GiB and 1 GiB-2 MiB
  const { trace, vm } = newVm();
  vm.populate(0x3fe0_0000 - 2 * MIB, 2 * GIB + 4 * MIB, 2 * MIB).unmap(0x3fe0_0000, 2 * GIB);

  it("is 1024 leaves and one table where nothing is deferred", () => {
    expectOldOrNo(trace, "1025 IPA = 2050 TLBI");
  });
  it("is three pieces of 1, 1 and 3 range instructions", () => {
    expectNew(trace, "3 RANGE = 8 TLBI", "1 IPA + 3 RANGE = 10 TLBI");
  });
});

describe("#4 unmap of an empty hole of 8 GiB", () => {
  const { trace, vm } = newVm();
  vm.unmap(8 * GIB, 8 * GIB);

  it("is nothing where nothing is deferred", () => {
    expectOldOrNo(trace, "nothing");
  });
  it("is one RANGE per GiB where it is", () => {
    expectNew(trace, "8 RANGE = 16 TLBI", "8 RANGE = 16 TLBI");
  });
});

describe.each([
  ["#5 16 KiB pages: unmap of 1 GiB mapped by 32 MiB blocks", 14, 32 * MIB, 32],
  ["#6 64 KiB pages: unmap of 1 GiB mapped by 512 MiB blocks", 16, 512 * MIB, 2],
] as const)("%s, neighbours share the table", (_, pageShift, block, calls) => {
  const { trace, vm } = newVm(pageShift);
  vm.populate(GIB, 2 * GIB, block).unmap(GIB, GIB);

  it("costs as many calls deferred as not", () => {
    expectOldOrNo(trace, `${calls} IPA = ${2 * calls} TLBI`);
    expectNew(trace, `${calls} RANGE = ${2 * calls} TLBI`, `${calls} RANGE = ${2 * calls} TLBI`);
  });
});

describe.each([
  ["#7 collapse of 512 pages to a 2 MiB block", 2 * MIB, "513 IPA = 1026 TLBI"],
  ["#8 collapse of 1 GiB of pages to a 1 GiB block", GIB, "262657 IPA = 525314 TLBI"],
] as const)("%s", (_, size, legacy) => {
  const { trace, vm } = newVm();
  vm.populate(GIB, size, 4 * KIB)
    .fault(GIB, 3, "permission")
    .map(GIB, size, 2 * TIB);

  it("unmaps everything below the block up to 5.9", () => {
    const result = replayOf(trace, OLD);
    expect(told(result, "legacy-5.8", "collapse")).toBe(legacy);
    expect(told(result, "legacy-5.9", "collapse")).toBe(legacy);
  });
  it("is one VM from 5.10 to 6.5, and later without TLBIRANGE", () => {
    const result = replayOf(trace, PGTABLE);
    for (const id of PGTABLE) expect(told(result, id)).toBe("1 VM = 1 TLBI");
    for (const features of [NEITHER, FWB_ONLY]) {
      const fallen = replayOf(trace, NEW, features);
      for (const id of NEW) expect(told(fallen, id)).toBe("1 VM = 1 TLBI");
    }
  });
  it("is one RANGE of the block with TLBIRANGE, with or without FWB", () => {
    expectNew(trace, "1 RANGE = 2 TLBI", "1 RANGE = 2 TLBI");
    for (const id of NEW)
      expect(told(replayOf(trace, NEW, RANGE_ONLY), id)).toBe("1 RANGE = 2 TLBI");
  });
});

describe("#9 CLEAR_DIRTY_LOG of one bit in a slot of 192 GiB", () => {
  const slot = { base: GIB, size: 192 * GIB };
  const trace = new Trace();
  const vm = trace.vm().create(slot);
  vm.populate(GIB, 2 * MIB, 4 * KIB)
    .maskWord(slot, 64, [3])
    .remoteMemslot(slot);

  it("is one VM up to 6.5, and later without TLBIRANGE", () => {
    const old = replayOf(trace, OLD);
    for (const id of OLD) expect(told(old, id, "dirty_log")).toBe("1 VM = 1 TLBI");
    for (const features of [NEITHER, FWB_ONLY]) {
      const fallen = replayOf(trace, NEW, features);
      for (const id of NEW) expect(told(fallen, id)).toBe("1 VM = 1 TLBI");
    }
  });
  it("is 24 RANGE of 2^21 pages with it", () => {
    expectNew(trace, "24 RANGE = 48 TLBI", "24 RANGE = 48 TLBI");
  });
  it("counts the same instructions with the broken encoder: one corrupt one per call", () => {
    const result = replayOf(trace, NEW);
    for (const id of NEW) {
      expect(instructionsOf(result, id)).toEqual({ ripas2e1is: 24, vmalle1is: 24 });
    }
    const piece = { ipaPage: GIB / (4 * KIB), lenPages: 2 ** 21 };
    const [broken] = listInstructions(Primitive.RANGE, {
      ...callOf(12, policyOf("range-6.6"), BOTH),
      ...piece,
    });
    const [sound] = listInstructions(Primitive.RANGE, {
      ...callOf(12, policyOf("range-6.9"), BOTH),
      ...piece,
    });
    expect(broken?.pages).toBe(2);
    expect(sound?.pages).toBe(2 ** 21);
  });
});

it.each([...OLD, ...NEW])("#10 KVM_RESET_DIRTY_RINGS is one VM in %s", (id) => {
  const { trace, vm } = newVm();
  vm.populate(GIB, 2 * MIB, 4 * KIB)
    .ringReset()
    .remote();
  expect(told(replayOf(trace, [id]), id, "dirty_ring")).toBe("1 VM = 1 TLBI");
});

it.each([...OLD, ...NEW])(
  "#10 … also after the write-protection that belongs to it, in %s",
  (id) => {
    // Words are protected ring by ring, the tracepoint follows each ring, the request comes at the end.
    const slot = { base: 0, size: TIB };
    const { trace, vm } = newVm();
    vm.populate(GIB, 2 * MIB, 4 * KIB)
      .maskWord(slot, 2 ** 18, [1])
      .ringReset();
    vm.maskWord(slot, 2 ** 18 + 64, [3])
      .ringReset()
      .remote();
    const result = replayOf(trace, [id], BOTH, { requestMode: "recorded" });
    expect(told(result, id)).toBe("1 VM = 1 TLBI");
    expect(told(result, id, "dirty_ring")).toBe("1 VM = 1 TLBI");
  },
);

it.each([
  ["legacy-5.8", "1 IPA = 2 TLBI"],
  ["legacy-5.9", "1 IPA = 2 TLBI"],
  ["pgtable-5.10", "1 IPA = 2 TLBI"],
  ["pgtable-6.2", "1 IPA = 2 TLBI"],
  ["pgtable-6.5", "1 IPA_LOCAL = 2 TLBI"],
  ["range-6.6", "1 IPA_LOCAL = 2 TLBI"],
  ["range-6.9", "1 IPA_LOCAL = 2 TLBI"],
])("#11 a write fault on a write-protected page is, in %s, %s", (id, expected) => {
  const { trace, vm } = newVm();
  vm.populate(GIB, 4 * KIB, 4 * KIB, PROT.rx)
    .fault(GIB, 3, "permission")
    .relax(GIB);
  for (const features of [BOTH, NEITHER]) {
    expect(told(replayOf(trace, [id], features), id)).toBe(expected);
  }
});

it.each([...OLD, ...NEW])(
  "#12 the first write to a write-protected 2 MiB block is one IPA in %s, the other 511 nothing",
  (id) => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 2 * MIB, 2 * MIB, PROT.rx).fault(GIB + 20 * KIB, 2, "permission");
    vm.map(GIB + 20 * KIB, 4 * KIB, TIB + 20 * KIB);
    for (let page = 0; page < 512; page += 1) {
      if (page === 5) continue;
      vm.fault(GIB + page * 4 * KIB, 3, "translation");
      vm.map(GIB + page * 4 * KIB, 4 * KIB, TIB + page * 4 * KIB);
    }
    expect(told(replayOf(trace, [id]), id)).toBe("1 IPA = 2 TLBI");
  },
);

describe("#13 eager split of a 1 GiB block", () => {
  const EAGER = ["pgtable-6.5", "range-6.6", "range-6.9"];

  it.each(EAGER)("is one IPA with 513 page-table pages at hand, in %s", (id) => {
    const { trace, vm } = newVm();
    vm.populate(GIB, GIB, GIB).split(GIB, GIB, GIB);
    expect(told(replayOf(trace, [id]), id, "eager_split")).toBe("1 IPA = 2 TLBI");
  });
  it.each(EAGER)("is 1 + 512 IPA with fewer, in %s", (id) => {
    const { trace, vm } = newVm();
    vm.populate(GIB, GIB, GIB).split(GIB, GIB, 2 * MIB);
    expect(told(replayOf(trace, [id]), id, "eager_split")).toBe("513 IPA = 1026 TLBI");
  });
});

it("#15 teardown after all notifier unmaps is nothing", () => {
  const { trace, vm } = newVm();
  vm.populate(GIB, GIB, 2 * MIB).unmap(0, 8 * GIB);
  const before = replayOf(trace, [...OLD, ...NEW]);
  vm.destroy();
  const after = replayOf(trace, [...OLD, ...NEW]);
  for (const id of [...OLD, ...NEW]) expect(told(after, id)).toBe(told(before, id));
  expect(told(after, "range-6.9")).not.toBe("nothing");
});
