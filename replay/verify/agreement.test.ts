import { describe, expect, it } from "vitest";
import { Diagnostics } from "../../ingest/diagnostics.ts";
import { BOTH, NEITHER, replayOf } from "../testing/replay-of.ts";
import { GIB, KIB, MIB, PROT, TIB, Trace } from "../testing/trace-builder.ts";
import { Primitive } from "../tlbi/primitives.ts";
import { AgreementTally } from "./agreement.ts";

const COMPARE = { compare: true, ipaBits: 40 } as const;

function newVm() {
  const trace = new Trace();
  return { trace, vm: trace.vm().create({ base: 0, size: TIB }) };
}

describe("agreement over a trace", () => {
  it("sums matched, missed and spurious by primitive", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 4 * MIB, 4 * KIB);
    // unmap of three pages: recorded are two of the three leaves and a VM that nothing explains
    vm.begin("unmap", { addr: GIB, len: 12 * KIB });
    vm.hwIpa(GIB, 3)
      .hwIpa(GIB + 8 * KIB, 3)
      .hwVm()
      .add({ kind: "unmap_ret", arg0: 0 });
    const [fit] = replayOf(trace, ["pgtable-6.5"], NEITHER, COMPARE).fits;
    expect(fit).toMatchObject({
      matched: 2,
      missed: 1,
      spurious: 1,
      unknown: 0,
      hintMismatches: 0,
    });
    expect(fit?.calls.IPA).toEqual({
      predicted: 3,
      recorded: 2,
      matched: 2,
      missed: 0,
      spurious: 1,
      unknown: 0,
    });
    expect(fit?.calls.VM).toMatchObject({ predicted: 0, recorded: 1, missed: 1 });
  });

  it("keeps the first mismatches with the line of the call or of its operation", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 4 * MIB, 4 * KIB);
    vm.begin("unmap", { addr: GIB, len: 8 * KIB })
      .hwIpa(GIB, 2)
      .hwVm();
    vm.add({ kind: "unmap_ret", arg0: 0 });
    const [fit] = replayOf(trace, ["pgtable-6.5"], NEITHER, COMPARE).fits;
    expect(fit?.hintMismatches).toBe(1);
    expect(fit?.mismatches).toEqual([
      { kind: "missed", primitive: "VM", line: 6, detail: "VM" },
      {
        kind: "spurious",
        primitive: "IPA",
        line: 4,
        detail: "IPA at page 0x40001, level argument 3",
      },
    ]);
  });

  it("without recorded calls confirms nothing and refutes nothing", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 4 * MIB, 4 * KIB).unmap(GIB, 12 * KIB);
    const [fit] = replayOf(trace, ["pgtable-6.5"], NEITHER, COMPARE).fits;
    expect(fit).toMatchObject({ matched: 0, missed: 0, spurious: 0, unknown: 3 });
    expect(fit?.calls.IPA).toMatchObject({ predicted: 3, recorded: null, unknown: 3 });
  });

  it("with probes that recorded nothing counts the prediction as spurious", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 4 * MIB, 4 * KIB).unmap(GIB, 12 * KIB);
    const [fit] = replayOf(trace, ["pgtable-6.5"], NEITHER, {
      ...COMPARE,
      primitivesProbed: true,
    }).fits;
    expect(fit).toMatchObject({ matched: 0, missed: 0, spurious: 3, unknown: 0 });
  });

  it("counts a recorded call outside everything as missed", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 4 * MIB, 4 * KIB);
    vm.begin("unmap", { addr: GIB, len: 8 * KIB }).hwRange(GIB, 8 * KIB);
    vm.add({ kind: "unmap_ret", arg0: 0 }).hwVm();
    const [fit] = replayOf(trace, ["range-6.9"], BOTH, COMPARE).fits;
    expect(fit).toMatchObject({ matched: 1, missed: 1, spurious: 0, unknown: 0 });
  });

  it("does not count it as missed before any call that could cause it was recorded", () => {
    const { trace, vm } = newVm();
    vm.hwVm();
    const diagnostics = new Diagnostics("test");
    const { fits } = replayOf(trace, ["range-6.9"], BOTH, { ...COMPARE, diagnostics });
    expect(fits[0]).toMatchObject({ matched: 0, missed: 0, spurious: 0, unknown: 1 });
    expect(diagnostics.count("CAUSE_NOT_RECORDED")).toBe(1);
  });

  it("nor blames the probes where the thread may have been called before the trace begins", () => {
    const trace = new Trace();
    trace.vm().hwVm();
    const diagnostics = new Diagnostics("test");
    const { fits } = replayOf(trace, ["range-6.9"], BOTH, { ...COMPARE, diagnostics });
    expect(fits[0]).toMatchObject({ missed: 0, unknown: 1 });
    expect(diagnostics.count("CAUSE_NOT_RECORDED")).toBe(0);
  });

  it("tells kernels apart by how they fit", () => {
    const { trace, vm } = newVm();
    vm.populate(GIB, 4 * MIB, 4 * KIB, PROT.rx);
    vm.begin("unmap", { addr: GIB, len: 8 * KIB }).hwRange(GIB, 8 * KIB);
    vm.add({ kind: "unmap_ret", arg0: 0 });
    const { fits } = replayOf(trace, ["pgtable-6.5", "range-6.9", "vmid-wide"], BOTH, COMPARE);
    expect(
      fits.map(({ policy, matched, missed, spurious }) => [policy, matched, missed, spurious]),
    ).toEqual([
      ["pgtable-6.5", 0, 1, 2],
      ["range-6.9", 1, 0, 0],
      ["vmid-wide", 0, 1, 1],
    ]);
  });
});

describe("AgreementTally", () => {
  it("leaves CPU and ALL out of the totals", () => {
    const tally = new AgreementTally("any");
    tally.addLoose(Primitive.CPU, 0, 0, 1, "matched");
    tally.addLoose(Primitive.ALL, 0, 0, 1, "unknown");
    tally.addLoose(Primitive.RANGE, 4, 2, 1, "matched");
    expect(tally.totals()).toEqual({ matched: 1, missed: 0, spurious: 0, unknown: 0 });
    expect(tally.agreement(Primitive.CPU, 1, true)).toMatchObject({ matched: 1, recorded: 1 });
  });

  it("counts all mismatches and keeps 64", () => {
    const tally = new AgreementTally("any");
    for (let line = 1; line <= 100; line += 1) {
      tally.addLoose(Primitive.IPA, 0x40000, 1, line, line % 2 === 0 ? "missed" : "spurious");
    }
    expect(tally.totals()).toMatchObject({ missed: 50, spurious: 50 });
    expect(tally.mismatches).toHaveLength(64);
    expect(tally.mismatches[1]).toEqual({
      kind: "missed",
      primitive: "IPA",
      line: 2,
      detail: "IPA at page 0x40000",
    });
  });
});
