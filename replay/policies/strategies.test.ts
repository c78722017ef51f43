/** The pure strategies on every path, and `ideal` as the lower bound of all. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ReplayResult } from "../replay.ts";
import { issuedBy } from "../testing/issued.ts";
import { anyStep, RandomGuest } from "../testing/random-guest.ts";
import {
  ALL_IDS,
  BOTH,
  callsOf,
  FWB_ONLY,
  NEITHER,
  RANGE_ONLY,
  replayOf,
  told,
} from "../testing/replay-of.ts";
import { GIB, KIB, MIB, PROT, TIB, Trace } from "../testing/trace-builder.ts";

const SLOT = { base: 0, size: TIB };

function newVm() {
  const trace = new Trace();
  return { trace, vm: trace.vm().create(SLOT) };
}

/** What each strategy issues for the last thing that happened. */
function strategies(trace: Trace): Record<string, string[]> {
  return Object.fromEntries(
    ["per-page", "vmid-wide", "range", "ideal"].map((id) => [
      id,
      issuedBy(trace, id, BOTH, { ipaBits: 40 }),
    ]),
  );
}

function totalCalls(result: ReplayResult, id: string): number {
  return (["VM", "IPA", "IPA_LOCAL", "RANGE"] as const).reduce(
    (sum, primitive) => sum + callsOf(result, id, primitive).calls,
    0,
  );
}

describe("the strategies", () => {
  it("unmap of three pages of ten", () => {
    // │ 10 pages │ hole │      unmap of the last three and of 5 pages of the hole
    const { trace, vm } = newVm();
    vm.populate(GIB, 40 * KIB, 4 * KIB).unmap(GIB + 28 * KIB, 32 * KIB);
    expect(strategies(trace)).toEqual({
      "per-page": ["IPA 0x40007 level 3", "IPA 0x40008 level 3", "IPA 0x40009 level 3"],
      "vmid-wide": ["VM"],
      range: ["RANGE 0x40007+8"],
      ideal: ["RANGE 0x40007+3"],
    });
  });

  it("unmap of a page in a block: what went is the whole block", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 4 * MIB, 2 * MIB).unmap(GIB + 20 * KIB, 4 * KIB);
    expect(strategies(trace)).toEqual({
      "per-page": ["IPA 0x40005 level 2"],
      "vmid-wide": ["VM"],
      range: ["RANGE 0x40005+1"],
      ideal: ["RANGE 0x40000+512"],
    });
  });

  it("unmap of a hole", () => {
    const { trace, vm } = newVm();
    vm.unmap(GIB, 8 * GIB);
    expect(strategies(trace)).toEqual({ "per-page": [], "vmid-wide": [], range: [], ideal: [] });
  });

  it("unmap in several pieces: one call for all of them", () => {
    //  … │ 2 MiB block │ 3 GiB: hole │ 2 MiB block │ …
    const { trace, vm } = newVm();
    vm.populate(GIB - 4 * MIB, 4 * MIB, 2 * MIB).populate(4 * GIB, 4 * MIB, 2 * MIB);
    vm.unmap(GIB - 2 * MIB, 3 * GIB + 4 * MIB);
    const pages = (3 * GIB + 4 * MIB) / (4 * KIB);
    expect(strategies(trace)).toEqual({
      "per-page": ["IPA 0x3fe00 level 2", "IPA 0x100000 level 2"],
      "vmid-wide": ["VM"],
      range: [`RANGE 0x3fe00+${pages}`],
      ideal: [`RANGE 0x3fe00+${pages}`],
    });
  });

  it("two unmaps whose pieces take turns are one call each", () => {
    const { trace, vm } = newVm();
    vm.populate(0, 8 * GIB, 2 * MIB);
    const { kvm, mmu } = vm.pointers;
    const other = vm.on(200, 1);
    for (const [thread, base] of [
      [vm, 0],
      [other, 4 * GIB],
    ] as const) {
      thread.add({ kind: "unmap_gfn", kvm });
      thread.add({ kind: "apply_range", mmu, addr: base, len: 2 * GIB, arg0: 1 });
    }
    vm.unmapPiece(0, GIB);
    other.unmapPiece(4 * GIB, GIB);
    vm.unmapPiece(GIB, GIB);
    other.unmapPiece(5 * GIB, GIB);
    expect(issuedBy(trace, "vmid-wide")).toEqual(["VM", "VM"]);
    expect(issuedBy(trace, "ideal")).toEqual(["RANGE 0x0+524288", "RANGE 0x100000+524288"]);
  });

  it("collapse, split, remap and permission fault", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 8 * KIB, 4 * KIB).map(GIB, 2 * MIB, TIB); // collapse
    vm.map(GIB + 20 * KIB, 4 * KIB, TIB + 20 * KIB, PROT.rx); // split
    vm.map(GIB + 20 * KIB, 4 * KIB, 2 * TIB, PROT.rx); // remap
    vm.fault(GIB + 20 * KIB, 3, "permission").relax(GIB + 20 * KIB);
    expect(strategies(trace)).toEqual({
      "per-page": [
        "IPA 0x40000 no hint × 3",
        "IPA 0x40005 level 2",
        "IPA 0x40005 level 3",
        "IPA 0x40005 level 3",
      ],
      "vmid-wide": ["VM", "VM", "VM", "VM"],
      range: ["RANGE 0x40000+512", "RANGE 0x40000+512", "RANGE 0x40005+1", "RANGE 0x40005+1"],
      ideal: [
        "RANGE 0x40000+512",
        "IPA 0x40005 level 2",
        "IPA 0x40005 level 3",
        "IPA_LOCAL 0x40005 level 3",
      ],
    });
  });

  it("a log flush", () => {
    const slot = { base: GIB, size: GIB };
    const { trace, vm } = newVm();
    vm.populate(GIB, 20 * KIB, 4 * KIB)
      .maskWord(slot, 0, [1, 9])
      .remoteMemslot(slot);
    expect(strategies(trace)).toEqual({
      "per-page": ["IPA 0x40001 no hint × 4"],
      "vmid-wide": ["VM"],
      range: ["RANGE 0x40000+262144"],
      ideal: ["RANGE 0x40001+4"],
    });
  });

  it("fall back to VM without TLBIRANGE where they would be a range", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 40 * KIB, 4 * KIB).unmap(GIB, 8 * KIB);
    for (const features of [NEITHER, FWB_ONLY]) {
      expect(issuedBy(trace, "range", features)).toEqual(["VM"]);
      expect(issuedBy(trace, "ideal", features)).toEqual(["VM"]);
    }
  });
});

describe("ideal is the lower bound", () => {
  it("where more goes than one RANGE can name: one VM instead of two RANGE", () => {
    const { trace, vm } = newVm();
    vm.populate(0, 16 * GIB, GIB).unmap(0, 16 * GIB);
    expect(told(replayOf(trace, ["vmid-wide"]), "vmid-wide")).toBe("1 VM = 1 TLBI");
    expect(told(replayOf(trace, ["ideal"]), "ideal")).toBe("1 VM = 1 TLBI");
  });

  it.each([
    ["both features", BOTH],
    ["TLBIRANGE only", RANGE_ONLY],
    ["neither", NEITHER],
  ] as const)("of every shipped policy on any story, with %s", (_, features) => {
    const property = fc.property(fc.array(anyStep, { minLength: 1, maxLength: 40 }), (steps) => {
      const { trace } = new RandomGuest(steps);
      const result = replayOf(trace, ALL_IDS, features);
      const least = totalCalls(result, "ideal");
      const below = ALL_IDS.filter((id) => totalCalls(result, id) < least);
      expect(below).toEqual([]);
    });
    fc.assert(property, { seed: 3, numRuns: 200 });
    expect.hasAssertions();
  });
});
