import { type DiagnosticCode, type Diagnostics, isGap } from "../../diagnostics.ts";

/** Examples of one code that are made; the others are only counted. */
const EXAMPLES_PER_CODE = 16;

/** Reports damage and losses with their place; cheap where one kind of damage is everywhere. */
export class DatProblems {
  readonly #diagnostics: Diagnostics;
  readonly #seen = new Map<DiagnosticCode, number>();
  readonly #said = new Set<string>();

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
  }

  /** Counts `times` of a code; `byteOffset` is in the content of the file. */
  note(code: DiagnosticCode, detail: string, byteOffset: number, record = 0, times = 1): void {
    const seen = this.#seen.get(code) ?? 0;
    if (seen >= EXAMPLES_PER_CODE) {
      this.#tally(code, times, record);
      return;
    }
    this.#seen.set(code, seen + 1);
    this.#diagnostics.add(code, detail, record, byteOffset, times);
  }

  /** Gives each detail once as an example and counts all. */
  remark(code: DiagnosticCode, detail: string, byteOffset: number, record: number): void {
    if (this.#said.has(detail)) {
      this.#tally(code, 1, record);
      return;
    }
    this.#said.add(detail);
    this.note(code, detail, byteOffset, record);
  }

  /** Without an example; the replay must know all the same that an event may be missing here. */
  #tally(code: DiagnosticCode, times: number, record: number): void {
    this.#diagnostics.tally(code, times);
    if (isGap(code)) this.#diagnostics.addGap(record);
  }
}
