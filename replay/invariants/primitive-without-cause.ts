import { EventKind, type EventKindName } from "../../ingest/events/kinds.ts";
import type { Invariant } from "./invariant.ts";
import { ThreadStates } from "./thread-states.ts";

const PRIMITIVES: readonly EventKindName[] = [
  "hw_vmid",
  "hw_vmid_ipa",
  "hw_vmid_ipa_nsh",
  "hw_vmid_range",
];
/** What can make a thread invalidate: calls, scopes, requests and notifiers. */
const CAUSES: readonly EventKindName[] = [
  "map",
  "unmap",
  "wrprotect",
  "relax_perms",
  "split",
  "destroy",
  "destroy_range",
  "mkold",
  "test_clear_young",
  "apply_range",
  "unmap_range",
  "wp_range",
  "unmap_gfn",
  "age_gfn",
  "test_age_gfn",
  "set_spte_gfn",
  "enable_log_pt_masked",
  "commit_region",
  "flush_shadow_memslot",
  "flush_shadow_all",
  "free_pgd",
  "nested_unmap",
  "nested_wp",
  "nested_tlbi_ipa",
  "nested_tlbi_range",
  "nested_tlbi_s1",
  "remote",
  "remote_range",
  "remote_memslot",
  "arch_remote",
  "arch_remote_range",
  "arch_remote_memslot",
  "tlb_range",
  "unmap_hva",
  "age_hva",
  "set_spte_hva",
  "dirty_ring_reset",
];
/** What a thread does next when it is done with that: a returned call, the guest. */
const ENDS: readonly EventKindName[] = [
  "map_ret",
  "unmap_ret",
  "relax_perms_ret",
  "split_ret",
  "kvm_entry",
  "kvm_exit",
  "guest_fault",
  "userspace_exit",
];

const codes = (kinds: readonly EventKindName[]): ReadonlySet<number> =>
  new Set(kinds.map((kind) => EventKind[kind]));
const PRIMITIVE_CODES = codes(PRIMITIVES);
const CAUSE_CODES = codes(CAUSES);

/** `unplaced`: the trace has not shown what the thread is about. */
type Standing = "unplaced" | "open" | "done";

/** An invalidation has a cause: an operation or a request that its thread has open. */
export const primitiveWithoutCause: Invariant = {
  id: "PRIMITIVE_WITHOUT_CAUSE",
  sentence: "an invalidation by a thread that has no operation and no request open",
  meaning: "the function that asked for it is not probed",
  kinds: [...PRIMITIVES, ...CAUSES, ...ENDS],
  needs: [["map"], ["unmap"], PRIMITIVES],
  observe(violations) {
    const threads = new ThreadStates<{ standing: Standing }>(() => ({ standing: "unplaced" }));
    return {
      event(batch, row) {
        const kind = batch.kind[row]!;
        const pid = batch.pid[row]!;
        const thread = threads.of(pid);
        if (CAUSE_CODES.has(kind)) thread.standing = "open";
        else if (!PRIMITIVE_CODES.has(kind)) thread.standing = "done";
        else if (thread.standing === "done") {
          violations.add(batch.line[row]!, batch.tsNs[row]!, () => `by pid ${pid}`);
        }
      },
      lost: () => threads.clear(),
    };
  },
};
