/** Byte codes and byte classes that the text reader compares with. */
export const NEWLINE = 10;
export const CARRIAGE_RETURN = 13;
export const SPACE = 32;
export const QUOTE = 34;
export const HASH = 35;
export const APOSTROPHE = 39;
export const PAREN_OPEN = 40;
export const PAREN_CLOSE = 41;
export const DASH = 45;
export const DOT = 46;
export const ZERO = 48;
export const NINE = 57;
export const COLON = 58;
export const LESS = 60;
export const EQUALS = 61;
export const BRACKET_OPEN = 91;
export const BRACKET_CLOSE = 93;
export const LETTER_X = 120;

/** Value of a hexadecimal digit; 255 for any other byte. */
export const HEX_VALUE: Uint8Array = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit += 1) {
  HEX_VALUE[digit.toString(16).charCodeAt(0)] = digit;
  HEX_VALUE[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/**
 * 1 for a letter of the irq-info column: irqs `d D b X .`, resched `N n p L l B b .`, context
 * `Z z H h s .`, and the preempt and migrate depths in hexadecimal.
 */
export const IS_FLAG: Uint8Array = new Uint8Array(256);
for (const byte of Buffer.from(".dDbXNnpLlBZzHhs0123456789abcdef")) IS_FLAG[byte] = 1;

export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/**
 * Bytes of a literal. A plain Uint8Array like the data that it is compared with: a Buffer among them
 * would make each comparison look up which of the two it has.
 */
export function literal(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

/** Text of a byte range for a message: bytes as Latin-1, so that nothing is lost or merged. */
export function textOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");
}

/** Whether `bytes` holds exactly `expected` at `from`; the caller knows that it is long enough. */
export function matchesAt(bytes: Uint8Array, from: number, expected: Uint8Array): boolean {
  const length = expected.length;
  for (let i = 0; i < length; i += 1) {
    if (bytes[from + i] !== expected[i]) return false;
  }
  return true;
}
