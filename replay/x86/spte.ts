/**
 * Shadow page-table entries of x86 KVM: 64 bits, of AMD's nested paging or Intel's EPT, which agree in all that
 * is read here. Level 1 maps 4 KiB, level 2 2 MiB, level 3 1 GiB, and tables nest up to level 5.
 */
export const Entry = {
  /** Nothing is known. */
  unknown: 0,
  /** Not present: nothing, an MMIO mark, or frozen while its thread removes what was there. */
  empty: 1,
  leaf: 2,
  table: 3,
} as const;

export const MAX_LEVEL = 5;

/**
 * How a kernel says that an entry is present: by a software bit of its own (5.13 and later), or by the
 * permissions of the hardware (before), where an MMIO mark has bits 53:52 both set.
 */
export type PresentForm = "bit-11" | "permissions";

const PRESENT_BIT = 1 << 11;
const PERMISSIONS = 0x7;
const LARGE_BIT = 1 << 7;
const WRITABLE_BIT = 1 << 1;
const OLD_MMIO_HIGH = 3 << 20;

/** What an entry at `level` is. @param low bits 31:0. @param high bits 63:32. */
export function entryOf(low: number, high: number, level: number, form: PresentForm): number {
  if (!isPresent(low, high, form)) return Entry.empty;
  return level === 1 || (low & LARGE_BIT) !== 0 ? Entry.leaf : Entry.table;
}

function isPresent(low: number, high: number, form: PresentForm): boolean {
  if (form === "bit-11") return (low & PRESENT_BIT) !== 0;
  return (low & PERMISSIONS) !== 0 && (high & OLD_MMIO_HIGH) !== OLD_MMIO_HIGH;
}

export function isWritable(low: number): boolean {
  return (low & WRITABLE_BIT) !== 0;
}

/**
 * The form that an entry shows, undefined where it could be of either: a table's entry has the software bit
 * wherever a kernel sets it, and no other software bits.
 */
export function formShownBy(low: number, level: number): PresentForm | undefined {
  if (level < 2 || (low & LARGE_BIT) !== 0 || (low & PERMISSIONS) === 0) return undefined;
  return (low & PRESENT_BIT) !== 0 ? "bit-11" : "permissions";
}

/** Same output address: bits 51:12. */
export function isSameFrame(lowA: number, highA: number, lowB: number, highB: number): boolean {
  return lowA >>> 12 === lowB >>> 12 && (highA & 0xf_ffff) === (highB & 0xf_ffff);
}

/** Frames that an entry at each level covers: 1, 512, 512², … */
export const SPAN: readonly number[] = [0, 1, 512, 512 ** 2, 512 ** 3, 512 ** 4, 512 ** 5];

export function spanOf(level: number): number {
  return SPAN[level]!;
}

/**
 * Page tables below an entry at `level` whose whole range is mapped by 4 KiB pages: 1 for 2 MiB, 513 for 1 GiB,
 * 262,657 for 512 GiB. Each of them was flushed for by 5.10 to 5.17.
 */
export function tablesWhenFull(level: number): number {
  let tables = 0;
  for (let below = 1; below < level; below += 1) tables += 512 ** (below - 1);
  return tables;
}
