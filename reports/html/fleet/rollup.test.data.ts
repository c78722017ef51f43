import type { GroupEntry, Rollup, WorstEntry } from "../../batch/rollup.ts";

const HOSTS = ["altra-q80", "graviton3", "kunpeng-920", "<img src=x onerror=alert(1)>"];
const VM_TYPES = ["4 vCPU, 16 GiB", "48 vCPU, 192 GiB"];
const KERNELS = ["5.10.0", "6.1.192", "6.12.107", "7.2.13"];
const POLICIES = ["range-6.9", "pgtable-5.10"];

/** A roll-up of `traces` traces in all groups there are; figures follow from the place of a group alone. */
export function rollupOf(traces: number): Rollup {
  const groups: GroupEntry[] = [];
  for (const [h, host_model] of HOSTS.entries()) {
    for (const [v, vm_type] of VM_TYPES.entries()) {
      for (const [k, kernel] of KERNELS.entries()) {
        for (const [p, policy] of POLICIES.entries()) {
          const base = 40 * (h + 1) * (p === 0 ? 1 : 30 - 6 * k) * (1 + 4 * v);
          groups.push({
            host_model,
            vm_type,
            kernel,
            policy,
            traces: Math.ceil(traces / 32),
            lossy: h % 2,
            not_converging: { traces: v, of: 8 },
            above_slo: { traces: h, of: 8 },
            metrics: {
              tlbi: {
                n: Math.ceil(traces / 32),
                min: base / 2,
                p50: base,
                p95: base * 3,
                p99: base * 4,
                max: base * 5,
                mean: base * 1.25,
              },
            },
          });
        }
      }
    }
  }
  const worst = Array.from(
    { length: 20 },
    (_, i): WorstEntry => ({
      rank: i + 1,
      trace: i === 0 ? "=cmd|'/c calc'!A1<script>alert(2)</script>" : `host-${i}/trace.txt.gz`,
      key: `key${i}`,
      value: 90_000 - 1000 * i,
      is_lossy: i % 5 === 0,
      policy: "pgtable-5.10",
      host_model: HOSTS[i % 4]!,
      vm_type: VM_TYPES[i % 2]!,
      kernel: KERNELS[i % 4]!,
      result: `results/${i}.json`,
      report: i === 1 ? "javascript:alert(3)" : i === 2 ? "../../etc/passwd" : `pages/${i}.html`,
    }),
  );
  const counts = {
    planned: traces,
    done: traces - 3,
    failed: 2,
    missing: 1,
    refused: 1,
    duplicates: 1,
    lossy: 9,
    inferred: 2,
  };
  return {
    format: "tlbi-replay/rollup",
    version: 1,
    tool: { name: "tlbi-replay", version: "1.2.3" },
    parameters: { policy: POLICIES, "page-size": "4k" },
    traces: counts,
    failures: [
      { trace: "broken<b>.txt", key: "k", code: "EMPTY", message: "the file is empty" },
      { trace: "cut.dat", key: "l", code: "UNREADABLE", message: "cannot be read" },
      { trace: "later.txt", key: "m", code: "MISSING", message: "nobody has worked on it" },
    ],
    duplicates: [{ trace: "b/trace.txt", same_as: "a/trace.txt" }],
    losses: [
      {
        code: "LOST_EVENTS",
        severity: "dataLoss",
        sentence: "the ring buffer lost events",
        traces: 9,
        count: 15_051,
      },
    ],
    metrics: [{ name: "tlbi", unit: "instruction", meaning: "TLBI instructions in those calls." }],
    groups,
    slo_ms: 300,
    worst_by: "tlbi",
    worst,
    drift: {
      tool_before: { name: "tlbi-replay", version: "1.2.2" },
      parameters_changed: true,
      traces_before: counts,
      changes: groups.slice(0, 30).map(({ host_model, vm_type, kernel, policy }, i) => ({
        host_model,
        vm_type,
        kernel,
        policy,
        metric: "tlbi",
        statistic: "p95",
        before: 100,
        after: 100 + (i % 2 === 0 ? 7 : -5) * i,
        relative: ((i % 2 === 0 ? 7 : -5) * i) / 100,
        n_before: 8,
        n_after: 8,
      })),
      groups_appeared: [],
      groups_vanished: [],
    },
  };
}
