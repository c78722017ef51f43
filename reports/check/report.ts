import type { TraceError } from "../../ingest/errors.ts";
import { type Answer, answersOf } from "../../replay/needs/answers.ts";
import { KNOWN_FUNCTIONS } from "../../replay/needs/known-functions.ts";
import { type MissingProbe, missingProbes } from "../../replay/needs/missing-probes.ts";
import { ANSWERS } from "../../replay/needs/needs.ts";
import { eventsOf, stateOf } from "../../replay/needs/probe-states.ts";
import { absoluteNs } from "../summary.ts";
import { errorOf, errorsOf } from "./errors.ts";
import type { CheckInput } from "./input.ts";
import { callsOf, lossSentences, lossesOf } from "./losses.ts";
import {
  CHECK_SCHEMA_VERSION,
  type CheckProbes,
  type CheckReport,
  type CheckTime,
  type UnreadableReport,
} from "./schema.ts";
import { verdictOf } from "./verdict.ts";

const MAX_NAMES = 1000;

/** The whole report of one trace. */
export function checkReport(input: CheckInput): CheckReport {
  const { info } = input;
  const answers = answersOfTrace(input);
  const missing = input.architecture === "x86" ? [] : missingProbes(input.sight, input.otherNames);
  const { errors, leftOut } = errorsOf(input, missing);
  return {
    schema_version: CHECK_SCHEMA_VERSION,
    trace: input.trace,
    verdict: verdictOf(input, answers),
    input: {
      path: info.path,
      format: info.format,
      layout: info.layout,
      compression: info.compression,
      bytes: info.bytes,
      sha256: info.sha256,
      lines: info.lines,
      events: info.events,
    },
    machine: {
      architecture: input.architecture,
      architecture_origin: input.architectureOrigin,
      settings: input.settings,
      assumptions: input.assumptions,
      contradictions: input.contradictions,
    },
    time: timeOf(input),
    events: eventsOfTrace(input),
    losses: lossesOf(input),
    probes: probesOf(input, missing),
    invariants: input.findings.map(({ id, sentence, meaning, count, notJudgedFor }) => ({
      id,
      sentence,
      meaning,
      count,
      not_judged_for: notJudgedFor,
    })),
    answers: answers.map(({ answer, question, status, because }) => ({
      answer,
      question,
      status,
      because,
    })),
    errors,
    errors_left_out: leftOut,
  };
}

/** A file that is no trace, or cannot be read. */
export function unreadableReport(trace: string, error: TraceError): UnreadableReport {
  return {
    schema_version: CHECK_SCHEMA_VERSION,
    trace,
    verdict: { level: "unreadable", sentence: `not read: ${error.message}` },
    errors: [errorOf(error, trace)],
    errors_left_out: 0,
  };
}

function answersOfTrace(input: CheckInput): readonly Answer[] {
  const { result, judged, diagnostics } = input;
  const answers = answersOf({
    sight: input.sight,
    isX86: input.architecture === "x86",
    losses: lossSentences(input),
    unknownTables: diagnostics.count("UNKNOWN_CONTEXT"),
    // What an option can state; KVM's own default size of a VM is none of these.
    assumed: input.assumptions.filter((sentence) => sentence.includes("(--")),
    primitivesRecorded: result.primitivesRecorded,
    calls: callsOf(input),
    undecided: judged.unknown,
  });
  const differ = judged.missed + judged.spurious;
  if (differ === 0 || !result.primitivesRecorded) return answers;
  const sentence = `predictions (${judged.policy}) and recorded calls differ in ${differ} (verify lists them)`;
  return answers.map((answer) =>
    answer.answer === "verify" ? { ...answer, because: [sentence, ...answer.because] } : answer,
  );
}

function timeOf({ info, clock, isTicks, survey }: CheckInput): CheckTime {
  const hasEvents = !Number.isNaN(info.firstTsNs) && !Number.isNaN(info.lastTsNs);
  return {
    clock: clock.value ?? null,
    clock_origin: clock.origin,
    unit: isTicks ? "tick" : "ns",
    resolution: isTicks ? "tick" : survey.resolution(info.baseNs),
    first_ts_ns: absoluteNs(info.baseNs, info.firstTsNs),
    last_ts_ns: absoluteNs(info.baseNs, info.lastTsNs),
    span_ns: hasEvents ? info.lastTsNs - info.firstTsNs : null,
    backwards: survey.backwards,
    equal_stamp_share: survey.equalStampShare,
  };
}

function eventsOfTrace({ survey, names }: CheckInput): CheckReport["events"] {
  const byName = survey.byName(names);
  const byCpu = [...survey.byCpu()].map(([cpu, count]) => [cpu < 0 ? "unknown" : `${cpu}`, count]);
  return {
    by_kind: Object.fromEntries(survey.byKind()),
    by_name: byName.slice(0, MAX_NAMES).map(({ name, kind, count }) => ({ name, kind, count })),
    names_left_out: Math.max(0, byName.length - MAX_NAMES),
    by_cpu: Object.fromEntries(byCpu),
  };
}

function probesOf(
  { sight, probeList, architecture }: CheckInput,
  missing: readonly MissingProbe[],
): CheckProbes {
  const isX86 = architecture === "x86";
  return {
    list: probeList ?? null,
    functions: (isX86 ? [] : KNOWN_FUNCTIONS).map((known) => ({
      function: known.name,
      role: known.role,
      state: stateOf(known, sight),
      events: eventsOf(sight, known.kind),
      return_events: known.returnKind === undefined ? null : eventsOf(sight, known.returnKind),
    })),
    missing: missing.map((one) => ({
      function: one.function,
      is_return: one.isReturn,
      state: one.state,
      needed_for: ANSWERS.filter((answer) => one.neededFor.includes(answer)),
      without: one.without,
      effect: one.effect,
      closest: one.closest,
    })),
  };
}
