import {
  APOSTROPHE,
  BRACKET_CLOSE,
  BRACKET_OPEN,
  HEX_VALUE,
  LETTER_X,
  NEWLINE,
  PAREN_CLOSE,
  PAREN_OPEN,
  QUOTE,
  SPACE,
  ZERO,
} from "../bytes.ts";

const BRACE_OPEN = 123;
const BRACE_CLOSE = 125;

/**
 * Where the value at `from` ends: at the next blank, but quoted text may hold blanks and a symbol may
 * be followed by its module, ` [kvm]`, or by its address.
 */
export function endOfValue(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  if (bytes[at] === BRACE_OPEN) return endOfArray(bytes, at, end);
  if (bytes[at] === QUOTE) at = endOfQuoted(bytes, at, end);
  // A `char` argument: 'c', where c may be a blank.
  else if (bytes[at] === APOSTROPHE && bytes[at + 1] !== NEWLINE && bytes[at + 2] === APOSTROPHE)
    at += 3;
  while (at < end && bytes[at] !== SPACE && bytes[at] !== NEWLINE) at += 1;
  if (bytes[at] !== SPACE) return at;
  if (bytes[at + 1] === BRACKET_OPEN) return endOfModule(bytes, at, end);
  return bytes[at + 1] === PAREN_OPEN ? endOfAddress(bytes, at, end) : at;
}

/**
 * Whether the text that was read from `from` to `to`, where the line ended, goes on in the next line: the
 * kernel prints a string with the newlines that it holds.
 */
export function goesOn(bytes: Uint8Array, from: number, to: number): boolean {
  if (to === from) return false;
  const last = bytes[to - 1];
  if (bytes[from] === QUOTE) return to - from === 1 || last !== QUOTE;
  if (bytes[from] === BRACE_OPEN) return bytes[from + 1] === QUOTE && last !== BRACE_CLOSE;
  return bytes[from] === APOSTROPHE && to - from === 1;
}

/**
 * Behind an array, `{0x1,0x2}`, whose strings and symbols may hold blanks: the brace that a blank or the
 * line's end follows closes it, in one of strings only behind a quote or `(fault)`.
 */
function endOfArray(bytes: Uint8Array, from: number, end: number): number {
  const isOfTexts = bytes[from + 1] === QUOTE;
  let at = from + 1;
  for (; at < end && bytes[at] !== NEWLINE; at += 1) {
    if (bytes[at] !== BRACE_CLOSE || (at + 1 < end && bytes[at + 1]! > SPACE)) continue;
    if (!isOfTexts || bytes[at - 1] === QUOTE || bytes[at - 1] === PAREN_CLOSE) return at + 1;
  }
  return at;
}

/** Behind ` (0xffff80008009f688)` at `from`, which `trace-cmd report -R` adds to a symbol; else `from`. */
function endOfAddress(bytes: Uint8Array, from: number, end: number): number {
  if (bytes[from + 2] !== ZERO || bytes[from + 3] !== LETTER_X) return from;
  let at = from + 4;
  while (at < end && HEX_VALUE[bytes[at]!]! <= 15) at += 1;
  return bytes[at] === PAREN_CLOSE ? at + 1 : from;
}

/** Behind the `]` of ` [kvm]` at `from`; `from` where there is none in this line. */
function endOfModule(bytes: Uint8Array, from: number, end: number): number {
  for (let at = from; at < end && bytes[at] !== NEWLINE; at += 1) {
    if (bytes[at] === BRACKET_CLOSE) return at + 1;
  }
  return from;
}

/** The kernel does not escape quotes: the one that a blank or the line's end follows closes. */
function endOfQuoted(bytes: Uint8Array, from: number, end: number): number {
  let at = from + 1;
  for (; at < end && bytes[at] !== NEWLINE; at += 1) {
    if (bytes[at] === QUOTE && bytes[at + 1]! <= SPACE) return at + 1;
  }
  return at;
}
