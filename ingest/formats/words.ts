/** Comparing bytes four at a time. */
export const WORD_BYTES = 4;
const NEWLINES = 0x0a0a0a0a;
const LOW_BITS = 0x01010101;
const HIGH_BITS = 0x80808080 | 0;

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
