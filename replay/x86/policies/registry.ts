import {
  X86_COLLAPSIBLE_BATCH,
  X86_COLLAPSIBLE_PER_SPTE,
  X86_ONCE_5_18,
  X86_PER_TABLE_5_10,
  X86_RCU_PROXY_2021,
  X86_RFC_LIST_2021,
} from "./families.ts";
import type { X86Policy } from "./flags.ts";

/** Every x86 policy that ships, in the order in which reports list them. */
export const X86_POLICIES: readonly X86Policy[] = [
  X86_PER_TABLE_5_10,
  X86_RFC_LIST_2021,
  X86_RCU_PROXY_2021,
  X86_ONCE_5_18,
  X86_COLLAPSIBLE_PER_SPTE,
  X86_COLLAPSIBLE_BATCH,
];

export function findX86Policy(id: string): X86Policy | undefined {
  return X86_POLICIES.find((policy) => policy.id === id);
}
