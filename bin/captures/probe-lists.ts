import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Release } from "../../ingest/vocabulary/kernel-release.ts";
import { readProbeDefinition } from "../../ingest/vocabulary/probe-definitions.ts";
import type { RecordedArch } from "../../ingest/vocabulary/recorded-probes.ts";
import { parseKernelVersion } from "../../replay/policies/kernel-version.ts";
import type { CapturePlan } from "../capture-script/capture-plan.ts";
import { type PlannedProbe, groupOf, planProbes } from "../capture-script/probe-plan.ts";
import type { CheckResult } from "./checks.ts";

/** A way in which a script of ours differs from a capture's own probes on purpose. */
export interface ExpectedDifference {
  readonly arch: RecordedArch;
  /** Release of the capture. */
  readonly release: Release;
  /** Symbols as a pattern. */
  readonly symbol: RegExp;
  /** The capture's argument, whole; undefined: the probe itself. */
  readonly argument?: RegExp;
  readonly reason: string;
}

const INSTEAD = "stands where a union was put since 6.14: this reads 0x0, and ours offset 40";
const BUILD = "its offset is the build's own: read only where the kernel finds it by name";

export const EXPECTED_DIFFERENCES: readonly ExpectedDifference[] = [
  {
    arch: "arm64",
    release: "6.1",
    symbol: /^kvm_pgtable_stage2_map$/,
    argument: /^flags=%x6:x32$/,
    reason: "there is no such argument before 6.2",
  },
  {
    arch: "arm64",
    release: "7.2",
    symbol: /^kvm_pgtable_stage2_(?:map|unmap|wrprotect|relax_perms|split)$/,
    argument: /^mmu=\+24\(%x0\):x64$/,
    reason: INSTEAD,
  },
  ...(["5.10", "6.1", "6.12", "7.2"] as const).map((release) => ({
    arch: "x86" as const,
    release,
    symbol: /^kvm_arch_destroy_vm$/,
    argument: /^(?:remote_tlb_flush|requests)=\+\d+\(%di\):u64$/,
    reason: BUILD,
  })),
  {
    arch: "x86",
    release: "6.12",
    symbol: /^clear_dirty_pt_masked\.constprop\.0$/,
    reason: "a clone whose registers need not be the prototype's is not probed",
  },
];

/** Functions that captures looked for and found on no kernel: inlined, or renamed long ago. */
const FOUND_NOWHERE: ReadonlySet<string> = new Set([
  "handle_removed_tdp_mmu_page",
  "handle_removed_pt",
  "tdp_mmu_unlink_sp",
  "tdp_mmu_remove_page",
  "kvm_mmu_zap_memslot",
  "kvm_mmu_zap_memslot_leafs",
  "tdp_mmu_zap_spte_atomic",
  "tdp_mmu_iter_cond_resched",
  "tdp_mmu_iter_flush_cond_resched",
  "kvm_vcpu_flush_tlb_all",
  "kvm_flush_shadow_all",
  "kvm_arch_flush_remote_tlbs",
  "kvm_arch_flush_remote_tlbs_range",
]);

/** Holds the probes that a recording script would define against those that a capture was made with. */
export function checkProbeList(folder: string): CheckResult {
  const name = `${path.basename(folder)}: probes of a recording script`;
  const list = path.join(folder, "kprobes.txt");
  const release = releaseOf(path.join(folder, "capture.json"));
  if (!existsSync(list) || release === undefined) {
    return { name, problems: [], skipped: "no kprobes.txt or no kernel version", note: "" };
  }
  return { name, ...compareProbeList(readFileSync(list, "utf8"), release) };
}

/** Compares a probe list's text with what is planned for its release. */
export function compareProbeList(
  text: string,
  release: Release,
): { readonly problems: readonly string[]; readonly note: string } {
  const arch: RecordedArch = /%x0/.test(text) ? "arm64" : "x86";
  const isNested = /\bhandle_ipas2e1is\b/.test(text);
  const plan = planFor(arch, release, isNested);
  const planned = planProbes(plan);
  const problems: string[] = [];
  const allowed = EXPECTED_DIFFERENCES.filter(
    (difference) => difference.arch === arch && difference.release === release,
  );
  let compared = 0;
  for (const line of text.split("\n")) {
    const problem = compareLine(line.trim(), groupOf(plan), planned, allowed);
    if (problem === undefined) continue;
    compared += 1;
    if (problem !== "") problems.push(problem);
  }
  return { problems, note: `${compared} probes of Linux ${release} (${arch})` };
}

/** Undefined: the line is no probe. Empty: it is as planned. */
function compareLine(
  line: string,
  group: string,
  planned: readonly PlannedProbe[],
  allowed: readonly ExpectedDifference[],
): string | undefined {
  const absent = /^ABSENT (\S+)/.exec(line)?.[1];
  if (absent !== undefined) {
    const isTried = planned.some(({ symbol }) => symbol === absent) || FOUND_NOWHERE.has(absent);
    return isTried ? "" : `${absent} was looked for, and is not in our tables`;
  }
  const definition = line
    .replace(/ {2,}#.*$/, "")
    .replace(/^SKIPPED (?=[pr]\d*:)/, "")
    .replace(/^SKIPPED /, `p:${group}/`);
  const saved = readProbeDefinition(definition);
  if (saved?.symbol === undefined) return undefined;
  const { symbol, isReturn } = saved;
  const ofSymbol = allowed.filter((difference) => difference.symbol.test(symbol));
  if (ofSymbol.some(({ argument }) => argument === undefined)) return "";
  const own = planned.find((probe) => probe.symbol === symbol && probe.isReturn === isReturn);
  if (own === undefined) return `${symbol} is not planned`;
  if (own.name !== saved.name || saved.group !== group) {
    return `${symbol}: ${saved.group}/${saved.name} is ${group}/${own.name} with us`;
  }
  return compareArguments(symbol, definition.split(/\s+/).slice(2), own, ofSymbol);
}

function compareArguments(
  symbol: string,
  saved: readonly string[],
  own: PlannedProbe,
  allowed: readonly ExpectedDifference[],
): string {
  const ours = (own.forms.byOffset ?? "").split(" ").filter((argument) => argument !== "");
  const isAllowed = (argument: string): boolean =>
    allowed.some((difference) => difference.argument?.test(argument) === true);
  const missing = saved.filter((argument) => !ours.includes(argument) && !isAllowed(argument));
  const replaced = new Set(saved.filter(isAllowed).map((argument) => argument.split("=")[0]));
  const extra = ours.filter(
    (argument) => !saved.includes(argument) && !replaced.has(argument.split("=")[0]),
  );
  if (missing.length + extra.length === 0) return "";
  return `${symbol}: recorded with '${missing.join(" ")}', ours has '${extra.join(" ")}'`;
}

function planFor(arch: RecordedArch, release: Release, isNested: boolean): CapturePlan {
  return {
    kernel: release,
    release,
    arch,
    probes: "kprobe",
    mode: "auto",
    isNested,
    tracepoints: "standard",
    clock: "mono",
    seconds: 60,
    eventsPerSecond: 20_000,
    busyCpus: 1,
    memoryBytes: undefined,
    isOverwriting: false,
    recordsTgid: false,
    pid: undefined,
  };
}

function releaseOf(captureJson: string): Release | undefined {
  if (!existsSync(captureJson)) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a missing field is looked after below
  const json = JSON.parse(readFileSync(captureJson, "utf8")) as { readonly kernel?: string };
  const version = parseKernelVersion(json.kernel ?? "");
  return version === undefined ? undefined : `${version.major}.${version.minor}`;
}
