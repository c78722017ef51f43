import type { HeatTableRow } from "../../../replay/timeline/timeline-rows.ts";

/** A stretch of time in which a part of the IPA space looks the same. */
export interface HeatRun {
  readonly ipa: number;
  readonly start: number;
  readonly end: number;
  readonly look: string;
}

/** One layer of one VM, as a grid. */
interface Grid {
  /** First byte of each row, ascending. */
  readonly ipas: readonly number[];
  readonly binNs: number;
  readonly bins: number;
  /** By row and bin. */
  readonly looks: readonly (readonly (string | undefined)[])[];
}

/** Classes of numbers of pages: each eight times the one before. */
export const PAGE_CLASSES: readonly string[] = [
  "1+",
  "8+",
  "64+",
  "512+",
  "4,096+",
  "32,768+ pages",
];

export function pageClass(pages: number): string {
  const at = Math.floor(Math.log2(pages) / 3);
  return PAGE_CLASSES[Math.min(PAGE_CLASSES.length - 1, Math.max(0, at))]!;
}

/** Most runs of a drawing; where there are more, neighbouring bins become one. */
const MOST_RUNS = 1400;

/**
 * The runs of a layer: `combine` makes one number of two neighbouring bins, `lookOf` a colour class of the
 * numbers of a cell (one for each layer asked for).
 */
export function heatRuns(
  rows: readonly HeatTableRow[],
  layers: readonly string[],
  combine: (earlier: number, later: number) => number,
  lookOf: (pages: readonly number[]) => string | undefined,
): { readonly runs: readonly HeatRun[]; readonly ipas: readonly number[] } {
  const ipas = [...new Set(rows.map((row) => row.ipa_start_bytes))].sort((a, b) => a - b);
  const binNs = rows[0]?.bin_ns ?? 1;
  const bins = rows.reduce((most, row) => Math.max(most, row.start_ns / binNs + 1), 1);
  const at = new Map(ipas.map((ipa, i) => [ipa, i]));
  let planes = layers.map(() => ipas.map(() => new Float64Array(bins)));
  for (const row of rows) {
    const layer = layers.indexOf(row.layer);
    if (layer < 0) continue;
    planes[layer]![at.get(row.ipa_start_bytes)!]![row.start_ns / binNs]! += row.pages;
  }
  let width = binNs;
  for (;;) {
    const count = planes[0]?.[0]?.length ?? 0;
    const looks = ipas.map((_, r) =>
      Array.from({ length: count }, (__, bin) => lookOf(planes.map((plane) => plane[r]![bin]!))),
    );
    const runs = runsOf({ ipas, binNs: width, bins: count, looks });
    if (runs.length <= MOST_RUNS || count < 16) return { runs, ipas };
    planes = planes.map((plane) => plane.map((row) => halved(row, combine)));
    width *= 2;
  }
}

function halved(
  row: Float64Array,
  combine: (earlier: number, later: number) => number,
): Float64Array<ArrayBuffer> {
  const half = new Float64Array(Math.ceil(row.length / 2));
  for (let i = 0; i < half.length; i += 1)
    half[i] = combine(row[2 * i]!, row[2 * i + 1] ?? row[2 * i]!);
  return half;
}

function runsOf({ ipas, binNs, bins, looks }: Grid): HeatRun[] {
  const runs: HeatRun[] = [];
  for (const [r, ipa] of ipas.entries()) {
    const row = looks[r]!;
    for (let bin = 0; bin < bins; ) {
      let end = bin + 1;
      while (end < bins && row[end] === row[bin]) end += 1;
      const look = row[bin];
      if (look !== undefined) {
        runs.push({ ipa, start: (bin * binNs) / 1e9, end: (end * binNs) / 1e9, look });
      }
      bin = end;
    }
  }
  return runs;
}
