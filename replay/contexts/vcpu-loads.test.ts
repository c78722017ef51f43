/** `CPU`: a physical CPU runs another vCPU of a VM than it did last (or the first one). */
import { describe, expect, it } from "vitest";
import type { PolicyFit } from "../replay.ts";
import { ALL_IDS, BOTH, callsOf, replayOf } from "../testing/replay-of.ts";
import { GIB, KIB, TIB, Trace, type Vm } from "../testing/trace-builder.ts";

const SLOT = { base: 0, size: TIB };

/** A fault that tells which VM the thread runs a vCPU of. */
function faultIn(vm: Vm, page: number): void {
  vm.fault(GIB + page * 4 * KIB, 3, "translation").map(GIB + page * 4 * KIB, 4 * KIB, TIB);
}

function predicted(trace: Trace, options = {}): { calls: number; unknown: number } {
  return callsOf(replayOf(trace, ["range-6.9"], BOTH, options), "range-6.9", "CPU");
}

function fitOf(trace: Trace): PolicyFit["calls"]["CPU"] | undefined {
  return replayOf(trace, ["range-6.9"], BOTH, { compare: true }).fits[0]?.calls.CPU;
}

describe("a load is predicted", () => {
  it("once for the first vCPU on a CPU, and never again while it stays", () => {
    const trace = new Trace();
    const vcpu = trace.vm().create(SLOT).on(101, 1);
    faultIn(vcpu, 0);
    vcpu.entry().exit().entry();
    faultIn(vcpu, 1);
    expect(predicted(trace)).toEqual({ calls: 1, unknown: 0 });
  });

  it("on each CPU that it moves to, but not where it was the last one before", () => {
    // vCPU A on CPU 1, then 2, then 1 again: nobody else ran on 1 in between.
    const trace = new Trace();
    const vm = trace.vm().create(SLOT);
    faultIn(vm.on(101, 1), 0);
    vm.on(101, 2).entry();
    vm.on(101, 1).entry();
    expect(predicted(trace)).toEqual({ calls: 2, unknown: 0 });
  });

  it("at each switch between vCPUs of one VM", () => {
    // CPU 1: A B A B
    const trace = new Trace();
    const vm = trace.vm().create(SLOT);
    faultIn(vm.on(101, 1), 0);
    faultIn(vm.on(102, 1), 1);
    vm.on(101, 1).entry();
    vm.on(102, 1).entry();
    expect(predicted(trace)).toEqual({ calls: 4, unknown: 0 });
  });

  it("for each VM on its own: vCPUs of two VMs that share a CPU do not disturb each other", () => {
    const trace = new Trace();
    const a = trace.vm().create(SLOT).on(101, 1);
    const b = trace.vm().create(SLOT).on(201, 1);
    faultIn(a, 0);
    faultIn(b, 0);
    a.entry();
    b.entry();
    a.entry();
    expect(predicted(trace)).toEqual({ calls: 2, unknown: 0 });
  });

  it("with doubt on each CPU's first load where the trace began in the middle", () => {
    const trace = new Trace();
    const vm = trace.vm();
    faultIn(vm.on(101, 1), 0);
    vm.on(101, 2).entry();
    faultIn(vm.on(102, 1), 1);
    // CPUs 1 and 2 once each; then CPU 1 certainly switches from 101 to 102.
    expect(predicted(trace)).toEqual({ calls: 1, unknown: 2 });
  });

  it("with doubt again after events were lost", () => {
    const trace = new Trace();
    const vm = trace.vm().create(SLOT);
    faultIn(vm.on(101, 1), 0);
    trace.lost();
    vm.on(101, 1).entry();
    expect(predicted(trace)).toEqual({ calls: 1, unknown: 1 });
  });

  it("for every policy alike, as one local instruction", () => {
    const trace = new Trace();
    faultIn(trace.vm().create(SLOT).on(101, 1), 0);
    const rows = replayOf(trace, ALL_IDS).flushes;
    expect(
      rows.map((row) => [row.policy, row.path, row.primitive, row.calls, row.tlbi, row.dsb]),
    ).toEqual(ALL_IDS.map((id) => [id, "vcpu_switch", "CPU", 1, 1, 1]));
  });
});

describe("a recorded load", () => {
  it("that a switch explains is matched", () => {
    const trace = new Trace();
    const vm = trace.vm().create(SLOT);
    const a = vm.on(101, 1).hwCpu();
    faultIn(a, 0);
    const b = vm.on(102, 1).hwCpu();
    faultIn(b, 1);
    expect(fitOf(trace)).toEqual({
      predicted: 2,
      recorded: 2,
      matched: 2,
      missed: 0,
      spurious: 0,
      unknown: 0,
    });
  });

  it("that nothing visible explains is unknown, not missed", () => {
    const trace = new Trace();
    const vcpu = trace.vm().create(SLOT).on(101, 1).hwCpu();
    faultIn(vcpu, 0);
    vcpu.hwCpu();
    expect(fitOf(trace)).toMatchObject({ matched: 1, missed: 0, unknown: 1 });
  });

  it("that is missing where a switch was visible is spurious", () => {
    const trace = new Trace();
    const vm = trace.vm().create(SLOT);
    const a = vm.on(101, 1).hwCpu();
    faultIn(a, 0);
    faultIn(vm.on(102, 1), 1);
    expect(fitOf(trace)).toMatchObject({ predicted: 2, matched: 1, spurious: 1 });
  });
});
