import type { DurationSummary } from "../../ingest/durations.ts";
import {
  type Evidence,
  type LoggingInput,
  type Outcome,
  type PassInput,
  type Phase,
  type TraceInputs,
  type VmInputs,
} from "../migration/inputs.ts";
import { clearOf } from "./clear-sequences.ts";
import type { GuestRecord } from "./guest-record.ts";
import type { PhaseRecorder } from "./phase-recorder.ts";
import { unknownOfTrace, unknownOfVm } from "./unknown.ts";

/**
 * What a recorder gathered, after the replay ended. VMs whose logging was seen come first.
 * @param baseNs of the trace's clock, from which its times are counted.
 * @param durations of functions, as the reader of a function_graph trace knows them when it is done.
 */
export function traceInputs(
  recorder: PhaseRecorder,
  baseNs: bigint,
  durations: ReadonlyMap<string, DurationSummary> = new Map(),
): TraceInputs {
  const records = recorder.guests.all.filter(isWorthTelling);
  const sorted = [...records].sort(
    (a, b) => Number(logs(b)) - Number(logs(a)) || a.number - b.number,
  );
  return {
    vms: sorted.map((record) => vmInputs(record, recorder)),
    pageBytes: recorder.config.pageBytes,
    baseS: Number(baseNs / 1000n) / 1e6,
    firstNs: Number.isNaN(recorder.firstNs) ? 0 : recorder.firstNs,
    lastNs: recorder.lastNs,
    durations,
    unknown: unknownOfTrace(recorder),
  };
}

/** VMMs make short-lived VMs to ask KVM what it can do. */
function isWorthTelling(record: GuestRecord): boolean {
  return (
    logs(record) || record.vcpuPids.size > 0 || !record.slots.isEmpty || record.table !== undefined
  );
}

function logs(record: GuestRecord): boolean {
  return record.logStart !== undefined;
}

function vmInputs(record: GuestRecord, recorder: PhaseRecorder): VmInputs {
  const { vcpus, config, lastNs } = recorder;
  const { blocks, dirty, slots } = record;
  const showsFaultTimes = vcpus.showsEntries && vcpus.showsExits;
  const phases = record.timeline.phases(lastNs, config.lockOf, showsFaultTimes);
  const outcome = outcomeOf(record);
  return {
    vm: record.number,
    logs: logs(record),
    phases,
    logging: loggingOf(record),
    passes: passesOf(record, phases, lastNs),
    intervals: dirty?.intervals(Number.isNaN(record.logEndNs) ? lastNs : record.logEndNs) ?? [],
    intervalNs: dirty?.intervalNs ?? record.options.intervalNs,
    dirtyCurve: dirty?.curve(),
    passCurves: dirty?.passCurves() ?? [],
    workingSetPages: dirty?.workingSetPages ?? 0,
    blocks: blocks.blocks(),
    blocksTotal: blocks.total,
    collapses: blocks.collapses(),
    collapsesTotal: blocks.collapsesTotal,
    stops: record.stops.listed,
    blocksLeft: blocks.left,
    outcome,
    resumedElsewhereNs: Number.isNaN(record.resumedElsewhereNs)
      ? undefined
      : record.resumedElsewhereNs,
    vcpus: record.vcpuPids.size,
    memoryPages: slots.pages(false),
    readOnlyPages: slots.pages(true),
    leavesBySpan: [...record.leavesBySpan]
      .map(([spanPages, count]) => ({ spanPages, count }))
      .sort((a, b) => a.spanPages - b.spanPages),
    unknown: unknownOfVm(
      record,
      recorder,
      outcome,
      phases.some(({ name }) => name === "blackout"),
    ),
  };
}

function outcomeOf(record: GuestRecord): Outcome {
  if (record.logStart === undefined) return "none";
  if (record.stops.isStopped) return "completed";
  return record.logEnd === undefined ? "logging" : "rolled-back";
}

function loggingOf(record: GuestRecord): LoggingInput | undefined {
  const { logStart: start, logEnd } = record;
  if (start === undefined) return undefined;
  const ended: Evidence = {
    what: record.isGone ? "the VM was torn down while it was on" : "the trace ends while it is on",
    line: undefined,
    confidence: "recorded",
  };
  return {
    startNs: record.logStartNs,
    start,
    endNs: logEnd === undefined ? undefined : record.logEndNs,
    end: logEnd ?? ended,
    mode: modeOf(record),
    slots: record.loggedSlots,
    pages: record.loggedPages,
    clearSpanPages: record.clearSpanPages,
  };
}

/** Whether the memslots were write-protected when logging began shows only where that is in the trace. */
function modeOf(record: GuestRecord): LoggingInput["mode"] {
  if (record.protectedAtStart) return "protect-at-start";
  const isSeen = record.logStart?.confidence === "recorded";
  return isSeen && record.passes.some(({ clears }) => clears.length > 0)
    ? "initially-set"
    : "unknown";
}

/** A pass lasts until the next begins, or logging ends. */
function passesOf(
  record: GuestRecord,
  phases: readonly Phase[],
  lastNs: number,
): readonly PassInput[] {
  const blackouts = phases.filter(({ name }) => name === "blackout");
  const isInBlackout = (tsNs: number): boolean =>
    blackouts.some(({ startNs, endNs }) => tsNs >= startNs && tsNs < endNs);
  const stopNs = record.stops.isStopped
    ? phases.find(({ name }) => name === "after")?.startNs
    : undefined;
  const endNs = Number.isNaN(record.logEndNs) ? (stopNs ?? lastNs) : record.logEndNs;
  return record.passes.map((pass, at) => {
    const clears = pass.clears.map((one) => clearOf(one, isInBlackout(one.startNs)));
    return {
      number: pass.number,
      startNs: pass.startNs,
      endNs: Math.max(pass.startNs, record.passes[at + 1]?.startNs ?? endNs),
      isInBlackout: isInBlackout(pass.startNs),
      clears,
      clearedPages: pass.clearedPages,
      dirtiedPages: pass.dirtiedPages,
    };
  });
}
