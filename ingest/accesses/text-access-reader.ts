import { Diagnostics } from "../diagnostics.ts";
import type { ByteSource } from "../source/open-bytes.ts";
import type { AccessBatch } from "./access-batch.ts";
import type {
  AccessFormatId,
  AccessInfo,
  AccessReader,
  ReadAccessesOptions,
} from "./access-format.ts";
import { AccessRows } from "./access-rows.ts";
import { noteTags } from "./tags.ts";
import { type LineTaker, TextLines } from "./text-lines.ts";

/** The lines of one text format, as they become rows. */
export interface AccessLines extends LineTaker {
  readonly baseNs?: bigint | undefined;
}

/** Reads a text of accesses line by line; what a line means is the format's. */
export class TextAccessReader implements AccessReader {
  readonly diagnostics: Diagnostics;
  readonly #format: AccessFormatId;
  readonly #source: ByteSource;
  readonly #rows: AccessRows;
  readonly #lines: AccessLines;
  readonly #text: TextLines;

  constructor(
    format: AccessFormatId,
    source: ByteSource,
    options: ReadAccessesOptions,
    lines: (rows: AccessRows) => AccessLines,
  ) {
    this.#format = format;
    this.#source = source;
    this.diagnostics = new Diagnostics(source.path);
    this.#rows = new AccessRows(options.pageBytes ?? 4096, options.withFetches ?? false);
    this.#lines = lines(this.#rows);
    this.#text = new TextLines(source, this.diagnostics, this.#lines);
  }

  async *batches(): AsyncGenerator<AccessBatch, void, undefined> {
    const rows = this.#rows;
    for await (const _ of this.#text.read(() => rows.hasRoom)) {
      if (rows.batch.length > 0) yield rows.batch;
      rows.batch.length = 0;
    }
    noteTags(rows.pages, this.diagnostics);
  }

  info(): AccessInfo {
    const { stored, path, compression } = this.#source;
    return {
      path,
      format: this.#format,
      compression,
      bytes: stored.bytes,
      sha256: stored.sha256(),
      records: this.#text.lines,
      counts: this.#rows.counts(),
      address: "va",
      baseNs: this.#lines.baseNs,
      pageBytes: this.#rows.pages.pageBytes,
    };
  }
}
