import { Bracket, Call, type Task } from "../operations/task.ts";
import { Certainty, type FlushQueue } from "../policies/flush-queue.ts";
import type { Invariant } from "./invariant.ts";

const CALL_WORDS: readonly string[] = ["", "map", "unmap", "wrprotect", "relax_perms", "split"];

/** The recorded kernel's policy issues something for certain, and nothing was recorded. */
export function isUnanswered(task: Task, policyIndex: number): boolean {
  if (task.ledger.recorded.length > 0) return false;
  const queue = task.ledger.queues[policyIndex];
  return queue !== undefined && hasCertain(queue);
}

function hasCertain(queue: FlushQueue): boolean {
  for (let run = 0; run < queue.length; run += 1) {
    if (queue.certainty[run] === Certainty.certain) return true;
  }
  return false;
}

/** A valid leaf is never replaced or removed without an invalidation (break-before-make). */
export const changeWithoutFlush: Invariant = {
  id: "CHANGE_WITHOUT_FLUSH",
  sentence: "a stage-2 call that replaced or removed a valid leaf without an invalidation",
  meaning:
    "a primitive's probe is missing or was hit inside another probe, or an unmap was not recorded",
  kinds: [],
  needs: [["hw_vmid", "hw_vmid_ipa", "hw_vmid_ipa_nsh", "hw_vmid_range"]],
  observe(violations) {
    return {
      settled(task, _, policyIndex) {
        if (task.bracket !== Bracket.call || task.call === Call.wrprotect) return;
        if (!isUnanswered(task, policyIndex)) return;
        const { line, tsNs, startPage, pid, call } = task;
        violations.add(
          line,
          tsNs,
          () => `${CALL_WORDS[call]!} of page 0x${startPage.toString(16)} by pid ${pid}`,
        );
      },
    };
  },
};
