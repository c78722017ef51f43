import { REFERENCE_SEED } from "../accesses/reference-streams.ts";
import { FixedWays } from "./fixed-ways.ts";
import { FullyAssociative } from "./fully-associative.ts";
import { SetAssociative } from "./set-associative.ts";
import type { ArrayShape } from "./shape.ts";
import type { TlbArray } from "./tlb-array.ts";
import { victimsBy } from "./victims.ts";

/**
 * The array that a shape describes: LRU, unless it says otherwise, in the structure that is quickest.
 * Random replacement draws from one seed in every array, so that a run can be repeated; two arrays that
 * are compared draw differently as soon as one of them evicts once more than the other.
 *
 * @param vms how many VMs there are: 0…vms−1.
 * @throws RangeError where the sets are no power of two.
 */
export function makeArray({ sets, ways, replacement = "lru" }: ArrayShape, vms: number): TlbArray {
  if (replacement !== "lru" && ways > 0) {
    return new FixedWays(sets, ways, vms, victimsBy(replacement, sets, ways, REFERENCE_SEED));
  }
  return sets === 1 && ways > FEW_WAYS
    ? new FullyAssociative(ways, vms)
    : new SetAssociative(sets, ways, vms);
}

/** Up to so many ways, moving them is quicker than a hash. */
const FEW_WAYS = 16;
