import { LETTER_X, SPACE, ZERO } from "../bytes.ts";
import { WORD_BYTES, wordAt } from "../words.ts";
import { type ArgumentPlan, POINTER_WORDS } from "./argument-plan.ts";

/** `0x` and 16 digits. */
export const POINTER_BYTES: number = 2 + POINTER_WORDS * WORD_BYTES;

/** Whether the pointer of argument `i` is printed as it was in the last line: the usual case. */
export function isLastPointer(
  plan: ArgumentPlan,
  i: number,
  bytes: Uint8Array,
  at: number,
  end: number,
): boolean {
  if (plan.hasLastDigits[i] === 0 || at + POINTER_BYTES > end) return false;
  if (bytes[at] !== ZERO || bytes[at + 1] !== LETTER_X) return false;
  if (bytes[at + POINTER_BYTES]! > SPACE) return false;
  const digits = at + 2;
  for (let word = 0; word < POINTER_WORDS; word += 1) {
    if (wordAt(bytes, digits + word * WORD_BYTES) !== plan.lastDigits[i * POINTER_WORDS + word])
      return false;
  }
  return true;
}

/** Keeps the digits of a pointer that has been read, for `isLastPointer`. */
export function keepDigits(
  plan: ArgumentPlan,
  i: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): void {
  plan.hasLastDigits[i] = to - from === POINTER_BYTES && bytes[from + 1] === LETTER_X ? 1 : 0;
  if (plan.hasLastDigits[i] === 0) return;
  for (let word = 0; word < POINTER_WORDS; word += 1) {
    plan.lastDigits[i * POINTER_WORDS + word] = wordAt(bytes, from + 2 + word * WORD_BYTES);
  }
}
