import type { Granule } from "./granules.ts";
import { PageSet } from "./page-set.ts";

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
  /** Pages whose accesses the trace announces. */
  readonly announced: PageSet = new PageSet();

  constructor(mmu: number, isKnown: boolean) {
    this.mmu = mmu;
    this.isKnown = isKnown;
  }

  showGranule(granule: Granule): void {
    this.granule = granule;
    this.isGranuleShown = true;
  }

  /** Accesses of a part of it were announced: then all that use it are taken to be. */
  isAnnounced(page: number, lenPages: number): boolean {
    return this.announced.overlaps(page, page + lenPages);
  }
}
