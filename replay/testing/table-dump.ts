import { EntryKind, KIND_MASK, physPageOf } from "../stage2/entry-store.ts";
import { LAST_LEVEL } from "../stage2/geometry.ts";
import type { Stage2Table } from "../stage2/table.ts";

/** Leaves as `level/page → output page, flags`, and tables as `level/page` of the entry that holds them. */
export interface TableDump {
  readonly leaves: readonly string[];
  readonly tables: readonly string[];
}

/** Everything in the table at and above the entries of [startPage, endPage), in no particular order. */
export function dumpTable(table: Stage2Table, startPage: number, endPage: number): TableDump {
  const dump = { leaves: [] as string[], tables: [] as string[] };
  const { rootRunPages } = table;
  for (let run = Math.floor(startPage / rootRunPages); run * rootRunPages < endPage; run += 1) {
    const page = run * rootRunPages;
    dumpUnder(table, table.rootTableFor(page), table.geometry.topLevel, page, dump);
  }
  return { leaves: dump.leaves.sort(), tables: dump.tables.sort() };
}

function dumpUnder(
  table: Stage2Table,
  id: number,
  level: number,
  base: number,
  into: { leaves: string[]; tables: string[] },
): void {
  const { store } = table;
  for (let index = 0; index < store.entriesPerTable; index += 1) {
    const at = store.offset(id) + index;
    const meta = store.meta(id)[at] ?? 0;
    const low = store.low(id)[at] ?? 0;
    const page = base + index * (table.geometry.spanPages[level] ?? Number.NaN);
    if ((meta & KIND_MASK) === EntryKind.leaf) {
      into.leaves.push(`${level}/${page} → ${physPageOf(meta, low)}, ${meta & 0xfc}`);
    } else if ((meta & KIND_MASK) === EntryKind.table && level < LAST_LEVEL) {
      into.tables.push(`${level}/${page}`);
      dumpUnder(table, low, level + 1, page, into);
    }
  }
}
