import { EntryKind, KIND_MASK, LeafFlag, PERMISSION_MASK } from "./entry-store.ts";
import { LAST_LEVEL } from "./geometry.ts";
import type { Stage2Observer } from "./observer.ts";
import type { Stage2Table } from "./table.ts";

/**
 * Takes the write permission from every valid leaf in [startPage, endPage), blocks as a whole:
 * `kvm_pgtable_stage2_wrprotect`, which issues no TLBI; the flush is its caller's.
 */
export function writeProtect(
  table: Stage2Table,
  startPage: number,
  endPage: number,
  observer: Stage2Observer,
): void {
  visitLeafRuns(table, startPage, endPage, LeafFlag.write, (page, level, count) => {
    if (level < 0) observer.unknownWriteProtected(page, count);
    else observer.writeProtected(page, level, count);
  });
}

/** Clears the access flag in a range: `kvm_pgtable_stage2_test_clear_young` with mkold, `_mkold`. */
export function clearYoung(table: Stage2Table, startPage: number, endPage: number): void {
  visitLeafRuns(table, startPage, endPage, LeafFlag.young, () => undefined);
}

/** Sets the access flag of the leaf that covers a page: `kvm_pgtable_stage2_mkyoung`. */
export function setYoung(table: Stage2Table, page: number): void {
  addFlags(table, page, LeafFlag.young);
}

/**
 * Adds permissions to the leaf that covers a page: `kvm_pgtable_stage2_relax_perms`.
 * Returns the leaf's level; -1 where nothing is mapped; -2 where the trace does not show what is.
 */
export function relaxPermissions(table: Stage2Table, page: number, flags: number): number {
  return addFlags(table, page, flags & PERMISSION_MASK);
}

/** Gives the leaf that covers a page exactly these permissions: what a map call of 5.10 does to its own leaf. */
export function setPermissions(table: Stage2Table, page: number, flags: number): void {
  const found = table.lookup(page);
  if (found.kind !== EntryKind.leaf) return;
  const meta = (found.meta & ~PERMISSION_MASK) | (flags & PERMISSION_MASK);
  table.store.meta(found.table)[table.store.offset(found.table) + found.index] = meta;
}

function addFlags(table: Stage2Table, page: number, flags: number): number {
  const found = table.lookup(page);
  if (found.kind === EntryKind.unknown) return -2;
  if (found.kind !== EntryKind.leaf) return -1;
  table.store.meta(found.table)[table.store.offset(found.table) + found.index] = found.meta | flags;
  return found.level;
}

/**
 * Visits leaves that have `flag`, clears it, and reports runs of equal level inside one table; parts
 * of unknown contents are reported with level -1 and a count of pages.
 */
function visitLeafRuns(
  table: Stage2Table,
  startPage: number,
  endPage: number,
  flag: number,
  report: (page: number, level: number, count: number) => void,
): void {
  for (let page = startPage; page < endPage; ) {
    const runEnd = table.rootRunEnd(page, endPage);
    visitInTable(
      table,
      table.rootTableFor(page),
      table.geometry.topLevel,
      page,
      runEnd,
      flag,
      report,
    );
    page = runEnd;
  }
}

function visitInTable(
  table: Stage2Table,
  id: number,
  level: number,
  startPage: number,
  endPage: number,
  flag: number,
  report: (page: number, level: number, count: number) => void,
): void {
  const { store } = table;
  const span = table.geometry.spanPages[level]!;
  const metas = store.meta(id);
  const begin = store.offset(id);
  const first = table.indexAt(startPage, level);
  const last = table.indexAt(endPage - 1, level);
  const base = table.alignDown(startPage, level) - first * span;
  let run = 0;
  for (let index = first; index <= last; index += 1) {
    const meta = metas[begin + index]!;
    const kind = meta & KIND_MASK;
    if (kind === EntryKind.leaf && (meta & flag) !== 0) {
      metas[begin + index] = meta & ~flag;
      run += 1;
      continue;
    }
    if (run > 0) report(base + (index - run) * span, level, run);
    run = 0;
    const entryPage = base + index * span;
    const page = Math.max(startPage, entryPage);
    const end = Math.min(endPage, entryPage + span);
    if (kind === EntryKind.unknown) report(page, -1, end - page);
    if (kind === EntryKind.table && level < LAST_LEVEL) {
      visitInTable(table, store.low(id)[begin + index]!, level + 1, page, end, flag, report);
    }
  }
  if (run > 0) report(base + (last + 1 - run) * span, level, run);
}
