import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { X86_ONCE_5_18, X86_PER_TABLE_5_10 } from "../../../replay/x86/policies/families.ts";
import { type Capture, traceOf } from "../capture.ts";
import type { CheckResult } from "../check-result.ts";
import { type ReplayedX86, replayX86 } from "./replayed.ts";
import { readTraceText, type TraceText } from "./trace-text.ts";

/** What a capture's own records say. */
interface X86Truth {
  readonly truth?: {
    readonly function_entries?: Readonly<Record<string, number>>;
    readonly sum_requests?: number | null;
    readonly sum_remote_tlb_flush?: number | null;
  };
  readonly removed_tables_by_spte_level?: Readonly<Record<string, number>>;
}

/** Everything that can be checked of an x86 capture on its own. */
export async function checkX86Capture(capture: Capture): Promise<readonly CheckResult[]> {
  const { name } = capture;
  const trace = traceOf(capture);
  if (trace === undefined) return [{ name, problems: [], skipped: "no trace", note: "" }];
  const own = await replayX86(trace);
  const operationsOnly = await replayX86(trace, undefined, true);
  const truth = truthOf(capture);
  const isText = /\.txt(\.\w+)?$/.test(trace);
  return [
    checkCalls(`${name}: flushes`, own),
    checkCalls(`${name}: flushes, operations only`, operationsOnly),
    checkCounts(`${name}: counts of the kernel`, own, truth),
    ...(isText ? [await checkText(`${name}: tables`, own, truth, trace)] : []),
    ...(await checkCollapses(`${name}: collapses`, own, trace)),
    ...(await checkOtherFormat(capture, trace, own)),
  ];
}

function truthOf({ folder }: Capture): X86Truth {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a field that is missing is looked after where it is used
  return JSON.parse(readFileSync(path.join(folder, "capture.json"), "utf8")) as X86Truth;
}

/** Each recorded flush is predicted, with its range and in its order, and nothing else. */
function checkCalls(name: string, { result, policy }: ReplayedX86): CheckResult {
  const fit = result.fits[0]!;
  const { recorded, matched } = fit.calls.VM;
  const problems = fit.mismatches.map(
    ({ kind, line, detail }) => `${kind} at line ${line}: ${detail}`,
  );
  const yields = recorded! - matched;
  // Without the recorded flushes a yield is not known: it may be one that was allowed for.
  if (fit.missed + fit.spurious > 0 || fit.unknown !== yields) {
    problems.push(
      `${recorded} recorded, ${matched} matched, ${fit.missed} missed, ${fit.spurious} spurious, ${fit.unknown} unknown`,
    );
  }
  const left = fit.unknown === 0 ? "" : `, ${fit.unknown} at a yield`;
  return { name, problems, note: `${matched} flushes of ${policy.id}${left}` };
}

/** Flushes as the kernel counted them: its probes' hits, and the VMs' own statistics. */
function checkCounts(name: string, { result }: ReplayedX86, truth: X86Truth): CheckResult {
  const problems: string[] = [];
  const hits = truth.truth?.function_entries?.["kvm_flush_remote_tlbs"];
  const predicted = result.fits[0]!.calls.VM.predicted;
  if (hits !== predicted)
    problems.push(`${predicted} predicted, ${hits} hits of kvm_flush_remote_tlbs`);
  const requests = truth.truth?.sum_requests ?? undefined;
  if (requests !== undefined && requests !== predicted) {
    problems.push(`${predicted} predicted, ${requests} requests in the VMs' statistics`);
  }
  for (const { requests: own, recorded, kvm } of result.statistics) {
    if (!Number.isNaN(own) && own !== recorded) {
      problems.push(`VM ${kvm}: ${recorded} flushes, ${own} requests at its end`);
    }
  }
  const kicks = result.statistics.reduce((sum, one) => sum + one.kicks, 0);
  if (kicks !== (truth.truth?.sum_remote_tlb_flush ?? kicks)) problems.push(`${kicks} kicks`);
  const counted = requests === undefined ? "no requests counted" : `${requests} requests`;
  return { name, problems, note: `${hits} hits, ${counted}, ${kicks} kicks` };
}

/** Removed tables as the capture and the text itself have them. */
async function checkText(
  name: string,
  { result, hasPresentBit }: ReplayedX86,
  truth: X86Truth,
  trace: string,
): Promise<CheckResult> {
  const text: TraceText = await readTraceText(trace, hasPresentBit);
  const removed = text.changes.filter(({ from, to }) => from === "table" && to !== "table").length;
  const byLevel = Object.values(truth.removed_tables_by_spte_level ?? {});
  const counted = byLevel.reduce((sum, n) => sum + n, 0);
  const problems: string[] = [];
  if (result.tablesRemoved !== removed) {
    problems.push(`${result.tablesRemoved} tables removed, ${removed} by the text`);
  }
  if (byLevel.length > 0 && counted !== removed) {
    problems.push(`${removed} tables removed by the text, ${counted} by capture.json`);
  }
  return { name, problems, note: `${removed} removed` };
}

/** Where a fault put a huge page in place of a table: one flush a table before 5.18, one in all since. */
async function checkCollapses(
  name: string,
  own: ReplayedX86,
  trace: string,
): Promise<readonly CheckResult[]> {
  const [perTable, once] = await Promise.all(
    [X86_PER_TABLE_5_10, X86_ONCE_5_18].map(async (policy) =>
      collapsesOf(policy.id === own.policy.id ? own : await replayX86(trace, policy)),
    ),
  );
  if (perTable!.size === 0) return [];
  const problems: string[] = [];
  for (const [line, flushes] of perTable!) {
    const batched = once!.get(line) ?? 0;
    if (batched !== 1)
      problems.push(`line ${line}: ${flushes} flushes, ${batched} under x86-once-5.18`);
  }
  const note = `${[...perTable!.values()].join(", ")} flushes, 1 each under x86-once-5.18`;
  return [{ name, problems, note }];
}

function collapsesOf({ predicted }: ReplayedX86): ReadonlyMap<number, number> {
  const byLine = new Map<number, number>();
  for (const { path: cause, line } of predicted) {
    if (cause === "collapse") byLine.set(line, (byLine.get(line) ?? 0) + 1);
  }
  return byLine;
}

/** The same buffer in another format gives the same flushes. */
async function checkOtherFormat(
  { name, folder }: Capture,
  trace: string,
  own: ReplayedX86,
): Promise<readonly CheckResult[]> {
  const other = path.join(folder, "trace.dat.gz");
  if (other === trace || !existsSync(other)) return [];
  const replayed = await replayX86(other);
  const [a, b] = [own, replayed].map(({ result }) =>
    JSON.stringify([result.flushes, result.tablesRemoved]),
  );
  const problems = a === b ? [] : [`trace.dat gives ${b}, the text ${a}`];
  return [{ name: `${name}: trace.dat`, problems, note: "gives what the text gives" }];
}
