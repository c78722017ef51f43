/** The polynomial of ECMA-182, bits reversed. */
const POLYNOMIAL = 0xc96c5795d7870f42n;
const SLICES = 4;
const BYTE_VALUES = 256;

/** Low and high words: entry `slice * 256 + byte` is the check of that byte followed by `slice` zeros. */
const LOW = new Int32Array(SLICES * BYTE_VALUES);
const HIGH = new Int32Array(SLICES * BYTE_VALUES);

for (let slice = 0; slice < SLICES; slice += 1) {
  for (let byte = 0; byte < BYTE_VALUES; byte += 1) {
    let crc = slice === 0 ? BigInt(byte) : tableEntry(slice - 1, byte);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >> 1n) ^ ((crc & 1n) * POLYNOMIAL);
    LOW[slice * BYTE_VALUES + byte] = Number(BigInt.asIntN(32, crc));
    HIGH[slice * BYTE_VALUES + byte] = Number(BigInt.asIntN(32, crc >> 32n));
  }
}

function tableEntry(slice: number, byte: number): bigint {
  const at = slice * BYTE_VALUES + byte;
  return (BigInt(HIGH[at]! >>> 0) << 32n) | BigInt(LOW[at]! >>> 0);
}

/** The 64-bit check of xz, of bytes that come in pieces. */
export class Crc64 {
  #low = -1;
  #high = -1;

  update(bytes: Uint8Array): void {
    let low = this.#low;
    let high = this.#high;
    const words = bytes.length & -SLICES;
    let at = 0;
    for (; at < words; at += SLICES) {
      const a = ((low ^ bytes[at]!) & 0xff) + 768;
      const b = (((low >>> 8) ^ bytes[at + 1]!) & 0xff) + 512;
      const c = (((low >>> 16) ^ bytes[at + 2]!) & 0xff) + 256;
      const d = (low >>> 24) ^ bytes[at + 3]!;
      low = high ^ LOW[a]! ^ LOW[b]! ^ LOW[c]! ^ LOW[d]!;
      high = HIGH[a]! ^ HIGH[b]! ^ HIGH[c]! ^ HIGH[d]!;
    }
    for (; at < bytes.length; at += 1) {
      const entry = (low ^ bytes[at]!) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ LOW[entry]!;
      high = (high >>> 8) ^ HIGH[entry]!;
    }
    this.#low = low;
    this.#high = high;
  }

  /** Eight bytes, the lowest first. */
  digest(): Uint8Array {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, ~this.#low >>> 0, true);
    view.setUint32(4, ~this.#high >>> 0, true);
    return bytes;
  }
}
