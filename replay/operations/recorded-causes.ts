import type { OperationCounts } from "../state.ts";
import { Primitive } from "../tlbi/primitives.ts";

/** Whether the trace has shown a call of the kind that issues such an invalidation outside of map calls. */
export function causeIsRecorded(counts: OperationCounts, primitive: number): boolean {
  switch (primitive) {
    case Primitive.IPA_LOCAL:
      return counts.relax + counts.relaxAgain > 0;
    case Primitive.VM:
      return counts.unmap > 0 || counts.wrprotect > 0;
    default:
      return counts.unmap > 0;
  }
}
