import {
  type DiagnosticCode,
  type Diagnostics,
  isGap,
  quoteForMessage,
} from "../../diagnostics.ts";
import { textOf } from "../bytes.ts";

/** Examples of one code that get their line quoted; the others are only counted. */
const EXAMPLES_PER_CODE = 16;

/**
 * Reports what is wrong with lines: the place is set once a line, and the text of a message is only
 * made for the examples that are kept, so that a noisy trace stays cheap.
 */
export class LineProblems {
  /** 1-based line, and its byte offset in the content. */
  line = 0;
  byteOffset = 0;
  readonly #diagnostics: Diagnostics;
  readonly #seen = new Map<DiagnosticCode, number>();

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
  }

  /** Counts a problem of the line `from`…`to` and quotes it. */
  add(code: DiagnosticCode, reason: string, bytes: Uint8Array, from: number, to: number): void {
    if (!this.#wantsExample(code)) {
      this.#tally(code, 1);
      return;
    }
    // Cut before decoding: a line may be 64 KiB long.
    const quoted = quoteForMessage(textOf(bytes, from, Math.min(to, from + 200)));
    this.#diagnostics.add(code, `${reason}: ${quoted}`, this.line, this.byteOffset);
  }

  /** Counts `times` of something that the line says, without quoting it. */
  note(code: DiagnosticCode, detail: string, times = 1): void {
    if (this.#wantsExample(code)) {
      this.#diagnostics.add(code, detail, this.line, this.byteOffset, times);
    } else {
      this.#tally(code, times);
    }
  }

  /** Counts one more of what has already been given as an example. */
  again(code: DiagnosticCode): void {
    this.#tally(code, 1);
  }

  #tally(code: DiagnosticCode, times: number): void {
    this.#diagnostics.tally(code, times);
    if (isGap(code)) this.#diagnostics.addGap(this.line);
  }

  #wantsExample(code: DiagnosticCode): boolean {
    const seen = this.#seen.get(code) ?? 0;
    if (seen >= EXAMPLES_PER_CODE) return false;
    this.#seen.set(code, seen + 1);
    return true;
  }
}
