import type { WorstEntry } from "./rollup.ts";

type Candidate = Omit<WorstEntry, "rank">;

/**
 * The traces with the largest value of a metric, each once with the policy that is worst for it. Of several
 * metrics in question, the first that any trace has decides, which is known only at the end.
 */
export class WorstTraces {
  readonly #most: number;
  readonly #metrics: readonly string[];
  /** By metric and trace. */
  readonly #found: readonly Map<string, Candidate>[];

  constructor(most: number, metrics: string | readonly string[]) {
    this.#most = most;
    this.#metrics = [metrics].flat();
    this.#found = this.#metrics.map(() => new Map<string, Candidate>());
  }

  add(values: ReadonlyMap<string, number>, entry: Omit<Candidate, "value">): void {
    for (const [i, metric] of this.#metrics.entries()) {
      const value = values.get(metric);
      const found = this.#found[i]!;
      if (value === undefined) continue;
      const before = found.get(entry.trace);
      if (before !== undefined && before.value >= value) continue;
      found.set(entry.trace, { ...entry, value });
      if (found.size > 2 * this.#most + 64) keepWorst(found, this.#most);
    }
  }

  finish(): { readonly metric: string | null; readonly entries: readonly WorstEntry[] } {
    const at = this.#found.findIndex((found) => found.size > 0);
    const metric = this.#metrics[at];
    if (metric === undefined) return { metric: null, entries: [] };
    const entries = sorted(this.#found[at]!)
      .slice(0, this.#most)
      .map((candidate, i) => ({ rank: i + 1, ...candidate }));
    return { metric, entries };
  }
}

/**
 * A trace that is dropped here is not among the worst by what is known of it. All policies of a trace come
 * one behind the other, and a dropped trace may come back with a larger value.
 */
function keepWorst(found: Map<string, Candidate>, most: number): void {
  for (const { trace } of sorted(found).slice(most)) found.delete(trace);
}

function sorted(found: ReadonlyMap<string, Candidate>): readonly Candidate[] {
  return [...found.values()].sort(
    (a, b) => b.value - a.value || (a.trace < b.trace ? -1 : a.trace > b.trace ? 1 : 0),
  );
}
