import { type Geometry, LAST_LEVEL } from "../stage2/geometry.ts";
import type { Logging } from "./bound-fault.ts";
import type { BoundTable } from "./bound-table.ts";

/** A memslot in force. */
export interface InferredSlot {
  readonly id: number;
  readonly basePage: number;
  readonly pages: number;
  /** Host address of its first byte; NaN where nothing tells it. */
  readonly hvaBytes: number;
  readonly isReadOnly: boolean;
  logging: Logging;
  /** Level of the largest block that its backing allows; 3: none. */
  readonly blockLevel: number;
}

/** A VM as far as memslots show it. */
export class InferredVm {
  readonly name: string;
  /** Thread that made its memslots; threads of a known VM's process are told apart by it. -1: not known. */
  readonly ownerPid: number;
  readonly table: BoundTable;
  readonly slots: Map<number, InferredSlot> = new Map<number, InferredSlot>();
  /** Memslots deleted of which nothing shows which they were. */
  unresolvedDeletions = 0;
  readonly answers: RecentAnswers = new RecentAnswers();

  constructor(name: string, ownerPid: number, table: BoundTable) {
    this.name = name;
    this.ownerPid = ownerPid;
    this.table = table;
  }

  slotAt(page: number): InferredSlot | undefined {
    for (const slot of this.slots.values()) {
      if (page >= slot.basePage && page < slot.basePage + slot.pages) return slot;
    }
    return undefined;
  }
}

/** A memslot's part that a range of host addresses covers, in pages of IPA; undefined: none. */
export function pagesOfHva(
  slot: InferredSlot,
  startBytes: number,
  endBytes: number,
  pageBytes: number,
): { readonly startPage: number; readonly endPage: number } | undefined {
  const slotEnd = slot.hvaBytes + slot.pages * pageBytes;
  const start = Math.max(startBytes, slot.hvaBytes);
  const end = Math.min(endBytes, slotEnd);
  if (!(start < end)) return undefined;
  // kvm_handle_hva_range rounds the start down and the end up.
  return {
    startPage: slot.basePage + Math.floor((start - slot.hvaBytes) / pageBytes),
    endPage: slot.basePage + Math.ceil((end - slot.hvaBytes) / pageBytes),
  };
}

/**
 * Level of the largest block that `fault_supports_stage2_huge_mapping` allows at a page: IPA and host
 * address agree below the block's size, and the block lies within the memslot. 3: only a page.
 */
export function blockLevelAt(
  slot: InferredSlot,
  page: number,
  geometry: Geometry,
  pageBytes: number,
): number {
  for (
    let level = Math.max(slot.blockLevel, geometry.minBlockLevel);
    level < LAST_LEVEL;
    level += 1
  ) {
    const span = geometry.spanPages[level]!;
    const first = page - (page % span);
    const isInside = first >= slot.basePage && first + span <= slot.basePage + slot.pages;
    const offset = slot.hvaBytes / pageBytes - slot.basePage;
    const isCongruent = Number.isNaN(offset) || offset % span === 0;
    if (isInside && isCongruent) return level;
  }
  return LAST_LEVEL;
}

/** Faults answered last, to tell what one thread's walk may not have seen of another's. */
class RecentAnswers {
  readonly #pids = new Int32Array(16);
  readonly #pages = new Float64Array(16);
  readonly #at = new Float64Array(16).fill(-1);
  #next = 0;

  add(pid: number, page: number, at: number): void {
    this.#pids[this.#next] = pid;
    this.#pages[this.#next] = page;
    this.#at[this.#next] = at;
    this.#next = (this.#next + 1) % this.#at.length;
  }

  /** Another thread's fault within these pages was answered after `since`. */
  hasOther(pid: number, startPage: number, endPage: number, since: number): boolean {
    // Full of newer ones: those that fell out may have been newer too.
    if (this.#at[this.#next]! > since) return true;
    for (let i = 0; i < this.#at.length; i += 1) {
      const page = this.#pages[i]!;
      if (this.#at[i]! > since && this.#pids[i] !== pid && page >= startPage && page < endPage) {
        return true;
      }
    }
    return false;
  }
}
