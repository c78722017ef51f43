import type { NestedResult, NestedRow } from "../replay/nested/nested-result.ts";
import { NESTED, NESTED_HINTS } from "./nested-schema.ts";
import { cellOf, type TableSchema } from "./schema.ts";
import { formatCount, formatTable, type TerminalOptions, visible } from "./terminal.ts";

/** `nested` of summary.json: shadow tables of nested guests. */
export interface NestedEntry {
  /** Level of the hypervisor that recorded the trace, and what tells it. */
  readonly level: string;
  readonly because: string;
  readonly contexts: number;
  readonly pa_bits: number;
  readonly pa_bits_origin: string;
  readonly rows: readonly NestedRow[];
  readonly hints: NestedResult["hints"];
  readonly verification: NestedVerification;
  readonly findings: readonly string[];
}

/** How KVM's own rules predict what the recorded kernel did to its shadow tables. */
export interface NestedVerification {
  readonly guest_tlbis: Readonly<Record<string, number>>;
  readonly contexts: Counts;
  readonly unmaps: Counts;
  readonly write_protects: Counts;
  readonly hints: Readonly<Record<string, number>>;
  readonly unreadable: number;
  readonly mismatches: readonly { readonly line: number; readonly detail: string }[];
}

interface Counts {
  readonly predicted: number;
  readonly recorded: number;
  readonly matched: number;
  readonly missed: number;
  readonly spurious: number;
  readonly unknown: number;
}

export function nestedEntry(result: NestedResult): NestedEntry {
  return {
    level: result.level.level,
    because: result.level.because,
    contexts: result.contexts,
    pa_bits: result.paBits,
    pa_bits_origin: result.paBitsOrigin,
    rows: result.rows,
    hints: result.hints,
    verification: nestedVerification(result),
    findings: result.findings,
  };
}

export function nestedVerification({ agreement }: NestedResult): NestedVerification {
  return {
    guest_tlbis: agreement.tlbiCounts(),
    contexts: { ...agreement.reached },
    unmaps: { ...agreement.unmaps },
    write_protects: { ...agreement.protects },
    hints: agreement.hintCounts(),
    unreadable: agreement.unreadable,
    mismatches: agreement.mismatches,
  };
}

/** What `analyze` prints of nested guests. */
export function formatNested(result: NestedResult, options: TerminalOptions): string {
  const { level, contexts, paBits, paBitsOrigin } = result;
  const space = `${contexts} shadow contexts of ${paBits} bits (${paBitsOrigin})`;
  return [
    `\nNested guests: recorded on ${level.level}, because ${visible(level.because)}; ${space}\n`,
    "Shadow leaves dropped and made again (a refault: an exit and a walk of the guest's stage 2)\n",
    formatRows(NESTED, result.rows, 2, options),
    "\nHow the size of a TLBI by IPA is found, and what a better search would gain\n",
    formatRows(NESTED_HINTS, result.hints, 1, options),
    ...result.findings.map((finding) => `finding: ${visible(finding)}\n`),
  ].join("");
}

const COUNT_HEADERS = [
  "predicted",
  "recorded",
  "matched",
  "missed",
  "spurious",
  "unknown",
] as const;

function rowOf(name: string, of: Counts): readonly string[] {
  return [name, ...COUNT_HEADERS.map((header) => formatCount(of[header]))];
}

function listOf(of: Readonly<Record<string, number>>): string {
  return Object.entries(of)
    .filter(([, n]) => n > 0)
    .map(([name, n]) => `${name} ${formatCount(n)}`)
    .join(", ");
}

/** What `verify` prints of nested guests. */
export function formatNestedVerification(result: NestedResult, options: TerminalOptions): string {
  const { guest_tlbis, contexts, unmaps, write_protects, hints, mismatches } =
    nestedVerification(result);
  return [
    `\nnested guests: recorded on ${result.level.level}, because ${visible(result.level.because)}\n`,
    `emulated TLBIs: ${listOf(guest_tlbis) || "none"}; sizes by IPA from: ${listOf(hints) || "none"}\n`,
    formatTable(
      [
        { header: "shadow tables", align: "left", key: true },
        ...COUNT_HEADERS.map((header) => ({ header, align: "right" as const })),
      ],
      [
        rowOf("contexts reached", contexts),
        rowOf("unmaps", unmaps),
        rowOf("write-protects", write_protects),
      ],
      options,
    ),
    ...mismatches.slice(0, 10).map(({ line, detail }) => `line ${line}: ${visible(detail)}\n`),
    ...result.findings.map((finding) => `finding: ${visible(finding)}\n`),
  ].join("");
}

function formatRows<Row>(
  schema: TableSchema<Row>,
  rows: readonly Row[],
  keys: number,
  options: TerminalOptions,
): string {
  const columns = schema.columns.map(({ name, type }, i) => ({
    header: name.replaceAll("_", " "),
    align: type === "utf8" ? ("left" as const) : ("right" as const),
    key: i < keys,
  }));
  const cells = rows.map((row) =>
    schema.columns.map((column) => {
      const cell = cellOf(row, column);
      return typeof cell === "number" ? formatCount(cell) : String(cell);
    }),
  );
  return formatTable(columns, cells, options);
}
