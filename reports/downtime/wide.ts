import { modes } from "../../replay/costs/cost-table.ts";
import type { BlackoutPart } from "../../replay/migration/blackout.ts";
import type { PolicyEstimate } from "../../replay/migration/estimate-types.ts";
import type { QuantityId } from "../../replay/migration/quantities.ts";
import type { TableSchema } from "../schema.ts";
import { label, maybeLabel, number } from "./columns.ts";
import type { DowntimeView } from "./view.ts";

/** One row a policy with stable columns: what many traces are rolled up from. */
export interface WideRow {
  readonly trace_id: string;
  readonly host_model: string | null;
  readonly kernel: string | null;
  readonly epoch: string;
  readonly vmm: string | null;
  readonly vcpus: number | null;
  readonly mem_bytes: number | null;
  readonly page_bytes: number | null;
  readonly fwb: string;
  readonly tlbirange: string;
  readonly policy: string;
  readonly outcome: string | null;
  readonly p_converge: number | null;
  readonly passes: number | null;
  readonly total_s: number | null;
  readonly blackout_ms_p5: number | null;
  readonly blackout_ms_p50: number | null;
  readonly blackout_ms_p95: number | null;
  readonly copy_ms: number | null;
  readonly sync_ms: number | null;
  readonly clear_ms: number | null;
  readonly flush_ms: number | null;
  readonly device_ms: number | null;
  readonly brownout_share: number | null;
  readonly stall_max_ms: number | null;
  readonly rollback_s_p5: number | null;
  readonly rollback_s_p50: number | null;
  readonly rollback_s_p95: number | null;
  readonly rollback_hold_max_ms: number | null;
  readonly lost_vcpu_s: number | null;
  readonly flushes_ipa: number | null;
  readonly flushes_vmid: number | null;
  readonly flushes_range: number | null;
  readonly refill_entries: number | null;
  readonly qemu_expected_ms: number | null;
  readonly reported_downtime_ms: number | null;
  readonly error_ms: number | null;
  readonly warnings: string;
}

export const WIDE: TableSchema<WideRow> = {
  name: "downtime",
  order: "policies as requested",
  columns: [
    label("trace_id", "Path of the trace as given; `parameters` without one."),
    maybeLabel("host_model", "Machine whose published constants are used; null: ranges over all."),
    maybeLabel("kernel", "Kernel that recorded the trace, where it is known."),
    label("epoch", "Epoch of kernels whose lock and table walk the policy has."),
    maybeLabel("vmm", "VMM and version whose rules are used."),
    number("vcpus", "vCPU", "vCPUs of the guest."),
    number("mem_bytes", "byte", "Memory of the guest."),
    number("page_bytes", "byte", "Host pages that back it."),
    label("fwb", "yes or no: CPUs with FEAT_S2FWB."),
    label("tlbirange", "yes or no: CPUs with FEAT_TLBIRANGE."),
    label("policy", "Policy, or epoch of kernels."),
    maybeLabel("outcome", "How pre-copy ends with every value at its most likely."),
    number("p_converge", "share", "Draws in which it converges."),
    number("passes", "pass", "Passes with every value at its most likely."),
    number("total_s", "s", "Time of copying: median."),
    number("blackout_ms_p5", "ms", "Source downtime: 5 of 100 draws are below."),
    number("blackout_ms_p50", "ms", "Source downtime: median."),
    number("blackout_ms_p95", "ms", "Source downtime: 95 of 100 draws are below."),
    number("copy_ms", "ms", "Part of it that copies: median."),
    number("sync_ms", "ms", "Part that reads the dirty bitmap: median."),
    number("clear_ms", "ms", "Part that write-protects: median."),
    number("flush_ms", "ms", "Part that flushes: median."),
    number("device_ms", "ms", "Part of the devices' state: median."),
    number("brownout_share", "share", "vCPU time lost while copying, at the most likely values."),
    number("stall_max_ms", "ms", "Longest stall while copying: median."),
    number("rollback_s_p5", "s", "Roll-back stall: 5 of 100 draws are below."),
    number("rollback_s_p50", "s", "Roll-back stall: median."),
    number("rollback_s_p95", "s", "Roll-back stall: 95 of 100 draws are below."),
    number("rollback_hold_max_ms", "ms", "Longest hold of one collapse: median."),
    number("lost_vcpu_s", "vCPU·s", "Lost vCPU time of a migration that succeeds: median."),
    number(
      "flushes_ipa",
      "call",
      "Flushes by IPA in clears and collapses, at the most likely values.",
    ),
    number("flushes_vmid", "call", "The same by VMID."),
    number("flushes_range", "call", "The same by range."),
    number(
      "refill_entries",
      "entry",
      "TLB entries that the collapses cost, at the most likely values.",
    ),
    number("qemu_expected_ms", "ms", "What QEMU would announce: what is dirty over the bandwidth."),
    number("reported_downtime_ms", "ms", "Downtime that a VMM's report gives."),
    number("error_ms", "ms", "Median of the source downtime less the reported one."),
    label("warnings", "Sentences, separated by semicolons."),
  ],
};

export function wideRows(view: DowntimeView): readonly WideRow[] {
  return view.estimate.policies.map((policy) => wideRow(policy, view));
}

function wideRow(policy: PolicyEstimate, view: DowntimeView): WideRow {
  const { request } = view.estimate;
  const { migration, rollback } = request.scenario;
  const { mechanics, atModes } = policy;
  const { precopy } = atModes;
  const source = intervalOf(policy, "source_downtime");
  const stall = intervalOf(policy, "rollback_stall");
  const reported =
    view.reports
      .flatMap(({ comparisons }) => comparisons)
      .find((one) => one.quantity === "source_downtime" && one.policy === policy.id)?.reported ??
    null;
  return {
    trace_id: view.trace?.input.path ?? "parameters",
    host_model: view.hostModel ?? null,
    kernel: view.kernel ?? null,
    epoch: mechanics.epoch.id,
    vmm: migration?.vmm.name ?? null,
    vcpus: migration?.vcpus ?? null,
    mem_bytes: migration?.memoryBytes ?? null,
    page_bytes: migration?.blockBytes ?? rollback?.blockBytes ?? null,
    fwb: mechanics.fwb ? "yes" : "no",
    tlbirange: mechanics.tlbirange ? "yes" : "no",
    policy: policy.id,
    outcome: precopy?.outcome ?? null,
    p_converge: policy.pConverge ?? null,
    passes: precopy?.passCount ?? null,
    total_s: median(policy, "total_time", 1),
    blackout_ms_p5: source === undefined ? null : source.p5 * 1e3,
    blackout_ms_p50: source === undefined ? null : source.p50 * 1e3,
    blackout_ms_p95: source === undefined ? null : source.p95 * 1e3,
    copy_ms: part(policy, "copy"),
    sync_ms: part(policy, "sync"),
    clear_ms: part(policy, "last_write_protect"),
    flush_ms: part(policy, "last_flush"),
    device_ms: part(policy, "device_state"),
    brownout_share:
      precopy === undefined || migration === undefined || precopy.totalS === 0
        ? null
        : precopy.lostVcpuS / (precopy.totalS * migration.vcpus),
    stall_max_ms: median(policy, "copy_stall_max", 1e3),
    rollback_s_p5: stall?.p5 ?? null,
    rollback_s_p50: stall?.p50 ?? null,
    rollback_s_p95: stall?.p95 ?? null,
    rollback_hold_max_ms: median(policy, "rollback_hold_max", 1e3),
    lost_vcpu_s: median(policy, "lost_vcpu_success", 1),
    flushes_ipa: flushes(policy, "per-ipa"),
    flushes_vmid: flushes(policy, "vmid"),
    flushes_range: flushes(policy, "range"),
    refill_entries: refillEntries(policy, view),
    qemu_expected_ms:
      precopy === undefined || migration === undefined || source === undefined
        ? null
        : (precopy.remainingBytes / migration.bandwidthBytesPerS) * 1e3,
    reported_downtime_ms: reported === null ? null : reported * 1e3,
    error_ms: reported === null || source === undefined ? null : (source.p50 - reported) * 1e3,
    warnings: view.warnings.join("; "),
  };
}

function intervalOf(
  { estimates }: PolicyEstimate,
  id: QuantityId,
): PolicyEstimate["estimates"][number]["interval"] {
  return estimates.find(({ quantity }) => quantity === id)?.interval;
}

function median(policy: PolicyEstimate, id: QuantityId, perS: number): number | null {
  const interval = intervalOf(policy, id);
  return interval === undefined ? null : interval.p50 * perS;
}

/** ms. */
function part({ parts }: PolicyEstimate, name: BlackoutPart): number | null {
  const found = parts.find((one) => one.part === name);
  return found === undefined ? null : found.interval.p50 * 1e3;
}

function flushes(
  { mechanics, atModes }: PolicyEstimate,
  form: PolicyEstimate["mechanics"]["logFlush"],
): number | null {
  const { precopy, rollback } = atModes;
  if (precopy === undefined && rollback === undefined) return null;
  const logged = mechanics.logFlush === form ? (precopy?.flushCalls ?? 0) : 0;
  const collapsed = mechanics.collapseFlush === form ? (rollback?.flushCalls ?? 0) : 0;
  return logged + collapsed;
}

/** A collapse flushes once, or page by page for one block: its entries are lost once. */
function refillEntries({ mechanics, atModes }: PolicyEstimate, view: DowntimeView): number | null {
  const { request } = view.estimate;
  if (atModes.rollback === undefined) return null;
  const { n_refill: entries, share_combined: share } = modes(request.table);
  const { blocks } = atModes.rollback;
  return blocks * entries * (mechanics.collapseFlush === "vmid" ? 1 : share);
}
