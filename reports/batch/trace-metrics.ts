import { DOWNTIME, DOWNTIME_RULES, METRIC_RULES, type MetricRule } from "./metrics.ts";
import { type ResultDocument, rowsOf, type StoredTable } from "./result-document.ts";

/** What one policy came to in one trace. */
export interface PolicyFigures {
  readonly policy: string;
  /** By name of the metric; a metric that the trace cannot tell is not in it. */
  readonly values: ReadonlyMap<string, number>;
  /** Undefined where no downtime was estimated, or nothing is said. */
  readonly converges: boolean | undefined;
  /** Downtime in ms that is held against the SLO. */
  readonly downtimeMs: number | undefined;
}

/** The figures of each policy of a result, policies in the order of its tables. */
export function figuresOf(document: ResultDocument): readonly PolicyFigures[] {
  const tables = new Map(document.tables.map((table) => [table.name, table]));
  const values = new Map<string, Map<string, number>>();
  const spanS = spanSeconds(document);
  const policies = policiesOf(document);
  for (const policy of policies) values.set(policy, new Map());
  for (const rule of METRIC_RULES) {
    const table = tables.get(rule.table);
    if (table === undefined) continue;
    const seen = addRule(values, rule, table, spanS);
    const isTold = rule.table === "flushes" || table.rows.length > 0;
    if (!isTold || (rule.perSecond === true && spanS === undefined)) continue;
    // A policy without a row has nothing to count: left out, it would raise every percentile.
    for (const policy of policies) if (!seen.has(policy)) values.get(policy)?.set(rule.name, 0);
  }
  const downtime = tables.get(DOWNTIME.table);
  if (downtime !== undefined) {
    for (const rule of DOWNTIME_RULES) addRule(values, rule, downtime, spanS);
  }
  const verdicts = downtime === undefined ? new Map<string, boolean>() : verdictsOf(downtime);
  return [...values].map(([policy, figures]) => {
    const seconds = figures.get(DOWNTIME.slo);
    return {
      policy,
      values: figures,
      converges: verdicts.get(policy),
      downtimeMs: seconds === undefined ? undefined : seconds * 1000,
    };
  });
}

/** Gives the policies for which the table has rows. */
function addRule(
  values: Map<string, Map<string, number>>,
  rule: MetricRule,
  table: StoredTable,
  spanS: number | undefined,
): ReadonlySet<string> {
  const seen = new Set<string>();
  if (rule.perSecond === true && spanS === undefined) return seen;
  const unknown = new Set<string>();
  for (const row of rowsOf(table)) {
    const { policy } = row;
    if (typeof policy !== "string" || rule.where?.(row) === false) continue;
    seen.add(policy);
    const figures = values.get(policy) ?? new Map<string, number>();
    values.set(policy, figures);
    const cell = row[rule.column];
    if (cell === null || cell === undefined || typeof cell === "string") {
      // A part that is not known leaves the whole unknown.
      unknown.add(policy);
      continue;
    }
    const value = Number(cell);
    const before = figures.get(rule.name);
    if (before === undefined) figures.set(rule.name, value);
    else figures.set(rule.name, rule.combine === "sum" ? before + value : Math.max(before, value));
  }
  for (const [policy, figures] of values) {
    const value = figures.get(rule.name);
    if (value === undefined) continue;
    if (unknown.has(policy)) figures.delete(rule.name);
    else if (rule.perSecond === true) figures.set(rule.name, value / (spanS ?? 1));
  }
  return seen;
}

/** The policies that were replayed, with calls or without. */
function policiesOf({ summary }: ResultDocument): ReadonlySet<string> {
  const lead = "policy ";
  const names = summary.configuration.map(({ name }) => name);
  return new Set(
    names.filter((name) => name.startsWith(lead)).map((name) => name.slice(lead.length)),
  );
}

/** Undefined where the trace has no two points in time. */
function spanSeconds({ summary }: ResultDocument): number | undefined {
  const [input] = summary.inputs;
  const first = input?.first_ts_ns ?? null;
  const last = input?.last_ts_ns ?? null;
  if (first === null || last === null) return undefined;
  const spanNs = Number(BigInt(last) - BigInt(first));
  return spanNs > 0 ? spanNs / 1e9 : undefined;
}

/** A policy whose estimate does not say it is not among them. */
function verdictsOf(downtime: StoredTable): Map<string, boolean> {
  const verdicts = new Map<string, boolean>();
  for (const row of rowsOf(downtime)) {
    const { policy, quantity, share_of_draws: share } = row;
    if (typeof policy !== "string" || quantity !== DOWNTIME.quantity) continue;
    if (typeof share === "number") verdicts.set(policy, share > 0.5);
  }
  return verdicts;
}
