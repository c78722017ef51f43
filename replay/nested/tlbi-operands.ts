import { type Granule, granuleOfTg, GRANULE_BYTES, leafBytes } from "./granules.ts";

/** Operand of IPAS2E1* as KVM reads it: NS and IPA[51:48] are dropped. */
export interface IpaOperand {
  readonly addrBytes: number;
  /** Bits 47:44: granule in 3:2, level in 1:0; 0: no hint. */
  readonly ttl: number;
}

/** Operand of RIPAS2E1* as KVM reads it. */
export interface RangeOperand {
  readonly startBytes: number;
  readonly lenBytes: number;
  readonly granule: Granule;
  /** Leaf size that its TTL names, which KVM does not look at; 0: none. */
  readonly ttlBytes: number;
}

const TWO_32 = 2 ** 32;
const IPA_PAGE_SHIFT = 12;

/** @param low bits 31:0 and @param high bits 63:32 of the register. */
export function decodeIpaOperand(low: number, high: number): IpaOperand {
  const page = (high & 0xf) * TWO_32 + (low >>> 0);
  return { addrBytes: page * 2 ** IPA_PAGE_SHIFT, ttl: (high >>> 12) & 0xf };
}

/**
 * BADDR 36:0 in granules, TTL 38:37, NUM 43:39, SCALE 45:44, TG 47:46 (0 is read as 64 KiB, as KVM does).
 * The range is (NUM + 1) << (5 × SCALE + 1) granules.
 */
export function decodeRangeOperand(low: number, high: number): RangeOperand {
  const granule = granuleOfTg((high >>> 14) & 0b11) ?? "64k";
  const bytes = GRANULE_BYTES[granule];
  const base = (high & 0x1f) * TWO_32 + (low >>> 0);
  const level = (high >>> 5) & 0b11;
  const num = (high >>> 7) & 0x1f;
  const scale = (high >>> 12) & 0b11;
  return {
    startBytes: base * bytes,
    lenBytes: (num + 1) * 2 ** (5 * scale + 1) * bytes,
    granule,
    ttlBytes: level === 0 ? 0 : leafBytes(granule, level),
  };
}

/** Guest's VMID in a VTTBR_EL2: bits 63:48. */
export function vmidOfVttbr(high: number): number {
  return high >>> 16;
}
