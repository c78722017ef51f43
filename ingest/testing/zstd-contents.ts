/** Contents of the frames in fixtures/zstd, made here again to compare with: the frames alone are stored. */

/** A repeatable stream of whole numbers below 2^32. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // The low bits of such a generator repeat soon.
    return (state ^ (state >>> 15)) >>> 0;
  };
}

function bytesOf(lengthBytes: number, byte: (at: number) => number): Buffer {
  const bytes = Buffer.alloc(lengthBytes);
  for (let at = 0; at < lengthBytes; at += 1) bytes[at] = byte(at);
  return bytes;
}

/** Lines like those of a trace. */
function lines(lengthBytes: number): Buffer {
  const next = numbersFrom(7);
  const parts: string[] = [];
  let length = 0;
  let us = 100_000_000;
  while (length < lengthBytes) {
    us += next() % 50;
    const address = ((next() % 4096) * 4096).toString(16);
    const line =
      next() % 3 === 0
        ? ` qemu-system-aar-812 [00${next() % 2}] d..1. ${us / 1e6}: kvm_exit: HSR_EC: 0x24, PC: 0x${address}\n`
        : ` qemu-system-aar-812 [00${next() % 2}] ....1 ${us / 1e6}: map: (kvm_pgtable_stage2_map+0x0/0x110) addr=0x${address} size=0x1000\n`;
    parts.push(line);
    length += line.length;
  }
  return Buffer.from(parts.join("")).subarray(0, lengthBytes);
}

/** Phrases of random bytes that come again from far away, whole and in parts, with short and long gaps. */
function echoes(lengthBytes: number): Buffer {
  const next = numbersFrom(99);
  const bytes = bytesOf(lengthBytes, () => next() & 0xff);
  for (let at = 4096; at < lengthBytes; ) {
    const length = Math.min(1 + (next() % (next() % 7 === 0 ? 40_000 : 300)), lengthBytes - at);
    const back = 1 + (next() % (next() % 3 === 0 ? 12 : at));
    for (let i = 0; i < length; i += 1) bytes[at + i] = bytes[at + i - back]!;
    at += length + (next() % 3 === 0 ? 0 : next() % 24);
  }
  return bytes;
}

/** By the first part of a frame file's name. */
export const ZSTD_CONTENTS: Readonly<Record<string, () => Buffer>> = {
  empty: () => Buffer.alloc(0),
  one: () => Buffer.from("x"),
  zeros: () => Buffer.alloc(700_000),
  random: () => {
    const next = numbersFrom(1);
    return bytesOf(3000, () => next() & 0xff);
  },
  lines: () => lines(280_000),
  short: () => lines(900),
  /** Few letters without repeats: nothing but codes of literals. */
  letters: () => {
    const next = numbersFrom(3);
    return bytesOf(9000, () => 97 + Math.floor(Math.log2(1 + (next() & 0xffff))));
  },
  echoes: () => echoes(300_000),
};
