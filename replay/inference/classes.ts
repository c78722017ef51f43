import { codesOf } from "../../ingest/codes.ts";

/** How sure an inferred event is. `proven`: the event is there or nowhere; `likely`: unless the assumption fails. */
export type Confidence = "proven" | "likely" | "possible";

/**
 * What is inferred from stock tracepoints: with what confidence, and under which assumption. In the order
 * of the report.
 */
export const INFERENCE_CLASSES = {
  unmapped: {
    confidence: "proven",
    means: "unmap of a memslot's part: kvm_unmap_hva_range over its host addresses",
    assumes: "the memslot table is complete and right while it is in force",
  },
  maybeUnmapped: {
    confidence: "possible",
    means:
      "unmap that one of several VMs got: kvm_unmap_hva_range fires once for each VM of a process",
    assumes: "it reached no, one or all of the VMs whose memslots it covers",
  },
  slotRemoved: {
    confidence: "proven",
    means: "unmap of a whole memslot that was deleted or moved",
    assumes: "the memslot table or a commit_region probe says when",
  },
  maybeSlotRemoved: {
    confidence: "possible",
    means: "a memslot was deleted, and which one nothing shows",
    assumes: "any memslot of that VM",
  },
  mapped: {
    confidence: "likely",
    means: "map of a page or block: translation fault in a memslot",
    assumes:
      "a translation fault is answered by a mapping, unless its own thread was told to unmap that page meanwhile (KVM retries it)",
  },
  maybeMapped: {
    confidence: "possible",
    means: "map of a page or block by a fault whose VM or success is not certain",
    assumes: "the fault belongs to one of the VMs with a memslot there",
  },
  relaxed: {
    confidence: "likely",
    means: "permissions relaxed in place: permission fault",
    assumes: "as for maps; without dirty logging a block is not broken by a permission fault",
  },
  maybeRelaxed: {
    confidence: "possible",
    means: "permissions relaxed in place, or something else instead",
    assumes: "a permission fault does one of: relax, break, collapse, nothing (retry)",
  },
  broken: {
    confidence: "likely",
    means: "block broken into a table: permission fault on a block under dirty logging",
    assumes: "under dirty logging faults map single pages",
  },
  maybeBroken: {
    confidence: "possible",
    means: "block broken into a table, or relaxed: whether logging was on is not known",
    assumes: "as for maybe relaxed",
  },
  collapsed: {
    confidence: "likely",
    means: "table collapsed into a block: a fault at page level, later one at block level",
    assumes: "as for maps",
  },
  maybeCollapsed: {
    confidence: "possible",
    means: "table collapsed into a block by a fault at page level",
    assumes:
      "blocks are of the size of one level-2 entry unless the table gives the memslot larger pages",
  },
  youngSet: {
    confidence: "proven",
    means: "access flag fault: no invalidation in any kernel",
    assumes: "nothing",
  },
  aged: {
    confidence: "possible",
    means: "kvm_age_hva over a memslot: one VM flush (clear_flush_young, young page), or none",
    assumes: "at most one for each event",
  },
  pteSet: {
    confidence: "possible",
    means: "kvm_set_spte_hva over a memslot: the page is mapped again",
    assumes: "at most one flush for each event",
  },
  logEnabled: {
    confidence: "possible",
    means: "dirty logging switched on for a memslot: it is flushed unless the log begins all set",
    assumes: "at most one flush of the memslot",
  },
  ringReset: {
    confidence: "possible",
    means: "kvm_dirty_ring_reset: one VM flush for each ioctl that reset something",
    assumes: "at most one for each event",
  },
  retried: {
    confidence: "likely",
    means:
      "fault without effect: its own thread was told to unmap its page before it could be answered",
    assumes: "KVM retries a fault when an unmap came between (mmu_invalidate_retry)",
  },
  outside: {
    confidence: "proven",
    means: "fault outside every memslot (MMIO): no change of the table",
    assumes: "the memslot table is complete",
  },
  surprise: {
    confidence: "likely",
    means: "fault that met another state than inferred",
    assumes:
      "something invisible changed the table (a memslot deleted, eager split), or an earlier fault was not answered",
  },
  splitUnseen: {
    confidence: "likely",
    means:
      "permission or access flag fault of a page that no fault mapped: eager split was at work",
    assumes: "nothing else makes pages of a block without a fault",
  },
  staleVm: {
    confidence: "likely",
    means: "a VM whose first memslot came again: it is a new VM",
    assumes: "a memslot that exists cannot be created",
  },
} as const;

export type InferenceClassName = keyof typeof INFERENCE_CLASSES;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets which keys there are
export const INFERENCE_NAMES = Object.keys(INFERENCE_CLASSES) as readonly InferenceClassName[];
export const InferenceClass: Readonly<Record<InferenceClassName, number>> =
  codesOf(INFERENCE_NAMES);

/** How many of each class. */
export class InferenceCounts {
  readonly #counts = new Float64Array(INFERENCE_NAMES.length);

  add(code: number): void {
    this.#counts[code]! += 1;
  }

  of(code: number): number {
    return this.#counts[code]!;
  }
}
