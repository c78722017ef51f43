import { foldSums, type TimeBins } from "./time-bins.ts";

/** Most rows of a grid: parts of a VM's IPA space in which anything happened. */
export const HEAT_ROWS = 96;
/** Pages of a row at first; doubles where the VM uses more than HEAT_ROWS of them. */
const FIRST_PAGES = 512;
/** Sizes of mappings that are told apart, by level: 1, 2 and 3. */
export const LEVELS = 3;

/** Planes of numbers of a row: the mapped state by level, what changed, then two for each policy. */
const CHANGED = LEVELS;
const INVALIDATED = LEVELS + 1;

/** One part of the IPA space. */
export class HeatRow {
  /** Pages mapped now, by level less 1. */
  readonly mapped: Float64Array = new Float64Array(LEVELS);
  /** By plane and time bin. */
  readonly values: Float64Array;
  /** 1 where `values` has the mapped state at the end of a bin. */
  readonly isNoted: Uint8Array;

  constructor(bins: number, policies: number) {
    this.values = new Float64Array((INVALIDATED + 2 * policies) * bins);
    this.isNoted = new Uint8Array(bins);
  }

  get mappedPages(): number {
    return this.mapped[0]! + this.mapped[1]! + this.mapped[2]!;
  }
}

/**
 * What happened to one VM's translations, by IPA and time. IPA space is cut into parts of equal size; only
 * parts in which something happened have a row. Where there are too many, parts become twice as large.
 */
export class HeatGrid {
  readonly vm: number;
  readonly rows: Map<number, HeatRow> = new Map<number, HeatRow>();
  rowPages: number = FIRST_PAGES;
  /** Pages that changed or were mapped: how much there is to see. */
  activity = 0;
  readonly #bins: TimeBins;
  readonly #policies: number;

  constructor(vm: number, bins: TimeBins, policies: number) {
    this.vm = vm;
    this.#bins = bins;
    this.#policies = policies;
  }

  rowOf(part: number): HeatRow {
    let row = this.rows.get(part);
    if (row === undefined) {
      row = new HeatRow(this.#bins.count, this.#policies);
      this.rows.set(part, row);
    }
    return row;
  }

  /** Makes room for a range, so that `rowPages` stays as it is while it is worked on. */
  reserve(page: number, pages: number): void {
    for (;;) {
      const first = Math.floor(page / this.rowPages);
      const last = Math.floor((page + Math.max(1, pages) - 1) / this.rowPages);
      if (last - first < HEAT_ROWS) {
        let fresh = 0;
        for (let part = first; part <= last; part += 1) if (!this.rows.has(part)) fresh += 1;
        if (this.rows.size + fresh <= HEAT_ROWS) return;
      }
      this.#widen();
    }
  }

  /** `pages` of a row's pages came (or, negative, went), mapped at `level`. */
  addMapped(part: number, level: number, pages: number, bin: number): void {
    const row = this.rowOf(part);
    const at = level - 1;
    // State that the trace does not show may go without having come.
    row.mapped[at] = Math.min(this.rowPages, Math.max(0, row.mapped[at]! + pages));
    this.#note(row, bin);
  }

  addChanged(part: number, pages: number, bin: number): void {
    this.rowOf(part).values[CHANGED * this.#bins.count + bin]! += pages;
    this.activity += pages;
  }

  addInvalidated(row: HeatRow, policy: number, bin: number, pages: number, over: number): void {
    const { count } = this.#bins;
    const plane = INVALIDATED + 2 * policy;
    row.values[plane * count + bin]! += pages;
    row.values[(plane + 1) * count + bin]! += over;
  }

  /** The table is gone, or nothing is known of it any more. */
  unmapAll(bin: number): void {
    for (const row of this.rows.values()) {
      row.mapped.fill(0);
      this.#note(row, bin);
    }
  }

  fold(): void {
    const { count } = this.#bins;
    for (const row of this.rows.values()) {
      const planes = row.values.length / count;
      for (let plane = CHANGED; plane < planes; plane += 1) {
        foldSums(row.values, plane * count, count);
      }
      foldStates(row, count);
    }
  }

  /** Numbers of a row's bin: pages mapped at each level at its end, changed, and by policy. */
  cellsOf(row: HeatRow): HeatCells {
    const { count } = this.#bins;
    const plane = (n: number): Float64Array => row.values.subarray(n * count, (n + 1) * count);
    const policies = Array.from({ length: this.#policies }, (_, policy) => policy);
    return {
      mapped: statesOf(row, count),
      changed: plane(CHANGED),
      invalidated: policies.map((policy) => plane(INVALIDATED + 2 * policy)),
      over: policies.map((policy) => plane(INVALIDATED + 2 * policy + 1)),
    };
  }

  #note(row: HeatRow, bin: number): void {
    const { count } = this.#bins;
    row.isNoted[bin] = 1;
    for (let at = 0; at < LEVELS; at += 1) row.values[at * count + bin] = row.mapped[at]!;
  }

  #widen(): void {
    const old = [...this.rows];
    this.rows.clear();
    this.rowPages *= 2;
    for (const [part, row] of old) {
      const into = this.rows.get(Math.floor(part / 2));
      if (into === undefined) this.rows.set(Math.floor(part / 2), row);
      else merge(into, row, this.#bins.count);
    }
  }
}

export interface HeatCells {
  /** By level less 1. */
  readonly mapped: readonly Float64Array[];
  readonly changed: Float64Array;
  /** By policy: pages that were named, and those of them that had not changed. */
  readonly invalidated: readonly Float64Array[];
  readonly over: readonly Float64Array[];
}

/** The mapped state at the end of each bin, carried on where nothing changed. */
function statesOf(row: HeatRow, count: number): Float64Array[] {
  const states = Array.from({ length: LEVELS }, () => new Float64Array(count));
  for (const [at, state] of states.entries()) {
    let now = 0;
    for (let bin = 0; bin < count; bin += 1) {
      if (row.isNoted[bin] === 1) now = row.values[at * count + bin]!;
      state[bin] = now;
    }
  }
  return states;
}

function merge(into: HeatRow, from: HeatRow, count: number): void {
  const states = [statesOf(into, count), statesOf(from, count)];
  for (let i = CHANGED * count; i < into.values.length; i += 1) into.values[i]! += from.values[i]!;
  for (let at = 0; at < LEVELS; at += 1) {
    into.mapped[at]! += from.mapped[at]!;
    for (let bin = 0; bin < count; bin += 1) {
      into.values[at * count + bin] = states[0]![at]![bin]! + states[1]![at]![bin]!;
    }
  }
  for (let bin = 0; bin < count; bin += 1) into.isNoted[bin]! |= from.isNoted[bin]!;
}

/** Of two bins, the state at the end of the later. */
function foldStates(row: HeatRow, count: number): void {
  for (let bin = 0; bin < count / 2; bin += 1) {
    const later = row.isNoted[2 * bin + 1] === 1 ? 2 * bin + 1 : 2 * bin;
    for (let at = 0; at < LEVELS; at += 1) {
      row.values[at * count + bin] = row.values[at * count + later]!;
    }
    row.isNoted[bin] = row.isNoted[later]!;
  }
  row.isNoted.fill(0, count / 2);
  for (let at = 0; at < LEVELS; at += 1) {
    row.values.fill(0, at * count + count / 2, (at + 1) * count);
  }
}
