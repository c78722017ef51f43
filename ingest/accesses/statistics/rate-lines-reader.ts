import { Diagnostics } from "../../diagnostics.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import type {
  AccessFormatId,
  AccessInfo,
  RateReader,
  ReadAccessesOptions,
} from "../access-format.ts";
import type { AccessCounts } from "../access-rows.ts";
import { type LineTaker, TextLines } from "../text-lines.ts";
import type { RateTable } from "./rate-table.ts";

/** The lines of one format of samples, as they are counted. */
export interface RateLines extends LineTaker {
  /** All lines have been read. */
  table(diagnostics: Diagnostics): RateTable;
  counts(): AccessCounts;
}

/** Reads a text of samples line by line. */
export class RateLinesReader implements RateReader {
  readonly diagnostics: Diagnostics;
  readonly #format: AccessFormatId;
  readonly #source: ByteSource;
  readonly #options: ReadAccessesOptions;
  readonly #lines: RateLines;
  readonly #text: TextLines;

  constructor(
    format: AccessFormatId,
    source: ByteSource,
    options: ReadAccessesOptions,
    lines: RateLines,
  ) {
    this.#format = format;
    this.#source = source;
    this.#options = options;
    this.diagnostics = new Diagnostics(source.path);
    this.#lines = lines;
    this.#text = new TextLines(source, this.diagnostics, lines);
  }

  async read(): Promise<RateTable> {
    for await (const _ of this.#text.read(() => true));
    return this.#lines.table(this.diagnostics);
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
      counts: this.#lines.counts(),
      address: this.#options.sampledAddress ?? "va",
      baseNs: undefined,
      pageBytes: this.#options.pageBytes ?? 4096,
    };
  }
}
