/**
 * `npm run test:captures -- DIR`: holds the model against every capture in a folder: calls one by one,
 * executed instructions with their operands, event tables of one buffer in several formats, predictions from
 * one system to another, bounds without probes, and the phases of migrations. Texts that lie in the folder itself are held against a
 * slow reading of them, event by event. Prints a line a check; exit code 1 where one fails.
 */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { type Capture, readCapture } from "./capture.ts";
import { checkCapture, type CheckResult } from "./checks.ts";
import { checkStock } from "./stock.ts";
import { checkCrossPredictions } from "./cross-prediction.ts";
import { checkProbeList } from "./probe-lists.ts";
import { checkLayouts } from "./layout-checks.ts";
import { checkEventTables } from "./event-tables.ts";
import { checkX86CrossPredictions } from "./x86/cross.ts";
import { checkPhases } from "./phases.ts";

async function main(folder: string | undefined): Promise<number> {
  if (folder === undefined || !existsSync(folder)) {
    process.stderr.write(
      "usage: npm run test:captures -- DIR (a folder of captures, or of texts)\n",
    );
    return 2;
  }
  const captures = readdirSync(folder)
    .sort()
    .map((name) => readCapture(path.join(folder, name)))
    .filter((capture): capture is Capture => capture !== undefined);
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  const tell = (result: CheckResult): void => {
    if (result.skipped !== undefined) skipped += 1;
    else if (result.problems.length === 0) passed += 1;
    else failed += 1;
    process.stdout.write(describe(result));
  };
  for (const { folder: of } of captures) tell(checkProbeList(of));
  for (const result of await checkLayouts(folder)) tell(result);
  for (const capture of captures) for (const result of await checkCapture(capture)) tell(result);
  for (const capture of captures) for (const result of await checkStock(capture)) tell(result);
  for (const capture of captures) for (const result of await checkPhases(capture)) tell(result);
  for (const { folder: of } of captures)
    for (const result of await checkEventTables(of)) tell(result);
  for (const result of await checkCrossPredictions(captures)) tell(result);
  for (const result of await checkX86CrossPredictions(captures)) tell(result);
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

function describe({ name, problems, skipped, note }: CheckResult): string {
  if (skipped !== undefined) return `skip  ${name}: ${skipped}\n`;
  if (problems.length === 0) return `ok    ${name}: ${note}\n`;
  const shown = problems.slice(0, 8).map((problem) => `        ${problem}\n`);
  const more = problems.length > 8 ? `        … and ${problems.length - 8} more\n` : "";
  return `FAIL  ${name}: ${note}\n${shown.join("")}${more}`;
}

process.exitCode = await main(process.argv[2]);
