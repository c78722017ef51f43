import { LAST_LEVEL } from "../stage2/geometry.ts";
import { KINDS, May, OPEN, Open } from "./bound-store.ts";
import type { BoundTable } from "./bound-table.ts";
import type { OpenQuestions } from "./open-questions.ts";

/** Whether the memslot's dirty logging is on while a fault is answered. */
export type Logging = "on" | "off" | "unknown";

/** One answered fault on one VM's table. */
export interface FaultOnTable {
  readonly table: BoundTable;
  readonly page: number;
  /** Level at which the hardware's walk ended; 0…3. */
  readonly level: number;
  /** Level of the largest block that may be mapped at the page; 3: only pages. */
  readonly blockLevel: number;
  /** The fault is this VM's, was answered, and nothing ran beside it. Otherwise nothing is ruled out. */
  readonly isCertain: boolean;
  /** Tells what the fault answers about earlier ones, and what it may itself have issued. */
  readonly questions: OpenQuestions;
}

/**
 * A translation fault proves tables down to its level and an invalid entry there; then a page or a block
 * is mapped. Returns false where the model had something valid in its place.
 */
export function translationFault(fault: FaultOnTable): boolean {
  const { table, page, level, blockLevel, isCertain, questions } = fault;
  const { store } = table;
  const walk = proveWalk(fault);
  const index = table.indexAt(page, level);
  const at = store.offset(walk.id) + index;
  const kinds = store.kinds(walk.id)[at]!;
  questions.leave(kinds & OPEN, page, level, table, store.child(walk.id)[at]!);
  store.kinds(walk.id)[at] = kinds & KINDS;
  const expected = walk.expected && (kinds & May.invalid) !== 0;
  if (isCertain) table.clearEntry(walk.id, index, level, May.invalid);
  mapDown(table, walk.id, page, level, blockLevel, isCertain);
  if (blockLevel < level) openOrLeave(fault, Open.collapse);
  return expected;
}

/**
 * A permission or access flag fault proves a valid leaf of its level. Returns false where the model had
 * none there.
 */
export function leafFault(fault: FaultOnTable): boolean {
  const { table, page, level, isCertain, questions } = fault;
  const { store } = table;
  const walk = proveWalk(fault);
  const index = table.indexAt(page, level);
  const at = store.offset(walk.id) + index;
  const kinds = store.kinds(walk.id)[at]!;
  const open = kinds & OPEN;
  const child = store.child(walk.id)[at]!;
  if (isCertain) {
    questions.wasBlock(open, page, level, table, child);
    table.clearEntry(walk.id, index, level, May.leaf);
  } else {
    questions.leave(open, page, level, table, child);
    store.kinds(walk.id)[at] = (kinds & KINDS) | May.leaf;
  }
  return walk.expected && (kinds & May.leaf) !== 0;
}

/** What a permission fault, after `leafFault`, may have done to a page's leaf; `isSure`: it was answered. */
export function openRelaxBelow(fault: FaultOnTable): void {
  openOrLeave(fault, Open.relaxBelow);
}

/** The block at the fault's level was broken and the faulting page mapped. */
export function breakBlock(fault: FaultOnTable): void {
  const { table, page, level, isCertain } = fault;
  const id = entryTable(table, page, level);
  if (isCertain) table.clearEntry(id, table.indexAt(page, level), level, May.invalid);
  mapDown(table, id, page, level, LAST_LEVEL, isCertain);
}

/** The block at the fault's level was relaxed, or broken and the faulting page mapped. */
export function openRelaxBlock(fault: FaultOnTable): void {
  const { table, page, level, isCertain, questions } = fault;
  const id = entryTable(table, page, level);
  const at = table.store.offset(id) + table.indexAt(page, level);
  mapDown(table, id, page, level, LAST_LEVEL, false);
  if (isCertain) table.store.kinds(id)[at] = May.leaf | May.table | Open.relaxBlock;
  else questions.leave(Open.relaxBlock, page, level, table, table.store.child(id)[at]!);
}

/** The entry of the block level may have become a block by this fault. */
function openOrLeave(fault: FaultOnTable, open: number): void {
  const { table, page, blockLevel, isCertain, questions } = fault;
  const id = entryTable(table, page, blockLevel);
  const at = table.store.offset(id) + table.indexAt(page, blockLevel);
  const kinds = table.store.kinds(id)[at]!;
  if (isCertain) {
    // One question at a time: an older one that is open still stays without an answer.
    questions.leave(kinds & OPEN, page, blockLevel, table, table.store.child(id)[at]!);
    table.store.kinds(id)[at] = (kinds & KINDS) | May.leaf | open;
    return;
  }
  questions.leave(open, page, blockLevel, table, table.store.child(id)[at]!);
  table.store.kinds(id)[at] = kinds | May.leaf;
}

interface Walk {
  /** Table that holds the entry at which the walk ended. */
  id: number;
  /** False: the model had no table somewhere above it. */
  expected: boolean;
}

const walked: Walk = { id: 0, expected: true };

/** Makes the entries above the fault's level tables, as far as the fault proves it. The result is reused. */
function proveWalk({ table, page, level, isCertain, questions }: FaultOnTable): Walk {
  const { store } = table;
  walked.expected = true;
  walked.id = table.rootFor(page);
  for (let above = table.geometry.topLevel; above < level; above += 1) {
    const { id } = walked;
    const index = table.indexAt(page, above);
    const at = store.offset(id) + index;
    const kinds = store.kinds(id)[at]!;
    const open = kinds & OPEN;
    if (isCertain) questions.wasTable(open, page, above);
    else questions.leave(open, page, above, table, store.child(id)[at]!);
    if ((kinds & May.table) === 0) {
      // Above the level at which the hardware starts there is no entry to be wrong about.
      if (above >= table.rootLevel) walked.expected = false;
      // A block that became a table unseen may hold anything; where nothing was, nothing else is.
      const isEmpty = (kinds & May.leaf) === 0;
      store.child(id)[at] = isEmpty ? store.allocate(May.invalid) : 0;
    }
    store.kinds(id)[at] = isCertain ? May.table : (kinds & KINDS) | May.table;
    walked.id = table.childOf(id, index, above);
  }
  return walked;
}

function entryTable(table: BoundTable, page: number, level: number): number {
  let id = table.rootFor(page);
  for (let above = table.geometry.topLevel; above < level; above += 1) {
    id = table.childOf(id, table.indexAt(page, above), above);
  }
  return id;
}

/**
 * Maps the page below an entry: tables down to the last level and a leaf there, or, at `blockLevel`, a
 * block instead. Not certain: it is added to what each entry may be.
 */
function mapDown(
  table: BoundTable,
  entryTableId: number,
  page: number,
  level: number,
  blockLevel: number,
  isCertain: boolean,
): void {
  const { store } = table;
  let id = entryTableId;
  let certain = isCertain;
  for (let below = level; below < LAST_LEVEL; below += 1) {
    const index = table.indexAt(page, below);
    const at = store.offset(id) + index;
    const kinds = store.kinds(id)[at]!;
    const isFresh = (kinds & May.table) === 0;
    if (isFresh) store.child(id)[at] = store.allocate(May.invalid);
    const added = below === blockLevel ? May.table | May.leaf : May.table;
    const stays = certain ? kinds & ~May.invalid : kinds;
    store.kinds(id)[at] = stays | added;
    id = table.childOf(id, index, below);
    // In a table that only this fault can have made, its page is certain: if it is a table.
    certain = certain || isFresh;
  }
  const at = store.offset(id) + table.indexAt(page, LAST_LEVEL);
  store.kinds(id)[at] = certain ? May.leaf : store.kinds(id)[at]! | May.leaf;
}
