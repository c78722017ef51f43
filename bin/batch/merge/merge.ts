import fs from "node:fs";
import path from "node:path";
import { TraceError } from "../../../ingest/errors.ts";
import {
  DatasetFolder,
  type DatasetSetting,
} from "../../../reports/batch/datasets/dataset-folder.ts";
import {
  mergedRows,
  mergedSchema,
  traceCells,
  tracesRow,
  tracesSchema,
} from "../../../reports/batch/merged-tables.ts";
import { RollupBuilder, type RollupSetting } from "../../../reports/batch/rollup-builder.ts";
import { rollupJsonSchema } from "../../../reports/batch/rollup-schema.ts";
import { GROUPS, groupRows } from "../../../reports/batch/rollup-table.ts";
import { type Rollup, rollupJson } from "../../../reports/batch/rollup.ts";
import { writeOutputSet } from "../../../reports/output-set.ts";
import { tableFiles } from "../../../reports/table-files.ts";
import { onInterrupt } from "../../lifecycle.ts";
import type { Manifest } from "../manifest.ts";
import type { ResultStore } from "../store/result-store.ts";
import { readResults } from "./read-results.ts";
import { WORST_PAGES, worstPages } from "./worst-pages.ts";

export interface MergeRequest {
  readonly manifest: Manifest;
  readonly stores: readonly ResultStore[];
  readonly out: string;
  readonly datasets: DatasetSetting;
  readonly rollup: RollupSetting;
  readonly baseline: Rollup | undefined;
}

/** Its presence says that the merge is whole. */
export const ROLLUP_FILE = "rollup.json";
/** The roll-up for people. */
const FLEET_PAGE = "fleet.html";
const DATASETS = "datasets";
/** In our folder of datasets: only such a one is ever replaced. */
const OURS = ".tlbi-replay-datasets";

/**
 * Gathers the results of a manifest: datasets of every table, and the roll-up. Results are read one by one
 * in the order of the manifest, so what comes out depends on them alone. The datasets of an earlier merge
 * are replaced as a whole; rollup.json is there only beside complete ones.
 * @throws TraceError UNWRITABLE, UNREADABLE, BAD_OPTION.
 */
export async function mergeBatch(request: MergeRequest): Promise<Rollup> {
  const { manifest, out } = request;
  const folder = path.resolve(out);
  const temporary = path.join(folder, `.${DATASETS}.${process.pid}.tmp`);
  refuseForeign(folder);
  const forget = onInterrupt(() => fs.rmSync(temporary, { recursive: true, force: true }));
  try {
    fs.mkdirSync(folder, { recursive: true });
    fs.rmSync(temporary, { recursive: true, force: true });
    fs.mkdirSync(temporary);
    fs.writeFileSync(path.join(temporary, OURS), "");
    const gathered = await gather(request, temporary);
    const { rollup, files: pages } = await worstPages(gathered, manifest.items, request.stores);
    fs.rmSync(path.join(folder, ROLLUP_FILE), { force: true });
    replaceFolder(path.join(folder, DATASETS), temporary);
    writeOutputSet(
      folder,
      [
        { name: "rollup.schema.json", bytes: await rollupJsonSchema() },
        ...(await tableFiles(GROUPS, groupRows(rollup), manifest.tool)),
        { name: FLEET_PAGE, bytes: await pageOf(rollup) },
        ...pages,
        { name: ROLLUP_FILE, bytes: rollupJson(rollup) },
      ],
      ROLLUP_FILE,
      WORST_PAGES,
    );
    return rollup;
  } catch (error) {
    throw unwritable(error, out);
  } finally {
    forget();
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

/** What draws it is loaded only here. */
async function pageOf(rollup: Rollup): Promise<string> {
  const { fleetPage } = await import("../../../reports/html/fleet/page.ts");
  return await fleetPage(rollup);
}

async function gather(request: MergeRequest, temporary: string): Promise<Rollup> {
  const { manifest, stores, rollup, baseline } = request;
  const { label_names: labels } = manifest;
  const builder = new RollupBuilder(rollup);
  const datasets = new DatasetFolder(temporary, request.datasets);
  const traces = tracesSchema(labels);
  for await (const { item, outcome, place } of readResults(manifest.items, stores)) {
    await datasets.add(traces, [tracesRow(item, outcome)]);
    if (!("summary" in outcome)) {
      builder.addProblem(item, outcome);
      continue;
    }
    builder.add(item, outcome, place, null);
    const cells = traceCells(item, outcome);
    for (const table of outcome.tables) {
      await datasets.add(mergedSchema(table, labels), mergedRows(table, cells));
    }
  }
  for (const { trace, code, message } of manifest.refused) {
    builder.addRefused(trace, { code, message });
  }
  await datasets.finish();
  return builder.finish(manifest.duplicates, baseline);
}

/** A folder that somebody else called `datasets` is not ours to replace. */
function refuseForeign(folder: string): void {
  const datasets = path.join(folder, DATASETS);
  const stat = fs.lstatSync(datasets, { throwIfNoEntry: false });
  if (stat === undefined || (stat.isDirectory() && fs.existsSync(path.join(datasets, OURS))))
    return;
  throw new TraceError(
    "UNWRITABLE",
    "something called 'datasets' is there that no merge has written",
    folder,
    "give another folder with --out DIR",
  );
}

function replaceFolder(target: string, by: string): void {
  const old = `${by}.old`;
  fs.rmSync(old, { recursive: true, force: true });
  if (fs.existsSync(target)) fs.renameSync(target, old);
  fs.renameSync(by, target);
  fs.rmSync(old, { recursive: true, force: true });
}

function unwritable(error: unknown, out: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  // A file of the datasets has a temporary name, which says nothing to the user.
  if (error instanceof TraceError && error.code === "UNWRITABLE") {
    const reason = error.message.replace("the events", "the results");
    return new TraceError("UNWRITABLE", reason, out, error.hint);
  }
  if (error instanceof TraceError || !/^E[A-Z]+$/.test(code)) return error;
  const reason =
    code === "ENOSPC" || code === "EDQUOT"
      ? "no space is left on the disk"
      : "the file system refuses";
  return new TraceError("UNWRITABLE", `cannot write the results: ${reason} (${code})`, out);
}
