/**
 * What a host does with its shadow tables when a guest hypervisor invalidates, or when the host itself
 * takes memory away. As data: a policy is a line of the registry.
 */
export interface NestedPolicy {
  readonly id: string;
  /** One line for a person. */
  readonly summary: string;
  /**
   * Guest's TLBI by IPA, in each context of its VMID: `all` = the whole context, `largest` = the largest
   * block of the guest's granule, `ttl` = the size that the operand names, else the largest block, `search`
   * = the same with KVM's search in the shadow table in between, `leaf` = the leaves of the guest's leaf.
   */
  readonly byIpa: "all" | "largest" | "ttl" | "search" | "leaf";
  /**
   * Guest's TLBI by range: `all`, `largest` = whole largest blocks, `ttl` = whole blocks of the size that the
   * operand names (else the largest), `exact` = the range, `leaf` = the leaves of each guest's leaf in it.
   */
  readonly byRange: "all" | "largest" | "ttl" | "exact" | "leaf";
  /** Host's unmap of part of the VM: `all` = every context, `target` = the leaves that map that part. */
  readonly byHost: "all" | "target";
  /** Entries that the search looks at beyond KVM's: a what-if. */
  readonly lookAround: number;
  /** The search finds levels on entries that are not valid: a what-if. */
  readonly keepsLevels: boolean;
  /** Clears only what goes, leaf by leaf, and spends nothing on what is empty. */
  readonly sparesEmpty: boolean;
}

const KERNEL: Omit<NestedPolicy, "id" | "summary"> = {
  byIpa: "search",
  byRange: "exact",
  byHost: "all",
  lookAround: 0,
  keepsLevels: false,
  sparesEmpty: false,
};

/** Every nested policy that ships, in the order of reports. A new one is one entry here. */
export const NESTED_POLICIES: readonly NestedPolicy[] = [
  {
    ...KERNEL,
    id: "nv-blow-away",
    summary: "any TLBI of a guest hypervisor empties the shadow contexts of its VMID",
    byIpa: "all",
    byRange: "all",
  },
  {
    ...KERNEL,
    id: "nv-max",
    summary: "a TLBI by IPA clears the largest block of the guest's granule",
    byIpa: "largest",
    byRange: "largest",
  },
  {
    ...KERNEL,
    id: "nv-ttl-hint",
    summary: "a TLBI by IPA clears what its TTL names, else the largest block",
    byIpa: "ttl",
    byRange: "ttl",
  },
  {
    ...KERNEL,
    id: "nv-shadow-level",
    summary: "TTL, else the level found in the shadow table, else the largest block (6.11 to 7.3)",
  },
  {
    ...KERNEL,
    id: "nv-range",
    summary: "as nv-shadow-level, and a TLBI by range clears just the range (6.11 to 7.3 do)",
  },
  {
    ...KERNEL,
    id: "nv-revmap",
    summary: "as nv-range, and the host's unmap clears only leaves that map what it takes away",
    byHost: "target",
  },
  {
    ...KERNEL,
    id: "nv-exact",
    summary: "only leaves of what was invalidated, and no work on what is empty: the lower bound",
    byIpa: "leaf",
    byRange: "leaf",
    byHost: "target",
    sparesEmpty: true,
  },
];

/** What KVM of 6.11 to 7.3 does: what the recorded kernel is held against. */
export const KERNEL_NESTED_POLICY: NestedPolicy = NESTED_POLICIES.find(
  ({ id }) => id === "nv-shadow-level",
)!;

/** Numbers of entries that a search might look at around the address. */
export const LOOK_AROUND_ENTRIES: readonly number[] = [1, 4, 16, 64, 256, 511];

/** Variants of KVM's search, for the question of how much a better one would gain. */
export const SEARCH_VARIANTS: readonly NestedPolicy[] = [
  { ...KERNEL, id: "none", summary: "the guest's TTL only", byIpa: "ttl" },
  { ...KERNEL, id: "kernel", summary: "the address and the heads of its blocks (6.11 to 7.3)" },
  ...LOOK_AROUND_ENTRIES.map((entries) => ({
    ...KERNEL,
    id: `around-${entries}`,
    summary: `then up to ${entries} entries around the address`,
    lookAround: entries,
  })),
  {
    ...KERNEL,
    id: "kept-levels",
    summary: "levels kept on entries that are not valid",
    keepsLevels: true,
  },
  { ...KERNEL, id: "oracle", summary: "the guest's leaf is always known", byIpa: "leaf" },
];

export function findNestedPolicy(id: string): NestedPolicy | undefined {
  return NESTED_POLICIES.find((policy) => policy.id === id);
}
