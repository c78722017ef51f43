import { EventKind } from "../../ingest/events/kinds.ts";
import type { Invariant } from "./invariant.ts";
import { ThreadStates } from "./thread-states.ts";

const OUTSIDE = -1;

/** Between kvm_entry and kvm_exit the thread cannot be preempted: it leaves on the CPU where it entered. */
export const vcpuMovedInGuest: Invariant = {
  id: "VCPU_MOVED_IN_GUEST",
  sentence: "a vCPU that entered the guest on one CPU is next seen on another",
  meaning:
    "its kvm_exit is missing: events were lost without being counted, or not all are recorded",
  kinds: ["kvm_entry", "kvm_exit", "guest_fault", "map", "relax_perms"],
  needs: [["kvm_entry"], ["kvm_exit"]],
  observe(violations) {
    const threads = new ThreadStates(() => ({ enteredOn: OUTSIDE }));
    return {
      event(batch, row) {
        const thread = threads.of(batch.pid[row]!);
        const cpu = batch.cpu[row]!;
        const from = thread.enteredOn;
        thread.enteredOn = batch.kind[row] === EventKind.kvm_entry ? cpu : OUTSIDE;
        if (from === OUTSIDE || from === cpu) return;
        const pid = batch.pid[row]!;
        violations.add(
          batch.line[row]!,
          batch.tsNs[row]!,
          () => `pid ${pid}: entered on CPU ${from}, then on CPU ${cpu}`,
        );
      },
      lost: () => threads.clear(),
    };
  },
};
