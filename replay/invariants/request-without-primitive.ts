import { Bracket } from "../operations/task.ts";
import { isUnanswered } from "./change-without-flush.ts";
import type { Invariant } from "./invariant.ts";

/** A request for a flush ends in a primitive. */
export const requestWithoutPrimitive: Invariant = {
  id: "REQUEST_WITHOUT_PRIMITIVE",
  sentence: "a flush request that no recorded invalidation answers",
  meaning: "a primitive's probe is missing, or was hit inside another probe",
  kinds: [],
  needs: [["hw_vmid", "hw_vmid_ipa", "hw_vmid_ipa_nsh", "hw_vmid_range"]],
  observe(violations) {
    return {
      settled(task, _, policyIndex) {
        if (task.bracket !== Bracket.request || !isUnanswered(task, policyIndex)) return;
        const { line, tsNs, pid } = task;
        violations.add(line, tsNs, () => `by pid ${pid}`);
      },
    };
  },
};
