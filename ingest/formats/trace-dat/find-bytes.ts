/** Place of a text (Latin-1) in bytes at or behind `from`; -1 where it does not stand there. */
export function findBytes(bytes: Uint8Array, text: string, from: number): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(text, from, "latin1");
}

/** The first multiple of `unit` (a power of two is not needed) at or behind `offset`. */
export function alignUp(offset: number, unit: number): number {
  return Math.ceil(offset / unit) * unit;
}
