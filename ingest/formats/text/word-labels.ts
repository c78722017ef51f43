import { literal } from "../bytes.ts";
import { WORD_BYTES, wordAt } from "../words.ts";

/** Texts that are looked for at known places, compared a word at a time. None may hold a line end. */
export class WordLabels {
  /** Where the words of each text begin, and where those of the last one end. */
  readonly #starts: Uint32Array;
  readonly #lengths: Uint32Array;
  readonly #words: Int32Array;
  /** Bits of a word that belong to the text: not all of its last word may. */
  readonly #masks: Int32Array;

  constructor(texts: readonly string[]) {
    const counts = texts.map((text) => Math.ceil(text.length / WORD_BYTES));
    let start = 0;
    this.#starts = Uint32Array.from([0, ...counts], (count) => (start += count));
    this.#lengths = Uint32Array.from(texts, (text) => text.length);
    this.#words = new Int32Array(start);
    this.#masks = new Int32Array(start);
    for (const [i, text] of texts.entries()) this.#fill(this.#starts[i]!, literal(text));
  }

  /**
   * The place behind text `i` if it stands at `at`, otherwise -1. A line end must stand at `at` or behind
   * it, and READ_AHEAD_BYTES behind that.
   */
  behind(i: number, bytes: Uint8Array, at: number): number {
    const words = this.#words;
    const masks = this.#masks;
    const end = this.#starts[i + 1]!;
    let from = at;
    for (let word = this.#starts[i]!; word < end; word += 1) {
      if ((wordAt(bytes, from) & masks[word]!) !== words[word]) return -1;
      from += WORD_BYTES;
    }
    return at + this.#lengths[i]!;
  }

  #fill(start: number, text: Uint8Array): void {
    for (const [i, byte] of text.entries()) {
      const shift = (i % WORD_BYTES) * 8;
      const word = start + Math.floor(i / WORD_BYTES);
      this.#words[word]! |= byte << shift;
      this.#masks[word]! |= 0xff << shift;
    }
  }
}
