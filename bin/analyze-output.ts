import { toArrow } from "../reports/arrow.ts";
import { formatComparison } from "../reports/comparison.ts";
import { toCsv } from "../reports/csv.ts";
import { formatInference } from "../reports/inference.ts";
import { formatNested } from "../reports/nested.ts";
import { formatNotes } from "../reports/notes.ts";
import { type OutputFile, SET_MARKER, writeOutputSet } from "../reports/output-set.ts";
import { formatRefills } from "../reports/refills.ts";
import { RESULT_FILE_NAMES, resultTables } from "../reports/result-tables.ts";
import { FLUSHES } from "../reports/schema.ts";
import { summaryJson } from "../reports/summary.ts";
import { formatBars, formatSparklines } from "../reports/small-charts.ts";
import { tableFiles } from "../reports/table-files.ts";
import { terminalOptions } from "../reports/terminal.ts";
import { WholeFile } from "../reports/whole-file.ts";
import type { ResultSet } from "../reports/result-set.ts";
import type { AnalyzedTrace } from "./analyze-trace.ts";
import type { OutputFormat } from "./options.ts";
import { printResult } from "./stdout.ts";
import { toolIdentity } from "./version.ts";

/** The result folder: each table as CSV and Arrow, and the summary. */
export async function writeResults(
  folder: string,
  { summary, tables }: AnalyzedTrace,
): Promise<void> {
  const files: OutputFile[] = [];
  for (const { schema, rows } of resultTables(summary, tables)) {
    files.push(...(await tableFiles(schema, rows, toolIdentity())));
  }
  files.push({ name: SET_MARKER, bytes: summaryJson(summary) });
  // A table or a page of an earlier run must not stand beside this summary.
  writeOutputSet(folder, files, SET_MARKER, RESULT_FILE_NAMES);
}

/** The page of a trace's results; what draws it is loaded only here. */
export async function pageOf(results: ResultSet): Promise<string> {
  const { resultPage } = await import("../reports/html/page.ts");
  return await resultPage(results);
}

/** A page under its name, whole or not at all; `-` is stdout. */
export async function writePage(file: string, page: string): Promise<void> {
  if (file === "-") {
    await printResult(page);
    return;
  }
  const whole = new WholeFile(file);
  try {
    await whole.write([Buffer.from(page)]);
    whole.commit();
  } finally {
    whole.discard();
  }
}

/** One trace's results on stdout. */
export async function printAnalysis(
  analyzed: AnalyzedTrace,
  format: OutputFormat,
  isOneOfSeveral: boolean,
): Promise<void> {
  const { summary } = analyzed;
  switch (format) {
    case "csv":
      await printResult(toCsv(FLUSHES, summary.flushes));
      break;
    case "arrow":
      await printResult(await toArrow(FLUSHES, summary.flushes, toolIdentity()));
      break;
    case "json":
      await printResult(isOneOfSeveral ? `${JSON.stringify(summary)}\n` : summaryJson(summary));
      break;
    case "html":
      await printResult(await pageOf(analyzed));
      break;
    case "table":
      await printTables(analyzed, isOneOfSeveral);
      break;
  }
}

async function printTables(analyzed: AnalyzedTrace, isOneOfSeveral: boolean): Promise<void> {
  const { run, summary, refills, tables } = analyzed;
  const terminal = terminalOptions(process.stdout);
  const policies = run.policies.map((policy) => policy.id);
  let heading = isOneOfSeveral ? `${run.path}\n\n` : "";
  if (summary.inference !== undefined) {
    await printResult(heading + formatInference(summary.inference));
    heading = "";
  }
  await printResult(heading + formatComparison(summary.flushes, { ...terminal, policies }));
  await printResult(formatBars(summary.flushes, policies, terminal));
  if (tables.timeline !== undefined) {
    await printResult(formatSparklines(tables.timeline, policies, terminal));
  }
  if (refills !== undefined) {
    await printResult(formatRefills(refills, summary.flushes, terminal));
  }
  if (run.nested !== undefined) await printResult(formatNested(run.nested, terminal));
  await printResult(formatNotes(summary));
}
