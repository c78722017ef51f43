import type { NestedHintRow, NestedRow } from "../replay/nested/nested-result.ts";
import { count, label, type TableSchema } from "./schema.ts";

export const NESTED: TableSchema<NestedRow> = {
  name: "nested",
  order: "`recorded`, then policies as requested; within a policy, causes in table order",
  columns: [
    label("policy", "Nested policy; `recorded` for what the recorded kernel did."),
    label("cause", "What invalidated: a guest hypervisor's TLBI, or an event of the host."),
    count("events", "event", "Invalidations of that cause."),
    count("contexts", "context", "Shadow contexts that they reached, over all events."),
    count(
      "calls",
      "call",
      "Page-table calls that they took (kvm_pgtable_stage2_unmap or _wrprotect), empty pieces too.",
    ),
    count("leaves_dropped", "leaf", "Shadow leaves cleared."),
    count(
      "over_invalidated",
      "leaf",
      "Of those, leaves of guest mappings that were not invalidated.",
    ),
    count(
      "leaves_left",
      "leaf",
      "Leaves of invalidated guest mappings that stayed: stale, if the guest changed the mapping.",
    ),
    count("leaves_protected", "leaf", "Shadow leaves that lost their write permission."),
    count(
      "refaults",
      "fault",
      "Dropped leaves that had to be made again: an exit and a software walk each; those that the trace proves.",
    ),
    count(
      "refaults_most",
      "fault",
      "The same if every leaf that the recorded kernel kept was used again at once.",
    ),
    count("tlbi", "instruction", "TLBI instructions that the host executed for it."),
    count("dsb", "instruction", "DSB instructions beside them."),
    count(
      "target_unknown",
      "leaf",
      "Of leaves_dropped, those cleared because the trace does not show which page of the VM they map.",
    ),
  ],
};

export const NESTED_HINTS: TableSchema<NestedHintRow> = {
  name: "nested_hints",
  order: "without a search, as KVM searches, look-arounds by size, kept levels, and an oracle",
  columns: [
    label("search", "How the size of a TLBI by IPA is found where its TTL does not tell."),
    count("lookups", "lookup", "TLBIs by IPA, once for each context that they reach."),
    count("ttl", "lookup", "The guest's TTL told the size."),
    count("page", "lookup", "The shadow leaf of the address told it."),
    count("head", "lookup", "The leaf at the start of the block told it."),
    count("around", "lookup", "A leaf found by looking around told it."),
    count("kept", "lookup", "A level kept on an entry that is not valid told it."),
    count("elsewhere", "lookup", "A leaf of another mapping ended the search: the largest block."),
    count("nothing", "lookup", "No leaf was found: the largest block."),
    count("probes", "entry", "Entries that the searches looked up."),
    count("level_writes", "entry", "Entries that had to be written to keep levels."),
    count("leaves_dropped", "leaf", "Shadow leaves that the TLBIs by IPA cleared."),
    count("over_invalidated", "leaf", "Of those, leaves of mappings that were not invalidated."),
    count("refaults", "fault", "Of those cleared, leaves that the trace proves were used again."),
  ],
};
