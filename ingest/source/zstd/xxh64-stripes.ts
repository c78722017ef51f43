/** Constants of XXH64 in halves, and the low halves once more in halves, lower first. */
const P1H = 0x9e37_79b1 | 0;
const P1L = 0x85eb_ca87 | 0;
const P1_0 = 0xca87;
const P1_1 = 0x85eb;
const P2H = 0xc2b2_ae3d | 0;
const P2L = 0x27d4_eb4f | 0;
const P2_0 = 0xeb4f;
const P2_1 = 0x27d4;

export const STRIPE_BYTES = 32;

/**
 * Hashes the whole stripes from `from` to `to` into four lanes of 64 bits, each a low and a high half:
 * lane = rotate(lane + word * P2, 31) * P1. A product of 64 bits is put together from products of 16
 * bits. The lanes stand side by side, one written out like the other, so that the processor works on
 * all of them at once: a loop over the lanes takes 1.6 times as long.
 */
export function hashStripes(lanes: Int32Array, view: DataView, from: number, to: number): void {
  let low0 = lanes[0]!;
  let high0 = lanes[1]!;
  let low1 = lanes[2]!;
  let high1 = lanes[3]!;
  let low2 = lanes[4]!;
  let high2 = lanes[5]!;
  let low3 = lanes[6]!;
  let high3 = lanes[7]!;
  let wordLow = 0;
  let wordHigh = 0;
  let low = 0;
  let high = 0;
  let upper = 0;
  let lower = 0;
  let product = 0;
  let carry = 0;
  let turnedLow = 0;
  let turnedHigh = 0;
  for (let at = from; at < to; at += STRIPE_BYTES) {
    wordLow = view.getInt32(at, true);
    wordHigh = view.getInt32(at + 4, true);
    low = wordLow & 0xffff;
    high = wordLow >>> 16;
    upper = Math.imul(high, P2_0);
    lower = Math.imul(low, P2_1);
    product = Math.imul(low, P2_0);
    carry = (product >>> 16) + (upper & 0xffff) + (lower & 0xffff);
    high0 += Math.imul(high, P2_1) + (upper >>> 16) + (lower >>> 16) + (carry >>> 16);
    high0 += Math.imul(wordLow, P2H) + Math.imul(wordHigh, P2L);
    product = (product & 0xffff) | (carry << 16);
    low0 = (low0 + product) | 0;
    high0 = (high0 + (low0 >>> 0 < product >>> 0 ? 1 : 0)) | 0;
    turnedLow = (low0 << 31) | (high0 >>> 1);
    turnedHigh = (high0 << 31) | (low0 >>> 1);
    low = turnedLow & 0xffff;
    high = turnedLow >>> 16;
    upper = Math.imul(high, P1_0);
    lower = Math.imul(low, P1_1);
    product = Math.imul(low, P1_0);
    carry = (product >>> 16) + (upper & 0xffff) + (lower & 0xffff);
    high0 = Math.imul(high, P1_1) + (upper >>> 16) + (lower >>> 16) + (carry >>> 16);
    high0 = (high0 + Math.imul(turnedLow, P1H) + Math.imul(turnedHigh, P1L)) | 0;
    low0 = (product & 0xffff) | (carry << 16);

    wordLow = view.getInt32(at + 8, true);
    wordHigh = view.getInt32(at + 12, true);
    low = wordLow & 0xffff;
    high = wordLow >>> 16;
    upper = Math.imul(high, P2_0);
    lower = Math.imul(low, P2_1);
    product = Math.imul(low, P2_0);
    carry = (product >>> 16) + (upper & 0xffff) + (lower & 0xffff);
    high1 += Math.imul(high, P2_1) + (upper >>> 16) + (lower >>> 16) + (carry >>> 16);
    high1 += Math.imul(wordLow, P2H) + Math.imul(wordHigh, P2L);
    product = (product & 0xffff) | (carry << 16);
    low1 = (low1 + product) | 0;
    high1 = (high1 + (low1 >>> 0 < product >>> 0 ? 1 : 0)) | 0;
    turnedLow = (low1 << 31) | (high1 >>> 1);
    turnedHigh = (high1 << 31) | (low1 >>> 1);
    low = turnedLow & 0xffff;
    high = turnedLow >>> 16;
    upper = Math.imul(high, P1_0);
    lower = Math.imul(low, P1_1);
    product = Math.imul(low, P1_0);
    carry = (product >>> 16) + (upper & 0xffff) + (lower & 0xffff);
    high1 = Math.imul(high, P1_1) + (upper >>> 16) + (lower >>> 16) + (carry >>> 16);
    high1 = (high1 + Math.imul(turnedLow, P1H) + Math.imul(turnedHigh, P1L)) | 0;
    low1 = (product & 0xffff) | (carry << 16);

    wordLow = view.getInt32(at + 16, true);
    wordHigh = view.getInt32(at + 20, true);
    low = wordLow & 0xffff;
    high = wordLow >>> 16;
    upper = Math.imul(high, P2_0);
    lower = Math.imul(low, P2_1);
    product = Math.imul(low, P2_0);
    carry = (product >>> 16) + (upper & 0xffff) + (lower & 0xffff);
    high2 += Math.imul(high, P2_1) + (upper >>> 16) + (lower >>> 16) + (carry >>> 16);
    high2 += Math.imul(wordLow, P2H) + Math.imul(wordHigh, P2L);
    product = (product & 0xffff) | (carry << 16);
    low2 = (low2 + product) | 0;
    high2 = (high2 + (low2 >>> 0 < product >>> 0 ? 1 : 0)) | 0;
    turnedLow = (low2 << 31) | (high2 >>> 1);
    turnedHigh = (high2 << 31) | (low2 >>> 1);
    low = turnedLow & 0xffff;
    high = turnedLow >>> 16;
    upper = Math.imul(high, P1_0);
    lower = Math.imul(low, P1_1);
    product = Math.imul(low, P1_0);
    carry = (product >>> 16) + (upper & 0xffff) + (lower & 0xffff);
    high2 = Math.imul(high, P1_1) + (upper >>> 16) + (lower >>> 16) + (carry >>> 16);
    high2 = (high2 + Math.imul(turnedLow, P1H) + Math.imul(turnedHigh, P1L)) | 0;
    low2 = (product & 0xffff) | (carry << 16);

    wordLow = view.getInt32(at + 24, true);
    wordHigh = view.getInt32(at + 28, true);
    low = wordLow & 0xffff;
    high = wordLow >>> 16;
    upper = Math.imul(high, P2_0);
    lower = Math.imul(low, P2_1);
    product = Math.imul(low, P2_0);
    carry = (product >>> 16) + (upper & 0xffff) + (lower & 0xffff);
    high3 += Math.imul(high, P2_1) + (upper >>> 16) + (lower >>> 16) + (carry >>> 16);
    high3 += Math.imul(wordLow, P2H) + Math.imul(wordHigh, P2L);
    product = (product & 0xffff) | (carry << 16);
    low3 = (low3 + product) | 0;
    high3 = (high3 + (low3 >>> 0 < product >>> 0 ? 1 : 0)) | 0;
    turnedLow = (low3 << 31) | (high3 >>> 1);
    turnedHigh = (high3 << 31) | (low3 >>> 1);
    low = turnedLow & 0xffff;
    high = turnedLow >>> 16;
    upper = Math.imul(high, P1_0);
    lower = Math.imul(low, P1_1);
    product = Math.imul(low, P1_0);
    carry = (product >>> 16) + (upper & 0xffff) + (lower & 0xffff);
    high3 = Math.imul(high, P1_1) + (upper >>> 16) + (lower >>> 16) + (carry >>> 16);
    high3 = (high3 + Math.imul(turnedLow, P1H) + Math.imul(turnedHigh, P1L)) | 0;
    low3 = (product & 0xffff) | (carry << 16);
  }
  lanes[0] = low0;
  lanes[1] = high0;
  lanes[2] = low1;
  lanes[3] = high1;
  lanes[4] = low2;
  lanes[5] = high2;
  lanes[6] = low3;
  lanes[7] = high3;
}
