/**
 * The 64-bit operands (Xt) of the stage-2 TLBI instructions, built as the kernel builds them
 * (`__TLBI_VADDR_RANGE` and `__tlbi_level` of arch/arm64/include/asm/tlbflush.h) and read back for display.
 *
 * ```text
 * ripas2e1is:  36:0 BADDR   38:37 TTL   43:39 NUM   45:44 SCALE   47:46 TG   63:48 zero
 * ipas2e1is:   43:0 IPA>>12   47:44 TTL = TG<<2 | level, zero for no hint
 * ```
 */
import { usesLpa2Base } from "./range-encoder.ts";
import type { PageShift, RangeEncoding } from "./range-encoder.ts";

const BADDR_MASK: bigint = (1n << 37n) - 1n;
const IPA_MASK: bigint = (1n << 44n) - 1n;
const LPA2_BASE_SHIFT = 16n;
const IPA_BASE_SHIFT = 12n;

/** The fields of a `ripas2e1is` operand. */
export interface RangeOperandFields {
  /** First byte of the range. */
  readonly ipa: bigint;
  readonly ttl: number;
  readonly num: number;
  readonly scale: number;
  /** Granule the operand names; `null` for the reserved TG 0. */
  readonly pageShift: PageShift | null;
  /** Pages of that granule: `(num + 1) << (5 * scale + 1)`. */
  readonly pages: number;
  /** Bits 63:48, zero in a sound operand. */
  readonly highBits: number;
}

/** The fields of an `ipas2e1is` or `ipas2e1` operand. */
export interface IpaOperandFields {
  readonly ipa: bigint;
  /** Level hint with its granule; `null` when TTL is 0 or reserved (TG 0). */
  readonly hint: { readonly level: number; readonly pageShift: PageShift } | null;
}

export interface TtlRules {
  /** The CPU has FEAT_TTL (ARMv8.4). */
  readonly ttlFeature: boolean;
  /** 6.8 and later: level 0 is a hint and `TLBI_TTL_UNKNOWN` is none. Before: level 0 is none. */
  readonly levelZeroIsHint: boolean;
}

/** TG field of a page size: 4K 1, 16K 2, 64K 3 (`get_trans_granule`, same file). */
export function granuleCode(pageShift: PageShift): number {
  return (pageShift - 10) >> 1;
}

/**
 * Operand of `ripas2e1is`. Like the kernel's macro it ORs the parts without masking `scale`, so the scales 4
 * and −9 of the 2^21-page defect give the kernel's corrupt bits. `ttl` outside 1..3 means no hint, which is
 * what KVM's range call always passes (0 in 6.6, `TLBI_TTL_UNKNOWN` since 6.9).
 */
export function rangeOperand(
  encoding: RangeEncoding,
  ipaPage: number,
  scale: number,
  num: number,
  ttl: number = 0,
): bigint {
  const pageShift = BigInt(encoding.pageShift);
  const baseShift = usesLpa2Base(encoding) ? LPA2_BASE_SHIFT : pageShift;
  const base = ((BigInt(ipaPage) << pageShift) >> baseShift) & BADDR_MASK;
  const ttlBits = ttl >= 1 && ttl <= 3 ? BigInt(ttl) << 37n : 0n;
  const granuleBits = BigInt(granuleCode(encoding.pageShift)) << 46n;
  const sizeBits = (BigInt(num) << 39n) | (BigInt(scale) << 44n);
  return BigInt.asUintN(64, base | ttlBits | sizeBits | granuleBits);
}

/**
 * Operand of `ipas2e1is` / `ipas2e1`: the IPA in units of 4 KiB whatever the page size.
 * @param hint level from {@link ttlHint}, or `null` for none.
 */
export function ipaOperand(ipaPage: number, pageShift: PageShift, hint: number | null): bigint {
  const base = ((BigInt(ipaPage) << BigInt(pageShift)) >> IPA_BASE_SHIFT) & IPA_MASK;
  if (hint === null) return base;
  return base | (BigInt((granuleCode(pageShift) << 2) | (hint & 3)) << 44n);
}

/**
 * The level that `__tlbi_level` puts into an operand, or `null` when it puts none: without FEAT_TTL, for level
 * −1 and for `TLBI_TTL_UNKNOWN`. Level 0 was "no hint" before 6.8 and is a hint since.
 */
export function ttlHint(level: number, rules: TtlRules): number | null {
  const firstHint = rules.levelZeroIsHint ? 0 : 1;
  return rules.ttlFeature && level >= firstHint && level <= 3 ? level : null;
}

/**
 * Reads a `ripas2e1is` operand as the CPU would.
 * @param lpa2Base whether BADDR counts 64 KiB units ({@link usesLpa2Base}); otherwise it counts the operand's
 *   own granule (4K units for the reserved TG 0).
 */
export function decodeRangeOperand(operand: bigint, lpa2Base: boolean): RangeOperandFields {
  const pageShift = granuleShift(fieldOf(operand, 46n, 2n));
  const baseShift = lpa2Base ? LPA2_BASE_SHIFT : BigInt(pageShift ?? 12);
  const num = fieldOf(operand, 39n, 5n);
  const scale = fieldOf(operand, 44n, 2n);
  return {
    ipa: (operand & BADDR_MASK) << baseShift,
    ttl: fieldOf(operand, 37n, 2n),
    num,
    scale,
    pageShift,
    pages: (num + 1) << (5 * scale + 1),
    highBits: fieldOf(operand, 48n, 16n),
  };
}

/** Reads an `ipas2e1is` or `ipas2e1` operand as the CPU would. */
export function decodeIpaOperand(operand: bigint): IpaOperandFields {
  const pageShift = granuleShift(fieldOf(operand, 46n, 2n));
  const hint = pageShift === null ? null : { level: fieldOf(operand, 44n, 2n), pageShift };
  return { ipa: (operand & IPA_MASK) << IPA_BASE_SHIFT, hint };
}

function fieldOf(operand: bigint, firstBit: bigint, bits: bigint): number {
  return Number((operand >> firstBit) & ((1n << bits) - 1n));
}

function granuleShift(code: number): PageShift | null {
  if (code === 1) return 12;
  if (code === 2) return 14;
  return code === 3 ? 16 : null;
}
