import { DIAGNOSTIC_CODES, type DiagnosticCode, severityOf } from "../../ingest/diagnostics.ts";
import { stage2Operations } from "../../replay/needs/answers.ts";
import { absoluteNs } from "../summary.ts";
import { formatCount, plural } from "../terminal.ts";
import type { CheckInput } from "./input.ts";
import type { CheckLossInterval, CheckLosses } from "./schema.ts";

/** Events that the recording lost. */
const LOST: readonly DiagnosticCode[] = ["EVENTS_OVERWRITTEN", "EVENTS_LOST"];

/** What is missing from a trace, where, and what that does to the results. */
export function lossesOf(input: CheckInput): CheckLosses {
  const { diagnostics, judged } = input;
  const calls = callsOf(input);
  return {
    events_lost: LOST.reduce((sum, code) => sum + diagnostics.count(code), 0),
    unreadable: unreadableOf(input),
    intervals: [...intervalsOf(input), ...savedIntervalsOf(input)],
    intervals_left_out: input.lossIntervalsLeftOut,
    effects: effectsOf(input, calls),
    tables_forgotten: input.forgotten.tables,
    policy: judged.policy,
    calls_certain: calls.certain,
    calls_unknown: calls.unknown,
  };
}

/** `15,051 × the ring buffer overwrote events …`, one for each kind of loss. */
export function lossSentences({ diagnostics }: CheckInput): readonly string[] {
  return [...diagnostics.counts()]
    .filter(([code]) => isLoss(code))
    .map(([code, count]) => `${formatCount(count)} × ${DIAGNOSTIC_CODES[code].sentence}`);
}

function isLoss(code: DiagnosticCode): boolean {
  return severityOf(code) === "dataLoss" || severityOf(code) === "error";
}

/** Losses that the recording did not make: what could not be read. */
function unreadableOf({ diagnostics }: CheckInput): number {
  const notRead: readonly DiagnosticCode[] = ["UNPARSED_LINE", "LINE_TOO_LONG", "BAD_NUMBER"];
  const others: readonly DiagnosticCode[] = [
    "MISSING_ARGUMENT",
    "UNKNOWN_EVENT",
    "UNRESOLVED_PROBE",
  ];
  return [...notRead, ...others].reduce((sum, code) => sum + diagnostics.count(code), 0);
}

function intervalsOf({ info, lossIntervals }: CheckInput): readonly CheckLossInterval[] {
  const at = (ns: number | undefined): string | null =>
    ns === undefined ? null : absoluteNs(info.baseNs, ns);
  return lossIntervals.map(({ cpu, count, fromNs, toNs, line }) => ({
    cpu: cpu ?? null,
    count: count ?? null,
    from_ns: at(fromNs),
    to_ns: at(toNs),
    line,
    origin: originOf(cpu, count, fromNs, info.format),
  }));
}

function originOf(
  cpu: number | undefined,
  count: number | undefined,
  fromNs: number | undefined,
  format: string,
): string {
  if (format === "trace-dat") return "the file's pages and statistics";
  if (cpu === undefined) return "header";
  return count === undefined && fromNs === undefined ? "buffer starts late" : "trace";
}

function savedIntervalsOf({ savedLosses }: CheckInput): readonly CheckLossInterval[] {
  return savedLosses.map(({ cpu, count, origin }) => ({
    cpu: cpu ?? null,
    count,
    from_ns: null,
    to_ns: null,
    line: 0,
    origin,
  }));
}

export interface Calls {
  readonly certain: number;
  readonly unknown: number;
}

/** Under the policy that is judged. */
export function callsOf({ result, judged }: Pick<CheckInput, "result" | "judged">): Calls {
  const own = result.flushes.filter(({ policy }) => policy === judged.policy);
  return {
    certain: own.reduce((sum, row) => sum + row.calls, 0),
    unknown: own.reduce((sum, row) => sum + row.unknown_calls, 0),
  };
}

function effectsOf(input: CheckInput, calls: Calls): readonly string[] {
  const { diagnostics, forgotten, result, judged } = input;
  if (!diagnostics.hasDataLoss) return [];
  const effects: string[] = [];
  if (forgotten.places > 0) {
    const where = forgotten.firstLine === undefined ? "" : `, first at line ${forgotten.firstLine}`;
    effects.push(
      `${plural(forgotten.tables, "table")} became unknown at ${plural(forgotten.places, "place")} of loss${where}: their contents are learned again from faults and operations`,
    );
  }
  const cut = diagnostics.count("OPERATION_CUT");
  if (cut > 0) effects.push(`${plural(cut, "operation")} was open where events are missing`);
  if (stage2Operations(input.sight) === 0) return effects;
  effects.push(
    `analyze gives bounds: ${plural(calls.certain, "call")} for certain and at most ${formatCount(calls.unknown)} more in what is left`,
  );
  if (result.primitivesRecorded) {
    effects.push(
      `verify compares what is left: ${plural(judged.matched, "call")} matched, ${formatCount(judged.unknown)} undecided`,
    );
  }
  effects.push("both end with exit code 3");
  return effects;
}
