import { describe, expect, it } from "vitest";
import { Diagnostics } from "../../ingest/diagnostics.ts";
import { BOTH, NEITHER, replayOf, told } from "../testing/replay-of.ts";
import { Trace } from "../testing/trace-builder.ts";
import { GIB, KIB, MIB } from "../testing/units.ts";

const SLOT = { base: GIB, size: 4 * GIB, id: 0 };

function newVm() {
  const trace = new Trace();
  return { trace, vm: trace.vm().create(SLOT) };
}

describe("an eager split on behalf of mask words", () => {
  it("of a 1 GiB block is one invalidation for certain, and more only if the chunk is small", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, GIB, GIB).enableLog(SLOT);
    for (let word = 0; word < 4; word += 1) vm.split(GIB + word * 256 * KIB, 256 * KIB, 256 * KIB);
    // The block of 1 GiB, and if its 2 MiB blocks remained, the first of them.
    expect(told(replayOf(trace, ["range-6.9"]), "range-6.9", "eager_split")).toMatch(
      /^1 IPA \(at most \d+ more\) = 2 TLBI$/,
    );
  });

  it("is exact where the call ends at a chunk inside the block", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, GIB, GIB).split(GIB, 4 * MIB, 2 * MIB);
    expect(told(replayOf(trace, ["range-6.9"]), "range-6.9", "eager_split")).toBe("3 IPA = 6 TLBI");
  });
});

describe("teardown", () => {
  it("unmaps leaf by leaf up to 5.9, and invalidates nothing from 5.10 on", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 2 * MIB, 4 * KIB).destroy();
    const result = replayOf(trace, ["legacy-5.8", "pgtable-5.10", "range-6.9"], NEITHER);
    // 512 leaves, their table and the table of level 2 above it.
    expect(told(result, "legacy-5.8", "teardown")).toBe("514 IPA = 1028 TLBI");
    expect(told(result, "pgtable-5.10")).toBe("nothing");
    expect(told(result, "range-6.9")).toBe("nothing");
  });
});

describe("a dirty ring reset", () => {
  it("is one VM, whether a request was seen before or not", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 2 * MIB, 4 * KIB)
      .maskWord(SLOT, 0, [0])
      .ringReset()
      .remote();
    expect(told(replayOf(trace, ["range-6.9"]), "range-6.9")).toBe("1 VM = 1 TLBI");
  });

  it("is one VM where only the flush itself was recorded", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 2 * MIB, 4 * KIB)
      .maskWord(SLOT, 0, [0])
      .ringReset()
      .hwVm();
    const result = replayOf(trace, ["range-6.9"], BOTH, { compare: true });
    expect(result.fits[0]).toMatchObject({ matched: 1, missed: 0, spurious: 0 });
  });
});

describe("a request", () => {
  it("counts before the VM's first page-table call", () => {
    const { trace, vm } = newVm();
    vm.enableLog(SLOT)
      .remoteMemslot(SLOT)
      .populate(GIB, 4 * KIB, 4 * KIB);
    expect(told(replayOf(trace, ["range-6.9"]), "range-6.9")).toBe("1 RANGE = 2 TLBI");
  });

  it("counts when events are lost after it: it has no return to wait for", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 4 * KIB, 4 * KIB).remoteMemslot(SLOT);
    trace.lost();
    expect(told(replayOf(trace, ["range-6.9"]), "range-6.9")).toBe("1 RANGE = 2 TLBI");
  });

  it("of a memslot takes the size of the one that is there now", () => {
    const { trace, vm } = newVm();
    vm.create({ base: 64 * GIB, size: 16 * GIB, id: 7 })
      .create({ base: 64 * GIB, size: GIB, id: 8 })
      .populate(64 * GIB, 2 * MIB, 4 * KIB)
      .maskWord({ base: 64 * GIB, size: GIB }, 0, [0]);
    const result = replayOf(trace, ["range-6.9"], BOTH, { diagnostics: new Diagnostics("test") });
    expect(told(result, "range-6.9")).toBe("1 RANGE = 2 TLBI");
  });
});
