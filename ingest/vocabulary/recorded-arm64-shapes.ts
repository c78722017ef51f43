import type { RecordedFunction } from "./recorded-probes.ts";

export const MMU_OF_PGT: string = "mmu=+{kvm_pgtable.mmu}(%x0):x64";
export const RANGE_OF_PGT: string = `pgt=%x0:x64 ${MMU_OF_PGT} addr=%x1:x64 size=%x2:x64`;
export const MAP: string = `${RANGE_OF_PGT} phys=%x3:x64 prot=%x4:x64`;
export const GFN_RANGE: string =
  "start=+{kvm_gfn_range.start}(%x1):x64 end=+{kvm_gfn_range.end}(%x1):x64";
export const SLOT: string =
  "base_gfn=+{kvm_memory_slot.base_gfn}(%x1):x64 npages=+{kvm_memory_slot.npages}(%x1):x64";

/** What kvm_arch_commit_memory_region says of the slots in these registers. */
export const commitRegion = (before: string, after: string, change: string): string =>
  [
    `kvm=%x0:x64 change=${change}:s32 old_flags=+{kvm_memory_slot.flags}(${before}):x32`,
    `base_gfn=+{kvm_memory_slot.base_gfn}(${after}):x64`,
    `npages=+{kvm_memory_slot.npages}(${after}):x64`,
    `hva=+{kvm_memory_slot.userspace_addr}(${after}):x64`,
    `flags=+{kvm_memory_slot.flags}(${after}):x32 id=+{kvm_memory_slot.id}(${after}):s16`,
  ].join(" ");

export const one = (fetch: string): RecordedFunction["shapes"] => [{ since: "5.10", fetch }];
