import type { RandomBytes } from "../../source/random-bytes.ts";
import { FlatTable } from "./flat-table.ts";

/** Why a part of the file cannot be used, in words. */
export class ArrowDamage extends Error {}

/** Places and sizes of a batch's columns in its body. */
export interface BatchLayout {
  readonly rows: number;
  /** Null values of each column. */
  readonly nullCounts: readonly number[];
  /** Offset in the body and length, in bytes, of each buffer. */
  readonly buffers: readonly (readonly [number, number])[];
}

/** An encapsulated message of the Arrow IPC format. */
export interface ArrowMessage {
  readonly type: "schema" | "dictionary" | "batch" | "end";
  /** Of the message's first byte, in the file. */
  readonly offset: number;
  readonly bodyOffset: number;
  readonly bodyBytes: number;
  /** Behind the body. */
  readonly endOffset: number;
  /** Of a schema. */
  readonly schema?: FlatTable;
  /** Of a dictionary or batch. */
  readonly layout?: BatchLayout;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Longest description of a message, and longest body, that is read; ours are far below both. */
export const MAX_METADATA_BYTES: number = 1024 * 1024;
export const MAX_BODY_BYTES: number = 64 * 1024 * 1024;

const TYPES = ["none", "schema", "dictionary", "batch"] as const;
const V4 = 3;
const V5 = 4;

/**
 * The message at `offset`, which ends before `limit`.
 * @throws ArrowDamage where there is none.
 */
export async function readMessage(
  file: RandomBytes,
  offset: number,
  limit: number,
): Promise<ArrowMessage> {
  const prefix = await file.read(offset, 8);
  if (prefix.length < 8 || offset + 8 > limit) throw new ArrowDamage("the file ends here");
  const view = new DataView(prefix.buffer, prefix.byteOffset, 8);
  if (view.getUint32(0, true) !== 0xffffffff) throw new ArrowDamage("no message begins here");
  const metadataBytes = view.getInt32(4, true);
  if (metadataBytes === 0) return end(offset);
  if (metadataBytes < 0 || metadataBytes > MAX_METADATA_BYTES) {
    throw new ArrowDamage(`a message of ${metadataBytes} bytes of description`);
  }
  const bodyOffset = offset + 8 + metadataBytes;
  if (bodyOffset > limit) throw new ArrowDamage("the file ends inside a message");
  const message = decode(await file.read(offset + 8, metadataBytes), offset, bodyOffset);
  if (message.endOffset > limit) throw new ArrowDamage("the file ends inside a message");
  return message;
}

function end(offset: number): ArrowMessage {
  const endOffset = offset + 8;
  const metadata = new Map<string, string>();
  return { type: "end", offset, bodyOffset: endOffset, bodyBytes: 0, endOffset, metadata };
}

function decode(bytes: Uint8Array, offset: number, bodyOffset: number): ArrowMessage {
  try {
    const root = FlatTable.root(bytes);
    const version = root.int16(0);
    if (version !== V4 && version !== V5) throw new ArrowDamage("a message of another version");
    const type = TYPES[root.uint8(1)];
    const header = root.table(2);
    if (type === undefined || type === "none" || header === undefined) {
      throw new ArrowDamage("a message of an unknown type");
    }
    const bodyBytes = root.int64(3);
    if (bodyBytes < 0 || bodyBytes % 8 !== 0) throw new ArrowDamage("a body of a wrong length");
    if (bodyBytes > MAX_BODY_BYTES) throw new ArrowDamage(`a body of ${bodyBytes} bytes`);
    const place = { offset, bodyOffset, bodyBytes, endOffset: bodyOffset + bodyBytes };
    const metadata = metadataOf(root, 4);
    if (type === "schema") return { type, ...place, schema: header, metadata };
    const batch = type === "dictionary" ? header.table(1) : header;
    if (batch === undefined || (type === "dictionary" && header.uint8(2) !== 0)) {
      throw new ArrowDamage("a dictionary that adds to another");
    }
    return { type, ...place, layout: layoutOf(batch, bodyBytes), metadata };
  } catch (error) {
    if (error instanceof RangeError) throw new ArrowDamage("a message that points outside itself");
    throw error;
  }
}

/** Key and value pairs of a table's field. */
export function metadataOf(table: FlatTable, field: number): ReadonlyMap<string, string> {
  return new Map(table.tables(field).map((pair) => [pair.text(0) ?? "", pair.text(1) ?? ""]));
}

function layoutOf(batch: FlatTable, bodyBytes: number): BatchLayout {
  if (batch.has(3)) throw new ArrowDamage("a compressed batch, which is not read");
  const rows = batch.int64(0);
  const nodes = batch.structs(1, 16, [0, 8]);
  const buffers = batch.structs(2, 16, [0, 8]).map(([at = 0, length = 0]) => [at, length] as const);
  if (rows < 0 || nodes.some(([length]) => length !== rows)) {
    throw new ArrowDamage("columns of different lengths");
  }
  for (const [at, length] of buffers) {
    if (at < 0 || length < 0 || at % 8 !== 0 || at + length > bodyBytes) {
      throw new ArrowDamage("a column outside the batch");
    }
  }
  return { rows, nullCounts: nodes.map(([, nulls]) => nulls ?? 0), buffers };
}
