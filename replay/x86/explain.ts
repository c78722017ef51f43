import type { ArchitectureRequest } from "../architectures/architecture.ts";
import type { VmStatistics } from "./books.ts";
import type { X86Policy, X86PolicyFlags } from "./policies/flags.ts";
import type { X86ReplayResult } from "./replay.ts";

/** What a removed table waits for, by policy flag. */
const FREED: Readonly<Record<X86PolicyFlags["tableFree"], string>> = {
  "own-flush": "each is freed an RCU grace period after its own flush",
  list: "they are freed an RCU grace period after the list's one flush",
  reader:
    "they are freed after an RCU grace period, which the zapping CPU holds up until it has flushed",
};

/** Sentences on what the numbers rest on, and what in them the kernel's source does not say at once. */
export function explainX86(
  result: X86ReplayResult,
  policies: readonly X86Policy[],
  recorded: X86Policy | undefined,
  { operationsOnly }: Pick<ArchitectureRequest, "operationsOnly">,
  shown: readonly string[],
): readonly string[] {
  const sentences: string[] = [];
  if (shown.some((id) => id !== recorded?.id)) {
    sentences.push(
      "open loop: every policy answers what the recorded kernel changed in its tables; another kernel splits, zaps and joins at other times",
    );
  }
  sentences.push(...statistics(result.statistics));
  sentences.push(...interrupts(result, policies, shown));
  if (result.tablesRemoved > 0) {
    for (const [i, { id, flags }] of policies.entries()) {
      if (!shown.includes(id)) continue;
      const { tablesWaitingMax } = result.costs[i]!;
      sentences.push(
        `${id}: of ${result.tablesRemoved} removed tables at most ${tablesWaitingMax} waited for a flush at one time; ${FREED[flags.tableFree]}`,
      );
    }
  }
  sentences.push(...yields(result, policies, operationsOnly, shown));
  sentences.push(...notInTheReference(result, recorded));
  if (result.disagreements > 0) {
    sentences.push(
      `${result.disagreements} changes name an old entry that the tables did not have: an event before them is missing, or no event says which of several VMs they belong to`,
    );
  }
  return sentences;
}

/** The kernel's own counts at the end of a VM. */
function statistics(all: readonly VmStatistics[]): readonly string[] {
  return all.map(({ kicks, requests, recorded }, i) => {
    const counted = Number.isNaN(requests)
      ? "the kernel does not count requests"
      : `the kernel counted ${requests} requests`;
    const agrees = Number.isNaN(requests) || requests === recorded ? "" : ": they DIFFER";
    const kicked = Number.isNaN(kicks) ? "" : `, ${kicks} of which interrupted a vCPU`;
    return `VM ${i + 1}: the trace has ${recorded} flushes, ${counted}${kicked}${agrees}`;
  });
}

function interrupts(
  { interrupts: sent, flushesRecorded, costs }: X86ReplayResult,
  policies: readonly X86Policy[],
  shown: readonly string[],
): readonly string[] {
  if (sent === undefined) {
    return [
      "the trace has no kvm_entry and kvm_exit: which vCPUs a flush would have interrupted is not known",
    ];
  }
  const own = policies.flatMap(({ id }, i) =>
    shown.includes(id)
      ? [
          `${id}: ${costs[i]!.kicks} flushes interrupt a running vCPU, ${costs[i]!.interrupts} interrupts in all`,
        ]
      : [],
  );
  const recorded = `recorded flushes: ${sent.kicks} interrupted a running vCPU, ${sent.sent} interrupts in all`;
  return flushesRecorded ? [recorded, ...own] : own;
}

function yields(
  { costs }: X86ReplayResult,
  policies: readonly X86Policy[],
  operationsOnly: boolean,
  shown: readonly string[],
): readonly string[] {
  if (operationsOnly) {
    return [
      "--operations-only: a walk may have flushed before it yielded, which only recorded flushes tell",
    ];
  }
  return policies.flatMap(({ id }, i) => {
    const { yields: count } = costs[i]!;
    return count === 0 || !shown.includes(id)
      ? []
      : [
          `${id}: ${count} of its flushes stand before a yield; the scheduler decides on them, and the recorded flushes tell when`,
        ];
  });
}

/** What kernels do that the published descriptions of them leave out, where this trace shows it. */
function notInTheReference(
  { flushes }: X86ReplayResult,
  recorded: X86Policy | undefined,
): readonly string[] {
  const has = (path: string): boolean =>
    flushes.some((row) => row.policy === "recorded" && row.path === path && row.calls > 0);
  const sentences: string[] = [];
  if (recorded === undefined) return sentences;
  const { flags } = recorded;
  if (flags.collapsible === "leaves" && has("disable_log")) {
    sentences.push(
      "when logging ends this kernel zaps the small leaves and flushes once a walk, and leaves their tables: each of them is flushed for when a fault puts a huge page in its place",
    );
  }
  if (flags.collapsible === "recover" && has("disable_log")) {
    sentences.push(
      "when logging ends this kernel flushes once a memslot, and not at all for what it flushed before its last yield",
    );
  }
  if (flags.enableLog === "always" && has("enable_log")) {
    sentences.push(
      "switching logging on flushes in this kernel even where nothing was write-protected",
    );
  }
  if (flags.removedTable === "each-table" && has("memslot")) {
    sentences.push(
      "a deleted or moved memslot costs one flush for every table of the root, those of other slots too, and one more",
    );
  }
  return sentences;
}
