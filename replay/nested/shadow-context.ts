import type { Granule } from "./granules.ts";

/** A shadow context as far as the trace shows it; shared by everything that is replayed on it. */
export class ShadowContext {
  /** Pointer id of its struct kvm_s2_mmu. */
  readonly mmu: number;
  /** Pointer id of the VM's struct kvm; 0: not shown yet. */
  kvm = 0;
  /** VMID that the guest hypervisor uses; NaN: not shown yet. */
  guestVmid: number = Number.NaN;
  /** Hardware VMID; NaN: not recorded. */
  hardwareVmid: number = Number.NaN;
  /** Granule of the guest's tables, and whether an operand or a size showed it. */
  granule: Granule = "4k";
  isGranuleShown = false;
  /** The model's table holds everything that the context does. */
  isKnown: boolean;
  /** By first page of a shadow leaf: page of the VM that it maps, where the trace shows it. */
  readonly targets: Map<number, number> = new Map();
  /** Pages whose accesses the trace announces, [start, end) by pairs. */
  readonly announced: [startPage: number, endPage: number][] = [];

  constructor(mmu: number, isKnown: boolean) {
    this.mmu = mmu;
    this.isKnown = isKnown;
  }

  showGranule(granule: Granule): void {
    this.granule = granule;
    this.isGranuleShown = true;
  }

  announce(startPage: number, endPage: number): void {
    const held = this.announced.some(([start, end]) => start <= startPage && endPage <= end);
    if (!held) this.announced.push([startPage, endPage]);
  }

  /** Accesses of a part of it were announced: then all that use it are taken to be. */
  isAnnounced(page: number, lenPages: number): boolean {
    return this.announced.some(([start, end]) => page < end && page + lenPages > start);
  }
}
