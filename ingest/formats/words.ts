/** Comparing bytes four at a time. */
export const WORD_BYTES = 4;
const NEWLINE = 0x0a;
const NEWLINES = 0x0a0a0a0a;
const LOW_BITS = 0x01010101;
const HIGH_BITS = 0x80808080 | 0;

/**
 * Bytes that can be read behind a guarding line end: whoever reads words, or a few bytes ahead to tell
 * what comes, runs past it.
 */
export const READ_AHEAD_BYTES = 64;

/** A text of its own, with the line end and the bytes behind it that readers of lines rely on. */
export function guardedText(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length + 1 + READ_AHEAD_BYTES);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  bytes.fill(NEWLINE, text.length);
  return bytes;
}

let viewed: Uint8Array = new Uint8Array(0);
let view = new DataView(viewed.buffer);

/** A view of the bytes; the last one is kept, since one buffer is read again and again. */
function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== viewed) {
    viewed = bytes;
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  return view;
}

/** The word at `at`; the caller knows that it is there. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return viewOf(bytes).getInt32(at, true);
}

/** The whole words of a literal, for `matchesWordsAt`. */
export function wordsOf(literal: Uint8Array): Int32Array {
  const source = new DataView(literal.buffer, literal.byteOffset, literal.byteLength);
  const count = Math.floor(literal.length / WORD_BYTES);
  return Int32Array.from({ length: count }, (_, i) => source.getInt32(i * WORD_BYTES, true));
}

/**
 * Whether `bytes` holds exactly `expected`, whose words are `words`, at `from`; the caller knows that it
 * is long enough.
 */
export function matchesWordsAt(
  bytes: Uint8Array,
  from: number,
  expected: Uint8Array,
  words: Int32Array,
): boolean {
  const source = viewOf(bytes);
  const count = words.length;
  for (let i = 0; i < count; i += 1) {
    if (source.getInt32(from + i * WORD_BYTES, true) !== words[i]) return false;
  }
  const length = expected.length;
  for (let i = count * WORD_BYTES; i < length; i += 1) {
    if (bytes[from + i] !== expected[i]) return false;
  }
  return true;
}

/** Whether a line end is among `words` words at `from`; the caller knows that so many are there. */
export function hasNewlineAt(bytes: Uint8Array, from: number, words: number): boolean {
  const source = viewOf(bytes);
  let found = 0;
  for (let i = 0; i < words; i += 1) {
    // A byte that is a line end becomes 0, and a 0 byte borrows: its high bit comes out set.
    const word = source.getInt32(from + i * WORD_BYTES, true) ^ NEWLINES;
    found |= (word - LOW_BITS) & ~word & HIGH_BITS;
  }
  return found !== 0;
}

/**
 * The first line end at or behind `from`; the caller knows that there is one, and that
 * READ_AHEAD_BYTES can be read behind it.
 */
export function lineEndFrom(bytes: Uint8Array, from: number): number {
  const source = viewOf(bytes);
  for (let at = from; ; at += 2 * WORD_BYTES) {
    const first = source.getInt32(at, true) ^ NEWLINES;
    const second = source.getInt32(at + WORD_BYTES, true) ^ NEWLINES;
    // The lowest mark is always right; those above it may come from a borrow.
    const inFirst = (first - LOW_BITS) & ~first & HIGH_BITS;
    const inSecond = (second - LOW_BITS) & ~second & HIGH_BITS;
    if ((inFirst | inSecond) === 0) continue;
    return inFirst !== 0 ? at + lowestMark(inFirst) : at + WORD_BYTES + lowestMark(inSecond);
  }
}

/** Index of the byte that holds the lowest bit that is set. */
function lowestMark(marks: number): number {
  return (31 - Math.clz32(marks & -marks)) >>> 3;
}

/** Whether `count` words at `from` are those that `kept` holds at `keptFrom`; the caller knows that they are there. */
export function areWordsAt(
  bytes: Uint8Array,
  from: number,
  count: number,
  kept: Int32Array,
  keptFrom: number,
): boolean {
  const source = viewOf(bytes);
  for (let i = 0; i < count; i += 1) {
    if (source.getInt32(from + i * WORD_BYTES, true) !== kept[keptFrom + i]) return false;
  }
  return true;
}

const DIGITS = 0x30303030;
const NOT_A_NIBBLE = 0xf0f0f0f0 | 0;
/** Carries a nibble above 9 into the high half of its byte. */
const ABOVE_NINE = 0x06060606;

/** Value of four decimal digits, the first in the lowest byte; -1 where one of them is none. */
export function decimalOfWord(word: number): number {
  if (((word & NOT_A_NIBBLE) ^ DIGITS) !== 0) return -1;
  if ((((word + ABOVE_NINE) | 0) & NOT_A_NIBBLE) !== DIGITS) return -1;
  const digits = word ^ DIGITS;
  // Two pairs, each in a byte of its own, then both together.
  const pairs = (digits * 10 + (digits >>> 8)) & 0x00ff00ff;
  return (pairs & 0xff) * 100 + (pairs >>> 16);
}
