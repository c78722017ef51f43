import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { EventKind, type EventKindName } from "../../ingest/events/kinds.ts";
import { openTrace } from "../../ingest/open-trace.ts";
import type { TraceInputs, VmInputs } from "../migration/inputs.ts";
import { parseKernelVersion } from "../policies/kernel-version.ts";
import { Replay } from "../replay.ts";
import { phaseConfig } from "../testing/phases-of.ts";
import { createPhaseRecorder } from "./create.ts";
import { traceInputs } from "./phase-inputs.ts";

const FOLDER = fileURLToPath(new URL("../../fixtures/migrations/", import.meta.url));

interface Told {
  readonly inputs: TraceInputs;
  readonly vm: VmInputs;
  /** Seconds as the trace prints them, to the microsecond. */
  readonly at: (ns: number | undefined) => number | undefined;
}

/** `without`: a kind of event that the trace is taken not to have. */
async function tell(name: string, kernel: string, without?: EventKindName): Promise<Told> {
  const reader = await openTrace(`${FOLDER}${name}.txt.gz`);
  const config = phaseConfig(["pgtable-5.10", "range-6.9"]);
  const recorder = createPhaseRecorder(config, { kernel: parseKernelVersion(kernel) });
  const replay = new Replay(config, reader.pointers, reader.diagnostics, undefined, recorder);
  const dropped = without === undefined ? -1 : EventKind[without];
  for await (const batch of reader.batches()) {
    for (let row = 0; row < batch.length; row += 1) {
      if (batch.kind[row] === dropped) batch.kind[row] = EventKind.other;
    }
    replay.consume(batch);
  }
  replay.finish();
  expect(reader.diagnostics.hasDataLoss).toBe(false);
  const inputs = traceInputs(recorder, reader.baseNs);
  const baseUs = Number((reader.info().baseNs ?? 0n) / 1000n);
  const at = (ns: number | undefined): number | undefined =>
    ns === undefined ? undefined : (baseUs + Math.round(ns / 1000)) / 1e6;
  return { inputs, vm: inputs.vms[0]!, at };
}

function callsOf(vm: VmInputs, policy: string): readonly string[] {
  return vm.phases.map(({ name, pass, facts }) => {
    const rows = facts.flushes.filter((row) => row.policy === policy && row.primitive !== "CPU");
    const calls = rows.map((row) => `${row.calls} ${row.primitive}`).sort();
    return [`${name}${pass ?? ""}`, ...calls].join(" ");
  });
}

/** QEMU on Linux 6.1, completed; it said: dirty sync count 4, downtime 254 ms. */
describe("a migration that completed (6.1)", () => {
  let told: Told;
  beforeAll(async () => {
    told = await tell("mig-cut-61", "6.1.192");
  });

  it("has its phases where the events are", () => {
    const { vm, at } = told;
    expect(vm.outcome).toBe("completed");
    expect(vm.phases.map(({ name, pass, startNs }) => [name, pass, at(startNs)])).toEqual([
      ["run", undefined, 49.708073],
      // The first of four memslots.
      ["pass", 1, 74.222807],
      ["pass", 2, 84.001346],
      ["pass", 3, 84.688047],
      // kvm_userspace_exit: reason restart.
      ["blackout", undefined, 84.699189],
      // First kvm_entry of the destination.
      ["after", undefined, 85.171749],
    ]);
    expect(at(vm.resumedElsewhereNs)).toBe(85.171749);
    expect(vm.logging).toMatchObject({
      mode: "initially-set",
      slots: 4,
      endNs: undefined,
      clearSpanPages: 65_536,
    });
  });

  it("has as many passes as QEMU counted, and what each cleared", () => {
    const { vm, at } = told;
    const passes = vm.passes.map(({ number, clears, clearedPages, isInBlackout }) => [
      number,
      clears.map(({ startNs }) => at(startNs)),
      clearedPages,
      isInBlackout,
    ]);
    expect(passes).toEqual([
      [1, [74.275271, 74.373949, 82.754453, 83.479033], 98_305, false],
      [2, [84.001346, 84.01831], 3539, false],
      [3, [84.688047], 1, false],
      [4, [84.75092, 84.751306], 352, true],
    ]);
  });

  it("sees the dirty pages that the next pass clears, but those that the host wrote", () => {
    const { vm } = told;
    // The memslot of one page is the VMM's own (pvtime): no guest writes it.
    expect(vm.passes.map(({ dirtiedPages }) => dirtiedPages)).toEqual([3538, 349, 1, 0]);
    expect(vm.workingSetPages).toBe(3538);
    expect(vm).toMatchObject({
      blocksTotal: 61,
      blocksLeft: 61,
      collapsesTotal: 0,
      vcpus: 1,
      memoryPages: 65_537,
    });
    expect(vm.blocks.reduce((sum, { dirtiedPages }) => sum + dirtiedPages, 0)).toBe(3538);
  });

  it("has each policy's flushes in their phases", () => {
    const { vm } = told;
    expect(callsOf(vm, "recorded")).toEqual([
      "run",
      "pass1 4 VM 48 IPA 61 IPA",
      "pass2 2 VM 349 IPA",
      "pass3 1 IPA 1 VM",
      "blackout 2 VM",
      "after",
    ]);
    expect(callsOf(vm, "range-6.9")).toEqual([
      "run 1 RANGE",
      "pass1 4 RANGE 48 IPA_LOCAL 61 IPA",
      "pass2 2 RANGE 349 IPA_LOCAL",
      "pass3 1 IPA_LOCAL 1 RANGE",
      "blackout 2 RANGE",
      "after",
    ]);
  });

  it("has the destination as a VM that was not migrated", () => {
    const [, destination] = told.inputs.vms;
    expect(destination).toMatchObject({ logs: false, outcome: "none", vcpus: 1 });
    expect(destination!.unknown.map(({ quantity }) => quantity)).toContain("dirty pages");
  });
});

/** QEMU on Linux 6.12, cancelled in its first pass. */
describe("a migration that was cancelled (6.12)", () => {
  let told: Told;
  beforeAll(async () => {
    told = await tell("migc-cut-612", "6.12.107");
  });

  it("rolls back from the last memslot's flags to the last collapse", () => {
    const { vm, at } = told;
    expect(vm.outcome).toBe("rolled-back");
    expect(vm.phases.map(({ name, pass, startNs }) => [name, pass, at(startNs)])).toEqual([
      ["run", undefined, 59.416666],
      ["pass", 1, 69.213915],
      ["rollback", undefined, 76.15642],
      ["run", undefined, 76.216427],
      ["after", undefined, 84.061955],
    ]);
    expect(vm.stops).toEqual([]);
    expect(vm.logging).toMatchObject({ mode: "initially-set" });
    expect(at(vm.logging!.endNs)).toBe(76.15642);
  });

  it("has the nine collapses, with what was mapped in each block", () => {
    const { vm, at } = told;
    const collapses = vm.collapses.map(({ startNs, page, leaves }) => [
      at(startNs),
      (page * 4096).toString(16),
      leaves,
    ]);
    expect(collapses).toEqual([
      [76.155927, "42a00000", 35],
      [76.182037, "48000000", 12],
      [76.183095, "43000000", 8],
      [76.191506, "4fc00000", 61],
      [76.197562, "42600000", 287],
      [76.198164, "43200000", 68],
      [76.198448, "42200000", 77],
      [76.210204, "42800000", 17],
      [76.21128, "4fe00000", 16],
    ]);
    expect(vm.collapses.every(({ isInRollback, tables }) => isInRollback && tables === 1)).toBe(
      true,
    );
    const rollback = vm.phases.find(({ name }) => name === "rollback")!;
    expect(rollback.facts.collapses).toBe(9);
    expect(rollback.facts.holds.collapse).toMatchObject({ count: 9, lock: "shared" });
    expect(vm).toMatchObject({ blocksTotal: 60, blocksLeft: 51, workingSetPages: 3539 });
  });

  it("has each policy's flushes in their phases", () => {
    const { vm } = told;
    expect(callsOf(vm, "recorded")).toEqual([
      "run 1 RANGE",
      "pass1 2 RANGE 49 IPA_LOCAL 60 IPA",
      "rollback 9 RANGE",
      "run 1 IPA_LOCAL",
      "after",
    ]);
    expect(callsOf(vm, "pgtable-5.10")).toEqual([
      "run",
      "pass1 2 VM 49 IPA 60 IPA",
      "rollback 9 VM",
      "run 1 IPA",
      "after",
    ]);
  });
});

function starts({ vm, at }: Told): readonly string[] {
  return vm.phases.map(({ name, pass, startNs }) => `${name}${pass ?? ""} ${at(startNs)}`);
}

describe("the same migrations, of which the trace shows less", () => {
  it("without kvm_userspace_exit the stop is inferred: from the last kvm_exit", async () => {
    const told = await tell("mig-cut-61", "6.1.192", "userspace_exit");
    expect(starts(told)).toEqual([
      "run 49.708073",
      "pass1 74.222807",
      "pass2 84.001346",
      "pass3 84.688047",
      "blackout 84.699001",
      "after 85.171749",
    ]);
    expect(told.vm.phases[4]!.start.confidence).toBe("inferred");
    expect(told.inputs.unknown.map(({ quantity }) => quantity)).toContain("start of the blackout");
  });

  it("without commit_region logging begins with the first clear, and the other VM is not taken for this one", async () => {
    const told = await tell("mig-cut-61", "6.1.192", "commit_region");
    expect(starts(told)).toEqual([
      "run 53.595976",
      "pass1 74.275271",
      "pass2 84.001346",
      "pass3 84.688047",
      "blackout 84.699189",
      "after 89.000803",
    ]);
    expect(told.vm).toMatchObject({ vcpus: 1, outcome: "completed", memoryPages: undefined });
    expect(told.vm.passes.map(({ clearedPages }) => clearedPages)).toEqual([98_305, 3539, 1, 352]);
  });

  it("without commit_region roll-back begins with the first block that is mapped again", async () => {
    const told = await tell("migc-cut-612", "6.12.107", "commit_region");
    expect(starts(told).slice(1, 4)).toEqual([
      "pass1 69.222094",
      "rollback 76.155927",
      "run 76.216427",
    ]);
    expect(told.vm.collapses).toHaveLength(9);
  });

  it("without kvm_entry and without returns has the same passes, collapses and flushes", async () => {
    for (const kind of ["kvm_entry", "map_ret", "relax_perms_ret"] as const) {
      const told = await tell("migc-cut-612", "6.12.107", kind);
      expect(told.vm.passes.map(({ clearedPages }) => clearedPages)).toEqual([65_537]);
      expect(told.vm.collapses).toHaveLength(9);
      expect(told.vm.phases.map(({ name }) => name)).toEqual([
        "run",
        "pass",
        "rollback",
        "run",
        "after",
      ]);
    }
  });
});
