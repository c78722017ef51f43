import type { FlushRow, InstructionRow } from "../replay/results.ts";
import type { RefillRow } from "../replay/tlb/refills/refill-result.ts";
import type { Column, TableSchema } from "./schema.ts";
import type { ToolIdentity } from "./tool.ts";

/** Rows for the tests of this room. */

export const TOOL: ToolIdentity = { name: "tlbi-replay", version: "1.2.3" };

export const FLUSH_ROWS: readonly FlushRow[] = [
  row("range-6.9", "unmap", "RANGE", [12, 40, 36, 98_304, 0]),
  row("range-6.9", "collapse", "IPA", [7, 14, 21, 3584, 2]),
  row("legacy-5.8", "unmap", "IPA", [98_304, 196_608, 294_912, 98_304, 0]),
  row("legacy-5.8", "teardown", "VM", [1, 1, 2, null, 0]),
  row("recorded", "unmap", "RANGE", [12, 40, 36, 98_304, 0]),
  row("recorded", "collapse", "IPA", [8, 16, 24, 4096, 0]),
];

export const INSTRUCTION_ROWS: readonly InstructionRow[] = [
  { policy: "range-6.9", instruction: "ipas2e1is", count: 7 },
  { policy: "range-6.9", instruction: "ripas2e1is", count: 28 },
];

export const REFILL_ROWS: readonly RefillRow[] = [
  {
    policy: "range-6.9",
    tlb: "neoverse-n1",
    stream: "generated",
    combined_refills: 6616,
    stage2_refills: 70.5,
    walk_references: -12,
    stale_hits: 0,
    hypothesis: "combined",
    path: "unmap",
    refills_seed_min: 6405,
    refills_seed_max: 6817,
    refills_low: 3823,
    refills_high: 8651,
    seeds: 9,
    visits: 83_274,
    episodes: 123,
    episodes_simulated: 71,
  },
];

function row(
  policy: string,
  path: FlushRow["path"],
  primitive: FlushRow["primitive"],
  numbers: readonly [number, number, number, number | null, number],
): FlushRow {
  const [calls, tlbi, dsb, pages, unknown_calls] = numbers;
  return { policy, path, primitive, calls, tlbi, dsb, pages, unknown_calls };
}

/** A table with a column of every type, nullable and not. */
export interface OddRow {
  readonly text: string;
  readonly note: string | null;
  readonly count: number | bigint;
  readonly ratio: number | null;
}

export const ODD: TableSchema<OddRow> = {
  name: "odd",
  order: "as given",
  columns: [
    oddColumn("text", "utf8", false),
    oddColumn("note", "utf8", true),
    oddColumn("count", "int64", false),
    oddColumn("ratio", "float64", true),
  ],
};

function oddColumn(
  name: keyof OddRow,
  type: Column<OddRow>["type"],
  nullable: boolean,
): Column<OddRow> {
  return { name, type, nullable, unit: "", meaning: "For tests." };
}

export const ODD_ROWS: readonly OddRow[] = [
  { text: "plain", note: null, count: 0, ratio: null },
  { text: 'quote " comma , end', note: "", count: -1, ratio: -0.5 },
  { text: "two\nlines\r\nand a tab\t", note: "é ≤ 日本 🐧", count: 2 ** 53 - 1, ratio: 1e-9 },
  { text: "", note: "x", count: 2n ** 63n - 1n, ratio: 1e300 },
  { text: "cr\rinside", note: " spaces ", count: -(2n ** 63n), ratio: 0.1 },
];
