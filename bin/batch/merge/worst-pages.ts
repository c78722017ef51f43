import * as v from "valibot";
import { type ResultDocument, rowsOf } from "../../../reports/batch/result-document.ts";
import type { Rollup, WorstEntry } from "../../../reports/batch/rollup.ts";
import type { OutputFile } from "../../../reports/output-set.ts";
import type { ResultTables } from "../../../reports/result-set.ts";
import { SUMMARY_SCHEMA } from "../../../reports/summary-schema.ts";
import type { BatchItem } from "../manifest.ts";
import type { ResultStore } from "../store/result-store.ts";
import { readResults } from "./read-results.ts";

/** Of so many of the worst traces a page is made. */
const MOST_PAGES = 20;

/** Names that pages of an earlier merge may have. */
export const WORST_PAGES: readonly string[] = Array.from({ length: MOST_PAGES }, (_, i) =>
  pageName(i + 1),
);

export interface WithPages {
  /** The roll-up with the names of the pages. */
  readonly rollup: Rollup;
  readonly files: readonly OutputFile[];
}

/** The pages of the worst traces, made of their stored results. */
export async function worstPages(
  rollup: Rollup,
  items: readonly BatchItem[],
  stores: readonly ResultStore[],
): Promise<WithPages> {
  const wanted = new Map(rollup.worst.slice(0, MOST_PAGES).map((entry) => [entry.key, entry]));
  const files = new Map<string, OutputFile>();
  const chosen = items.filter(({ key }) => wanted.has(key));
  for await (const { item, outcome } of readResults(chosen, stores)) {
    const entry = wanted.get(item.key);
    if (entry === undefined || !("summary" in outcome)) continue;
    const page = await pageOf(outcome, entry);
    if (page !== undefined) files.set(item.key, { name: pageName(entry.rank), bytes: page });
  }
  const worst = rollup.worst.map((entry) => ({
    ...entry,
    report: files.get(entry.key)?.name ?? entry.report,
  }));
  return { rollup: { ...rollup, worst }, files: [...files.values()] };
}

function pageName(rank: number): string {
  return `worst-${String(rank).padStart(2, "0")}.html`;
}

/** Undefined where the stored summary is not one: a store may hold anything. */
async function pageOf(
  { summary, tables }: ResultDocument,
  { trace }: WorstEntry,
): Promise<string | undefined> {
  if (!v.is(SUMMARY_SCHEMA, summary)) return undefined;
  const { resultPage } = await import("../../../reports/html/page.ts");
  // A result does not know where its trace stood; the manifest does.
  const inputs = summary.inputs.map((input) => ({ ...input, path: trace }));
  const rows: ResultTables = Object.fromEntries(tables.map((table) => [table.name, rowsOf(table)]));
  return await resultPage({ summary: { ...summary, inputs }, tables: rows });
}
