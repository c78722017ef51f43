import { type Capture, traceOf } from "../capture.ts";
import type { CheckResult } from "../check-result.ts";
import { spanOf } from "../../../replay/x86/spte.ts";
import { type PredictedFlush, type ReplayedX86, replayX86 } from "./replayed.ts";
import { operationAt, readTraceText, type SpteChange, type TraceText } from "./trace-text.ts";

/**
 * The same work recorded on several kernels: a trace of one, replayed as another, must give the other's flushes
 * operation by operation. Where it does not, each flush that only one of them has must be for an entry that
 * the other trace did not change in that operation (the loop is open: kernels split, zap and join at other
 * times), which the texts of both show; nothing else may differ.
 */
export async function checkX86CrossPredictions(
  captures: readonly Capture[],
): Promise<readonly CheckResult[]> {
  const sides = await Promise.all(captures.filter(isDriven).map(sideOf));
  const results: CheckResult[] = [];
  for (const source of sides) {
    for (const target of sides) {
      const isPair = source !== target && source.work === target.work;
      if (isPair && source.own.own.id !== target.own.own.id) {
        results.push(await checkPair(source, target));
      }
    }
  }
  return results;
}

interface Side {
  readonly capture: Capture;
  readonly trace: string;
  readonly own: ReplayedX86;
  readonly text: TraceText;
  /** The driver's operations, by which equal work is found. */
  readonly work: string;
}

function isDriven(capture: Capture): boolean {
  const trace = traceOf(capture);
  return capture.isX86 && trace !== undefined && /\.txt(\.\w+)?$/.test(trace);
}

async function sideOf(capture: Capture): Promise<Side> {
  const trace = traceOf(capture)!;
  const own = await replayX86(trace);
  const text = await readTraceText(trace, own.hasPresentBit);
  const work = text.operations.map(({ name }) => name).join(" ");
  return { capture, trace, own, text, work: work === "" ? capture.name : work };
}

async function checkPair(source: Side, target: Side): Promise<CheckResult> {
  const policy = target.own.own;
  const replayed = await replayX86(source.trace, policy);
  const got = byOperation(replayed.predicted, source.text);
  const want = byOperation(target.own.predicted, target.text);
  const problems: string[] = [];
  const reasons = new Map<string, number>();
  let matched = 0;
  let yields = target.own.result.costs[0]!.yields + replayed.result.costs[0]!.yields;
  for (const operation of new Set([...got.keys(), ...want.keys()])) {
    const [onlySource, onlyTarget, both] = split(got.get(operation), want.get(operation));
    matched += both;
    for (const [flush, here, there] of [
      ...onlySource.map((one) => [one, source, target] as const),
      ...onlyTarget.map((one) => [one, target, source] as const),
    ]) {
      let reason = reasonOf(flush, operation, here.text, there.text);
      if (reason === undefined && flush.pages === 0 && yields > 0) {
        yields -= 1;
        reason = "a yield, on which the scheduler decides";
      }
      const where = `operation ${operation} (${here.text.operations[operation]?.name ?? "start"})`;
      if (reason === undefined) {
        problems.push(`${where}: ${describe(flush)} in ${here.capture.name} only, for no reason`);
      } else
        reasons.set(`${flush.path}: ${reason}`, (reasons.get(`${flush.path}: ${reason}`) ?? 0) + 1);
    }
  }
  const differing = [...reasons].map(([reason, n]) => `${n} × ${reason}`);
  return {
    name: `${source.capture.name} replayed as ${target.capture.name} (${policy.id})`,
    problems,
    note: `${replayed.predicted.length} flushes for ${target.own.predicted.length}, ${matched} the same${differing.length === 0 ? "" : `; ${differing.join("; ")}`}`,
  };
}

function byOperation(
  flushes: readonly PredictedFlush[],
  text: TraceText,
): ReadonlyMap<number, readonly PredictedFlush[]> {
  const groups = new Map<number, PredictedFlush[]>();
  for (const flush of flushes) {
    const at = operationAt(text, flush.line);
    groups.set(at, [...(groups.get(at) ?? []), flush]);
  }
  return groups;
}

/** Flushes of one side only, of the other only, and how many are on both. */
function split(
  source: readonly PredictedFlush[] = [],
  target: readonly PredictedFlush[] = [],
): readonly [readonly PredictedFlush[], readonly PredictedFlush[], number] {
  const left = [...target];
  const only: PredictedFlush[] = [];
  for (const flush of source) {
    const at = left.findIndex((other) => describe(other) === describe(flush));
    if (at < 0) only.push(flush);
    else left.splice(at, 1);
  }
  return [only, left, source.length - only.length];
}

/** Why only one side has the flush, as both texts show it; undefined: nothing shows it. */
function reasonOf(
  { gfn, pages, path }: PredictedFlush,
  operation: number,
  here: TraceText,
  there: TraceText,
): string | undefined {
  const isHere = (change: SpteChange): boolean =>
    operationAt(there, change.line) === operation && change.from !== "none";
  if (pages === 0) {
    // Only a change of an entry that was present is flushed for.
    if (path === "enable_log") {
      const isHit = there.changes.some((change) => isHere(change) && change.isProtected);
      return isHit ? undefined : "the other had nothing to write-protect";
    }
    return there.changes.some(isHere) ? undefined : "the other changed nothing in this operation";
  }
  const level = [1, 2, 3, 4, 5].find((one) => spanOf(one) === pages) ?? 0;
  const isEntry = (change: SpteChange): boolean =>
    change.level === level && change.gfn - (change.gfn % pages) === gfn;
  const own = here.changes.find(
    (change) => isEntry(change) && operationAt(here, change.line) === operation,
  );
  const same = there.changes.find(
    (change) =>
      isEntry(change) && isHere(change) && (own === undefined || change.from === own.from),
  );
  if (same !== undefined) {
    if (own === undefined || own.during === same.during) return undefined;
    return `in the other the entry of this ${path} changed in ${same.during}, not in ${own.during}`;
  }
  const before = there.changes.findLast(
    (change) => isEntry(change) && operationAt(there, change.line) < operation,
  );
  const was = before?.to ?? "nothing";
  return `in the other the level-${level} entry of this ${path} was ${was === "none" ? "nothing" : was} and did not change so`;
}

function describe({ path, gfn, pages }: PredictedFlush): string {
  return pages === 0 ? path : `${path} of ${pages} pages from 0x${gfn.toString(16)}`;
}
