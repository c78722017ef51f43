import { Diagnostics } from "../../diagnostics.ts";
import { textOf } from "../../formats/bytes.ts";
import { PlainLines } from "../../formats/csv/plain-lines.ts";
import { type CsvRecord, RecordSource } from "../../formats/csv/record-source.ts";
import { LineProblems } from "../../formats/text/problems.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import type { AccessBatch } from "../access-batch.ts";
import type {
  AccessInfo,
  AccessReader,
  ReadAccessesOptions,
  SequenceFormat,
} from "../access-format.ts";
import { AccessRows } from "../access-rows.ts";
import { noteTags } from "../tags.ts";
import { AccessCells } from "./access-cells.ts";
import { type AccessColumns, isAccessHeader, readAccessColumns } from "./access-columns.ts";
import { lineChunks } from "./csv-lines.ts";

/**
 * Reads a CSV of accesses with a header (`ACCESS_COLUMNS`). csv-parse decides what a record is; as long as
 * lines are plain the same records are found without it, faster.
 */
class AccessCsvReader implements AccessReader {
  readonly diagnostics: Diagnostics;
  readonly #source: ByteSource;
  readonly #rows: AccessRows;
  readonly #problems: LineProblems;
  readonly #plain: PlainLines;
  #records: RecordSource | undefined;
  #columns: AccessColumns | undefined;
  #cells: AccessCells | undefined;
  #width = 0;

  constructor(source: ByteSource, options: ReadAccessesOptions) {
    this.#source = source;
    this.diagnostics = new Diagnostics(source.path);
    this.#problems = new LineProblems(this.diagnostics);
    this.#rows = new AccessRows(options.pageBytes ?? 4096, options.withFetches ?? false);
    this.#plain = new PlainLines({
      hasRoom: () => this.#rows.hasRoom,
      record: (bytes, start, ends, count, line) => {
        this.#take(bytes, start, ends, count, line);
      },
    });
  }

  async *batches(): AsyncGenerator<AccessBatch, void, undefined> {
    const chunks = lineChunks(this.#source, this.diagnostics);
    try {
      yield* this.#readPlain(chunks);
      if (this.#plain.isOver || this.#plain.rest.length > 0) yield* this.#readParsed(chunks);
    } finally {
      await chunks.return();
    }
    noteTags(this.#rows.pages, this.diagnostics);
    yield* this.#handOver();
  }

  info(): AccessInfo {
    const { stored, path, compression } = this.#source;
    return {
      path,
      format: "access-csv",
      compression,
      bytes: stored.bytes,
      sha256: stored.sha256(),
      records: this.#records?.lines ?? this.#plain.lines,
      counts: this.#rows.counts(),
      address: this.#columns?.address.startsWith("ipa") === true ? "ipa" : "va",
      baseNs: this.#cells?.baseNs,
      pageBytes: this.#rows.pages.pageBytes,
    };
  }

  async *#readPlain(
    chunks: AsyncIterator<Uint8Array>,
  ): AsyncGenerator<AccessBatch, void, undefined> {
    while (!this.#plain.isOver) {
      const next = await chunks.next();
      if (next.done === true) return;
      this.#plain.push(next.value);
      while (this.#plain.read()) yield* this.#handOver();
      this.diagnostics.passGaps(Number.POSITIVE_INFINITY);
    }
  }

  async *#readParsed(
    chunks: AsyncIterator<Uint8Array>,
  ): AsyncGenerator<AccessBatch, void, undefined> {
    const broken = (reason: string, line: number): void => {
      this.diagnostics.add(
        "TRUNCATED",
        `reading stopped where the text is no CSV: ${reason}`,
        line,
      );
    };
    this.#records = new RecordSource(this.#plain.lines);
    for await (const records of this.#records.read(joined(this.#plain.rest, chunks), broken)) {
      for (const record of records) {
        this.#takeRecord(record);
        if (!this.#rows.hasRoom) yield* this.#handOver();
      }
      this.diagnostics.passGaps(Number.POSITIVE_INFINITY);
    }
  }

  *#handOver(): Generator<AccessBatch, void, undefined> {
    const { batch } = this.#rows;
    if (batch.length > 0) yield batch;
    batch.length = 0;
  }

  /** The same for cells that were in quotes. */
  #takeRecord({ cells, line }: CsvRecord): void {
    // What is not ASCII must not become a digit on its way to a byte.
    const joint = Buffer.from(cells.join("\n").replace(NOT_ASCII, "?"), "latin1");
    const ends = new Int32Array(cells.length);
    let at = 0;
    for (const [i, cell] of cells.entries()) {
      at += cell.length;
      ends[i] = at;
      at += 1;
    }
    this.#take(new Uint8Array(joint), 0, ends, cells.length, line);
  }

  #take(bytes: Uint8Array, start: number, ends: Int32Array, count: number, line: number): void {
    this.#problems.line = line;
    if (this.#cells === undefined) {
      this.#takeHeader(bytes, start, ends, count, line);
      return;
    }
    const end = ends[Math.min(count, ends.length) - 1]!;
    if (count !== this.#width) {
      const reason = `${count} cells where the header has ${this.#width}`;
      this.#problems.add("UNPARSED_LINE", reason, bytes, start, end);
      return;
    }
    this.#rows.record = line;
    const problem = this.#cells.take(bytes, start, ends);
    if (problem !== undefined) this.#problems.add(problem.code, problem.reason, bytes, start, end);
  }

  #takeHeader(
    bytes: Uint8Array,
    start: number,
    ends: Int32Array,
    count: number,
    line: number,
  ): void {
    const names = Array.from({ length: count }, (_, i) =>
      textOf(bytes, i === 0 ? start : ends[i - 1]! + 1, ends[i]!),
    );
    const columns = readAccessColumns(names, this.#source.path);
    for (const name of columns.unknown)
      this.#problems.note("UNKNOWN_ARGUMENT", `column \`${name}\``);
    for (const sentence of columns.assumed) this.diagnostics.add("ASSUMED", sentence, line);
    this.#columns = columns;
    this.#cells = new AccessCells(columns, this.#rows);
    this.#width = count;
  }
}

async function* joined(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (first.length > 0) yield first.slice();
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

const NOT_ASCII = /[\u{80}-\u{ffff}]/gu;
const BYTE_ORDER_MARK = /^\u{feff}/u;

export const accessCsv: SequenceFormat = {
  id: "access-csv",
  streamClass: "sequence",
  isBinary: false,
  bias: "as recorded by whoever wrote the table",
  sniff(head) {
    const text = Buffer.from(head).toString("utf8").replace(BYTE_ORDER_MARK, "");
    const header = text.split(/\r?\n/).find((line) => line.trim() !== "" && !line.startsWith("#"));
    const names = (header ?? "").split(",").map((name) => name.trim().replaceAll('"', ""));
    return isAccessHeader(names)
      ? { applies: true, reason: "a header line with an address column" }
      : { applies: false, reason: "no header line with va, ipa, va_page or ipa_page" };
  },
  read: (source, options) => new AccessCsvReader(source, options),
};
