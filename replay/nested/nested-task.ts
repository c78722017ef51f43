import type { GuestTlbi, TlbiClass } from "./guest-tlbi.ts";
import type { NestedCause } from "./invalidation.ts";
import type { ShadowContext } from "./shadow-context.ts";
import type { ShadowLeaf } from "./shadow-leaves.ts";

/** Pages that the recorded kernel unmapped of a context, pieces side by side put together. */
export interface RecordedUnmap {
  readonly context: ShadowContext;
  readonly startPage: number;
  endPage: number;
}

/** One invalidation as the trace shows it, from its first event to the next thing that its thread does. */
export interface OpenInvalidation {
  readonly line: number;
  readonly cause: NestedCause;
  /** The guest's instruction; undefined for the host's own, and where no handler was recorded. */
  readonly tlbi: GuestTlbi | undefined;
  readonly class: TlbiClass | undefined;
  readonly operandLow: number;
  readonly operandHigh: number;
  kvm: number;
  /** VMID of the guest that it is about; NaN: not shown. */
  guestVmid: number;
  /** kvm_s2_mmu_iterate_by_vmid was recorded: contexts were looked for. */
  isIterated: boolean;
  /** Contexts that it reached, as recorded. */
  readonly reached: ShadowContext[];
  readonly unmaps: RecordedUnmap[];
  /** Sizes that compute_tlb_inval_range returned. */
  readonly sizes: number[];
  /** Of the host: pages of the VM that it takes away; NaN: not shown. */
  readonly hostFirstPage: number;
  readonly hostEndPage: number;
}

/** Accesses that a marker announced and whose context is not known yet. */
export interface PendingAccess {
  readonly addrBytes: number;
  readonly strideBytes: number;
  readonly count: number;
}

/** What a thread is in the middle of. */
export class NestedTask {
  open: OpenInvalidation | undefined;
  /** Range of the host's unmap that the thread began, in pages of the VM. */
  hostCause: NestedCause = "host_unmap";
  hostFirstPage: number = Number.NaN;
  hostEndPage: number = Number.NaN;
  /** The context that the thread's nested guest runs on, once shown. */
  context: ShadowContext | undefined;
  /** lookup_s2_mmu found none: the next context of the thread is a new guest's. */
  awaitsNew = false;
  /** A map call on a shadow table that has not returned. */
  mapping: { readonly context: ShadowContext; readonly leaf: ShadowLeaf } | undefined;
  /** Output of the guest's stage 2 for the fault that the thread is in, in bytes; NaN: not shown. */
  guestOutput: number = Number.NaN;
  walkedBytes: number = Number.NaN;
  access: PendingAccess | undefined;
}
