import { type BlockInput, type CollapseInput, MAX_LISTED } from "../migration/inputs.ts";
import { EntryKind, KIND_MASK } from "../stage2/entry-store.ts";
import { LAST_LEVEL } from "../stage2/geometry.ts";
import type { Stage2Table } from "../stage2/table.ts";

interface Block {
  readonly page: number;
  readonly spanPages: number;
  readonly brokenNs: number;
  dirtiedPages: number;
  validLeaves: number;
  uncertainLeaves: number;
  collapsedNs: number | undefined;
}

/** Blocks that were broken while logging was on, and the collapses that put blocks back. */
export class BrokenBlocks {
  /** By first page and span; those that are broken now. A block may be broken again after a collapse. */
  readonly #open = new Map<number, Block>();
  readonly #listed: Block[] = [];
  readonly #spans = new Set<number>();
  readonly #collapses: CollapseInput[] = [];
  total = 0;
  collapsesTotal = 0;

  broken(page: number, spanPages: number, tsNs: number): void {
    const first = page - (page % spanPages);
    const block: Block = {
      page: first,
      spanPages,
      brokenNs: tsNs,
      dirtiedPages: 0,
      validLeaves: 0,
      uncertainLeaves: 0,
      collapsedNs: undefined,
    };
    this.total += 1;
    this.#open.set(first, block);
    this.#spans.add(spanPages);
    if (this.#listed.length < MAX_LISTED) this.#listed.push(block);
  }

  /** A page was dirtied for the first time. */
  dirtied(page: number): void {
    for (const span of this.#spans) {
      const block = this.#open.get(page - (page % span));
      if (block !== undefined && page < block.page + block.spanPages) block.dirtiedPages += 1;
    }
  }

  /** False where logging had not broken what collapsed. */
  collapsed(collapse: CollapseInput): boolean {
    this.collapsesTotal += 1;
    if (this.#collapses.length < MAX_LISTED) this.#collapses.push(collapse);
    const block = this.#open.get(collapse.page);
    if (block === undefined || block.spanPages !== collapse.spanPages) return false;
    block.collapsedNs = collapse.startNs;
    block.validLeaves = collapse.leaves;
    block.uncertainLeaves = collapse.uncertainLeaves;
    this.#open.delete(collapse.page);
    return true;
  }

  /** The last collapse's return was seen. */
  held(at: number, holdNs: number): void {
    const collapse = this.#collapses[at];
    if (collapse !== undefined) this.#collapses[at] = { ...collapse, holdNs };
  }

  /** Logging, the VM or the trace ended: counts what is mapped in the blocks that are still broken. */
  fill(table: Stage2Table): void {
    for (const block of this.#open.values()) {
      const { leaves, uncertain } = leavesIn(table, block.page, block.spanPages);
      block.validLeaves = leaves;
      block.uncertainLeaves = uncertain;
    }
  }

  /** Broken, and not collapsed since. */
  get left(): number {
    return this.#open.size;
  }

  blocks(): readonly BlockInput[] {
    return this.#listed;
  }

  collapses(): readonly CollapseInput[] {
    return this.#collapses;
  }
}

/** Leaves in a range of a table, and pages of which the trace does not show whether they are mapped. */
function leavesIn(
  table: Stage2Table,
  page: number,
  pages: number,
): { readonly leaves: number; readonly uncertain: number } {
  const { geometry, store } = table;
  let leaves = 0;
  let uncertain = 0;
  for (let at = page; at < page + pages; ) {
    const found = table.lookup(at);
    if (found.level < LAST_LEVEL) {
      const span = geometry.spanPages[found.level]!;
      if (found.kind === EntryKind.leaf) leaves += 1;
      else if (found.kind === EntryKind.unknown) uncertain += Math.min(span, page + pages - at);
      at += span - (at % span);
      continue;
    }
    const metas = store.meta(found.table);
    const begin = store.offset(found.table);
    for (let entry = begin; entry < begin + geometry.entriesPerTable; entry += 1) {
      const kind = metas[entry]! & KIND_MASK;
      if (kind === EntryKind.leaf) leaves += 1;
      else if (kind === EntryKind.unknown) uncertain += 1;
    }
    at += geometry.entriesPerTable - (at % geometry.entriesPerTable);
  }
  return { leaves, uncertain };
}
