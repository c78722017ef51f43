/** What an unmap issues: the table of the six generations and the rules behind it. */
import { describe, expect, it } from "vitest";
import { issuedBy } from "../testing/issued.ts";
import {
  BOTH,
  FWB_ONLY,
  instructionsOf,
  NEITHER,
  policyOf,
  RANGE_ONLY,
  replayOf,
  rowsOf,
  told,
} from "../testing/replay-of.ts";
import { GIB, KIB, MIB, TIB, Trace } from "../testing/trace-builder.ts";
import type { Policy } from "./flags.ts";
import { parseKernelVersion } from "./kernel-version.ts";
import { policyOfKernel } from "./version-map.ts";

const PER_LEAF = ["legacy-5.8", "legacy-5.9", "pgtable-5.10", "pgtable-6.2", "pgtable-6.5"];

function newVm(pageShift: 12 | 14 | 16 = 12) {
  const trace = new Trace(pageShift);
  return { trace, vm: trace.vm().create({ base: 0, size: TIB }) };
}

function kernel(release: string): Policy {
  const version = parseKernelVersion(release);
  if (version === undefined) throw new Error(release);
  return policyOfKernel(version);
}

describe.each([
  ["4 KiB pages", 4 * KIB, "262657 IPA = 525314 TLBI", "513 IPA + 1 RANGE = 1028 TLBI"],
  ["2 MiB blocks", 2 * MIB, "513 IPA = 1026 TLBI", "1 IPA + 1 RANGE = 4 TLBI"],
  ["a 1 GiB block", GIB, "1 IPA = 2 TLBI", "1 RANGE = 2 TLBI"],
])("1 GiB in one piece, mapped by %s", (_, leaf, perLeaf, deferred) => {
  const { trace, vm } = newVm();
  // The neighbours keep the table of level 1 in use where it is not the root.
  vm.populate(2 * GIB, GIB, GIB)
    .populate(GIB, GIB, leaf)
    .unmap(GIB, GIB);

  it("costs each leaf and each table up to 6.5, and later without both features", () => {
    const result = replayOf(trace, PER_LEAF);
    for (const id of PER_LEAF) expect(told(result, id)).toBe(perLeaf);
    for (const features of [NEITHER, RANGE_ONLY, FWB_ONLY]) {
      expect(told(replayOf(trace, ["range-6.9"], features), "range-6.9")).toBe(perLeaf);
    }
  });
  it("costs one RANGE in 6.6, and the tables beside it from 6.9 on", () => {
    const result = replayOf(trace, ["range-6.6", "range-6.9"]);
    expect(told(result, "range-6.6")).toBe("1 RANGE = 2 TLBI");
    expect(told(result, "range-6.9")).toBe(deferred);
  });
  it("takes three DSBs a call", () => {
    const result = replayOf(trace, ["pgtable-6.5", "range-6.9"]);
    for (const row of result.flushes) expect(row.dsb).toBe(3 * row.calls);
  });
});

describe("the deferred flush", () => {
  it("needs TLBIRANGE and FWB, but a flag can drop the second need", () => {
    const base = policyOf("range-6.6");
    const eager: Policy = { ...base, flags: { ...base.flags, deferNeedsFwb: false } };
    const { trace, vm } = newVm();
    vm.populate(GIB, 2 * MIB, 4 * KIB).unmap(GIB, 8 * KIB);
    expect(told(replayOf(trace, [base], RANGE_ONLY), base.id)).toBe("2 IPA = 4 TLBI");
    expect(told(replayOf(trace, [eager], RANGE_ONLY), base.id)).toBe("1 RANGE = 2 TLBI");
    expect(told(replayOf(trace, [eager], FWB_ONLY), base.id)).toBe("2 IPA = 4 TLBI");
  });

  it("is issued once per call, and also where nothing was mapped", () => {
    const { trace, vm } = newVm();
    vm.unmap(GIB - 4 * KIB, 8 * KIB);
    expect(issuedBy(trace, "range-6.9")).toEqual(["RANGE 0x3ffff+1", "RANGE 0x40000+1"]);
  });

  it("of an aligned GiB is one range instruction", () => {
    const { trace, vm } = newVm();
    vm.unmap(GIB, GIB);
    const result = replayOf(trace, ["range-6.9"]);
    expect(instructionsOf(result, "range-6.9")).toEqual({ ripas2e1is: 1, vmalle1is: 1 });
  });

  it("covers what was asked for, not the block that was cleared", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 4 * MIB, 2 * MIB).unmap(GIB + 20 * KIB, 4 * KIB);
    expect(issuedBy(trace, "range-6.9")).toEqual(["RANGE 0x40005+1"]);
    expect(issuedBy(trace, "pgtable-6.5")).toEqual(["IPA 0x40005 level 2"]);
  });

  it("comes after the tables' own flushes", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB - 2 * MIB, 6 * MIB, 4 * KIB).unmap(GIB, 2 * MIB);
    expect(issuedBy(trace, "range-6.9")).toEqual(["IPA 0x40000 no hint", "RANGE 0x40000+512"]);
  });

  it.each([
    ["32 MiB", 14, 32 * MIB, 2048],
    ["512 MiB", 16, 512 * MIB, 8192],
  ] as const)("goes by %s on larger pages", (_, pageShift, piece, pages) => {
    const { trace, vm } = newVm(pageShift);
    vm.unmap(GIB - piece, 2 * piece);
    const first = (GIB - piece) / 2 ** pageShift;
    expect(issuedBy(trace, "range-6.9")).toEqual([
      `RANGE 0x${first.toString(16)}+${pages}`,
      `RANGE 0x${(first + pages).toString(16)}+${pages}`,
    ]);
  });

  it("goes by the policy's own pieces where the trace was recorded with larger ones", () => {
    // 5.10 walks a whole entry of the root; on 16 KiB pages and 47 bits that is 64 GiB.
    const trace = new Trace(14, { scopes: false });
    trace
      .vm()
      .create({ base: 0, size: TIB })
      .unmapPiece(0, 64 * MIB);
    expect(issuedBy(trace, "range-6.9")).toEqual(["RANGE 0x0+2048", "RANGE 0x800+2048"]);
  });
});

describe("tables", () => {
  it.each([
    ["by 4 KiB", 4 * KIB, "513 IPA = 1026 TLBI"],
    ["by 2 MiB", 2 * MIB, "1 IPA = 2 TLBI"],
  ])("go with the last entry only: 2 MiB of 1 GiB mapped %s", (_, leaf, expected) => {
    const { trace, vm } = newVm();
    vm.populate(GIB, GIB, leaf).unmap(GIB + 2 * MIB, 2 * MIB);
    expect(told(replayOf(trace, ["pgtable-6.5"]), "pgtable-6.5")).toBe(expected);
  });

  it("of the start level are part of the root: never freed, never flushed", () => {
    // 40 bits of IPA: the walk starts at level 1, so the GiB table (level 2) is the last one to go.
    const { trace, vm } = newVm();
    vm.populate(GIB, 4 * KIB, 4 * KIB).unmap(GIB, 4 * KIB);
    const known = { ipaBits: 40 };
    expect(issuedBy(trace, "range-6.9", NEITHER, known)).toHaveLength(3);
    expect(issuedBy(trace, "range-6.9", NEITHER, { ipaBits: 48 })).toHaveLength(4);
  });

  it("with an assumed start level leave open whether one more was freed", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 4 * KIB, 4 * KIB).unmap(GIB, 4 * KIB);
    expect(issuedBy(trace, "range-6.9", BOTH, { ipaBits: undefined }).at(-2)).toBe(
      "IPA 0x40000 no hint if the root is higher",
    );
  });
});

describe("level hints of a leaf and of the table that goes with it", () => {
  const { trace, vm } = newVm();
  vm.populate(GIB, 4 * KIB, 4 * KIB)
    .populate(GIB + 2 * MIB, 2 * MIB, 2 * MIB)
    .unmap(GIB, 4 * KIB);

  it.each([
    ["5.8", "level 0", "level 0"],
    ["5.9", "level 3", "level 0"],
    ["5.10.223", "level 3", "level 2"],
    ["5.15.100", "level 3", "level 2"],
    ["6.1.100", "level 3", "level 2"],
    ["6.1.176", "level 3", "level 0"],
    ["6.5.13", "level 3", "level 2"],
    ["6.6.46", "level 3", "level 2"],
    ["6.6.47", "level 3", "level 0"],
    ["6.7.1", "level 3", "level 2"],
    ["6.8.12", "level 3", "level 0"],
    ["6.12.107", "level 3", "no hint"],
    ["7.3.4", "level 3", "no hint"],
  ])("in %s are %s and %s", (release, leaf, table) => {
    expect(issuedBy(trace, kernel(release), NEITHER)).toEqual([
      `IPA 0x40000 ${leaf}`,
      `IPA 0x40000 ${table}`,
    ]);
  });
});

describe("rfc-2020, per top-level entry (1 GiB)", () => {
  it("invalidates 511 pages one by one, with one vmalle1is", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 4 * MIB, 4 * KIB).unmap(GIB + 4 * KIB, 511 * 4 * KIB);
    const result = replayOf(trace, ["rfc-2020"], NEITHER);
    expect(instructionsOf(result, "rfc-2020")).toEqual({ ipas2e1is: 511, vmalle1is: 1 });
  });
  it("is a VM from 512 pages on, and an IPA for each table", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 4 * MIB, 4 * KIB).unmap(GIB, 2 * MIB);
    expect(told(replayOf(trace, ["rfc-2020"]), "rfc-2020")).toBe("1 VM + 1 IPA = 3 TLBI");
  });
  it("decides for each entry by its own pages, and skips those that held nothing", () => {
    //  … 100 pages │ 1 GiB: nothing mapped │ 600 pages …
    const { trace, vm } = newVm();
    vm.populate(2 * GIB - 4 * MIB, 4 * MIB, 4 * KIB).populate(3 * GIB, 4 * MIB, 4 * KIB);
    vm.unmap(2 * GIB - 400 * KIB, GIB + (400 + 2400) * KIB);
    const calls = issuedBy(trace, "rfc-2020").filter((call) => !call.startsWith("IPA"));
    expect(calls).toEqual(["RANGE 0x7ff9c+100", "VM"]);
  });
  it("takes a threshold of the user's", () => {
    const base = policyOf("rfc-2020");
    const low: Policy = { ...base, flags: { ...base.flags, unmapThresholdPages: 100 } };
    const { trace, vm } = newVm();
    vm.populate(GIB, 4 * MIB, 4 * KIB)
      .unmap(GIB, 400 * KIB)
      .unmap(GIB + MIB, 396 * KIB);
    expect(issuedBy(trace, low)).toEqual(["VM", "RANGE 0x40100+99"]);
  });
});

describe("where nothing else is added", () => {
  it("a notifier unmap has no VM of generic code", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, GIB, 2 * MIB).unmap(GIB, GIB);
    const result = replayOf(trace, [...PER_LEAF, "range-6.6", "range-6.9"]);
    expect(result.flushes.filter((row) => row.primitive === "VM")).toEqual([]);
  });
  it.each(["pgtable-5.10", "pgtable-6.2", "pgtable-6.5", "range-6.6", "range-6.9"])(
    "the teardown of a VM with everything mapped is nothing, in %s",
    (id) => {
      const { trace, vm } = newVm();
      vm.populate(GIB, GIB, 2 * MIB).destroy();
      expect(rowsOf(replayOf(trace, [id]), id)).toEqual([]);
    },
  );
  it("the unmap of a deleted memslot is counted under its own path", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 4 * MIB, 2 * MIB).unmap(GIB, 2 * MIB, "flush_shadow_memslot");
    expect(told(replayOf(trace, ["range-6.9"], BOTH), "range-6.9", "memslot")).toBe(
      "1 RANGE = 2 TLBI",
    );
  });
});
