import { PATHS, type PathName } from "../paths.ts";
import { PRIMITIVES, type PrimitiveName } from "../tlbi/primitives.ts";
import { foldSums, type TimeBins } from "./time-bins.ts";

/** One row per policy, path, primitive and time bin in which calls were issued. */
export interface TimelineRow {
  readonly policy: string;
  readonly path: PathName;
  readonly primitive: PrimitiveName;
  /** Since the trace's first event. */
  readonly start_ns: number;
  readonly bin_ns: number;
  readonly calls: number;
  readonly tlbi: number;
  readonly dsb: number;
  readonly unknown_calls: number;
}

/** Planes of a cell: four numbers a bin. */
const CALLS = 0;
const TLBI = 1;
const DSB = 2;
const UNKNOWN = 3;
const PLANES = 4;

/** Calls by policy, path, primitive and time. Memory: 64 KiB for each combination that occurs. */
export class FlushDensity {
  readonly #bins: TimeBins;
  readonly #cells: (Float64Array | undefined)[];

  /** @param policies how many, with `recorded` as the last of them. */
  constructor(bins: TimeBins, policies: number) {
    this.#bins = bins;
    this.#cells = Array.from({ length: policies * PATHS.length * PRIMITIVES.length });
    bins.onFold(() => this.#fold());
  }

  add(
    policy: number,
    path: number,
    primitive: number,
    bin: number,
    calls: number,
    tlbi: number,
    dsb: number,
  ): void {
    const cell = this.#cell(policy, path, primitive);
    const { count } = this.#bins;
    cell[CALLS * count + bin]! += calls;
    cell[TLBI * count + bin]! += tlbi;
    cell[DSB * count + bin]! += dsb;
  }

  addUnknown(policy: number, path: number, primitive: number, bin: number, calls: number): void {
    this.#cell(policy, path, primitive)[UNKNOWN * this.#bins.count + bin]! += calls;
  }

  /** In the order of policies, paths, primitives and time. */
  rows(policies: readonly string[]): TimelineRow[] {
    const rows: TimelineRow[] = [];
    const { count, widthNs } = this.#bins;
    for (const [at, cell] of this.#cells.entries()) {
      if (cell === undefined) continue;
      const policy = policies[Math.floor(at / (PATHS.length * PRIMITIVES.length))]!;
      const path = PATHS[Math.floor(at / PRIMITIVES.length) % PATHS.length]!;
      const primitive = PRIMITIVES[at % PRIMITIVES.length]!;
      for (let bin = 0; bin < count; bin += 1) {
        const calls = cell[CALLS * count + bin]!;
        const unknown = cell[UNKNOWN * count + bin]!;
        if (calls === 0 && unknown === 0) continue;
        rows.push({
          policy,
          path,
          primitive,
          start_ns: bin * widthNs,
          bin_ns: widthNs,
          calls,
          tlbi: cell[TLBI * count + bin]!,
          dsb: cell[DSB * count + bin]!,
          unknown_calls: unknown,
        });
      }
    }
    return rows;
  }

  #cell(policy: number, path: number, primitive: number): Float64Array {
    const at = (policy * PATHS.length + path) * PRIMITIVES.length + primitive;
    const cell = this.#cells[at] ?? new Float64Array(PLANES * this.#bins.count);
    this.#cells[at] = cell;
    return cell;
  }

  #fold(): void {
    const { count } = this.#bins;
    for (const cell of this.#cells) {
      if (cell === undefined) continue;
      for (let plane = 0; plane < PLANES; plane += 1) foldSums(cell, plane * count, count);
    }
  }
}
