import { once } from "node:events";

import { parse, type Parser } from "csv-parse";

import { NEWLINE } from "../bytes.ts";

/** A record and the line that it ends on. */
export interface CsvRecord {
  readonly cells: readonly string[];
  readonly line: number;
}

/** Longest record, in characters: an unclosed quote must not swallow the rest of a file unseen. */
export const MAX_RECORD_CHARS: number = 64 * 1024;

/** Small helpings bound how many records wait for the consumer. */
const HELPING_BYTES = 64 * 1024;

/**
 * Records of a CSV stream. When the text stops being CSV (a bad quote) nothing behind that place can be
 * trusted: the records before it are given, then `onBroken` is called with the reason, and that is all.
 */
export class RecordSource {
  readonly #parser: Parser;
  readonly #linesBefore: number;
  /** Whether the last byte ends a line; true where there is none. */
  #endsLine = true;
  #records: CsvRecord[] = [];
  #broken: Error | undefined;
  /** An error ends the wait for the write in progress. */
  #stopWaiting = (): void => undefined;

  /** @param linesBefore lines in front of the first byte that it is given; 0: it has the whole text. */
  constructor(linesBefore = 0) {
    this.#linesBefore = linesBefore;
    this.#parser = parse({
      bom: false,
      comment: "#",
      comment_no_infix: true,
      max_record_size: MAX_RECORD_CHARS,
      record_delimiter: ["\r\n", "\n"],
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      // Collecting here keeps the records before an error, which a stream would drop.
      on_record: (cells: string[], { lines }): null => {
        this.#records.push({ cells: cells.map(decoded), line: linesBefore + lines });
        return null;
      },
    });
    this.#parser.resume();
    this.#parser.on("error", (error: Error) => {
      this.#broken ??= error;
      this.#stopWaiting();
    });
  }

  /** Lines seen so far. */
  get lines(): number {
    return this.#line - (this.#endsLine ? 1 : 0);
  }

  /** Lines that begin with `#`. */
  get comments(): number {
    return this.#parser.info.comment_lines;
  }

  /** The line that the parser is in; behind a line end the next one. */
  get #line(): number {
    return this.#linesBefore + this.#parser.info.lines;
  }

  async *read(
    chunks: AsyncIterable<Uint8Array>,
    onBroken: (reason: string, line: number) => void,
  ): AsyncGenerator<readonly CsvRecord[], void, undefined> {
    const sound = (): boolean => this.#broken === undefined;
    for await (const chunk of chunks) {
      if (chunk.length > 0) this.#endsLine = chunk.at(-1) === NEWLINE;
      // After a break the rest is still read: size and digest are those of the whole file.
      for (let at = 0; at < chunk.length && sound(); at += HELPING_BYTES) {
        await this.#write(masked(chunk.subarray(at, at + HELPING_BYTES)));
        yield this.#take();
      }
    }
    if (sound()) {
      const ended = once(this.#parser, "end").catch(() => undefined);
      this.#parser.end();
      await ended;
      yield this.#take();
    }
    // The message numbers lines from where this parser began.
    const reason = this.#broken?.message.replace(/ (?:at|on) line \d+/g, "");
    if (reason !== undefined) onBroken(reason, this.#line);
    this.#parser.destroy();
  }

  async #write(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#stopWaiting = resolve;
      this.#parser.write(bytes, () => {
        resolve();
      });
    });
  }

  #take(): readonly CsvRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Characters for private use that stand for the bytes 0x80 to 0xff while the parser is at work. */
const MASK = 0xe000;

/**
 * Bytes for the parser, which reads UTF-8 and would make one replacement character of all bytes that
 * are none (as Latin-1 it would take `_` for a blank): what is not ASCII goes through it under a mask.
 */
function masked(bytes: Uint8Array): Buffer {
  if (!bytes.some((byte) => byte > 0x7f)) return Buffer.from(bytes);
  const text = Buffer.from(bytes)
    .toString("latin1")
    .replace(/[\u{80}-\u{ff}]/gu, (char) => String.fromCharCode(MASK + char.charCodeAt(0)));
  return Buffer.from(text, "utf8");
}

/** A cell as UTF-8, or where it is none as Latin-1: two names of different bytes stay two names. */
function decoded(cell: string): string {
  if (!/[\u{e080}-\u{e0ff}]/u.test(cell)) return cell;
  const bytes = Buffer.from(cell, "utf16le").filter((_, i) => i % 2 === 0);
  try {
    return utf8.decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("latin1");
  }
}
