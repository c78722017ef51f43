import { EVENT_TABLE_KEYS, parseRecordedTrace } from "../../events/event-table-metadata.ts";
import type { RecordedTrace } from "../../events/event-table-metadata.ts";
import type { RandomBytes } from "../../source/random-bytes.ts";
import { FlatTable } from "./flat-table.ts";
import { metadataOf } from "./messages.ts";

const MAGIC = "ARROW1";
/** Length of the footer and the magic, at the end of the file. */
const TAIL_BYTES = 4 + MAGIC.length;
const MAX_FOOTER_BYTES: number = 64 * 1024 * 1024;

/** What stands behind the last batch. */
export interface Footer {
  /** Where the batches end: the footer's first byte, or the end of a file without one. */
  readonly limit: number;
  readonly schema: FlatTable | undefined;
  readonly trace: RecordedTrace | undefined;
  /** Why there is no footer, or not a usable one. */
  readonly problem: "cut" | "damaged" | undefined;
}

/** Reads the end of the file; a file that was not written to its end has no footer. */
export async function readFooter(file: RandomBytes): Promise<Footer> {
  const { sizeBytes } = file;
  const cut: Footer = { limit: sizeBytes, schema: undefined, trace: undefined, problem: "cut" };
  if (sizeBytes < TAIL_BYTES + 8) return cut;
  const tail = await file.read(sizeBytes - TAIL_BYTES, TAIL_BYTES);
  if (Buffer.from(tail.subarray(4)).toString("latin1") !== MAGIC) return cut;
  const length = new DataView(tail.buffer, tail.byteOffset, 4).getInt32(0, true);
  const start = sizeBytes - TAIL_BYTES - length;
  const damaged: Footer = { ...cut, problem: "damaged" };
  if (length <= 0 || length > MAX_FOOTER_BYTES || start < 8) return damaged;
  try {
    const schema = FlatTable.root(await file.read(start, length)).table(1);
    if (schema === undefined) return damaged;
    const text = metadataOf(schema, 2).get(EVENT_TABLE_KEYS.TRACE);
    const trace = text === undefined ? undefined : parseRecordedTrace(text);
    return { limit: start, schema, trace, problem: trace === undefined ? "damaged" : undefined };
  } catch (error) {
    if (error instanceof RangeError) return damaged;
    throw error;
  }
}
