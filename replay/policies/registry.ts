import type { Policy } from "./flags.ts";
import { LEGACY_5_8, LEGACY_5_9 } from "./families/legacy.ts";
import { PGTABLE_5_10, PGTABLE_6_2, PGTABLE_6_5 } from "./families/pgtable.ts";
import { RANGE_6_6, RANGE_6_9 } from "./families/range.ts";
import { RFC_2020 } from "./families/rfc-2020.ts";
import { IDEAL, PER_PAGE, RANGE, VMID_WIDE } from "./families/strategies.ts";

/** Every policy that ships, in the order in which reports list them. A new one is one line here. */
export const POLICIES: readonly Policy[] = [
  LEGACY_5_8,
  LEGACY_5_9,
  RFC_2020,
  PGTABLE_5_10,
  PGTABLE_6_2,
  PGTABLE_6_5,
  RANGE_6_6,
  RANGE_6_9,
  PER_PAGE,
  VMID_WIDE,
  RANGE,
  IDEAL,
];

export function findPolicy(id: string): Policy | undefined {
  return POLICIES.find((policy) => policy.id === id);
}
