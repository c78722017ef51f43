import type { PathName } from "../paths.ts";
import type { Policy } from "../policies/flags.ts";

/** A path of which a stock trace shows too little even for an upper bound. */
export interface Unbounded {
  readonly path: PathName;
  readonly why: string;
}

/** What decides which paths cannot be bounded. */
export interface Visibility {
  readonly hasSlots: boolean;
  /** Memslots come from commit_region probes, so that their changes are seen. */
  readonly seesSlotChanges: boolean;
  /** No memslot was logged at any time. */
  readonly isNeverLogged: boolean;
  /** Some memslot's host address is not known. */
  readonly lacksHva: boolean;
  /** Eager split was at work: blocks have become tables of pages that no fault shows. */
  readonly hasUnseenSplits: boolean;
  readonly policies: readonly Policy[];
}

const SPLIT_UNSEEN =
  "eager split was at work: a table may hold more pages than faults show (RANGE calls of these paths are bounded all the same)";

/** Paths without an upper bound, each with the reason, in the order of the tables. */
export function unboundedPaths(seen: Visibility): readonly Unbounded[] {
  const found: Unbounded[] = [];
  const add = (path: PathName, why: string): number => found.push({ path, why });
  if (!seen.hasSlots) {
    add("unmap", "no memslot table: host addresses cannot become guest addresses (--memslots)");
  } else if (seen.lacksHva) {
    add("unmap", "a memslot without a host address: its unmaps cannot be placed");
  }
  if (!seen.seesSlotChanges) {
    add("memslot", "deleting or moving a memslot leaves no stock event");
  }
  if (seen.hasUnseenSplits) {
    for (const path of ["unmap", "memslot", "collapse"] as const) add(path, SPLIT_UNSEEN);
  }
  if (seen.policies.some(({ flags }) => flags.teardown === "unmap")) {
    add("teardown", "the end of a VM leaves no stock event (kernels up to 5.9 unmap it all)");
  }
  if (!seen.isNeverLogged) {
    add("eager_split", "eager split leaves no stock event");
    add("dirty_log", "reading and clearing the dirty log leave no stock event");
  }
  if (!seen.seesSlotChanges) {
    add("enable_log", "switching dirty logging on leaves no stock event");
  }
  add("vcpu_switch", "a vCPU's load onto a CPU leaves no stock event of its own");
  add("vmid_rollover", "the roll-over of VMIDs leaves no stock event");
  return found;
}
