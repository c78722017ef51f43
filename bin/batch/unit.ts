import { readCompanions } from "../../ingest/beside/companions.ts";
import { TraceError } from "../../ingest/errors.ts";
import { resultTables } from "../../reports/result-tables.ts";
import { analyzeTrace } from "../analyze-trace.ts";
import type { Log } from "../log.ts";
import { readStream } from "../stream-file.ts";
import { userPoliciesOf } from "../trace-run.ts";
import { argvOf, parameterFilesOf, parseParameters } from "./analysis.ts";
import { downtimeTables } from "./downtime-tables.ts";
import { type BatchItem, keyOf, type SharedPart } from "./manifest.ts";
import {
  RESULT_FORMAT,
  RESULT_VERSION,
  type ResultDocument,
  storedTable,
} from "../../reports/batch/result-document.ts";
import { traceInRoot } from "./trace-root.ts";

export interface UnitSetting {
  /** Takes the place of the manifest's root. */
  readonly root: string | undefined;
  readonly maxContentBytes: number;
}

/**
 * The unit of work of every batch: one trace to one result document, by content only.
 * @throws TraceError OUTSIDE_ROOT; TRACE_CHANGED where the trace, a file beside it or one that the
 * parameters name is not what the plan saw; and whatever `analyze` would throw.
 */
export async function runUnit(
  item: BatchItem,
  shared: SharedPart,
  setting: UnitSetting,
): Promise<ResultDocument> {
  const file = await traceInRoot(setting.root ?? shared.root, item.trace);
  await refuseChanged(item, shared, file);
  const parameters = { ...shared.parameters, ...item.options };
  const { replay, downtime } = parseParameters(parameters);
  const userPolicies = await userPoliciesOf({ ...replay, traces: [] });
  const warnings: string[] = [];
  const content = `sha256:${item.sha256}`;
  const log = collecting(warnings, file, content);
  const { maxContentBytes } = setting;
  const { summary, tables } = await analyzeTrace(file, replay, userPolicies, argvOf(parameters), {
    log,
    maxContentBytes,
    streamFile: await readStream(replay),
  });
  const estimates =
    downtime === undefined
      ? []
      : await downtimeTables(
          file,
          { ...replay, ...downtime, traces: [] },
          { log, maxContentBytes },
        );
  const [input] = summary.inputs;
  if (input?.sha256 !== item.sha256) throw changed("the trace");
  return {
    format: RESULT_FORMAT,
    version: RESULT_VERSION,
    key: item.key,
    warnings,
    tables: [...resultTables(summary, tables), ...estimates].map(storedTable),
    summary: { ...summary, inputs: [{ ...input, path: content }] },
  };
}

/** What the key stands for must still be there, or the result would lie under a wrong address. */
async function refuseChanged(item: BatchItem, shared: SharedPart, file: string): Promise<void> {
  const companions = await readCompanions(file);
  if (keyOf({ ...item, companions }, shared) !== item.key) {
    throw changed("a file beside the trace");
  }
  const parameter_files = await parameterFilesOf(shared.parameters);
  if (keyOf(item, { ...shared, parameter_files }) !== item.key) {
    throw changed("a file that the parameters name");
  }
}

function changed(what: string): TraceError {
  return new TraceError(
    "TRACE_CHANGED",
    `${what} is not what it was when the batch was planned`,
    undefined,
    "plan the batch again",
  );
}

function collecting(warnings: string[], file: string, content: string): Log {
  return {
    info: () => {},
    debug: () => {},
    warn: (message) => {
      warnings.push(message.replaceAll(file, content));
    },
  };
}
