/**
 * One array of TLB entries. A key is a whole number from 0 to 2^31−1 that stands for one translation
 * (address space, page number and page size, see `page-keys.ts`); its low bits are those of the page
 * number and choose the set. Keys of different VMs differ.
 */
export interface TlbArray {
  readonly entries: number;
  /** Looks the key up and, where it is there, counts the use. */
  touch(key: number): boolean;
  /** `touch`, and `fill` where it was not there: the same in one go, and quicker. */
  use(key: number, vm: number): boolean;
  /** Whether the key is there, without counting a use. */
  has(key: number): boolean;
  /** Enters a key that is not there; a free or dead entry is taken before a live one is evicted. */
  fill(key: number, vm: number): void;
  /** Invalidates one key; whether it was there. */
  drop(key: number): boolean;
  /** Invalidates the keys `first`…`first + count − 1`; how many were there. Probes or scans, as is cheaper. */
  dropRange(first: number, count: number): number;
  /** Invalidates the entries whose key `matches` says, by a scan; how many. */
  dropWhere(matches: (key: number) => boolean): number;
  /** Invalidates every entry of a VM; how many there were. */
  flushVm(vm: number): number;
  flushAll(): number;
  /** Live entries of a VM. */
  liveOf(vm: number): number;
}

/** Which entry of a set gives way. */
export type Replacement = "lru" | "fifo" | "tree-plru" | "random";
