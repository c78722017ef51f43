/**
 * Shape of an arm64 stage-2 page table for one page size (granule).
 *
 * The model always starts at level 0 (4 and 16 KiB) or 1 (64 KiB), where every IPA of up to 52 bits
 * fits. A real table may start deeper, with up to 16 concatenated tables at its start level (Arm ARM
 * D8.2, kvm `stage2_pgtable_levels`): those tables are part of the root and are never freed, which is
 * all that the start level changes for TLB maintenance. So it is kept beside the table, not in it.
 */
export type PageShift = 12 | 14 | 16;

export const LAST_LEVEL = 3;

export interface Geometry {
  readonly pageShift: PageShift;
  /** Address bits that one level resolves: 9, 11 or 13. */
  readonly bitsPerLevel: number;
  readonly entriesPerTable: number;
  /** Level of the model's root. */
  readonly topLevel: number;
  /** Entries of the model's root: enough for 52 bits of IPA. */
  readonly rootEntries: number;
  /** Coarsest level with blocks: KVM_PGTABLE_MIN_BLOCK_LEVEL, 1 for 4 KiB pages, 2 for 16 and 64 KiB. */
  readonly minBlockLevel: number;
  /** Pages that one entry of each level maps, by level. */
  readonly spanPages: readonly number[];
}

const IPA_BITS_MAX = 52;
/** Tables that hardware accepts side by side at the start level (Arm ARM, VTCR_EL2.SL0). */
const MAX_CONCATENATED_TABLES = 16;

const GEOMETRIES: Readonly<Record<PageShift, Geometry>> = {
  12: createGeometry(12, 0, 1),
  14: createGeometry(14, 0, 2),
  16: createGeometry(16, 1, 2),
};

export function geometryOf(pageShift: PageShift): Geometry {
  return GEOMETRIES[pageShift];
}

function createGeometry(pageShift: PageShift, topLevel: number, minBlockLevel: number): Geometry {
  const bitsPerLevel = pageShift - 3;
  const spanPages = [0, 1, 2, 3].map((level) => 2 ** ((LAST_LEVEL - level) * bitsPerLevel));
  return {
    pageShift,
    bitsPerLevel,
    entriesPerTable: 2 ** bitsPerLevel,
    topLevel,
    rootEntries: 2 ** (IPA_BITS_MAX - pageShift) / spanPages[topLevel]!,
    minBlockLevel,
    spanPages,
  };
}

/**
 * Level at which the hardware's walk of a VM with `ipaBits` of IPA starts: KVM concatenates up to 16
 * tables at the start level (`stage2_pgtable_levels(ipa) = ARM64_HW_PGTABLE_LEVELS(ipa - 4)`, 5.10 to 7.3).
 */
export function startLevelOf(ipaBits: number, pageShift: PageShift): number {
  const levels = Math.floor((ipaBits - 8) / (pageShift - 3));
  return LAST_LEVEL + 1 - levels;
}

/** Pages of the largest IPA space whose walk starts at `rootLevel`. */
export function mostIpaPages(geometry: Geometry, rootLevel: number): number {
  return geometry.spanPages[rootLevel]! * geometry.entriesPerTable * MAX_CONCATENATED_TABLES;
}

/** Page-table pages that an entry of `level` can have below it. */
export function tablesUnder(geometry: Geometry, level: number): number {
  let tables = 0;
  for (let below = level; below < LAST_LEVEL; below += 1) {
    tables += geometry.spanPages[level]! / geometry.spanPages[below]!;
  }
  return tables;
}

/** Bytes of the pieces in which `stage2_apply_range` walks from 5.15 on: one block of the coarsest level. */
export function minBlockBytes(geometry: Geometry): number {
  return geometry.spanPages[geometry.minBlockLevel]! * 2 ** geometry.pageShift;
}

export function pageShiftOf(pageSizeBytes: number): PageShift | undefined {
  if (pageSizeBytes === 4096) return 12;
  if (pageSizeBytes === 16_384) return 14;
  if (pageSizeBytes === 65_536) return 16;
  return undefined;
}
