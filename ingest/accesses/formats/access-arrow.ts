import { Diagnostics } from "../../diagnostics.ts";
import { TraceError } from "../../errors.ts";
import type { FlatTable } from "../../formats/arrow-events/flat-table.ts";
import { type Footer, readFooter } from "../../formats/arrow-events/footer.ts";
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
      const footer = await readFooter(file);
      await this.#openSchema(file, footer);
      yield* this.#walk(file, footer);
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

  /** Reads the schema: that in front of the batches, or where there is none the one behind them. */
  async #openSchema(file: RandomBytes, footer: Footer): Promise<void> {
    const { path } = this.#source;
    if (Buffer.from(await file.read(0, END_MAGIC.length)).toString("latin1") !== END_MAGIC) {
      throw new TraceError("WRONG_FORMAT", "this is an Arrow stream, not an Arrow file", path);
    }
    try {
      const schema = (await firstSchema(file, footer.limit)) ?? footer.schema;
      if (schema === undefined) throw new RangeError("no schema");
      const found = integerColumns(schema);
      const other = found.find((column) => typeof column === "string");
      if (other !== undefined) throw notInteger(other, path);
      const columns = found.filter((column) => typeof column !== "string");
      const names = columns.map(({ name }) => name);
      this.#columns = readAccessColumns(names, path);
      this.#cells = new ArrowCells(columns);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new TraceError("WRONG_FORMAT", "the schema of this Arrow file is damaged or cut", path);
    }
    if (this.#columns.places.has("ts_s")) {
      throw new TraceError("WRONG_FORMAT", "times in an Arrow file are integers: ts_ns", path);
    }
    for (const name of this.#columns.unknown)
      this.diagnostics.add("UNKNOWN_ARGUMENT", `column \`${name}\``);
    for (const sentence of this.#columns.assumed) this.diagnostics.add("ASSUMED", sentence);
    this.#accesses = new ArrowAccesses(this.#columns, this.#cells, this.#rows, this.diagnostics);
  }

  async *#walk(file: RandomBytes, footer: Footer): AsyncGenerator<AccessBatch, void, undefined> {
    let offset = MAGIC_BYTES;
    while (offset < footer.limit) {
      let message: ArrowMessage;
      try {
        message = await readMessage(file, offset, footer.limit);
      } catch (error) {
        if (!(error instanceof ArrowDamage)) throw error;
        const code = footer.problem === "cut" ? "TRUNCATED" : "DAMAGED_BATCH";
        this.diagnostics.add(code, `${error.message}; nothing behind it was read`, 0, offset);
        return;
      }
      if (message.type === "batch") yield* this.#read(file, message);
      offset = message.endOffset;
      if (message.type === "end") break;
    }
    if (footer.problem === "cut") {
      this.diagnostics.add("TRUNCATED", "there is no footer: the file is cut", 0, offset);
    } else if (offset < footer.limit) {
      const detail = "the end of the batches stands in the middle of the file";
      this.diagnostics.add("DAMAGED_BATCH", detail, 0, offset);
    }
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

async function firstSchema(file: RandomBytes, limit: number): Promise<FlatTable | undefined> {
  try {
    return (await readMessage(file, MAGIC_BYTES, limit)).schema;
  } catch (error) {
    if (error instanceof ArrowDamage) return undefined;
    throw error;
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
