/**
 * How a flush of any size is handed to the encoder: `kvm_tlb_flush_vmid_range` (arch/arm64/kvm/hyp/pgtable.c,
 * 6.6 to 7.3) makes one hyp call per 2^21 pages, cut from the start and not at aligned addresses. Call `i`
 * starts `i * MAX_RANGE_PAGES` pages into the range.
 */
import { MAX_RANGE_PAGES } from "./range-encoder.ts";

/** Calls of `__kvm_tlb_flush_vmid_range` for `lenPages` host pages; 0 for an empty range. */
export function countRangeCalls(lenPages: number): number {
  return Math.ceil(lenPages / MAX_RANGE_PAGES);
}

/** Host pages of the call with this index, counted from 0; the last call may be shorter. */
export function rangeCallPages(lenPages: number, callIndex: number): number {
  return Math.min(MAX_RANGE_PAGES, lenPages - callIndex * MAX_RANGE_PAGES);
}
