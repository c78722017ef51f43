import { isSince, type Release } from "./kernel-release.ts";
import type { RecordedArch } from "./recorded-probes.ts";

/**
 * Where fields of kernel structures stand, in bytes, by the release since which they do. A probe reads
 * them behind a pointer, so that a wrong offset gives a number that looks right: what is not known for
 * a release is not read. Kernels that describe themselves (BTF) are asked by name instead.
 *
 * Sources: the captures of 5.10 (x86), 6.1, 6.12 and 7.2; the structures of the releases between.
 */
const OFFSETS: Readonly<
  Record<RecordedArch, Readonly<Record<string, readonly (readonly [Release, number])[]>>>
> = {
  arm64: {
    /** `mm_ops` came before it in 5.13; 6.14 put a union with pKVM's mappings in front of it. */
    "kvm_pgtable.mmu": [
      ["5.10", 16],
      ["5.13", 24],
      ["6.14", 40],
    ],
    /** 5.17 put the slots into trees, whose nodes stand in front. */
    "kvm_memory_slot.base_gfn": [
      ["5.4", 0],
      ["5.17", 176],
    ],
    "kvm_memory_slot.npages": [
      ["5.4", 8],
      ["5.17", 184],
    ],
    "kvm_memory_slot.userspace_addr": [
      ["5.4", 24],
      ["5.17", 200],
    ],
    "kvm_memory_slot.flags": [
      ["5.4", 32],
      ["5.17", 208],
    ],
    "kvm_memory_slot.id": [
      ["5.4", 36],
      ["5.17", 212],
    ],
    "kvm_gfn_range.slot": [["5.13", 0]],
    "kvm_gfn_range.start": [["5.13", 8]],
    "kvm_gfn_range.end": [["5.13", 16]],
    "kvm_s2_mmu.vmid.id.counter": [["7.2", 0]],
    "kvm_s2_mmu.nested_stage2_enabled": [["7.2", 112]],
    "kvm_s2_mmu.tlb_vttbr": [["7.2", 96]],
    "sys_reg_params.Op0": [["5.10", 0]],
    "sys_reg_params.Op1": [["5.10", 1]],
    "sys_reg_params.CRn": [["5.10", 2]],
    "sys_reg_params.CRm": [["5.10", 3]],
    "sys_reg_params.Op2": [["5.10", 4]],
    "sys_reg_params.regval": [["5.10", 8]],
    "tlbi_info.range.start": [["6.11", 0]],
    "tlbi_info.range.size": [["6.11", 8]],
  },
  x86: {
    "kvm_memory_slot.base_gfn": [
      ["5.4", 0],
      ["5.17", 176],
    ],
    "kvm_memory_slot.npages": [
      ["5.4", 8],
      ["5.17", 184],
    ],
    "kvm_memory_slot.userspace_addr": [
      ["5.10", 72],
      ["5.17", 248],
    ],
    "kvm_memory_slot.flags": [
      ["5.10", 80],
      ["5.17", 256],
    ],
    "kvm_memory_slot.id": [
      ["5.10", 84],
      ["5.17", 260],
    ],
    "kvm_userspace_memory_region.guest_phys_addr": [["5.4", 8]],
    "kvm_userspace_memory_region.memory_size": [["5.4", 16]],
    "kvm_gfn_range.start": [["5.13", 8]],
    "kvm_gfn_range.end": [["5.13", 16]],
  },
};

/** The newest release whose structures were looked at. */
export const STRUCTURES_KNOWN_UNTIL: Release = "7.2";

/** Offset of `structure.field` in a release; undefined where it is not known. */
export function offsetOf(arch: RecordedArch, field: string, release: Release): number | undefined {
  if (isSince(release, STRUCTURES_KNOWN_UNTIL) && release !== STRUCTURES_KNOWN_UNTIL) {
    return undefined;
  }
  return OFFSETS[arch][field]?.findLast(([since]) => isSince(release, since))?.[1];
}
