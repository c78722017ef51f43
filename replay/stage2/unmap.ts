import { EntryKind, KIND_MASK, LeafFlag, TABLE_MAYBE } from "./entry-store.ts";
import type { Stage2Observer } from "./observer.ts";
import type { Stage2Table } from "./table.ts";

/**
 * Clears [startPage, endPage) as `kvm_pgtable_stage2_unmap` does (5.10 to 7.3, `stage2_unmap_walker`;
 * ≤ 5.8 `unmap_stage2_range` finds the same): a leaf goes as a whole even where the range covers only
 * a part of it, and every table that the walk leaves without entries is freed, innermost first. A
 * table that was already empty before (a map that failed half-way) is freed when it is visited.
 *
 * The root's tables are never freed. Memory: none. Cost: proportional to the entries visited.
 */
export function unmapRange(
  table: Stage2Table,
  startPage: number,
  endPage: number,
  observer: Stage2Observer,
): void {
  for (let page = startPage; page < endPage; ) {
    const runEnd = table.rootRunEnd(page, endPage);
    unmapInTable(table, table.rootTableFor(page), table.geometry.topLevel, page, runEnd, observer);
    page = runEnd;
  }
}

function unmapInTable(
  table: Stage2Table,
  id: number,
  level: number,
  startPage: number,
  endPage: number,
  observer: Stage2Observer,
): void {
  const { store } = table;
  const span = table.geometry.spanPages[level]!;
  const metas = store.meta(id);
  const begin = store.offset(id);
  const first = table.indexAt(startPage, level);
  const last = table.indexAt(endPage - 1, level);
  const base = table.alignDown(startPage, level) - first * span;
  for (let index = first; index <= last; index += 1) {
    const kind = metas[begin + index]! & KIND_MASK;
    if (kind === EntryKind.invalid) continue;
    const entryPage = base + index * span;
    const page = Math.max(startPage, entryPage);
    if (kind === EntryKind.leaf) {
      index = clearLeafRun(table, id, level, index, last, page, observer);
      continue;
    }
    const end = Math.min(endPage, entryPage + span);
    if (kind === EntryKind.unknown) {
      if (end - page === span) {
        observer.unknownCleared(page, level, span);
        store.set(id, index, EntryKind.invalid, 0);
        continue;
      }
      makeUnknownTable(table, id, index);
    }
    const child = store.low(id)[begin + index]!;
    unmapInTable(table, child, level + 1, page, end, observer);
    freeIfEmpty(table, id, index, child, page, level + 1, observer);
  }
}

/** Clears the run of leaves that begins at `index`; returns the index of its last leaf. */
function clearLeafRun(
  table: Stage2Table,
  id: number,
  level: number,
  index: number,
  last: number,
  page: number,
  observer: Stage2Observer,
): number {
  const { store } = table;
  const metas = store.meta(id);
  const begin = store.offset(id);
  const aligned = page === table.alignDown(page, level);
  let end = index;
  let cacheable = 0;
  while (end <= last && (metas[begin + end]! & KIND_MASK) === EntryKind.leaf) {
    if ((metas[begin + end]! & LeafFlag.uncached) === 0) cacheable += 1;
    store.set(id, end, EntryKind.invalid, 0);
    end += 1;
    // A leaf entered in its middle keeps the walk's own address, which is not one of the run's.
    if (!aligned) break;
  }
  observer.leavesCleared(page, level, end - index, cacheable);
  return end - 1;
}

/** What lies under a partly covered unknown entry: perhaps a table, with unknown entries. */
function makeUnknownTable(table: Stage2Table, id: number, index: number): void {
  const child = table.store.allocate(EntryKind.unknown);
  table.store.set(id, index, EntryKind.table | TABLE_MAYBE, child);
}

function freeIfEmpty(
  table: Stage2Table,
  id: number,
  index: number,
  child: number,
  page: number,
  childLevel: number,
  observer: Stage2Observer,
): void {
  const { store } = table;
  if (store.present(child) > 0) return;
  const meta = store.meta(id)[store.offset(id) + index]!;
  const existed = (meta & TABLE_MAYBE) === 0;
  if (store.uncertain(child) === 0) {
    observer.tableFreed(page, childLevel, existed);
    store.release(child);
    store.set(id, index, EntryKind.invalid, 0);
    return;
  }
  observer.tableFreed(page, childLevel, false);
  store.set(id, index, EntryKind.table | TABLE_MAYBE, child);
}
