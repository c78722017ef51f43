import {
  EntryKind,
  KIND_MASK,
  LeafFlag,
  leafMeta,
  PERMISSION_MASK,
  physPageOf,
} from "./entry-store.ts";
import { LAST_LEVEL } from "./geometry.ts";
import type { Stage2Observer } from "./observer.ts";
import type { Stage2Table } from "./table.ts";

/**
 * Splits every block in [startPage, endPage) down to pages as `kvm_pgtable_stage2_split` does (6.5+,
 * `stage2_split_walker`). With at least as many page-table pages in the cache as the block's whole
 * subtree needs, the block is broken once and replaced by a tree of pages; with fewer it is first
 * replaced by blocks one level down, and those of them that the range covers are split in their turn.
 *
 * `cachePages`: what `kvm_mmu_split_huge_pages` guarantees before each call, see `splitCachePages`. Where
 * it may be more (`isCacheExact` false: calls shorter than the chunk do not show the chunk), a block that
 * seems to be split in two steps may have gone in one: what is below it is unknown then.
 */
export function splitBlocks(
  table: Stage2Table,
  startPage: number,
  endPage: number,
  cachePages: number,
  isCacheExact: boolean,
  observer: Stage2Observer,
): void {
  const budget: SplitBudget = { pages: cachePages, isExact: isCacheExact };
  for (let page = startPage; page < endPage; ) {
    const runEnd = table.rootRunEnd(page, endPage);
    const root = table.rootTableFor(page);
    splitInTable(table, root, table.geometry.topLevel, page, runEnd, budget, observer);
    page = runEnd;
  }
}

interface SplitBudget {
  pages: number;
  readonly isExact: boolean;
}

/** Capacity of the split cache for a chunk: `kvm_mmu_split_nr_page_tables` (6.5 to 7.3). */
export function splitCachePages(table: Stage2Table, chunkPages: number): number {
  const { spanPages, minBlockLevel } = table.geometry;
  let pages = Math.ceil(chunkPages / spanPages[2]!);
  if (minBlockLevel < 2) pages += Math.ceil(chunkPages / spanPages[1]!);
  return pages;
}

function splitInTable(
  table: Stage2Table,
  id: number,
  level: number,
  startPage: number,
  endPage: number,
  budget: SplitBudget,
  observer: Stage2Observer,
): void {
  if (level === LAST_LEVEL) return;
  const { store } = table;
  const span = table.geometry.spanPages[level]!;
  for (let page = startPage; page < endPage; ) {
    const index = table.indexAt(page, level);
    const entryPage = table.alignDown(page, level);
    const end = Math.min(endPage, entryPage + span);
    const meta = store.meta(id)[store.offset(id) + index]!;
    let kind = meta & KIND_MASK;
    if (kind === EntryKind.leaf && breakBlock(table, id, index, level, budget)) {
      observer.blockSplit(page, level);
      kind = EntryKind.table;
    } else if (kind === EntryKind.unknown) {
      observer.splitOverUnknown(page, blocksUnder(table, level, end - page));
    }
    if (kind === EntryKind.table) {
      const child = store.low(id)[store.offset(id) + index]!;
      splitInTable(table, child, level + 1, page, end, budget, observer);
    }
    page = end;
  }
}

/** Most blocks that can be split one after the other where `pages` of an entry of `level` are unknown. */
function blocksUnder(table: Stage2Table, level: number, pages: number): number {
  const { spanPages, minBlockLevel } = table.geometry;
  let blocks = 0;
  for (let at = Math.max(level, minBlockLevel); at < LAST_LEVEL; at += 1) {
    blocks += Math.ceil(pages / spanPages[at]!);
  }
  return blocks;
}

/** Replaces a block by a table of finer leaves; false where the cache is too small (-ENOMEM). */
function breakBlock(
  table: Stage2Table,
  id: number,
  index: number,
  level: number,
  budget: SplitBudget,
): boolean {
  const { store } = table;
  const whole = subtreePages(table, level);
  const toPages = budget.pages >= whole;
  const needed = toPages ? whole : 1;
  if (budget.pages < needed) return false;
  budget.pages -= needed;
  const at = store.offset(id) + index;
  const meta = store.meta(id)[at]!;
  const physPage = physPageOf(meta, store.low(id)[at]!);
  const flags = meta & (PERMISSION_MASK | LeafFlag.uncached | LeafFlag.young);
  const child =
    toPages || budget.isExact || level === 2
      ? fillWithLeaves(table, level + 1, physPage, flags, toPages)
      : store.allocate(EntryKind.unknown);
  store.set(id, index, EntryKind.table, child);
  return true;
}

/** Page-table pages below a block entry of `level` when it is mapped by pages. */
function subtreePages(table: Stage2Table, level: number): number {
  return level === 2 ? 1 : 1 + table.geometry.entriesPerTable * subtreePages(table, level + 1);
}

function fillWithLeaves(
  table: Stage2Table,
  level: number,
  physPage: number,
  flags: number,
  toPages: boolean,
): number {
  const { store } = table;
  const id = store.allocate(EntryKind.invalid);
  const span = table.geometry.spanPages[level]!;
  for (let index = 0; index < store.entriesPerTable; index += 1) {
    const phys = physPage + index * span;
    if (level < LAST_LEVEL && toPages) {
      const child = fillWithLeaves(table, level + 1, phys, flags, toPages);
      store.set(id, index, EntryKind.table, child);
    } else {
      store.set(id, index, leafMeta(flags, phys), phys % 2 ** 32);
    }
  }
  return id;
}
