/**
 * How arm64 kernels cut a stage-2 range into TLBI instructions (`__flush_tlb_range_op` of
 * arch/arm64/include/asm/tlbflush.h, as reached from `__kvm_tlb_flush_vmid_range`).
 *
 * One range instruction covers `(num + 1) << (5 * scale + 1)` pages, num 0..31 and scale 0..3:
 * always an even number. What is left over goes as single-page instructions. The final `vmalle1is`
 * of the call is not part of the encoding; see instructions.ts.
 */

/**
 * - `ascending`: scale 0 upwards, an odd page first. Stage 2 in 6.6.0–6.6.28 and 6.7.
 * - `descending`: scale 3 downwards, an odd page last, the digit still masked to 5 bits. 6.8.0 (e2768b798a19).
 * - `clamped`: as `descending`, the digit clamped instead of masked. 6.6.29+, later 6.8.y and 6.9 onwards
 *   (e3ba51ab24fd); the inline C functions of 7.2 emit the same instructions.
 */
export type RangeAlgorithm = "ascending" | "descending" | "clamped";

/** log2 of the host page size in bytes: 4K, 16K, 64K. */
export type PageShift = 12 | 14 | 16;

export interface RangeEncoding {
  readonly algorithm: RangeAlgorithm;
  readonly pageShift: PageShift;
  /** Stage 2 uses FEAT_LPA2 descriptors (KVM 6.8 and later). See {@link usesLpa2Base} for when it matters. */
  readonly lpa2: boolean;
  /**
   * What `ascending` and `descending` do with exactly 2^21 pages. `true` (the default): what the kernel does,
   * one instruction with a corrupt operand (CVE-2024-35980). `false`: a correct stand-in, namely the encoding
   * of the first 2^21 − 1 pages followed by a single for the last one. `clamped` is correct and ignores it.
   */
  readonly bug2048k?: boolean;
}

/** Receives the instructions of one range in execution order. Both callbacks get host page numbers of the IPA. */
export interface RangeOpSink {
  /** `ipas2e1is` of one page. */
  single(ipaPage: number): void;
  /**
   * `ripas2e1is`. `scale` and `num` are the encoder's variables, so that the corrupt operand can be rebuilt from
   * them (scale 4 or −9). `coveredPages` is what the operand really names, from `ipaPage` on: for the corrupt
   * operand fewer than the caller asked for, and 0 when it names another granule than the one in use.
   */
  range(ipaPage: number, scale: number, num: number, coveredPages: number): void;
}

/** Largest piece that KVM hands to the encoder (`MAX_TLBI_RANGE_PAGES`, 5.10 to 7.3), in host pages. */
export const MAX_RANGE_PAGES: number = 2 ** 21;

/** Page numbers at and above this cannot be an IPA: 52 address bits less the smallest page. */
export const IPA_PAGE_LIMIT: number = 2 ** 40;

const MAX_SCALE = 3;
/** Where the 2^21-page loops of the two defective encoders end up. */
const ASCENDING_BUG: { readonly scale: number; readonly num: number } = { scale: 4, num: 0 };
const DESCENDING_BUG: { readonly scale: number; readonly num: number } = { scale: -9, num: 1 };

/**
 * Whether range operands count in 64 KiB units and so need a 64 KiB-aligned start. Only with 4K and 16K pages
 * (DS does not apply to 64K) and only from 6.8 on: kernels with the ascending encoder do not know stage-2 LPA2.
 */
export function usesLpa2Base(encoding: RangeEncoding): boolean {
  return encoding.lpa2 && encoding.pageShift !== 16 && encoding.algorithm !== "ascending";
}

/**
 * Emits the instructions that invalidate `lenPages` host pages from `ipaPage` on. Allocates nothing.
 * @throws RangeError as {@link checkRange}.
 */
export function encodeRange(
  encoding: RangeEncoding,
  ipaPage: number,
  lenPages: number,
  sink: RangeOpSink,
): void {
  checkRange(ipaPage, lenPages);
  if (isBrokenInput(encoding, ipaPage, lenPages)) {
    encodeBrokenInput(encoding, ipaPage, sink);
  } else if (encoding.algorithm === "ascending") {
    encodeAscending(ipaPage, lenPages, sink);
  } else {
    encodeDescending(encoding, ipaPage, lenPages, sink);
  }
}

/** Instructions of {@link encodeRange} by kind, without running it. Same errors. */
export function countRangeOps(
  encoding: RangeEncoding,
  ipaPage: number,
  lenPages: number,
): { singles: number; ranges: number } {
  const singles = countRangeSingles(encoding, ipaPage, lenPages);
  return { singles, ranges: countRangeTotal(encoding, ipaPage, lenPages) - singles };
}

/** Single-page instructions of {@link encodeRange}: the unaligned lead under LPA2 and the odd page. Same errors. */
export function countRangeSingles(
  encoding: RangeEncoding,
  ipaPage: number,
  lenPages: number,
): number {
  checkRange(ipaPage, lenPages);
  if (isCappedInput(encoding, ipaPage, lenPages)) return 2;
  const leadPages = countLeadPages(encoding, ipaPage, lenPages);
  return leadPages + ((lenPages - leadPages) & 1);
}

/**
 * All instructions of {@link encodeRange}: the singles and one per non-zero base-32 digit of half the rest.
 * At most 5 without LPA2; with it 20 (4K pages) or 8 (16K pages). Same errors.
 */
export function countRangeTotal(
  encoding: RangeEncoding,
  ipaPage: number,
  lenPages: number,
): number {
  checkRange(ipaPage, lenPages);
  if (isCappedInput(encoding, ipaPage, lenPages)) return 6;
  const leadPages = countLeadPages(encoding, ipaPage, lenPages);
  const restPages = lenPages - leadPages;
  // 2^21 pages are one instruction, whether right (NUM 31) or corrupt.
  if (restPages === MAX_RANGE_PAGES) return 1;
  return leadPages + (restPages & 1) + countBase32Digits(restPages >> 1);
}

/**
 * What every function here accepts.
 * @throws RangeError unless 1 ≤ lenPages ≤ 2^21 and the range lies below 2^40 pages; both are integers.
 */
export function checkRange(ipaPage: number, lenPages: number): void {
  if (isRange(ipaPage, lenPages)) return;
  if (!(Number.isInteger(lenPages) && lenPages >= 1 && lenPages <= MAX_RANGE_PAGES)) {
    throw new RangeError(`range of ${lenPages} pages: the encoder takes 1 to ${MAX_RANGE_PAGES}`);
  }
  throw new RangeError(`IPA page ${ipaPage} + ${lenPages}: not within 0 to ${IPA_PAGE_LIMIT}`);
}

/** Whether {@link checkRange} accepts it. KVM itself never hands over anything else. */
export function isRange(ipaPage: number, lenPages: number): boolean {
  return (
    Number.isInteger(lenPages) &&
    lenPages >= 1 &&
    lenPages <= MAX_RANGE_PAGES &&
    Number.isInteger(ipaPage) &&
    ipaPage >= 0 &&
    ipaPage + lenPages <= IPA_PAGE_LIMIT
  );
}

/** Pages in front of the first 64 KiB boundary, which LPA2 operands cannot express. */
function countLeadPages(encoding: RangeEncoding, ipaPage: number, lenPages: number): number {
  if (!usesLpa2Base(encoding)) return 0;
  // `&` keeps the low bits exactly, also of page numbers above 2^32.
  const pageMask = (1 << (16 - encoding.pageShift)) - 1;
  return Math.min(lenPages, -ipaPage & pageMask);
}

function countBase32Digits(value: number): number {
  return (
    ((value & 0x1f) === 0 ? 0 : 1) +
    ((value & 0x3e0) === 0 ? 0 : 1) +
    ((value & 0x7c00) === 0 ? 0 : 1) +
    ((value & 0xf8000) === 0 ? 0 : 1)
  );
}

/** 2^21 pages that reach a masking encoder whole: every 5-bit digit at scales 0..3 reads as zero. */
function isBrokenInput(encoding: RangeEncoding, ipaPage: number, lenPages: number): boolean {
  return (
    lenPages === MAX_RANGE_PAGES &&
    encoding.algorithm !== "clamped" &&
    countLeadPages(encoding, ipaPage, lenPages) === 0
  );
}

function isCappedInput(encoding: RangeEncoding, ipaPage: number, lenPages: number): boolean {
  return encoding.bug2048k === false && isBrokenInput(encoding, ipaPage, lenPages);
}

/**
 * Ascending: the loop has no upper bound and finds the digit at scale 4, whose bit falls into TG.
 * Descending: it has no lower bound; the kernel's 64-bit shift of 5·scale + 1 bits wraps, and at scale −9
 * (a shift by 20) the digit reads 2. The sign bits of the scale fill the operand from bit 44 up.
 */
function encodeBrokenInput(encoding: RangeEncoding, ipaPage: number, sink: RangeOpSink): void {
  const isAscending = encoding.algorithm === "ascending";
  if (encoding.bug2048k === false) {
    if (isAscending) encodeAscending(ipaPage, MAX_RANGE_PAGES - 1, sink);
    else encodeDescending(encoding, ipaPage, MAX_RANGE_PAGES - 1, sink);
    sink.single(ipaPage + MAX_RANGE_PAGES - 1);
    return;
  }
  const { scale, num } = isAscending ? ASCENDING_BUG : DESCENDING_BUG;
  // The overflow turns a 16K TG (2) into 3, the 64K granule; 4K (1) and 64K (3) survive it.
  const isOtherGranule = encoding.pageShift === 14;
  const coveredPages = isOtherGranule ? 0 : (num + 1) << (5 * (scale & MAX_SCALE) + 1);
  sink.range(ipaPage, scale, num, coveredPages);
}

function encodeAscending(ipaPage: number, lenPages: number, sink: RangeOpSink): void {
  let page = ipaPage;
  if ((lenPages & 1) !== 0) {
    sink.single(page);
    page += 1;
  }
  let restPages = lenPages & ~1;
  for (let scale = 0; restPages > 0; scale += 1) {
    const shift = 5 * scale + 1;
    const digit = (restPages >> shift) & 31;
    if (digit === 0) continue;
    const coveredPages = digit << shift;
    sink.range(page, scale, digit - 1, coveredPages);
    page += coveredPages;
    restPages -= coveredPages;
  }
}

/** Also `clamped`: the mask and the clamp differ for 2^21 pages only, which `descending` never brings here. */
function encodeDescending(
  encoding: RangeEncoding,
  ipaPage: number,
  lenPages: number,
  sink: RangeOpSink,
): void {
  const leadPages = countLeadPages(encoding, ipaPage, lenPages);
  for (let i = 0; i < leadPages; i += 1) sink.single(ipaPage + i);
  let page = ipaPage + leadPages;
  let restPages = lenPages - leadPages;
  for (let scale = MAX_SCALE; restPages > 1; scale -= 1) {
    const shift = 5 * scale + 1;
    const digit = restPages >> shift;
    if (digit === 0) continue;
    const coveredPages = digit << shift;
    sink.range(page, scale, digit - 1, coveredPages);
    page += coveredPages;
    restPages -= coveredPages;
  }
  if (restPages === 1) sink.single(page);
}
