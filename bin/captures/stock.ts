import { readHostFacts } from "../../ingest/beside/read-host-facts.ts";
import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import { openTrace } from "../../ingest/open-trace.ts";
import {
  type Configuration,
  replayConfig,
  resolveConfiguration,
} from "../../replay/configuration.ts";
import { type InferenceResult, InferredReplay } from "../../replay/inference/inferred-replay.ts";
import { POLICIES } from "../../replay/policies/registry.ts";
import { Replay, type ReplayResult } from "../../replay/replay.ts";
import type { FlushRow } from "../../replay/results.ts";
import { type Capture, traceOf } from "./capture.ts";
import type { CheckResult } from "./checks.ts";
import { timedMemslots } from "./timed-memslots.ts";

const K = EventKind;
const RECORDED = "recorded";

/** A capture with its probes (the truth) and what its stock tracepoints alone imply. */
export interface StrippedCapture {
  readonly truth: ReplayResult;
  readonly inferred: InferenceResult;
  readonly recordedPolicy: string;
  readonly hasDataLoss: boolean;
  readonly isNested: boolean;
}

/** Where the inference has its memslots from: commit_region lines, or a table with times. */
export type SlotSource = "commits" | "table";

/** Replays a trace twice at once: as it is, and with every probe's event but commit_region taken out. */
export async function replayStripped(trace: string, source: SlotSource): Promise<StrippedCapture> {
  const configuration = await configurationOf(trace);
  const own = configuration.recordedPolicy;
  if (own === undefined) throw new Error(`${trace}: capture.json does not name the kernel`);
  const others = POLICIES.filter(({ id }) => id !== own.id);
  const config = replayConfig(configuration, [own, ...others], false);
  const memslots = source === "table" ? await timedMemslots(trace, config.pageShift) : undefined;
  const reader = await openTrace(trace);
  const replay = new Replay(config, reader.pointers, reader.diagnostics);
  const inference = new InferredReplay(config, reader.diagnostics, { memslots, baseNs: () => 0n });
  for await (const batch of reader.batches()) consumeBoth(batch, inference, replay);
  const names = [...reader.info().eventsByName.keys()];
  return {
    truth: replay.finish(),
    inferred: inference.finish(),
    recordedPolicy: own.id,
    hasDataLoss: reader.diagnostics.hasDataLoss,
    isNested: names.includes("kvm_nested_eret"),
  };
}

async function configurationOf(trace: string): Promise<Configuration> {
  const { facts } = await readHostFacts(trace);
  const nothing = { kernel: undefined, cpu: undefined, pageSizeBytes: undefined };
  const defaults = { ipaBits: undefined, start: undefined, operationsOnly: false };
  return resolveConfiguration({ ...nothing, ...defaults }, facts);
}

function consumeBoth(batch: EventBatch, inference: InferredReplay, replay: Replay): void {
  const kinds = batch.kind.slice(0, batch.length);
  for (let row = 0; row < batch.length; row += 1) {
    const kind = kinds[row]!;
    const isProbe = kind >= K.map && kind <= K.hw_vm_context && kind !== K.commit_region;
    if (isProbe) batch.kind[row] = K.other;
  }
  inference.consume(batch);
  batch.kind.set(kinds);
  replay.consume(batch);
}

/**
 * The judge of the inference: under every policy, and for what was recorded, the calls of the whole trace
 * lie within the bounds from its stock tracepoints. With lost events, and on paths that are said to be
 * unbounded, only the lower one is claimed.
 */
export async function checkStock(capture: Capture): Promise<readonly CheckResult[]> {
  const trace = traceOf(capture);
  if (!capture.isArm64 || trace === undefined || capture.unprobed.length > 0) return [];
  const results: CheckResult[] = [];
  for (const source of ["commits", "table"] as const) {
    const stripped = await replayStripped(trace, source);
    const name = `${capture.name}: bounds from stock tracepoints, memslots from ${source}`;
    if (stripped.truth.counts.map === 0 && stripped.inferred.classes.length === 0) continue;
    results.push(checkWithin(name, stripped));
  }
  return results;
}

export function checkWithin(name: string, stripped: StrippedCapture): CheckResult {
  const { truth, inferred, recordedPolicy, hasDataLoss, isNested } = stripped;
  if (isNested) return { name, problems: [], skipped: "nested guests are refused", note: "" };
  const unbounded = new Set<string>(inferred.unbounded.map(({ path }) => path));
  const problems: string[] = [];
  const policies = new Set(inferred.flushes.map(({ policy }) => policy));
  for (const policy of policies) {
    problems.push(
      ...outside(policy, cellsOf(inferred, policy), cellsOf(truth, policy), unbounded, hasDataLoss),
    );
  }
  if (truth.primitivesRecorded) {
    const bounds = cellsOf(inferred, recordedPolicy);
    problems.push(...outside(RECORDED, bounds, cellsOf(truth, RECORDED), unbounded, hasDataLoss));
  }
  return { name, problems, note: tightness(cellsOf(inferred, recordedPolicy), unbounded) };
}

type Cells = ReadonlyMap<string, FlushRow>;

function cellsOf({ flushes }: { readonly flushes: readonly FlushRow[] }, policy: string): Cells {
  const rows = flushes.filter((row) => row.policy === policy);
  return new Map(rows.map((row) => [`${row.path} ${row.primitive}`, row]));
}

function outside(
  policy: string,
  bounds: Cells,
  truth: Cells,
  unbounded: ReadonlySet<string>,
  hasDataLoss: boolean,
): readonly string[] {
  const problems: string[] = [];
  for (const key of new Set([...bounds.keys(), ...truth.keys()])) {
    const path = key.slice(0, key.indexOf(" "));
    const low = bounds.get(key)?.calls ?? 0;
    const high = low + (bounds.get(key)?.unknown_calls ?? 0);
    const certain = truth.get(key)?.calls ?? 0;
    const possible = certain + (truth.get(key)?.unknown_calls ?? 0);
    const claimsUpper = !hasDataLoss && !unbounded.has(path);
    if (low > possible || (claimsUpper && high < certain)) {
      problems.push(`${policy}: ${key}: [${low}, ${high}] does not hold ${certain}`);
    }
  }
  return problems;
}

/** The bounds of the recorded kernel's own policy by primitive, unbounded paths left out. */
function tightness(bounds: Cells, unbounded: ReadonlySet<string>): string {
  const sums = new Map<string, { low: number; high: number }>();
  for (const { path, primitive, calls, unknown_calls } of bounds.values()) {
    if (unbounded.has(path)) continue;
    const sum = sums.get(primitive) ?? { low: 0, high: 0 };
    sum.low += calls;
    sum.high += calls + unknown_calls;
    sums.set(primitive, sum);
  }
  return [...sums].map(([name, { low, high }]) => `${name} ${low}…${high}`).join(", ");
}
