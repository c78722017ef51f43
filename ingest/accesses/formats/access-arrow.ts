import { Diagnostics } from "../../diagnostics.ts";
import { TraceError } from "../../errors.ts";
import { isArrowFile } from "../../formats/arrow-events/index.ts";
import {
  ArrowDamage,
  type ArrowMessage,
  readMessage,
} from "../../formats/arrow-events/messages.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import { type RandomBytes, randomBytesOf } from "../../source/random-bytes.ts";
import type { AccessBatch } from "../access-batch.ts";
import type {
  AccessInfo,
  AccessReader,
  ReadAccessesOptions,
  SequenceFormat,
} from "../access-format.ts";
import { AccessRows } from "../access-rows.ts";
import { noteTags } from "../tags.ts";
import { type AccessColumns, readAccessColumns } from "./access-columns.ts";
import { ArrowCells, integerColumns } from "./arrow-cells.ts";
import { ArrowAccesses } from "./arrow-accesses.ts";

/** Bytes of the magic at the beginning, with its padding, and of the one at the end. */
const MAGIC_BYTES = 8;
const END_MAGIC = "ARROW1";

/**
 * Reads an Arrow file whose columns are those of `ACCESS_COLUMNS`, all of them integers. Behind a damaged
 * message nothing is trusted: what came before it is given.
 */
class AccessArrowReader implements AccessReader {
  readonly diagnostics: Diagnostics;
  readonly #source: ByteSource;
  readonly #rows: AccessRows;
  #columns: AccessColumns | undefined;
  #cells: ArrowCells | undefined;
  #accesses: ArrowAccesses | undefined;

  constructor(source: ByteSource, options: ReadAccessesOptions) {
    this.#source = source;
    this.diagnostics = new Diagnostics(source.path);
    this.#rows = new AccessRows(options.pageBytes ?? 4096, options.withFetches ?? false);
  }

  async *batches(): AsyncGenerator<AccessBatch, void, undefined> {
    const file = await randomBytesOf(this.#source);
    try {
      const damage = this.#source.damage();
      if (damage !== undefined) {
        this.diagnostics.add("DAMAGED_COMPRESSION", damage.reason, 0, damage.byteOffset);
      }
      const first = await this.#openSchema(file);
      yield* this.#walk(file, first);
    } finally {
      await file.close();
    }
    noteTags(this.#rows.pages, this.diagnostics);
    if (this.#rows.batch.length > 0) yield this.#rows.batch;
    this.#rows.batch.length = 0;
  }

  info(): AccessInfo {
    const { stored, path, compression } = this.#source;
    return {
      path,
      format: "access-arrow",
      compression,
      bytes: stored.bytes,
      sha256: stored.sha256(),
      records: this.#rows.record,
      counts: this.#rows.counts(),
      address: this.#columns?.address.startsWith("ipa") === true ? "ipa" : "va",
      baseNs: this.#accesses?.baseNs,
      pageBytes: this.#rows.pages.pageBytes,
    };
  }

  /** Reads the schema; gives where the messages behind it begin. */
  async #openSchema(file: RandomBytes): Promise<number> {
    const { path } = this.#source;
    if (Buffer.from(await file.read(0, END_MAGIC.length)).toString("latin1") !== END_MAGIC) {
      throw new TraceError("WRONG_FORMAT", "this is an Arrow stream, not an Arrow file", path);
    }
    let message: ArrowMessage;
    try {
      message = await readMessage(file, MAGIC_BYTES, file.sizeBytes);
      if (message.schema === undefined) throw new ArrowDamage("no schema");
      const found = integerColumns(message.schema);
      const other = found.find((column) => typeof column === "string");
      if (other !== undefined) throw notInteger(other, path);
      const columns = found.filter((column) => typeof column !== "string");
      this.#columns = readAccessColumns(
        columns.map(({ name }) => name),
        path,
      );
      this.#cells = new ArrowCells(columns);
    } catch (error) {
      if (!(error instanceof ArrowDamage || error instanceof RangeError)) throw error;
      throw new TraceError("WRONG_FORMAT", "the schema of this Arrow file is damaged or cut", path);
    }
    if (this.#columns.places.has("ts_s")) {
      throw new TraceError("WRONG_FORMAT", "times in an Arrow file are integers: ts_ns", path);
    }
    for (const name of this.#columns.unknown)
      this.diagnostics.add("UNKNOWN_ARGUMENT", `column \`${name}\``);
    for (const sentence of this.#columns.assumed) this.diagnostics.add("ASSUMED", sentence);
    this.#accesses = new ArrowAccesses(this.#columns, this.#cells, this.#rows, this.diagnostics);
    return message.endOffset;
  }

  async *#walk(file: RandomBytes, from: number): AsyncGenerator<AccessBatch, void, undefined> {
    let offset = from;
    for (;;) {
      let message: ArrowMessage;
      try {
        message = await readMessage(file, offset, file.sizeBytes);
      } catch (error) {
        if (!(error instanceof ArrowDamage)) throw error;
        const code = offset >= file.sizeBytes - 8 ? "TRUNCATED" : "DAMAGED_BATCH";
        this.diagnostics.add(code, `${error.message}; nothing behind it was read`, 0, offset);
        return;
      }
      if (message.type === "end") break;
      if (message.type === "batch") yield* this.#read(file, message);
      offset = message.endOffset;
    }
    const tail = await file.read(file.sizeBytes - END_MAGIC.length, END_MAGIC.length);
    if (Buffer.from(tail).toString("latin1") === END_MAGIC) return;
    this.diagnostics.add("TRUNCATED", "the footer is missing", 0, offset);
  }

  async *#read(
    file: RandomBytes,
    { layout, bodyOffset, bodyBytes, offset }: ArrowMessage,
  ): AsyncGenerator<AccessBatch, void, undefined> {
    if (layout === undefined) return;
    const body = new Uint8Array(bodyBytes);
    await file.readInto(body, bodyOffset);
    try {
      this.#cells!.open(body, layout);
    } catch (error) {
      if (!(error instanceof ArrowDamage)) throw error;
      this.diagnostics.add("DAMAGED_BATCH", error.message, 0, offset);
      return;
    }
    for (let row = 0; row < layout.rows; row += 1) {
      this.#accesses!.take(row);
      if (this.#rows.hasRoom) continue;
      yield this.#rows.batch;
      this.#rows.batch.length = 0;
      this.diagnostics.passGaps(Number.POSITIVE_INFINITY);
    }
  }
}

function notInteger(name: string, path: string): TraceError {
  const hint =
    "rw is 0, 1 or 2; an address is an int64 or uint64; write dictionaries and texts as numbers";
  return new TraceError(
    "WRONG_FORMAT",
    `column ${name.slice(0, 60)} is no integer column`,
    path,
    hint,
  );
}

export const accessArrow: SequenceFormat = {
  id: "access-arrow",
  streamClass: "sequence",
  isBinary: true,
  bias: "as recorded by whoever wrote the table",
  sniff: (head) =>
    isArrowFile(head)
      ? { applies: true, reason: "the magic bytes of an Arrow file" }
      : { applies: false, reason: "no magic bytes of an Arrow file" },
  read: (source, options) => new AccessArrowReader(source, options),
};
