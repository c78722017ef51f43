/** What faults issue: mapping, collapse, lazy and eager split, permission relaxation, ageing. */
import { describe, expect, it } from "vitest";
import { issuedBy } from "../testing/issued.ts";
import { ALL_IDS, NEITHER, replayOf, told, toldByAll } from "../testing/replay-of.ts";
import { EAGAIN, GIB, KIB, MIB, PROT, TIB, Trace } from "../testing/trace-builder.ts";
import type { Policy } from "./flags.ts";
import { parseKernelVersion } from "./kernel-version.ts";
import { policyOfKernel } from "./version-map.ts";

const KERNELS = ALL_IDS.filter((id) => /^(legacy|pgtable|range-)/.test(id));

function newVm(pageShift: 12 | 14 | 16 = 12) {
  const trace = new Trace(pageShift);
  return { trace, vm: trace.vm().create({ base: 0, size: TIB }) };
}

function kernel(release: string): Policy {
  const version = parseKernelVersion(release);
  if (version === undefined) throw new Error(release);
  return policyOfKernel(version);
}

describe("a map fault", () => {
  it("where nothing was mapped is nothing", () => {
    const { trace, vm } = newVm();
    vm.fault(GIB, 1, "translation").map(GIB, 4 * KIB, TIB);
    vm.fault(GIB + 2 * MIB, 2, "translation").map(GIB + 2 * MIB, 2 * MIB, TIB + 2 * MIB);
    const told12 = toldByAll(replayOf(trace, ALL_IDS));
    for (const id of ALL_IDS) expect([id, told12[id]]).toEqual([id, "nothing"]);
  });

  it("that met the same leaf (-EAGAIN) is nothing", () => {
    const { trace, vm } = newVm();
    vm.map(GIB, 4 * KIB, TIB).map(GIB, 4 * KIB, TIB, PROT.rwx, { ret: EAGAIN });
    const told12 = toldByAll(replayOf(trace, ALL_IDS));
    for (const id of ALL_IDS) expect([id, told12[id]]).toEqual([id, "nothing"]);
  });

  it.each([
    ["5.4", ["IPA 0x40000 level 0"]],
    ["5.8", ["IPA 0x40000 level 0"]],
    ["5.10.223", ["IPA 0x40000 level 3"]],
    ["5.15", []],
    ["6.5.13", []],
    ["6.12.107", []],
  ])("that met other permissions only, in %s: %j", (release, calls) => {
    const { trace, vm } = newVm();
    vm.map(GIB, 4 * KIB, TIB, PROT.rx).map(GIB, 4 * KIB, TIB, PROT.rwx, { ret: EAGAIN });
    expect(issuedBy(trace, kernel(release))).toEqual(calls);
  });

  it.each([
    ["another output address", 2 * TIB, PROT.rwx],
    ["other attributes", TIB, PROT.device],
  ])("that replaced a leaf by one with %s is one IPA with its level", (_, phys, prot) => {
    const { trace, vm } = newVm();
    vm.map(GIB, 2 * MIB, TIB).map(GIB, 2 * MIB, phys, prot);
    const result = replayOf(trace, KERNELS);
    for (const id of KERNELS) expect(told(result, id, "remap")).toBe("1 IPA = 2 TLBI");
    expect(issuedBy(trace, "range-6.9")).toEqual(["IPA 0x40000 level 2"]);
    expect(issuedBy(trace, "legacy-5.8")).toEqual(["IPA 0x40000 level 0"]);
  });

  it("that broke a block is one IPA at the fault's address with the block's level", () => {
    const { trace, vm } = newVm();
    vm.map(GIB, GIB, TIB).map(GIB + 20 * KIB, 4 * KIB, TIB + 20 * KIB);
    expect(issuedBy(trace, "range-6.9")).toEqual(["IPA 0x40005 level 1"]);
  });

  it("that collapsed part of a table counts what was mapped, up to 5.9", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 40 * KIB, 4 * KIB).map(GIB, 2 * MIB, 2 * TIB);
    expect(told(replayOf(trace, ["legacy-5.9"]), "legacy-5.9")).toBe("11 IPA = 22 TLBI");
    expect(issuedBy(trace, "range-6.9")).toEqual(["RANGE 0x40000+512"]);
    expect(issuedBy(trace, "range-6.9", NEITHER)).toEqual(["VM"]);
  });

  it.each([
    ["16 KiB", 14, 16 * KIB, 32 * MIB, "RANGE 0x10000+2048"],
    ["64 KiB", 16, 64 * KIB, 512 * MIB, "RANGE 0x4000+8192"],
  ] as const)(
    "that collapsed a table of %s pages is one RANGE of the block",
    (_, shift, page, block, call) => {
      const { trace, vm } = newVm(shift);
      vm.populate(GIB, 4 * page, page).map(GIB, block, 2 * TIB);
      expect(issuedBy(trace, "range-6.6")).toEqual([call]);
    },
  );
});

describe("a permission fault", () => {
  it.each([
    ["5.8", "IPA 0x40005 level 0"],
    ["5.9", "IPA 0x40005 level 2"],
    ["6.4", "IPA 0x40005 level 2"],
    ["6.5.13", "IPA_LOCAL 0x40005 level 2"],
    ["7.3.4", "IPA_LOCAL 0x40005 level 2"],
  ])("on a leaf of its size is, in %s, %s", (release, call) => {
    const { trace, vm } = newVm();
    vm.map(GIB, 2 * MIB, TIB, PROT.rx)
      .fault(GIB + 20 * KIB, 2, "permission")
      .relax(GIB + 20 * KIB);
    expect(issuedBy(trace, kernel(release))).toEqual([call]);
  });

  // A captured 6.12 asks for it without a hint although the leaf is a page.
  it.each([
    ["6.4", []],
    ["6.5.13", []],
    ["6.8.12", ["IPA_LOCAL 0x40000 level 0"]],
    ["6.12.107", ["IPA_LOCAL 0x40000 no hint"]],
    ["6.17", ["IPA_LOCAL 0x40000 level unknown"]],
    ["7.2.13", ["IPA_LOCAL 0x40000 no hint"]],
  ])("that another vCPU resolved first (-EAGAIN) is, in %s, %j", (release, calls) => {
    const { trace, vm } = newVm();
    vm.map(GIB, 4 * KIB, TIB)
      .fault(GIB, 3, "permission")
      .relax(GIB, PROT.rwx, { ret: EAGAIN });
    expect(issuedBy(trace, kernel(release))).toEqual(calls);
  });
});

describe("access flags", () => {
  it("an access-flag fault is nothing", () => {
    const { trace, vm } = newVm();
    vm.map(GIB, 4 * KIB, TIB)
      .fault(GIB, 3, "access")
      .mkyoung(GIB);
    const told12 = toldByAll(replayOf(trace, ALL_IDS));
    for (const id of ALL_IDS) expect([id, told12[id]]).toEqual([id, "nothing"]);
  });

  it("ageing is nothing unless a young page was found; then one VM, and none for ideal", () => {
    const { trace, vm } = newVm();
    vm.map(GIB, 4 * KIB, TIB).age(GIB, MIB);
    expect(told(replayOf(trace, ["range-6.9"]), "range-6.9")).toBe("nothing");
    vm.remote();
    const result = replayOf(trace, ALL_IDS);
    for (const id of ALL_IDS) {
      expect([id, told(result, id, "age")]).toEqual([
        id,
        id === "ideal" ? "nothing" : "1 VM = 1 TLBI",
      ]);
    }
  });
});

describe("eager split", () => {
  const EAGER = ["pgtable-6.5", "range-6.6", "range-6.9"];

  it.each([
    ["2 MiB blocks, chunk 2 MiB", 2 * MIB, 2 * MIB, 512],
    ["2 MiB blocks, chunk 1 GiB", 2 * MIB, GIB, 512],
    ["a 1 GiB block, chunk 1 GiB", GIB, GIB, 1],
    ["a 1 GiB block, chunk 2 MiB", GIB, 2 * MIB, 513],
    ["4 KiB pages, chunk 1 GiB", 4 * KIB, GIB, 0],
  ])("of 1 GiB in %s: %4$i calls", (_, block, chunk, calls) => {
    const { trace, vm } = newVm();
    vm.populate(GIB, GIB, block).split(GIB, GIB, chunk);
    const expected = calls === 0 ? "nothing" : `${calls} IPA = ${2 * calls} TLBI`;
    const result = replayOf(trace, EAGER, NEITHER);
    for (const id of EAGER) expect(told(result, id, "eager_split")).toBe(expected);
  });

  it("leaves pages with the block's output: a later write fault relaxes, breaks nothing", () => {
    const { trace, vm } = newVm();
    vm.map(GIB, 2 * MIB, TIB, PROT.rx).split(GIB, 2 * MIB, 2 * MIB);
    vm.fault(GIB + 20 * KIB, 3, "permission").relax(GIB + 20 * KIB);
    expect(issuedBy(trace, "range-6.9")).toEqual([
      "IPA 0x40000 level 2",
      "IPA_LOCAL 0x40005 level 3",
    ]);
  });

  it("breaks the 1 GiB block at the first chunk, a 2 MiB block at each", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, GIB, GIB).split(GIB + 2 * MIB, 4 * MIB, 2 * MIB);
    expect(issuedBy(trace, "range-6.9")).toEqual([
      "IPA 0x40200 level 1",
      "IPA 0x40200 level 2",
      "IPA 0x40400 level 2",
    ]);
  });
});
