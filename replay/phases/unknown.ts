import { MAX_LISTED, type Outcome, type Unknown } from "../migration/inputs.ts";
import type { GuestRecord } from "./guest-record.ts";
import type { PhaseRecorder } from "./phase-recorder.ts";

/** What no VM of the trace can be asked for. */
export function unknownOfTrace({ losses, vcpus }: PhaseRecorder): readonly Unknown[] {
  const unknown: Unknown[] = [];
  if (losses > 0) {
    const because = `events are missing in ${losses} place${losses === 1 ? "" : "s"}: every count is a lower bound, and a phase may have begun earlier`;
    unknown.push({ quantity: "everything", because });
  }
  if (!vcpus.showsEntries) {
    const because = "the trace has no kvm_entry: when vCPUs ran is not in it";
    unknown.push({ quantity: "blackout, fault times, number of vCPUs", because });
  } else if (!vcpus.showsKicks) {
    const because =
      "no kvm_userspace_exit tells that a signal took a vCPU out of KVM_RUN: a stopped VM and an idle one look alike, so stops are inferred";
    unknown.push({ quantity: "start of the blackout", because });
  }
  return unknown;
}

/** What the trace does not say of one VM. */
export function unknownOfVm(
  record: GuestRecord,
  { vcpus, config }: PhaseRecorder,
  outcome: Outcome,
  hasBlackout: boolean,
): readonly Unknown[] {
  const unknown: Unknown[] = [];
  const tell = (quantity: string, because: string): void => {
    unknown.push({ quantity, because });
  };
  if (record.slots.isEmpty)
    tell("memory size", "no memslot was made or changed in the trace (commit_region)");
  if (record.logStart === undefined) {
    tell(
      "dirty pages",
      "dirty logging was not on: the trace does not show which pages are written",
    );
    return unknown;
  }
  tellOfDirt(record, tell);
  if (record.logStart.confidence === "inferred") {
    tell("start of logging", record.logStart.what);
    tell(
      "blocks broken, pages dirtied",
      "those of before the trace shows the logging are not in it: lower bounds",
    );
  }
  if (record.loggings > 1) {
    tell("passes", `logging was switched on ${record.loggings} times: passes are counted through`);
  }
  if (outcome === "completed") {
    tell("source downtime", "when the source declared the migration done is known to its VMM only");
    if (Number.isNaN(record.resumedElsewhereNs)) {
      tell("guest downtime", "the destination is not in this trace");
    }
  } else if (vcpus.showsEntries && !hasBlackout) {
    tell("blackout", "the vCPUs were not stopped while logging was on");
  }
  if (record.timeline.joined > 0) {
    tell("phases", `${record.timeline.joined} more passes than are told apart are in the last one`);
  }
  if (record.clearsLeftOut > 0) tell("clears", `${record.clearsLeftOut} are counted, not listed`);
  if (record.blocks.total > MAX_LISTED)
    tell("blocks", `the first ${MAX_LISTED} of ${record.blocks.total} are listed`);
  const { isGiven, notReached } = record.timeline;
  if (notReached > 0) {
    tell("phases", `${notReached} of those given lie behind the end of the trace`);
  }
  if (isGiven) tell("phases", "as given, not as the trace shows them");
  if (config.policies.length === 0) tell("flushes", "no policy was replayed");
  return unknown;
}

function tellOfDirt(record: GuestRecord, tell: (quantity: string, because: string) => void): void {
  tell(
    "pages dirtied twice",
    "a page faults once after it was write-protected: what an interval shows is a lower bound, a pass is exact",
  );
  tell(
    "pages that the host wrote",
    "device models and KVM itself dirty pages without a fault: only the masks of the next pass show them",
  );
  if (record.ringPushes > 0) {
    tell(
      "dirty bitmap",
      `the dirty ring was used (${record.ringPushes} pushes): what was collected is not seen`,
    );
  }
  const hasClears = record.passes.some(({ clears }) => clears.length > 0);
  if (!hasClears) {
    tell(
      "passes",
      "no GET_DIRTY_LOG or CLEAR_DIRTY_LOG write-protected anything (kvm_arch_mmu_enable_log_dirty_pt_masked): not called, or not probed",
    );
  }
}
