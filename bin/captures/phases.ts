import { readFileSync } from "node:fs";
import path from "node:path";
import { readHostFacts } from "../../ingest/beside/read-host-facts.ts";
import { openTrace } from "../../ingest/open-trace.ts";
import { replayConfig, resolveConfiguration } from "../../replay/configuration.ts";
import type { TraceInputs, VmInputs } from "../../replay/migration/inputs.ts";
import { createPhaseRecorder } from "../../replay/phases/create.ts";
import { traceInputs } from "../../replay/phases/phase-inputs.ts";
import { Replay } from "../../replay/replay.ts";
import { type Capture, traceOf } from "./capture.ts";
import type { CheckResult } from "./checks.ts";
import { SlowPhases } from "./slow-phases.ts";

export interface ReadPhases {
  readonly inputs: TraceInputs;
  readonly slow: SlowPhases;
  readonly hasDataLoss: boolean;
  readonly isNested: boolean;
}

/** Phases, passes, stops, cancels and collapses against the events themselves, read without the recorder. */
export async function checkPhases(capture: Capture): Promise<readonly CheckResult[]> {
  const trace = traceOf(capture);
  if (!capture.isArm64 || trace === undefined || capture.unprobed.length > 0) return [];
  const name = `${capture.name}: phases`;
  const { inputs, slow, hasDataLoss, isNested } = await readPhases(trace);
  if (hasDataLoss) return [{ name, problems: [], skipped: "events are missing", note: "" }];
  if (isNested) return [{ name, problems: [], skipped: "nested guests are refused", note: "" }];
  const problems = [
    ...problemsOf(inputs, slow),
    ...outcomeProblems(inputs, path.join(capture.folder, "capture.json")),
  ];
  const phases = inputs.vms.filter(({ logs }) => logs).flatMap((vm) => vm.phases);
  const passes = inputs.vms.reduce((sum, vm) => sum + vm.passes.length, 0);
  const note = `${phases.length} phases, ${passes} passes, ${slow.clears.length} clears, ${slow.collapsesNs.length} collapses`;
  return [{ name, problems, note }];
}

export async function readPhases(trace: string): Promise<ReadPhases> {
  const { facts } = await readHostFacts(trace);
  const nothing = { kernel: undefined, cpu: undefined, pageSizeBytes: undefined };
  const defaults = { ipaBits: undefined, start: undefined, operationsOnly: false };
  const configuration = resolveConfiguration({ ...nothing, ...defaults }, facts);
  const own = configuration.recordedPolicy;
  if (own === undefined) throw new Error(`${trace}: capture.json does not name the kernel`);
  const config = replayConfig(configuration, [own], false);
  const recorder = createPhaseRecorder(config, { kernel: configuration.kernel });
  const reader = await openTrace(trace);
  const replay = new Replay(config, reader.pointers, reader.diagnostics, undefined, recorder);
  const slow = new SlowPhases();
  for await (const batch of reader.batches()) {
    slow.consume(batch);
    replay.consume(batch);
  }
  replay.finish();
  return {
    inputs: traceInputs(recorder, reader.baseNs),
    slow,
    hasDataLoss: reader.diagnostics.hasDataLoss,
    isNested: [...reader.info().eventsByName.keys()].includes("kvm_nested_eret"),
  };
}

/** What the recorder tells against what the rows say. */
export function problemsOf(inputs: TraceInputs, slow: SlowPhases): readonly string[] {
  return [
    ...logProblems(inputs, slow),
    ...clearProblems(inputs, slow),
    ...collapseProblems(inputs, slow),
    ...inputs.vms.flatMap(orderProblems),
  ];
}

/** Logging begins and ends where its memslots' flags say. */
function logProblems({ vms }: TraceInputs, slow: SlowPhases): readonly string[] {
  const told = vms.flatMap(({ logging }) => (logging === undefined ? [] : [logging]));
  const problems: string[] = [];
  for (const startNs of slow.logOnNs.values()) {
    if (!told.some((one) => one.startNs === startNs))
      problems.push(`logging begins at ${startNs} ns, in no VM`);
  }
  for (const endNs of slow.logOffNs.values()) {
    if (!told.some((one) => one.endNs === endNs))
      problems.push(`logging ends at ${endNs} ns, in no VM`);
  }
  const extra = told.length - slow.logOnNs.size;
  if (extra > 0) problems.push(`${extra} VMs log without an event that says so`);
  return problems;
}

/** Every GET and CLEAR at its time, with its words and pages. */
function clearProblems({ vms }: TraceInputs, { clears }: SlowPhases): readonly string[] {
  const told = vms
    .flatMap(({ passes }) => passes.flatMap((pass) => pass.clears))
    .map(({ startNs, words, pages }) => `${startNs} ${words} ${pages}`)
    .sort();
  const wanted = clears.map(({ startNs, words, pages }) => `${startNs} ${words} ${pages}`).sort();
  const at = wanted.findIndex((text, i) => text !== told[i]);
  if (at < 0 && told.length === wanted.length) return [];
  return [
    `${told.length} clears, ${wanted.length} in the events; the first that differs: ${told[at] ?? "none"}, ${wanted[at] ?? "none"} (ns, words, pages)`,
  ];
}

/** Collapses are the map calls inside which more than one page was flushed. */
function collapseProblems({ vms }: TraceInputs, slow: SlowPhases): readonly string[] {
  if (!slow.hasPrimitives) return [];
  const told = vms
    .flatMap(({ collapses }) => collapses.map(({ startNs }) => startNs))
    .sort((a, b) => a - b);
  const wanted = [...slow.collapsesNs].sort((a, b) => a - b);
  const at = wanted.findIndex((tsNs, i) => tsNs !== told[i]);
  const problems: string[] = [];
  if (at >= 0 || told.length !== wanted.length) {
    problems.push(
      `${told.length} collapses, ${wanted.length} in the events; the first that differs: ${told[at]} and ${wanted[at]} ns`,
    );
  }
  for (const vm of vms) {
    for (const phase of vm.phases.filter(({ name }) => name === "rollback")) {
      const inside = vm.collapses.filter(({ isInRollback }) => isInRollback).length;
      const last = Math.max(...vm.collapses.map(({ startNs, holdNs = 0 }) => startNs + holdNs));
      if (inside === 0) problems.push("a roll-back without a collapse");
      if (phase.endNs > last + 1)
        problems.push(`roll-back ends at ${phase.endNs} ns, the last collapse at ${last}`);
    }
  }
  return problems;
}

/** One phase ends where the next begins; blackouts begin where a vCPU was taken out of KVM_RUN. */
function orderProblems({ vm, phases, stops, passes }: VmInputs): readonly string[] {
  const problems: string[] = [];
  for (const [at, phase] of phases.entries()) {
    const next = phases[at + 1];
    if (phase.endNs < phase.startNs) problems.push(`VM ${vm}: ${phase.name} ends before it begins`);
    if (next !== undefined && next.startNs !== phase.endNs)
      problems.push(`VM ${vm}: a gap after ${phase.name}`);
    if (phase.name === "blackout" && !stops.some(({ startNs }) => startNs === phase.startNs)) {
      problems.push(`VM ${vm}: a blackout at ${phase.startNs} ns without a stop`);
    }
  }
  for (const [at, pass] of passes.entries()) {
    if (pass.number !== at + 1) problems.push(`VM ${vm}: pass ${pass.number} in place ${at + 1}`);
  }
  return problems;
}

/** What the VMM printed of the migration: how it ended, and in how many passes. */
function outcomeProblems({ vms }: TraceInputs, file: string): readonly string[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a field that is missing is looked after below
  const { workload_output: output = "" } = JSON.parse(readFileSync(file, "utf8")) as {
    readonly workload_output?: string;
  };
  const status = [...output.matchAll(/^Migration status: (\w+)/gm)].at(-1)?.[1];
  if (status === undefined) return [];
  const source = vms.find(({ logs }) => logs);
  if (source === undefined) return [`a migration (${status}) in which nothing was logged`];
  const problems: string[] = [];
  const wanted = status === "completed" ? "completed" : "rolled-back";
  if (source.outcome !== wanted) problems.push(`${source.outcome}, and the VMM says ${status}`);
  const syncs = [...output.matchAll(/^dirty sync count: (\d+)/gm)].at(-1)?.[1];
  if (syncs !== undefined && Number(syncs) !== source.passes.length) {
    problems.push(`${source.passes.length} passes, and the VMM counts ${syncs}`);
  }
  const hasBlackout = source.phases.some(({ name }) => name === "blackout");
  if (status === "completed" && !hasBlackout) problems.push("completed without a blackout");
  return problems;
}
