import { type Granule, leafBytes } from "./granules.ts";
import { type ShadowLeaf, tagOf } from "./shadow-leaves.ts";

/** Why shadow leaves go: rows of the `nested` table, in its order. */
export const NESTED_CAUSES = [
  "ipas2",
  "ripas2",
  "vmalls12",
  "alle1",
  /** Stage-1 TLBIs of a guest hypervisor: no table changes. */
  "stage1",
  /** MMU notifier. */
  "host_unmap",
  /** A memslot is deleted or moved. */
  "memslot",
  /** Dirty logging: write-protection of whole contexts, which clears nothing. */
  "write_protect",
  /** A context is given to another guest: KVM_REQ_NESTED_S2_UNMAP. */
  "recycle",
  /** Cleared by the recorded kernel for a reason that the trace does not show. */
  "unattributed",
] as const;
export type NestedCause = (typeof NESTED_CAUSES)[number];

/** What is to be invalidated; addresses are the nested guest's, in bytes. */
export interface Invalidation {
  readonly cause: NestedCause;
  /** By IPA: the address and what its TTL names (0: nothing). */
  readonly addrBytes: number;
  readonly ttlBytes: number;
  /** By range: [start, end). */
  readonly startBytes: number;
  readonly endBytes: number;
  /** Of the host: pages of the VM, [first, end), and the host pages they had, where known. */
  readonly hostFirstPage: number;
  readonly hostEndPage: number;
}

const NOTHING: Omit<Invalidation, "cause"> = {
  addrBytes: 0,
  ttlBytes: 0,
  startBytes: 0,
  endBytes: 0,
  hostFirstPage: Number.NaN,
  hostEndPage: Number.NaN,
};

export function byIpa(addrBytes: number, ttlBytes: number): Invalidation {
  return { ...NOTHING, cause: "ipas2", addrBytes, ttlBytes };
}

export function byRange(startBytes: number, lenBytes: number, ttlBytes: number): Invalidation {
  const endBytes = startBytes + lenBytes;
  return { ...NOTHING, cause: "ripas2", startBytes, endBytes, ttlBytes };
}

export function ofWhole(cause: NestedCause): Invalidation {
  return { ...NOTHING, cause };
}

export function ofHost(cause: NestedCause, firstPage: number, endPage: number): Invalidation {
  return { ...NOTHING, cause, hostFirstPage: firstPage, hostEndPage: endPage };
}

/**
 * Whether a shadow leaf stands for something that the guest invalidated: its guest leaf holds the address,
 * or a part of the range. A leaf of which the guest's level is not known stands for itself. A TTL that names
 * another size than the guest's leaf asks for nothing but the address itself (Arm ARM, TLBI IPAS2E1: the
 * hint must be right).
 */
export function isInvalidated(
  what: Invalidation,
  leaf: ShadowLeaf,
  granule: Granule,
  pageBytes: number,
): boolean {
  const start = leaf.page * pageBytes;
  const end = start + leaf.lenPages * pageBytes;
  const bytes = Math.max(leafBytes(granule, tagOf(leaf.meta)), end - start);
  const guestStart = start - (start % bytes);
  const guestEnd = guestStart + bytes;
  if (what.cause === "ipas2") {
    const { addrBytes, ttlBytes } = what;
    if (addrBytes >= start && addrBytes < end) return true;
    if (ttlBytes !== 0 && ttlBytes !== bytes) return false;
    return addrBytes >= guestStart && addrBytes < guestEnd;
  }
  if (what.cause === "ripas2") return guestStart < what.endBytes && guestEnd > what.startBytes;
  return what.cause !== "stage1" && what.cause !== "write_protect";
}
