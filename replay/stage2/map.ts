import {
  EntryKind,
  KIND_MASK,
  LeafFlag,
  leafMeta,
  PERMISSION_MASK,
  physPageOf,
  TABLE_MAYBE,
} from "./entry-store.ts";
import { LAST_LEVEL, tablesUnder } from "./geometry.ts";
import type { Stage2Observer } from "./observer.ts";
import type { Stage2Table } from "./table.ts";

/**
 * Maps [startPage, startPage + lenPages) to `physPage`… as `kvm_pgtable_stage2_map` does (5.10 to 7.3,
 * `stage2_map_walker`): leaves as coarse as alignment and length allow; a table in the way of a block
 * is collapsed; a block in the way of a finer leaf is broken into an empty table.
 *
 * `mustInstall`: the trace says that the call succeeded, so a leaf that looks unchanged was replaced
 * all the same (its access flag was clear, for example). Without it an unchanged leaf is kept
 * (-EAGAIN from 5.15 on).
 */
export function mapRange(
  table: Stage2Table,
  startPage: number,
  lenPages: number,
  physPage: number,
  flags: number,
  mustInstall: boolean,
  observer: Stage2Observer,
): void {
  const endPage = startPage + lenPages;
  for (let page = startPage; page < endPage; ) {
    page += mapLeaf(
      table,
      page,
      endPage,
      physPage + (page - startPage),
      flags,
      mustInstall,
      observer,
    );
  }
}

/** Installs the leaf at `page`; returns how many pages further the walk goes on. */
function mapLeaf(
  table: Stage2Table,
  page: number,
  endPage: number,
  physPage: number,
  flags: number,
  mustInstall: boolean,
  observer: Stage2Observer,
): number {
  const { store } = table;
  let id = table.rootTableFor(page);
  for (let level = table.geometry.topLevel; ; level += 1) {
    const index = table.indexAt(page, level);
    const meta = store.meta(id)[store.offset(id) + index]!;
    const kind = meta & KIND_MASK;
    if (isLeafAllowed(table, level, page, endPage, physPage)) {
      if (kind === EntryKind.table && (meta & TABLE_MAYBE) !== 0) {
        // It holds nothing that is certain: as if the entry itself were unknown.
        observer.mappedOverUnknown(page, level);
        table.releaseSubtree(store.low(id)[store.offset(id) + index]!, level + 1);
      } else if (kind === EntryKind.table) {
        collapse(table, id, index, page, level, observer);
      } else if (kind === EntryKind.leaf) {
        const low = store.low(id)[store.offset(id) + index]!;
        if (!mustInstall && (meta & LeafFlag.learned) !== 0) {
          observer.leafUnclear(page, level);
        } else if (!mustInstall && isKept(meta, low, physPage, flags)) {
          observer.leafKept(page, level, ((meta ^ flags) & PERMISSION_MASK) !== 0);
          return advance(table, page, level);
        } else observer.leafReplaced(page, level);
      } else if (kind === EntryKind.unknown) {
        observer.mappedOverUnknown(page, level);
      }
      store.set(id, index, leafMeta(flags, physPage), physPage % 2 ** 32);
      return advance(table, page, level);
    }
    if (kind === EntryKind.leaf) {
      observer.blockBroken(page, level);
      store.set(id, index, EntryKind.invalid, 0);
    } else if (kind === EntryKind.unknown && level >= table.geometry.minBlockLevel) {
      observer.mappedOverUnknown(page, level);
    }
    id = table.descendCertain(id, index);
  }
}

function advance(table: Stage2Table, page: number, level: number): number {
  return table.alignDown(page, level) + table.geometry.spanPages[level]! - page;
}

/** `stage2_leaf_mapping_allowed`: a page, or a block where addresses and length are its multiples. */
function isLeafAllowed(
  table: Stage2Table,
  level: number,
  page: number,
  endPage: number,
  physPage: number,
): boolean {
  if (level === LAST_LEVEL) return true;
  if (level < table.geometry.minBlockLevel) return false;
  const span = table.geometry.spanPages[level]!;
  return page % span === 0 && physPage % span === 0 && endPage - page >= span;
}

/** `!stage2_pte_needs_update`: same output address and attributes, whatever the permissions. */
function isKept(meta: number, low: number, physPage: number, flags: number): boolean {
  const attributes = LeafFlag.uncached | LeafFlag.young;
  return physPageOf(meta, low) === physPage && ((meta ^ flags) & attributes) === 0;
}

function collapse(
  table: Stage2Table,
  id: number,
  index: number,
  page: number,
  level: number,
  observer: Stage2Observer,
): void {
  const child = table.store.low(id)[table.store.offset(id) + index]!;
  const count = { leaves: 0, tables: 1, uncertain: 0 };
  countSubtree(table, child, level + 1, count);
  observer.collapsed(page, level, count.leaves, count.tables, count.uncertain);
  table.releaseSubtree(child, level + 1);
  table.store.set(id, index, EntryKind.invalid, 0);
}

/** Adds what is below a table whose entries are of `level`. */
function countSubtree(
  table: Stage2Table,
  id: number,
  level: number,
  count: { leaves: number; tables: number; uncertain: number },
): void {
  const { store, geometry } = table;
  const begin = store.offset(id);
  const meta = store.meta(id);
  const low = store.low(id);
  for (let at = begin; at < begin + store.entriesPerTable; at += 1) {
    const kind = meta[at]! & KIND_MASK;
    if (kind === EntryKind.leaf) count.leaves += 1;
    else if (kind === EntryKind.table) {
      if ((meta[at]! & TABLE_MAYBE) === 0) count.tables += 1;
      else count.uncertain += 1;
      countSubtree(table, low[at]!, level + 1, count);
    } else if (kind === EntryKind.unknown) {
      count.uncertain += geometry.spanPages[level]! + tablesUnder(geometry, level);
    }
  }
}
