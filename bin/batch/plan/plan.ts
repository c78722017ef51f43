import path from "node:path";
import { readCompanions, type Companion } from "../../../ingest/beside/companions.ts";
import { resolveTracePath } from "../../../ingest/beside/resolve-trace-path.ts";
import { TraceError } from "../../../ingest/errors.ts";
import { userPoliciesOf } from "../../trace-run.ts";
import { toolIdentity } from "../../version.ts";
import { type Parameters, parameterFilesOf, parseParameters } from "../analysis.ts";
import {
  type BatchItem,
  type Duplicate,
  keyOf,
  type Manifest,
  MANIFEST_FORMAT,
  MANIFEST_VERSION,
  type RefusedTrace,
  type SharedPart,
} from "../manifest.ts";
import { isInside, traceInRoot } from "../trace-root.ts";
import { digestOfFile } from "./digest.ts";
import { findTraces, refusal } from "./find-traces.ts";
import { type FleetRow, readFleetCsv } from "./fleet-csv.ts";

export interface PlanRequest {
  /** Files, folders, globs. */
  readonly inputs: readonly string[];
  /** CSVs of fleets. */
  readonly csv: readonly string[];
  /** Folder that all traces must be in; undefined: that of the CSV, or the deepest that holds all. */
  readonly root: string | undefined;
  readonly parameters: Parameters;
}

export interface Planned {
  readonly manifest: Manifest;
  /** Files in folders that are not named like traces. */
  readonly leftOut: number;
}

/**
 * Looks at every trace and writes down what a batch has to do. What cannot be worked on is in the manifest
 * too, with the reason.
 * @throws TraceError BAD_OPTION, BAD_MANIFEST, BAD_POLICY_FILE, UNREADABLE for what concerns all traces.
 */
export async function planBatch(request: PlanRequest): Promise<Planned> {
  const { replay } = parseParameters(request.parameters);
  await userPoliciesOf({ ...replay, traces: [] });
  const found = await findTraces(request.inputs);
  const fleets = await Promise.all(request.csv.map((file) => readFleetCsv(file)));
  const rows = [...found.traces.map(bareRow), ...fleets.flatMap((fleet) => fleet.rows)];
  const root = rootOf(request, found.traces);
  const shared: SharedPart = {
    tool: toolIdentity(),
    root,
    parameters: request.parameters,
    parameter_files: await parameterFilesOf(request.parameters),
  };
  const labelNames = [...new Set(fleets.flatMap((fleet) => fleet.labelNames))].sort();
  const refused: RefusedTrace[] = [...found.refused];
  const planned: BatchItem[] = [];
  for (const row of rows) {
    try {
      planned.push(await itemOf(row, shared, labelNames));
    } catch (error) {
      refused.push(refusal(row.trace, error));
    }
  }
  const { items, duplicates } = withoutDuplicates(planned);
  const named = refused.map((entry) => ({ ...entry, trace: nameIn(root, entry.trace) }));
  const manifest: Manifest = {
    format: MANIFEST_FORMAT,
    version: MANIFEST_VERSION,
    ...shared,
    label_names: labelNames,
    items,
    duplicates,
    refused: named.sort(byTrace),
  };
  return { manifest, leftOut: found.leftOut };
}

function bareRow(trace: string): FleetRow {
  return { trace, host_model: null, vm_type: null, kernel: null, labels: {}, options: {} };
}

async function itemOf(
  row: FleetRow,
  shared: SharedPart,
  labelNames: readonly string[],
): Promise<BatchItem> {
  const { root } = shared;
  // A folder may be the root itself.
  if (path.resolve(row.trace) !== path.resolve(root)) await traceInRoot(root, row.trace);
  const file = await traceInRoot(root, await resolveTracePath(row.trace));
  parseParameters({ ...shared.parameters, ...row.options });
  const { bytes, sha256 } = await digestOfFile(file);
  const companions: readonly Companion[] = await readCompanions(file);
  const item: Omit<BatchItem, "key"> = {
    trace: path.relative(root, file).split(path.sep).join("/"),
    bytes,
    sha256,
    companions,
    host_model: row.host_model,
    vm_type: row.vm_type,
    kernel: row.kernel,
    labels: Object.fromEntries(labelNames.map((name) => [name, row.labels[name] ?? ""])),
    options: row.options,
  };
  return { key: keyOf(item, shared), ...item };
}

/** One result is one trace, however often it was named: the first by name stays. */
function withoutDuplicates(planned: readonly BatchItem[]): {
  readonly items: readonly BatchItem[];
  readonly duplicates: readonly Duplicate[];
} {
  const byKey = new Map<string, BatchItem>();
  const duplicates: Duplicate[] = [];
  for (const item of [...planned].sort(byTrace)) {
    const first = byKey.get(item.key);
    if (first === undefined) byKey.set(item.key, item);
    else {
      const labels_differ = saidOf(first) !== saidOf(item);
      // A folder and a file in it, two globs that overlap: nothing to say.
      if (first.trace === item.trace && !labels_differ) continue;
      duplicates.push({ trace: item.trace, same_as: first.trace, labels_differ });
    }
  }
  return { items: [...byKey.values()], duplicates };
}

function saidOf({ host_model, vm_type, kernel, labels }: BatchItem): string {
  return JSON.stringify([host_model, vm_type, kernel, labels]);
}

function rootOf(request: PlanRequest, traces: readonly string[]): string {
  if (request.root !== undefined) return path.resolve(request.root);
  const folders = [
    ...request.csv.map((file) => path.dirname(path.resolve(file))),
    ...traces.map((trace) => path.dirname(trace)),
  ];
  let [root] = folders;
  if (root === undefined) return process.cwd();
  for (const folder of folders) {
    while (folder !== root && !isInside(root, folder)) root = path.dirname(root);
  }
  return root;
}

function nameIn(root: string, trace: string): string {
  const file = path.resolve(trace);
  return isInside(root, file) ? path.relative(root, file).split(path.sep).join("/") : trace;
}

/** By code unit, not by locale. */
function byTrace(a: { readonly trace: string }, b: { readonly trace: string }): number {
  if (a.trace === b.trace) return 0;
  return a.trace < b.trace ? -1 : 1;
}

/** Nothing to do is a mistake of the command line. @throws TraceError BAD_OPTION. */
export function refuseEmpty({ manifest }: Planned): void {
  if (manifest.items.length > 0) return;
  const [first] = manifest.refused;
  throw new TraceError(
    "BAD_OPTION",
    first === undefined ? "no trace is named" : `no trace can be planned: ${first.message}`,
    first?.trace,
  );
}
