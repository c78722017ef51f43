import { createHash } from "node:crypto";
import { TraceError } from "../../../ingest/errors.ts";
import type { Cell } from "../../schema.ts";

/** Columns that datasets can be divided by: they are known of every trace, done or not. */
export const PARTITION_COLUMNS = ["host_model", "vm_type", "kernel"] as const;
export type PartitionColumn = (typeof PARTITION_COLUMNS)[number];

/** What Hive and its readers call the folder of rows without a value. */
const NO_VALUE = "__HIVE_DEFAULT_PARTITION__";
const LONGEST = 120;

/**
 * `host_model=a/vm_type=b`: folders as Hive names them. Values come from manifests and traces; a folder's
 * name is made of letters, digits, `_`, `-` and `.` alone, everything else is percent-encoded, so that no
 * value leads anywhere. Readers decode it.
 */
export function partitionPath(
  columns: readonly PartitionColumn[],
  values: Readonly<Record<string, Cell>>,
): string {
  return columns.map((column) => `${column}=${segment(values[column] ?? null)}`).join("/");
}

function segment(value: Cell): string {
  if (value === null || value === "") return NO_VALUE;
  // Half of a surrogate pair has no encoding.
  const text = String(value).replace(/[\uD800-\uDFFF]/gu, "\uFFFD");
  const encoded = encodeURIComponent(text).replace(
    /[!'()*~]/g,
    (character) => `%${character.codePointAt(0)!.toString(16).toUpperCase()}`,
  );
  if (encoded.length <= LONGEST) return encoded;
  // Two long values stay two; `.` ends the part that can be decoded.
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return `${encoded.slice(0, LONGEST - 20).replace(/%.?$/, "")}..${digest}`;
}

/** Open files and buffers of each: more is a mistake, or an attack. */
const MOST_PARTITIONS = 256;

/** @throws TraceError BAD_OPTION. */
export function refuseTooMany(count: number): void {
  if (count <= MOST_PARTITIONS) return;
  throw new TraceError(
    "BAD_OPTION",
    `the datasets would have more than ${MOST_PARTITIONS} parts`,
    "--partition",
    "divide by fewer columns",
  );
}
