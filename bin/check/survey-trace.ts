import type { HostFacts } from "../../ingest/beside/host-facts.ts";
import { reportPerCpuLosses } from "../../ingest/beside/per-cpu-stats.ts";
import { readHostFacts } from "../../ingest/beside/read-host-facts.ts";
import { resolveTracePath } from "../../ingest/beside/resolve-trace-path.ts";
import { readSavedClock } from "../../ingest/beside/saved-clock.ts";
import { readSavedProbes, reportMissedHits } from "../../ingest/beside/saved-probes.ts";
import type { SavedProbes } from "../../ingest/beside/saved-probes.ts";
import type { EventKindName } from "../../ingest/events/kinds.ts";
import { openTrace } from "../../ingest/open-trace.ts";
import type { TraceInfo } from "../../ingest/reader.ts";
import { meaningOfSymbol } from "../../ingest/vocabulary/functions.ts";
import { type Configuration, replayConfig } from "../../replay/configuration.ts";
import { InvariantSuite } from "../../replay/invariants/suite.ts";
import { KNOWN_FUNCTIONS } from "../../replay/needs/known-functions.ts";
import { isInKernel } from "../../replay/needs/probe-states.ts";
import { formatKernelVersion } from "../../replay/policies/kernel-version.ts";
import type { Policy } from "../../replay/policies/flags.ts";
import { findPolicy, POLICIES } from "../../replay/policies/registry.ts";
import { type PolicyFit, Replay, type ReplayResult } from "../../replay/replay.ts";
import { bestFit } from "../../replay/verify/ranking.ts";
import { EventSurvey } from "../../replay/survey/event-survey.ts";
import { LossSurvey } from "../../replay/survey/loss-survey.ts";
import type { CheckInput, SavedLoss } from "../../reports/check/input.ts";
import { architectureOf } from "../architecture.ts";
import { type MachineOptions, openOptionsOf } from "../trace-options.ts";
import { configure, logOf } from "../trace-run.ts";
import { clockOfTrace } from "./clock.ts";

/** Predicts where the recorded kernel is not known and nothing recorded tells whose calls fit: the newest. */
const STAND_IN = "range-6.9";
/** First where the kernel is not known: what every kernel must invalidate, for the invariants to judge by. */
const LEAST = "ideal";
const MAX_OTHER_NAMES = 1000;

/**
 * Reads a trace to its end and finds out all that `check` tells. A trace that cannot be replayed is no
 * error here. Throws TraceError where it is no trace, or cannot be read.
 */
export async function surveyTrace(trace: string, options: MachineOptions): Promise<CheckInput> {
  const log = logOf(options);
  const file = await resolveTracePath(trace);
  const { facts, notes, contradictions } = await readHostFacts(file);
  const probeNotes: string[] = [];
  const probes = await readSavedProbes(file, options.probes, probeNotes);
  for (const note of [...notes, ...probeNotes]) log.warn(note);
  const configuration = configure(options, facts, false);
  const reader = await openTrace(file, openOptionsOf(options));
  const policies = policiesFor(configuration.recordedPolicy);
  const survey = new EventSurvey();
  const losses = new LossSurvey();
  const suite = new InvariantSuite(2 ** configuration.pageShift);
  const config = replayConfig(configuration, policies, true);
  const replay = new Replay(config, reader.pointers, reader.diagnostics, suite);
  for await (const batch of reader.batches()) {
    survey.consume(batch);
    losses.consume(batch);
    suite.consume(batch);
    replay.consume(batch);
  }
  const result = replay.finish();
  losses.finish();
  const info = reader.info();
  const { perCpuLosses } = facts;
  if (perCpuLosses !== undefined && info.format !== "trace-dat") {
    reportPerCpuLosses(perCpuLosses.value, perCpuLosses.origin, info, reader.diagnostics);
  }
  reportMissedHits(probes, reader.diagnostics);
  log.info(`${file}: ${info.events} events read`);

  const kinds = survey.byKind();
  const found = architectureOf(info.eventsByName.keys(), facts, kinds);
  const clock = clockOfTrace(info, await readSavedClock(file));
  return {
    trace,
    info,
    diagnostics: reader.diagnostics,
    architecture: found.architecture,
    architectureOrigin: found.because,
    clock: clock.clock,
    isTicks: clock.isTicks,
    ...machineOf(configuration, found.architecture === "x86"),
    contradictions: [
      ...contradictions,
      ...clock.contradictions,
      ...kernelContradictions(configuration, facts, kinds),
    ],
    survey,
    names: reader.names,
    lossIntervals: losses.intervals,
    lossIntervalsLeftOut: losses.count - losses.intervals.length,
    savedLosses: savedLossesOf(facts, info, probes?.value),
    result,
    judged: judgedFit(result, configuration.recordedPolicy),
    findings: suite.finish(kinds),
    forgotten: {
      places: suite.losses,
      tables: suite.tablesForgotten,
      firstLine: suite.forgotten[0]?.line,
    },
    sight: {
      eventsByKind: kinds,
      applied: survey.applied(),
      list: probes?.value,
      kernel: configuration.kernel,
      hypMode: facts.hypMode?.value,
    },
    probeList: probes?.origin,
    otherNames: otherNamesOf(survey.byName(reader.names), probes?.value),
  };
}

function policiesFor(recorded: Policy | undefined): readonly Policy[] {
  if (recorded !== undefined) return [recorded];
  return [findPolicy(LEAST)!, ...POLICIES.filter(({ id }) => id !== LEAST)];
}

/** As `verify` judges: by the recorded kernel's own policy, else by the one that fits best. */
function judgedFit(result: ReplayResult, recorded: Policy | undefined): PolicyFit {
  if (recorded !== undefined) return result.fits[0]!;
  if (result.primitivesRecorded) return bestFit(result.fits);
  return result.fits.find(({ policy }) => policy === STAND_IN)!;
}

/** Of an x86 host only the kernel: what is assumed of arm64 CPUs means nothing there. */
function machineOf(
  { settings, assumptions }: Configuration,
  isX86: boolean,
): Pick<CheckInput, "settings" | "assumptions"> {
  if (!isX86) return { settings, assumptions };
  return { settings: settings.filter(({ name }) => name === "kernel"), assumptions: [] };
}

/** What a version cannot have and the trace has. */
function kernelContradictions(
  { kernel }: Configuration,
  facts: HostFacts,
  kinds: ReadonlyMap<EventKindName, number>,
): readonly string[] {
  const found: string[] = [];
  for (const known of KNOWN_FUNCTIONS) {
    if (!kinds.has(known.kind) || isInKernel(known, kernel)) continue;
    found.push(
      `the kernel is said to be ${formatKernelVersion(kernel!)}, which has no ${known.name}, and the trace has its events`,
    );
  }
  const mode = facts.hypMode;
  const primitive = KNOWN_FUNCTIONS.find(({ isHyp, kind }) => isHyp === true && kinds.has(kind));
  if (mode !== undefined && mode.value !== "VHE" && primitive !== undefined) {
    found.push(
      `${mode.origin} says ${mode.value}, where ${primitive.name} runs at EL2, and the trace has its events`,
    );
  }
  return found;
}

/** Losses that only files beside the trace know, by CPU. */
function savedLossesOf(
  facts: HostFacts,
  info: TraceInfo,
  probes: SavedProbes | undefined,
): readonly SavedLoss[] {
  const { perCpuLosses } = facts;
  // A trace.dat holds these statistics itself, and its own intervals tell them.
  const losses = info.format === "trace-dat" ? [] : (perCpuLosses?.value ?? []);
  const fromStats = losses.map(({ cpu, dropped, overrun }) => ({
    cpu,
    count: dropped + overrun,
    origin: perCpuLosses!.origin,
  }));
  const fromProbes = [...(probes?.missedHits ?? [])].map(([name, count]) => ({
    cpu: undefined,
    count,
    origin: `kprobe_profile.txt: probe ${name}`,
  }));
  return [...fromStats, ...fromProbes];
}

function otherNamesOf(
  names: readonly { readonly name: string; readonly kind: EventKindName }[],
  probes: SavedProbes | undefined,
): readonly string[] {
  const events = names.filter(({ kind }) => kind === "other").map(({ name }) => name);
  const functions = [...(probes?.entries ?? [])].filter(
    (name) => meaningOfSymbol(name) === undefined,
  );
  return [...new Set([...events, ...functions])].slice(0, MAX_OTHER_NAMES);
}
