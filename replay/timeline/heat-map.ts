import type { Stage2Context } from "../contexts/context.ts";
import type { RecordedCalls } from "../operations/recorded-calls.ts";
import { Certainty, type FlushQueue } from "../policies/flush-queue.ts";
import { EntryKind } from "../stage2/entry-store.ts";
import { LAST_LEVEL, type Geometry } from "../stage2/geometry.ts";
import type { Stage2Table } from "../stage2/table.ts";
import { Primitive } from "../tlbi/primitives.ts";
import type { ChangeObserver } from "../fan-out.ts";
import { BracketChanges } from "./bracket-changes.ts";
import { HEAT_ROWS, HeatGrid } from "./heat-grid.ts";
import type { TimeBins } from "./time-bins.ts";

/** VMs that have a grid at one time; what is known of further ones is counted, not drawn. */
const MOST_VMS = 8;

/**
 * Where in the VMs' IPA spaces translations were mapped, changed and invalidated, by time. Fed with the
 * facts of every walk; each bracket that is settled says which of the translations it named had not
 * changed: those were invalidated for nothing (stage-2 entries; combined entries of the VMID go at every
 * call of VM, IPA and RANGE).
 */
export class HeatMap implements ChangeObserver {
  /** VMs without a grid. */
  vmsLeftOut = 0;
  readonly #geometry: Geometry;
  readonly #bins: TimeBins;
  readonly #policies: number;
  readonly #grids = new Map<Stage2Context, HeatGrid>();
  readonly #finished: HeatGrid[] = [];
  readonly #leftOut = new Set<number>();
  readonly #open = new Map<number, BracketChanges>();
  readonly #changed = new Map<number, number>();
  readonly #kept = new Map<number, number>();
  readonly #named = new Map<number, number>();
  #grid: HeatGrid | undefined;
  #changes = new BracketChanges();
  #table: Stage2Table | undefined;
  #isKept = false;
  #bin = 0;

  constructor(geometry: Geometry, bins: TimeBins, policies: number) {
    this.#geometry = geometry;
    this.#bins = bins;
    this.#policies = policies;
    bins.onFold(() => {
      for (const grid of this.grids()) grid.fold();
    });
  }

  /** Of VMs that live and that are gone. */
  grids(): readonly HeatGrid[] {
    return [...this.#finished, ...this.#grids.values()];
  }

  at(tsNs: number): void {
    this.#bin = this.#bins.binOf(tsNs);
  }

  entered(pid: number, context: Stage2Context): void {
    this.#grid = this.#gridOf(context);
    this.#table = context.table;
    this.#isKept = false;
    let changes = this.#open.get(pid);
    if (changes === undefined) {
      changes = new BracketChanges();
      this.#open.set(pid, changes);
    }
    this.#changes = changes;
  }

  destroyed(context: Stage2Context): void {
    this.#grids.get(context)?.unmapAll(this.#bin);
  }

  /** Events are missing: what is mapped is not known any more. */
  forget(): void {
    for (const grid of this.#grids.values()) grid.unmapAll(this.#bin);
    for (const changes of this.#open.values()) changes.clear();
  }

  // ── facts of the walk ────────────────────────────────────────────────────────────────────────

  leafKept(): void {
    this.#isKept = true;
  }

  mapped(page: number, pages: number): void {
    if (!(pages > 0)) return;
    if (this.#isKept) {
      this.#isKept = false;
      return;
    }
    let level = LAST_LEVEL;
    while (level > this.#geometry.minBlockLevel && pages >= this.#geometry.spanPages[level - 1]!) {
      level -= 1;
    }
    this.#changes.add(page, pages, true);
    this.#addMapped(page, pages, level, 1);
  }

  leavesCleared(page: number, level: number, count: number): void {
    const span = this.#geometry.spanPages[level]!;
    const first = page - (page % span);
    this.#changes.add(first, count * span, false);
    this.#addMapped(first, count * span, level, -1);
  }

  blockBroken(page: number, level: number): void {
    this.leavesCleared(page, level, 1);
  }

  leafReplaced(page: number, level: number): void {
    this.leavesCleared(page, level, 1);
  }

  /** Told while the table is still there: its leaves are counted by their levels. */
  collapsed(page: number, level: number): void {
    const span = this.#geometry.spanPages[level]!;
    const first = page - (page % span);
    this.#changes.add(first, span, false);
    const table = this.#table;
    if (table === undefined) return;
    for (let at = first; at < first + span; ) {
      const found = table.lookup(at);
      const leafPages = this.#geometry.spanPages[found.level]!;
      if (found.kind === EntryKind.leaf) this.#addMapped(at, leafPages, found.level, -1);
      at += leafPages;
    }
  }

  blockSplit(page: number, level: number): void {
    const span = this.#geometry.spanPages[level]!;
    const first = page - (page % span);
    this.#changes.add(first, span, true);
    this.#addMapped(first, span, level, -1);
    const found = this.#table?.lookup(page);
    if (found?.kind === EntryKind.leaf) this.#addMapped(first, span, found.level, 1);
  }

  writeProtected(page: number, level: number, count: number): void {
    const span = this.#geometry.spanPages[level]!;
    this.#changes.add(page - (page % span), count * span, true);
  }

  relaxed(page: number, level: number): void {
    this.writeProtected(page, Math.max(level, this.#geometry.minBlockLevel), 1);
  }

  // What the trace does not show is neither mapped nor changed here.
  unknownCleared(): void {}
  leafUnclear(): void {}
  mappedOverUnknown(): void {}
  splitOverUnknown(): void {}
  unknownWriteProtected(): void {}

  // ── what a bracket invalidated ───────────────────────────────────────────────────────────────

  /** The bracket of a thread is settled; `recorded` is the last of the policies. */
  settled(
    pid: number,
    context: Stage2Context | undefined,
    queues: readonly FlushQueue[],
    recorded: RecordedCalls,
  ): void {
    const changes = this.#open.get(pid);
    const grid = context === undefined ? undefined : this.#gridOf(context);
    if (grid !== undefined) {
      this.#spread(grid, changes);
      for (let policy = 0; policy < this.#policies - 1; policy += 1) {
        this.#named.clear();
        this.#count(grid, policy, this.#nameQueue(grid, queues[policy]!, changes));
      }
      this.#named.clear();
      this.#count(grid, this.#policies - 1, this.#nameRecorded(grid, recorded, changes));
    }
    changes?.clear();
  }

  settledEmpty(pid: number): void {
    this.#open.get(pid)?.clear();
  }

  /** Changed pages by row. */
  #spread(grid: HeatGrid, changes: BracketChanges | undefined): void {
    this.#changed.clear();
    this.#kept.clear();
    if (changes === undefined) return;
    for (let i = 0; i < changes.length; i += 1) {
      grid.reserve(changes.page[i]!, changes.pages[i]!);
    }
    for (let i = 0; i < changes.length; i += 1) {
      const into = changes.isKept[i] === 1 ? this.#kept : this.#changed;
      addByRow(into, grid.rowPages, changes.page[i]!, changes.pages[i]!);
    }
    // What was replaced is in both lists: it changed once.
    for (const [part, pages] of this.#kept) {
      const gone = this.#changed.get(part) ?? 0;
      this.#changed.set(part, Math.max(gone, pages));
    }
    for (const [part, pages] of this.#changed) grid.addChanged(part, pages, this.#bin);
  }

  /** Pages that a policy's certain calls name, by row; true where they name the whole VM. */
  #nameQueue(
    grid: HeatGrid,
    queue: FlushQueue,
    changes: BracketChanges | undefined,
  ): boolean | undefined {
    let isAny = false;
    for (let run = 0; run < queue.length; run += 1) {
      if (queue.certainty[run] !== Certainty.certain) continue;
      isAny = true;
      if (!namesPages(queue.primitive[run]!)) return true;
      const stride = queue.stride[run]!;
      const pages = Math.max(queue.pages[run]!, stride * queue.count[run]!);
      // The first leaf may have been entered in its middle.
      const page = queue.page[run]! - (stride > 1 ? queue.page[run]! % stride : 0);
      this.#name(grid, page, pages, changes);
    }
    return isAny ? false : undefined;
  }

  #nameRecorded(
    grid: HeatGrid,
    recorded: RecordedCalls,
    changes: BracketChanges | undefined,
  ): boolean | undefined {
    for (let i = 0; i < recorded.length; i += 1) {
      if (!namesPages(recorded.primitive[i]!)) return true;
      this.#name(grid, recorded.page[i]!, recorded.pages[i]!, changes);
    }
    return recorded.length > 0 ? false : undefined;
  }

  /** A single page names the whole leaf that it lies in, where that leaf has changed. */
  #name(grid: HeatGrid, page: number, pages: number, changes: BracketChanges | undefined): void {
    const block = this.#geometry.spanPages[LAST_LEVEL - 1]!;
    if (pages === 1 && changes !== undefined) {
      for (let i = 0; i < changes.length; i += 1) {
        const isInside = page >= changes.page[i]! && page < changes.page[i]! + changes.pages[i]!;
        if (!isInside || changes.pages[i]! < block) continue;
        addByRow(this.#named, grid.rowPages, page - (page % block), block);
        return;
      }
    }
    if (pages <= HEAT_ROWS * grid.rowPages) {
      addByRow(this.#named, grid.rowPages, page, pages);
      return;
    }
    for (const part of grid.rows.keys()) {
      const first = Math.max(page, part * grid.rowPages);
      const end = Math.min(page + pages, (part + 1) * grid.rowPages);
      if (end > first) this.#named.set(part, (this.#named.get(part) ?? 0) + end - first);
    }
  }

  /** @param isWhole undefined: nothing is invalidated; true: the whole VM. */
  #count(grid: HeatGrid, policy: number, isWhole: boolean | undefined): void {
    if (isWhole === undefined) return;
    if (isWhole) {
      for (const [part, row] of grid.rows) {
        const changed = this.#changed.get(part) ?? 0;
        const over = Math.max(0, row.mappedPages - (this.#kept.get(part) ?? 0));
        if (over + changed > 0) grid.addInvalidated(row, policy, this.#bin, over + changed, over);
      }
      return;
    }
    for (const [part, pages] of this.#named) {
      const row = grid.rows.get(part);
      // Where nothing was ever mapped, no translation can be in a TLB.
      if (row === undefined) continue;
      const named = Math.min(pages, grid.rowPages);
      const changed = this.#changed.get(part) ?? 0;
      const mapped = Math.max(0, row.mappedPages - (this.#kept.get(part) ?? 0));
      const over = Math.max(0, Math.min(named - changed, mapped));
      const hit = Math.min(named, changed);
      if (over + hit > 0) grid.addInvalidated(row, policy, this.#bin, over + hit, over);
    }
  }

  #addMapped(page: number, pages: number, level: number, sign: 1 | -1): void {
    const grid = this.#grid;
    if (grid === undefined) return;
    grid.reserve(page, pages);
    const { rowPages } = grid;
    for (let at = page; at < page + pages; ) {
      const part = Math.floor(at / rowPages);
      const end = Math.min(page + pages, (part + 1) * rowPages);
      grid.addMapped(part, level, sign * (end - at), this.#bin);
      at = end;
    }
    if (sign > 0) grid.activity += pages;
  }

  #gridOf(context: Stage2Context): HeatGrid | undefined {
    const known = this.#grids.get(context);
    if (known !== undefined) return known;
    if (this.#grids.size >= MOST_VMS) this.#retire();
    if (this.#grids.size >= MOST_VMS) {
      this.#leftOut.add(context.id);
      this.vmsLeftOut = this.#leftOut.size;
      return undefined;
    }
    const grid = new HeatGrid(context.id, this.#bins, this.#policies);
    this.#grids.set(context, grid);
    return grid;
  }

  /** VMs that are gone make room; the busiest of them are kept to be drawn. */
  #retire(): void {
    for (const [context, grid] of this.#grids) {
      if (!context.isGone) continue;
      this.#grids.delete(context);
      this.#finished.push(grid);
    }
    this.#finished.sort((a, b) => b.activity - a.activity);
    for (const grid of this.#finished.splice(MOST_VMS)) {
      this.#leftOut.add(grid.vm);
    }
    this.vmsLeftOut = this.#leftOut.size;
  }
}

function namesPages(primitive: number): boolean {
  return (
    primitive === Primitive.IPA ||
    primitive === Primitive.IPA_LOCAL ||
    primitive === Primitive.RANGE
  );
}

function addByRow(into: Map<number, number>, rowPages: number, page: number, pages: number): void {
  for (let at = page; at < page + pages; ) {
    const part = Math.floor(at / rowPages);
    const end = Math.min(page + pages, (part + 1) * rowPages);
    into.set(part, (into.get(part) ?? 0) + end - at);
    at = end;
  }
}
