import type { OperationCounts } from "../replay/state.ts";
import { formatCount, plural } from "./terminal.ts";

/** What the explanations speak about. */
export interface ExplanationInput {
  readonly counts: OperationCounts;
  /** Ids of the replayed policies. */
  readonly policies: readonly string[];
  /** Id of the recorded kernel's own policy, where known. */
  readonly recordedPolicy: string | undefined;
  readonly tlbirange: boolean;
  readonly fwb: boolean;
  readonly primitivesRecorded: boolean;
  readonly hasDataLoss: boolean;
}

const BEFORE_EAGER_SPLIT = new Set([
  "legacy-5.8",
  "legacy-5.9",
  "rfc-2020",
  "pgtable-5.10",
  "pgtable-6.2",
]);
const DEFERRING = new Set(["range-6.6", "range-6.9"]);

/** Sentences on what the numbers cannot show, and on what in the trace makes them differ. */
export function explain(input: ExplanationInput): readonly string[] {
  return [
    openLoop(input),
    emptyUnmaps(input),
    eagerSplit(input),
    races(input),
    losses(input),
  ].filter((sentence): sentence is string => sentence !== undefined);
}

function openLoop({ policies, recordedPolicy }: ExplanationInput): string | undefined {
  const others = policies.filter((id) => id !== recordedPolicy);
  if (others.length === 0) return undefined;
  return (
    "open loop: every policy answers the operations that the recorded kernel was asked for; " +
    "another kernel may ask for others (unmaps, faults), and its invalidations change later faults"
  );
}

function emptyUnmaps(input: ExplanationInput): string | undefined {
  const { counts, policies, tlbirange, fwb } = input;
  if (counts.unmapEmpty === 0) return undefined;
  const deferring = policies.filter((id) => DEFERRING.has(id));
  const defers = deferring.length > 0 && tlbirange && fwb;
  const cost = defers
    ? `: a policy that defers (${deferring.join(", ")}) issues a RANGE for each all the same, any other nothing`
    : ": no policy here issues anything for them";
  const repeated =
    counts.unmapRepeated === 0
      ? ""
      : ` (${formatCount(counts.unmapRepeated)} of them repeat their thread's previous unmap: ` +
        "kernels differ in how often they ask, for example twice per MADV_DONTNEED of hugetlb memory in 6.1 and once in 6.12)";
  return `${formatCount(counts.unmapEmpty)} of ${plural(counts.unmap, "unmap call")} found nothing mapped${repeated}${cost}`;
}

function eagerSplit({ counts, policies }: ExplanationInput): string | undefined {
  if (counts.split === 0) return undefined;
  const older = policies.filter((id) => BEFORE_EAGER_SPLIT.has(id));
  if (older.length === 0) return undefined;
  return (
    `the trace has ${plural(counts.split, "eager split call")}, which ${older.join(", ")} did not have: ` +
    "each broken block counts as the one invalidation that a write fault would have caused later"
  );
}

function races({ counts }: ExplanationInput): string | undefined {
  if (counts.ambiguousSequences === 0) return undefined;
  return (
    `${plural(counts.ambiguousSequences, "write-protect sequence")} of several mask words could have been ` +
    "several ioctls, each with its own flush: only recorded flushes between them tell"
  );
}

function losses({ hasDataLoss }: ExplanationInput): string | undefined {
  if (!hasDataLoss) return undefined;
  return "data was lost: counts are lower bounds, and what the model knew before a loss is unknown after it";
}
