import type { Stage2Table } from "../stage2/table.ts";
import { type Granule, leafBytes, LARGEST_BLOCK_BYTES, LEAF_SIZES } from "./granules.ts";
import { emptyLeaf, leafAt, tagOf } from "./shadow-leaves.ts";

/** How the size of an invalidation by IPA was found. */
export const HINTS = [
  /** The guest's TTL field. */
  "ttl",
  /** The shadow leaf of the address itself. */
  "page",
  /** A leaf at the start of a block that holds the address. */
  "head",
  /** A leaf beside the address: only a search that looks around finds it. */
  "around",
  /** A level kept on an entry that is not valid: no kernel keeps one. */
  "kept",
  /** The first leaf found belongs to another mapping: the largest block. */
  "elsewhere",
  /** No leaf at any of the places: the largest block. */
  "nothing",
] as const;
export type Hint = (typeof HINTS)[number];

export interface HintResult {
  hint: Hint;
  /** Size of the guest's leaf; 0 where no hint was found. */
  bytes: number;
  /** Entries looked up. */
  probes: number;
}

const leaf = emptyLeaf();

/**
 * KVM's search for the level of the guest's leaf at an address, `get_guest_mapping_ttl` (6.11 to 7.3):
 * looks in the shadow table at the address, then at the start of each larger block that holds it, and
 * decides at the first leaf with a level that it meets.
 */
export function searchLevel(
  table: Stage2Table,
  granule: Granule,
  addrBytes: number,
  into: HintResult,
): void {
  const pageBytes = 2 ** table.geometry.pageShift;
  into.probes = 0;
  let at = addrBytes;
  for (const sizeBytes of LEAF_SIZES[granule]) {
    at -= at % sizeBytes;
    into.probes += 1;
    if (!leafAt(table, Math.floor(at / pageBytes), leaf)) continue;
    const bytes = leafBytes(granule, tagOf(leaf.meta));
    if (tagOf(leaf.meta) === 0) continue;
    const covers = bytes > 0 && addrBytes < at + bytes;
    into.bytes = covers ? bytes : 0;
    if (!covers) into.hint = "elsewhere";
    else into.hint = sizeBytes === LEAF_SIZES[granule][0] ? "page" : "head";
    return;
  }
  into.bytes = 0;
  into.hint = "nothing";
}

/**
 * What a search would find that went on to up to `entries` entries around the address, the nearest first,
 * until one has a level whose leaf holds the address. No kernel does it.
 */
export function lookAround(
  table: Stage2Table,
  granule: Granule,
  addrBytes: number,
  entries: number,
  into: HintResult,
): void {
  const pageBytes = 2 ** table.geometry.pageShift;
  const page = Math.floor(addrBytes / pageBytes);
  const extent = LARGEST_BLOCK_BYTES[granule] / pageBytes;
  const first = page - (page % extent);
  let left = entries;
  for (let away = 1; left > 0 && away < extent; away += 1) {
    for (const near of [page + away, page - away]) {
      if (left === 0 || near < first || near >= first + extent) continue;
      left -= 1;
      into.probes += 1;
      if (!leafAt(table, near, leaf)) continue;
      const bytes = leafBytes(granule, tagOf(leaf.meta));
      if (bytes === 0) continue;
      const start = near * pageBytes - ((near * pageBytes) % bytes);
      if (addrBytes < start || addrBytes >= start + bytes) continue;
      into.bytes = bytes;
      into.hint = "around";
      return;
    }
  }
}

/** Size that an invalidation by IPA takes: `compute_tlb_inval_range`; `bytes` as the hint gives it. */
export function extentOf(granule: Granule, bytes: number): number {
  return bytes === 0 ? LARGEST_BLOCK_BYTES[granule] : bytes;
}
