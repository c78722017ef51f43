/** Flags of a memslot (KVM_MEM_*). */
const LOG_DIRTY_PAGES = 1;
const READ_ONLY = 2;

/** kvm_mr_change. */
const CHANGE_CREATE = 0;
const CHANGE_DELETE = 1;

/**
 * A memslot smaller than this share of all does not make a migration by itself: VMMs log the frame buffer of
 * a display all the time.
 */
const LEAST_SHARE = 1 / 16;

interface SlotState {
  readonly basePage: number;
  readonly pages: number;
  readonly flags: number;
}

/** The memslots of one VM, as they are committed, and which of them are logged. */
export class SlotTable {
  readonly #slots = new Map<number, SlotState>();
  #changes = 0;

  /** commit_region events that changed logging were seen. */
  get showsLogging(): boolean {
    return this.#changes > 0;
  }

  get isEmpty(): boolean {
    return this.#slots.size === 0;
  }

  /** `slotId`: NaN where the probe does not tell it; then slots are told apart by their place. */
  commit(slotId: number, change: number, basePage: number, pages: number, newFlags: number): void {
    // The fields of a deleted slot are all zero: it is found when another takes its place.
    if (change === CHANGE_DELETE) return;
    const id = Number.isNaN(slotId) ? -1 - basePage : slotId;
    for (const [otherId, other] of this.#slots) {
      const isApart =
        other.basePage >= basePage + pages || other.basePage + other.pages <= basePage;
      if (otherId !== id && !isApart) this.#slots.delete(otherId);
    }
    const before = this.#slots.get(id)?.flags ?? 0;
    const isChange = change !== CHANGE_CREATE || (newFlags & LOG_DIRTY_PAGES) !== 0;
    if (isChange && ((before ^ newFlags) & LOG_DIRTY_PAGES) !== 0) this.#changes += 1;
    // A slot of which only the end of logging was seen was logged before.
    else if (change !== CHANGE_CREATE && !this.#slots.has(id)) this.#changes += 1;
    this.#slots.set(id, { basePage, pages, flags: newFlags });
  }

  /** Is enough of the memory logged to be a migration? */
  get isLogging(): boolean {
    return this.#logged().length > 0;
  }

  get loggedSlots(): number {
    return [...this.#slots.values()].filter(({ flags }) => (flags & LOG_DIRTY_PAGES) !== 0).length;
  }

  get loggedPages(): number {
    let pages = 0;
    for (const slot of this.#slots.values()) {
      if ((slot.flags & LOG_DIRTY_PAGES) !== 0) pages += slot.pages;
    }
    return pages;
  }

  /** Undefined where no memslot was seen. */
  pages(isReadOnly: boolean): number | undefined {
    if (this.#slots.size === 0) return undefined;
    let pages = 0;
    for (const slot of this.#slots.values()) {
      if (((slot.flags & READ_ONLY) !== 0) === isReadOnly) pages += slot.pages;
    }
    return pages;
  }

  /** Is this page's memslot logged? Undefined where its memslot was not seen. */
  logs(page: number): boolean | undefined {
    for (const { basePage, pages, flags } of this.#slots.values()) {
      if (page >= basePage && page < basePage + pages) return (flags & LOG_DIRTY_PAGES) !== 0;
    }
    return undefined;
  }

  /** Pages of the memslot that begins there; NaN where it was not seen. */
  pagesAt(basePage: number): number {
    for (const slot of this.#slots.values()) if (slot.basePage === basePage) return slot.pages;
    return Number.NaN;
  }

  #logged(): readonly SlotState[] {
    const all = [...this.#slots.values()];
    const total = all.reduce((sum, { pages }) => sum + pages, 0);
    return all.filter(
      ({ flags, pages }) => (flags & LOG_DIRTY_PAGES) !== 0 && pages >= total * LEAST_SHARE,
    );
  }
}
