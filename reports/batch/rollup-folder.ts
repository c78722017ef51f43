import fs from "node:fs";
import path from "node:path";
import { TraceError } from "../../ingest/errors.ts";
import { parseRollup } from "./rollup-schema.ts";
import type { Rollup } from "./rollup.ts";

const ROLLUP_FILE = "rollup.json";
/** Far above what a fleet's roll-up has. */
const MOST_BYTES = 512 * 1024 * 1024;

/**
 * The roll-up in a folder that `batch merge` has written; undefined where the folder has none.
 * @throws TraceError WRONG_FORMAT where there is one that cannot be read.
 */
export function readRollupFolder(folder: string): Rollup | undefined {
  const file = path.join(folder, ROLLUP_FILE);
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (!stat.isFile() || stat.size > MOST_BYTES) {
    throw new TraceError("WRONG_FORMAT", "is not a roll-up", file);
  }
  const parsed = parseRollup(fs.readFileSync(file, "utf8"));
  if ("rollup" in parsed) return parsed.rollup;
  throw new TraceError("WRONG_FORMAT", parsed.problem, file);
}
