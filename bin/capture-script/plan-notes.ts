import { compareReleases, isSince } from "../../ingest/vocabulary/kernel-release.ts";
import { STRUCTURES_KNOWN_UNTIL } from "../../ingest/vocabulary/recorded-structs.ts";
import type { CapturePlan, PlanNotes } from "./capture-plan.ts";
import { hasUpstreamStructures } from "./probe-plan.ts";

/** What a user has to know of a recording of this plan, in sentences. */
export function notesOf(plan: CapturePlan): PlanNotes {
  return { assumptions: assumptionsOf(plan), limits: limitsOf(plan) };
}

function assumptionsOf(plan: CapturePlan): readonly string[] {
  const { release } = plan;
  const assumptions: string[] = [];
  if (compareReleases(release, STRUCTURES_KNOWN_UNTIL) > 0) {
    assumptions.push(
      `${release} is newer than ${STRUCTURES_KNOWN_UNTIL}, the newest release that was looked at: registers are taken to hold the same arguments, and fields behind pointers are read only if the kernel finds them by name`,
    );
  }
  if (!hasUpstreamStructures(plan)) {
    assumptions.push(
      `'${plan.kernel}' is a distributor's kernel with parts of later releases: fields behind pointers are read only if the kernel finds them by name, and its functions may take other arguments than ${release} does`,
    );
  }
  if (plan.arch === "x86") {
    assumptions.push(
      "arguments were seen on 5.10, 6.1, 6.12 and 7.2; between two of these, only what both have is recorded",
    );
  }
  return assumptions;
}

function limitsOf(plan: CapturePlan): readonly string[] {
  const limits: string[] = [];
  if (plan.arch === "arm64") limits.push(...arm64Limits(plan));
  else limits.push("tlbi-replay does not replay x86 page tables; the recording is for other tools");
  if (plan.isOverwriting) {
    limits.push("with --overwrite the oldest events go first, and with them how the tables began");
  }
  if (plan.pid !== undefined) {
    limits.push(
      `only process ${plan.pid}, its threads and children are recorded: unmaps by kernel threads (reclaim, khugepaged, compaction, KSM) and by other processes are missing, so that the tables may be wrong without a sign`,
    );
  }
  if (plan.tracepoints !== "standard") {
    limits.push("without kvm_entry and its like, vCPU loads (CPU flushes) cannot be predicted");
  }
  if (plan.probes === "fprobe") {
    limits.push("the kernel does not count what an fprobe missed: such losses leave no trace");
  }
  return limits;
}

function arm64Limits(plan: CapturePlan): readonly string[] {
  const limits: string[] = [];
  if (!isSince(plan.release, "5.10")) {
    limits.push(
      "before 5.10 there are no kvm_pgtable functions: tables cannot be rebuilt, only ranges, requests and tracepoints are recorded",
    );
  }
  if (!isSince(plan.release, "5.9")) {
    limits.push("until 5.8 the flush primitives are hyp text, which cannot be probed");
  }
  if (plan.mode === "nvhe") {
    limits.push("under nVHE the flush primitives run at EL2, invisible; requests stand for them");
  }
  if (plan.mode === "pkvm") {
    limits.push("under pKVM stage 2 belongs to the hypervisor: its tables cannot be recorded");
  }
  return limits;
}
