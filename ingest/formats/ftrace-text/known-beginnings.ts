import { areWordsAt, WORD_BYTES, wordAt } from "../words.ts";
import type { LineContext } from "./line-context.ts";

const SLOTS = 256;
const SLOT_BITS = 8;
/** Words of a slot: a beginning has fewer, its last four bytes stand in the last one. */
const SLOT_WORDS = 16;
const MAX_BYTES = (SLOT_WORDS - 1) * WORD_BYTES;
/** Up to the flags in the default layout without TGID: what tells slots apart is among these bytes. */
const MIN_BYTES = 36;
const PID_AT = 17;
const CPU_AT = 26;
const FLAGS_AT = 31;

/** Bytes that must stand at a place where `find` looks. */
export const KNOWN_BEGINNING_BYTES: number = SLOT_WORDS * WORD_BYTES;

/**
 * Beginnings of lines that have been read, `comm-pid [(tgid)] [cpu] [flags] seconds.`, and what they
 * say: a task's lines begin alike until its flags or the second change, so most lines need not be read
 * digit by digit. A beginning is known only where each of its bytes is the same.
 */
export class KnownBeginnings {
  readonly #words = new Int32Array(SLOTS * SLOT_WORDS);
  /** In bytes; 0: the slot is free. */
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #pids = new Int32Array(SLOTS);
  readonly #cpus = new Uint16Array(SLOTS);
  readonly #seconds = new Float64Array(SLOTS);
  readonly #flagLetters = new Uint8Array(SLOTS);
  readonly #hasTgid = new Uint8Array(SLOTS);

  /**
   * Gives `context` what the beginning at `start` says and returns the place behind it, where the
   * fraction of the time stands; -1 where it is not known. KNOWN_BEGINNING_BYTES must be there.
   */
  find(context: LineContext, bytes: Uint8Array, start: number): number {
    const slot = slotOf(bytes, start);
    const length = this.#lengths[slot]!;
    if (length === 0) return -1;
    const words = this.#words;
    const from = slot * SLOT_WORDS;
    if (!areWordsAt(bytes, start, length >>> 2, words, from)) return -1;
    // The last word overlaps the one before it where the length is not a whole number of words.
    const end = start + length;
    if (wordAt(bytes, end - WORD_BYTES) !== words[from + SLOT_WORDS - 1]) return -1;
    context.pid = this.#pids[slot]!;
    context.cpu = this.#cpus[slot]!;
    context.whole = this.#seconds[slot]!;
    context.isTicks = false;
    context.flagLetters = this.#flagLetters[slot]!;
    context.hasTgid = this.#hasTgid[slot] === 1;
    return end;
  }

  /** Keeps the beginning `start`…`end` of the line that `context` has just read. */
  keep(context: LineContext, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length < MIN_BYTES || length > MAX_BYTES) return;
    const slot = slotOf(bytes, start);
    const from = slot * SLOT_WORDS;
    for (let i = 0; i < length >>> 2; i += 1) {
      this.#words[from + i] = wordAt(bytes, start + i * WORD_BYTES);
    }
    this.#words[from + SLOT_WORDS - 1] = wordAt(bytes, end - WORD_BYTES);
    this.#lengths[slot] = length;
    this.#pids[slot] = context.pid;
    this.#cpus[slot] = context.cpu;
    this.#seconds[slot] = context.whole;
    this.#flagLetters[slot] = context.flagLetters;
    this.#hasTgid[slot] = context.hasTgid ? 1 : 0;
  }
}

function slotOf(bytes: Uint8Array, start: number): number {
  const hash =
    Math.imul(wordAt(bytes, start + PID_AT), 0x9e3779b1) ^
    Math.imul(wordAt(bytes, start + CPU_AT), 0x85ebca6b) ^
    Math.imul(wordAt(bytes, start + FLAGS_AT), 0xc2b2ae35);
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> (32 - SLOT_BITS);
}
