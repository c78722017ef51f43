import type { ToolIdentity } from "../tool.ts";
import { driftOf } from "./drift.ts";
import { DOWNTIME_RULES, type Metric, METRIC_RULES, WORST_BY } from "./metrics.ts";
import { distributionOf } from "./percentile.ts";
import type { ResultDocument } from "./result-document.ts";
import {
  type DuplicateEntry,
  type FailureEntry,
  type GroupEntry,
  type GroupKey,
  groupKeyText,
  type LossEntry,
  type Rollup,
  ROLLUP_FORMAT,
  ROLLUP_VERSION,
  type Share,
} from "./rollup.ts";
import { type TraceEntry, type TraceProblem, UNKNOWN } from "./trace-entry.ts";
import { figuresOf, type PolicyFigures } from "./trace-metrics.ts";
import { WorstTraces } from "./worst-traces.ts";

export interface RollupSetting {
  readonly tool: ToolIdentity;
  readonly parameters: Rollup["parameters"];
  readonly sloMs: number | undefined;
  /** How many of the worst traces are named. */
  readonly worst: number;
  /** Metric that they are chosen by; undefined: the first of WORST_BY that there is. */
  readonly worstBy: string | undefined;
}

interface Group {
  readonly key: GroupKey;
  traces: number;
  lossy: number;
  readonly values: Map<string, number[]>;
  readonly converging: Tally;
  readonly slo: Tally;
}

interface Tally {
  traces: number;
  of: number;
}

/**
 * Adds up traces, in any order of groups, in the order of the manifest. Memory: some numbers for each
 * trace and policy.
 */
export class RollupBuilder {
  readonly #setting: RollupSetting;
  readonly #groups = new Map<string, Group>();
  readonly #losses = new Map<string, LossEntry>();
  readonly #failures: FailureEntry[] = [];
  readonly #worst: WorstTraces;
  #done = 0;
  #failed = 0;
  #missing = 0;
  #refused = 0;
  #lossy = 0;
  #inferred = 0;

  constructor(setting: RollupSetting) {
    this.#setting = setting;
    this.#worst = new WorstTraces(setting.worst, setting.worstBy ?? WORST_BY);
  }

  /** @param result where the document lies, relative to the store. */
  add(entry: TraceEntry, document: ResultDocument, result: string, report: string | null): void {
    this.#done += 1;
    const isInferred = document.summary.inference !== undefined;
    const isLossy = isInferred || document.summary.inputs.some(({ losses }) => losses.length > 0);
    if (isInferred) this.#inferred += 1;
    if (isLossy) this.#lossy += 1;
    this.#addLosses(document);
    const kernel = kernelOf(entry, document);
    for (const figures of figuresOf(document)) {
      const key: GroupKey = {
        host_model: entry.host_model ?? UNKNOWN,
        vm_type: entry.vm_type ?? UNKNOWN,
        kernel,
        policy: figures.policy,
      };
      this.#addFigures(key, figures, isLossy);
      const { trace, key: address } = entry;
      this.#worst.add(figures.values, {
        ...key,
        trace,
        key: address,
        is_lossy: isLossy,
        result,
        report,
      });
    }
  }

  /** A planned trace without a result. */
  addProblem(entry: TraceEntry, { code, message }: TraceProblem): void {
    if (code === "MISSING") this.#missing += 1;
    else this.#failed += 1;
    this.#failures.push({ trace: entry.trace, key: entry.key, code, message });
  }

  /** A trace that the plan left out. */
  addRefused(trace: string, { code, message }: TraceProblem): void {
    this.#refused += 1;
    this.#failures.push({ trace, key: null, code, message });
  }

  finish(duplicates: readonly DuplicateEntry[], baseline: Rollup | undefined): Rollup {
    const { tool, parameters, sloMs } = this.#setting;
    const groups = [...this.#groups.values()].map((group) => this.#entryOf(group));
    const used = new Set(groups.flatMap(({ metrics }) => Object.keys(metrics)));
    const rules: readonly Metric[] = [...METRIC_RULES, ...DOWNTIME_RULES].map(
      ({ name, unit, meaning }) => ({
        name,
        unit,
        meaning,
      }),
    );
    const { metric, entries } = this.#worst.finish();
    const rollup: Omit<Rollup, "drift"> = {
      format: ROLLUP_FORMAT,
      version: ROLLUP_VERSION,
      tool: { name: tool.name, version: tool.version },
      parameters,
      traces: {
        planned: this.#done + this.#failed + this.#missing,
        done: this.#done,
        failed: this.#failed,
        missing: this.#missing,
        refused: this.#refused,
        duplicates: duplicates.length,
        lossy: this.#lossy,
        inferred: this.#inferred,
      },
      failures: this.#failures.toSorted((a, b) => byText(a.trace, b.trace)),
      duplicates: duplicates.map(({ trace, same_as }) => ({ trace, same_as })),
      losses: [...this.#losses.values()].sort((a, b) => byText(a.code, b.code)),
      metrics: rules.filter(({ name }) => used.has(name)),
      groups: groups.sort(byGroup),
      slo_ms: sloMs ?? null,
      worst_by: metric,
      worst: entries,
    };
    return { ...rollup, drift: baseline === undefined ? null : driftOf(baseline, rollup) };
  }

  #addLosses({ summary }: ResultDocument): void {
    const counted = summary.inputs.flatMap(({ losses, notices }) => [...losses, ...notices]);
    for (const { code, severity, sentence, count } of counted) {
      const before = this.#losses.get(code);
      this.#losses.set(code, {
        code,
        severity,
        sentence,
        traces: (before?.traces ?? 0) + 1,
        count: (before?.count ?? 0) + count,
      });
    }
  }

  #addFigures(key: GroupKey, figures: PolicyFigures, isLossy: boolean): void {
    const text = groupKeyText(key);
    const group: Group = this.#groups.get(text) ?? {
      key,
      traces: 0,
      lossy: 0,
      values: new Map(),
      converging: { traces: 0, of: 0 },
      slo: { traces: 0, of: 0 },
    };
    this.#groups.set(text, group);
    group.traces += 1;
    if (isLossy) group.lossy += 1;
    for (const [name, value] of figures.values) {
      const values = group.values.get(name);
      if (values === undefined) group.values.set(name, [value]);
      else values.push(value);
    }
    if (figures.converges !== undefined) tally(group.converging, !figures.converges);
    const { sloMs } = this.#setting;
    if (figures.downtimeMs !== undefined && sloMs !== undefined) {
      tally(group.slo, figures.downtimeMs > sloMs);
    }
  }

  #entryOf({ key, traces, lossy, values, converging, slo }: Group): GroupEntry {
    const metrics = [...values].flatMap(([name, numbers]) => {
      const distribution = distributionOf(numbers);
      return distribution === undefined ? [] : [[name, distribution] as const];
    });
    return {
      ...key,
      traces,
      lossy,
      not_converging: shareOf(converging),
      above_slo: shareOf(slo),
      metrics: Object.fromEntries(metrics),
    };
  }
}

/** The kernel that the manifest names, else the one that the trace tells. */
export function kernelOf(entry: TraceEntry, { summary }: ResultDocument): string {
  if (entry.kernel !== null) return entry.kernel;
  const value = summary.configuration.find(({ name }) => name === "kernel")?.value;
  return typeof value === "string" ? value : UNKNOWN;
}

function tally(counts: Tally, isHit: boolean): void {
  counts.of += 1;
  if (isHit) counts.traces += 1;
}

function shareOf({ traces, of }: Tally): Share | null {
  return of === 0 ? null : { traces, of };
}

/** By code unit, not by locale. */
function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function byGroup(a: GroupKey, b: GroupKey): number {
  return (
    byText(a.host_model, b.host_model) ||
    byText(a.vm_type, b.vm_type) ||
    byText(a.kernel, b.kernel) ||
    byText(a.policy, b.policy)
  );
}
