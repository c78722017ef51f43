/**
 * What a walk of the stage-2 table found and changed: the facts from which a policy derives its
 * invalidations. The table is walked once for all policies.
 *
 * Addresses are page numbers of the walk, as the kernel's walker has them in `ctx->addr`: the first
 * entry visited keeps the address asked for, even in the middle of a block; later ones are aligned.
 * Calls come in the order of the kernel's walk (pre-order leaves, post-order tables).
 */
export interface Stage2Observer {
  /**
   * Unmap cleared `count` valid leaves of `level`; the first has walk address `page`, each further
   * one lies one span of the level higher. `cacheable` of them map Normal cacheable memory.
   */
  leavesCleared(page: number, level: number, count: number, cacheable: number): void;
  /**
   * Unmap found a table without entries and freed it; `tableLevel` is the level of the entries it
   * held. Not `certain`: the trace does not show whether the table existed or was empty.
   */
  tableFreed(page: number, tableLevel: number, certain: boolean): void;
  /** Unmap cleared a part whose contents the trace does not show: `pages` from `page`, an entry of `level`. */
  unknownCleared(page: number, level: number, pages: number): void;
  /** A fault broke the valid block at `page` (the fault's address) to put a table in its place. */
  blockBroken(page: number, level: number): void;
  /** A fault replaced a valid leaf of the same size, other output address or attributes. */
  leafReplaced(page: number, level: number): void;
  /** A map call met a leaf that differs in permissions only, or not at all, and left it as it is. */
  leafKept(page: number, level: number, permissionsDiffer: boolean): void;
  /**
   * A map call met a leaf whose permissions or output address the trace does not show: whether it was
   * replaced or left is not known.
   */
  leafUnclear(page: number, level: number): void;
  /**
   * A block replaced a table with `leaves` valid leaves in `tables` page-table pages; `page` is the
   * walk address, not aligned. `uncertain`: at most so many more leaves and tables were there.
   */
  collapsed(page: number, level: number, leaves: number, tables: number, uncertain: number): void;
  /** A map call at `level` over state that the trace does not show: it may have broken a block or collapsed a table. */
  mappedOverUnknown(page: number, level: number): void;
  /** Eager split broke the block at `page`. */
  blockSplit(page: number, level: number): void;
  /** Eager split met state that the trace does not show, where up to `blocks` blocks may have been. */
  splitOverUnknown(page: number, blocks: number): void;
  /** Write-protection took the write permission from `count` leaves of `level`, spaced as in leavesCleared. */
  writeProtected(page: number, level: number, count: number): void;
  /** Write-protection met `pages` whose state the trace does not show. */
  unknownWriteProtected(page: number, pages: number): void;
}
