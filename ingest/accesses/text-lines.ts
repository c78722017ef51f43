import type { Diagnostics } from "../diagnostics.ts";
import { type LineSink, LineSplitter } from "../formats/text/line-splitter.ts";
import { LineProblems } from "../formats/text/problems.ts";
import type { ByteSource } from "../source/open-bytes.ts";

/** What takes the lines of a text of accesses or samples. */
export interface LineTaker {
  /** Reads a line; false: it is none of the format, and is counted as lost. */
  takeLine(bytes: Uint8Array, start: number, end: number, line: number): boolean;
}

/**
 * Lines of a source for a `LineTaker`, with every loss counted. Iterating pauses where `hasRoom` says
 * so, and goes on when asked again.
 */
export class TextLines {
  readonly problems: LineProblems;
  readonly #source: ByteSource;
  readonly #diagnostics: Diagnostics;
  readonly #sink: TakerSink;
  readonly #splitter: LineSplitter;

  constructor(source: ByteSource, diagnostics: Diagnostics, taker: LineTaker) {
    this.#source = source;
    this.#diagnostics = diagnostics;
    this.problems = new LineProblems(diagnostics);
    this.#sink = new TakerSink(taker, this.problems);
    this.#splitter = new LineSplitter(this.#sink, this.problems);
  }

  get lines(): number {
    return this.#splitter.lines;
  }

  /** Yields whenever there is no room for another line, and once at the end. */
  async *read(hasRoom: () => boolean): AsyncGenerator<void, void, undefined> {
    for await (const chunk of this.#source.chunks) {
      this.#splitter.push(chunk);
      while (this.#splitter.readLines(hasRoom)) yield;
      // Gaps are for who replays events; here they would only pile up.
      this.#diagnostics.passGaps(Number.POSITIVE_INFINITY);
    }
    const damage = this.#source.damage();
    if (damage === undefined) this.#readLast();
    else {
      this.#splitter.dropUnterminated();
      this.#diagnostics.add("DAMAGED_COMPRESSION", damage.reason, 0, damage.byteOffset);
    }
    yield;
  }

  #readLast(): void {
    const before = this.#sink.unparsed;
    if (!this.#splitter.readUnterminated()) return;
    const detail = "the last line has no newline";
    if (this.#sink.unparsed === before) this.problems.note("UNTERMINATED_LINE", detail);
    else this.problems.note("TRUNCATED", `${detail} and is not whole`);
  }
}

class TakerSink implements LineSink {
  unparsed = 0;
  readonly #taker: LineTaker;
  readonly #problems: LineProblems;

  constructor(taker: LineTaker, problems: LineProblems) {
    this.#taker = taker;
    this.#problems = problems;
  }

  /** Every line's end is searched first. */
  readEvent(): number {
    return -1;
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    if (this.#taker.takeLine(bytes, start, end, this.#problems.line)) return;
    this.unparsed += 1;
    this.#problems.add("UNPARSED_LINE", "no access", bytes, start, end);
  }
}
