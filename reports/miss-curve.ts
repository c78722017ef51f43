import type { MissCurveRow } from "../replay/tlb/miss-curve.ts";
import { formatCount, formatTable, type TableColumn, type TerminalOptions } from "./terminal.ts";

/** `miss_curve` of summary.json: where the whole table is, and its powers of two. */
export interface MissCurveEntry {
  /** Stem of the files of `--out`. */
  readonly table: string;
  readonly rows: number;
  readonly meaning: string;
  readonly powers_of_two: readonly MissCurveRow[];
}

export const MISS_CURVE_MEANING =
  "combined entries of one page or block each, LRU, one level, on the first seed's visits, each counted as often as its episode weighs; under `minimum` as under `combined`; under `over-invalidating` a flush of one VM empties the array";

export function missCurveEntry(rows: readonly MissCurveRow[]): MissCurveEntry {
  return {
    table: "miss_curve",
    rows: rows.length,
    meaning: MISS_CURVE_MEANING,
    powers_of_two: rows.filter(({ sets, entries }) => sets === 1 && isPowerOfTwo(entries)),
  };
}

/** Sizes in the terminal; smaller and odd ones are in the table. */
const SHOWN = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

/** Misses without the policies' flushes, then each policy's refills, at sizes of powers of two. */
export function formatMissCurve(rows: readonly MissCurveRow[], options: TerminalOptions): string {
  const shown = rows.filter(
    ({ sets, hypothesis, entries }) =>
      sets === 1 && hypothesis === "combined" && SHOWN.includes(entries),
  );
  const policies = [...new Set(shown.map(({ policy }) => policy))];
  const [first] = policies;
  if (first === undefined) return "";
  const at = (policy: string, cell: (row: MissCurveRow) => number): string[] =>
    shown.filter((row) => row.policy === policy).map((row) => formatCount(cell(row)));
  const columns: readonly TableColumn[] = [
    { header: "entries", align: "left", key: true },
    ...SHOWN.map((entries) => ({ header: String(entries), align: "right" as const })),
  ];
  const cells = [
    ["misses without", ...at(first, ({ misses, refills, avoided }) => misses - refills + avoided)],
    ...policies.map((policy) => [policy, ...at(policy, ({ refills }) => refills)]),
  ];
  return [
    `\nRefills against TLB size, of ${formatCount(shown[0]!.accesses)} weighted visits: fully associative LRU, one page or block an entry, combined entries, first seed\n`,
    formatTable(columns, cells, options),
  ].join("");
}

function isPowerOfTwo(value: number): boolean {
  return (value & (value - 1)) === 0;
}
