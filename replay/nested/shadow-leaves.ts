import { EntryKind, KIND_MASK, LeafFlag, physPageOf } from "../stage2/entry-store.ts";
import { LAST_LEVEL } from "../stage2/geometry.ts";
import type { Stage2Table } from "../stage2/table.ts";

/**
 * Leaves of a shadow table. KVM keeps the level of the guest's leaf in software bits 56:55 of the
 * descriptor (kvm_encode_nested_level: 1 to 3, 0 for none). In the model's entry it takes the bits of the
 * access flag and of `learned`, which shadow tables do not need.
 */
const TAG_SHIFT = 6;
const TAG_MASK = LeafFlag.young | LeafFlag.learned;

/** Leaf flags with the guest's level instead of the access flag. */
export function withTag(flags: number, tag: number): number {
  return (flags & ~TAG_MASK) | ((tag & 0b11) << TAG_SHIFT);
}

export function tagOf(meta: number): number {
  return (meta & TAG_MASK) >>> TAG_SHIFT;
}

/** Level of the guest's leaf in bits 56:55 of an enum kvm_pgtable_prot. */
export function tagOfProt(protHigh: number): number {
  return (protHigh >>> 23) & 0b11;
}

/** A leaf of a shadow table; pages are the host's. */
export interface ShadowLeaf {
  /** First page that it maps, an IPA of the nested guest. */
  page: number;
  lenPages: number;
  level: number;
  meta: number;
  physPage: number;
}

/** The leaf that covers a page, written to `into`; false where there is none. */
export function leafAt(table: Stage2Table, page: number, into: ShadowLeaf): boolean {
  if (!(page >= 0 && page < table.pages)) return false;
  const found = table.lookup(page);
  if (found.kind !== EntryKind.leaf) return false;
  into.page = table.alignDown(page, found.level);
  into.lenPages = table.geometry.spanPages[found.level]!;
  into.level = found.level;
  into.meta = found.meta;
  into.physPage = physPageOf(found.meta, found.low);
  return true;
}

export function emptyLeaf(): ShadowLeaf {
  return { page: 0, lenPages: 0, level: 0, meta: 0, physPage: 0 };
}

/** Visits the leaves that overlap [startPage, endPage); the object is reused from call to call. */
export function forEachLeaf(
  table: Stage2Table,
  startPage: number,
  endPage: number,
  visit: (leaf: ShadowLeaf) => void,
): void {
  const leaf = emptyLeaf();
  const last = Math.min(endPage, table.pages);
  for (let page = Math.max(0, startPage); page < last; ) {
    const runEnd = table.rootRunEnd(page, last);
    visitTable(table, table.rootTableFor(page), table.geometry.topLevel, page, runEnd, leaf, visit);
    page = runEnd;
  }
}

function visitTable(
  table: Stage2Table,
  id: number,
  level: number,
  startPage: number,
  endPage: number,
  leaf: ShadowLeaf,
  visit: (leaf: ShadowLeaf) => void,
): void {
  const { store, geometry } = table;
  const span = geometry.spanPages[level]!;
  const metas = store.meta(id);
  const lows = store.low(id);
  const begin = store.offset(id);
  const first = table.indexAt(startPage, level);
  const last = table.indexAt(endPage - 1, level);
  const base = table.alignDown(startPage, level) - first * span;
  for (let index = first; index <= last; index += 1) {
    const meta = metas[begin + index]!;
    const kind = meta & KIND_MASK;
    const page = base + index * span;
    if (kind === EntryKind.leaf) {
      leaf.page = page;
      leaf.lenPages = span;
      leaf.level = level;
      leaf.meta = meta;
      leaf.physPage = physPageOf(meta, lows[begin + index]!);
      visit(leaf);
    } else if (kind === EntryKind.table && level < LAST_LEVEL) {
      const from = Math.max(startPage, page);
      const to = Math.min(endPage, page + span);
      visitTable(table, lows[begin + index]!, level + 1, from, to, leaf, visit);
    }
  }
}
