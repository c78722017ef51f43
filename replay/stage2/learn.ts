import { EntryKind, KIND_MASK, LeafFlag, leafMeta, TABLE_MAYBE } from "./entry-store.ts";
import { LAST_LEVEL } from "./geometry.ts";
import type { Stage2Table } from "./table.ts";

/**
 * What a trace reveals about a table whose history began before it. A guest fault's syndrome says at
 * which level the hardware's walk ended (Arm ARM, ESR_EL2.ISS.FSC): a translation fault at level n
 * proves tables down to level n and an invalid entry there; a permission or access-flag fault proves a
 * valid leaf of that level. Only what is unknown, or a table that may not exist, is changed.
 */

/** Returns true where something unknown became known. */
export function learnInvalidEntry(table: Stage2Table, page: number, level: number): boolean {
  return learnEntry(table, page, level, EntryKind.invalid, 0);
}

/** A valid leaf of `level` covers the page; its output address stays unknown (taken as 0). */
export function learnLeaf(table: Stage2Table, page: number, level: number): boolean {
  return learnEntry(
    table,
    page,
    level,
    leafMeta(LeafFlag.read | LeafFlag.young | LeafFlag.learned, 0),
    0,
  );
}

function learnEntry(
  table: Stage2Table,
  page: number,
  level: number,
  meta: number,
  low: number,
): boolean {
  const { store } = table;
  let id = table.rootTableFor(page);
  for (let at = table.geometry.topLevel; at < level && at < LAST_LEVEL; at += 1) {
    const index = table.indexAt(page, at);
    const kind = store.meta(id)[store.offset(id) + index]! & KIND_MASK;
    if (kind === EntryKind.leaf || kind === EntryKind.invalid) return false;
    id = table.descendCertain(id, index);
  }
  const index = table.indexAt(page, level);
  const known = store.meta(id)[store.offset(id) + index]!;
  const kind = known & KIND_MASK;
  if (kind === EntryKind.table && (known & TABLE_MAYBE) !== 0) {
    // Perhaps a table: the fault shows that there is none.
    table.releaseSubtree(store.low(id)[store.offset(id) + index]!, level + 1);
  } else if (kind !== EntryKind.unknown) return false;
  store.set(id, index, meta, low);
  return true;
}
