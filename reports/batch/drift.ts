import {
  type Drift,
  type DriftEntry,
  type GroupEntry,
  type GroupKey,
  groupKeyText,
} from "./rollup.ts";
import type { Rollup } from "./rollup.ts";

const STATISTICS = ["p50", "p95", "p99"] as const;

/** What changed since an earlier roll-up, in the order of the groups of this one. */
export function driftOf(before: Rollup, after: Omit<Rollup, "drift">): Drift {
  const earlier = new Map(before.groups.map((group) => [groupKeyText(group), group]));
  const later = new Set(after.groups.map(groupKeyText));
  const changes: DriftEntry[] = [];
  for (const group of after.groups) {
    const old = earlier.get(groupKeyText(group));
    if (old !== undefined) changes.push(...changesOf(old, group));
  }
  return {
    tool_before: { name: before.tool.name, version: before.tool.version },
    parameters_changed: JSON.stringify(before.parameters) !== JSON.stringify(after.parameters),
    traces_before: before.traces,
    changes,
    groups_appeared: after.groups.filter((group) => !earlier.has(groupKeyText(group))).map(keyOnly),
    groups_vanished: before.groups.filter((group) => !later.has(groupKeyText(group))).map(keyOnly),
  };
}

function changesOf(before: GroupEntry, after: GroupEntry): readonly DriftEntry[] {
  const changes: DriftEntry[] = [];
  for (const [metric, now] of Object.entries(after.metrics)) {
    const then = before.metrics[metric];
    if (then === undefined) continue;
    for (const statistic of STATISTICS) {
      if (then[statistic] === now[statistic]) continue;
      changes.push({
        ...keyOnly(after),
        metric,
        statistic,
        before: then[statistic],
        after: now[statistic],
        relative:
          then[statistic] === 0
            ? null
            : (now[statistic] - then[statistic]) / Math.abs(then[statistic]),
        n_before: then.n,
        n_after: now.n,
      });
    }
  }
  return changes;
}

function keyOnly({ host_model, vm_type, kernel, policy }: GroupKey): GroupKey {
  return { host_model, vm_type, kernel, policy };
}
