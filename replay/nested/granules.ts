/**
 * Granules of a guest hypervisor's stage 2, as its TLBI operands and VTCR_EL2 name them, and the block
 * sizes that KVM reckons with when it emulates an invalidation by IPA (arch/arm64/kvm/nested.c,
 * ttl_to_size and compute_tlb_inval_range, 6.11 to 7.3). All sizes in bytes.
 */
export type Granule = "4k" | "16k" | "64k";

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

export const GRANULE_BYTES: Readonly<Record<Granule, number>> = {
  "4k": 4 * KIB,
  "16k": 16 * KIB,
  "64k": 64 * KIB,
};

/** Bytes of a leaf by its level (1 to 3); 0: KVM knows no leaf of that level. */
const LEAF_BYTES: Readonly<Record<Granule, readonly number[]>> = {
  "4k": [0, GIB, 2 * MIB, 4 * KIB],
  "16k": [0, 0, 32 * MIB, 16 * KIB],
  "64k": [0, 0, 512 * MIB, 64 * KIB],
};

/** Leaf sizes of a granule, smallest first: the steps of the search for a hint. */
export const LEAF_SIZES: Readonly<Record<Granule, readonly number[]>> = {
  "4k": [4 * KIB, 2 * MIB, GIB],
  "16k": [16 * KIB, 32 * MIB],
  "64k": [64 * KIB, 512 * MIB],
};

/** What an invalidation by IPA covers where nothing tells the leaf's size: the largest block. */
export const LARGEST_BLOCK_BYTES: Readonly<Record<Granule, number>> = {
  "4k": GIB,
  "16k": 32 * MIB,
  "64k": 512 * MIB,
};

/** Bytes of a guest's leaf of `level`; 0 where KVM knows none. */
export function leafBytes(granule: Granule, level: number): number {
  return LEAF_BYTES[granule][level] ?? 0;
}

/** TG bits of a TTL field (bits 3:2 of it) or of a range operand (bits 47:46): 1, 2, 3; 0 names none. */
const GRANULE_OF_TG: readonly (Granule | undefined)[] = [undefined, "4k", "16k", "64k"];

export function granuleOfTg(tg: number): Granule | undefined {
  return GRANULE_OF_TG[tg & 0b11];
}

/** Bytes that a 4-bit TTL field names; 0: none, or a level without leaves. */
export function ttlToSize(ttl: number): number {
  const granule = granuleOfTg(ttl >>> 2);
  return granule === undefined ? 0 : leafBytes(granule, ttl & 0b11);
}

/** The TTL field of a level: what the search for a hint hands on. */
export function ttlOf(granule: Granule, level: number): number {
  return (GRANULE_OF_TG.indexOf(granule) << 2) | level;
}

/** VTCR_EL2.TG0 (bits 15:14): 0 is 4 KiB, 1 is 64 KiB, 2 is 16 KiB; 3 is reserved and read as 64 KiB. */
export function granuleOfVtcr(vtcrLow: number): Granule {
  const tg0 = (vtcrLow >>> 14) & 0b11;
  if (tg0 === 0) return "4k";
  return tg0 === 2 ? "16k" : "64k";
}

/** The granule that has leaves of this size; no two have the same. */
export function granuleOfSize(bytes: number): Granule | undefined {
  return GRANULE_OF_TG.find(
    (granule) => granule !== undefined && LEAF_SIZES[granule].includes(bytes),
  );
}
