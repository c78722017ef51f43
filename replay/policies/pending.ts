/** What one unmap operation has removed so far: for policies that invalidate once at its end. */
export class UnmapScope {
  firstPage = 0;
  endPage = 0;
  isTouched = false;
  /** Something was certainly removed. */
  isCertain = false;
  /** Runs of top-level entries that held something: number of each run's first entry, ascending. */
  readonly entries: number[] = [];
  /** Of each run: its entries. Unknown ones are many where the start level may be higher than assumed. */
  readonly entryCounts: number[] = [];
  /** Of each run: did its entries certainly hold something? */
  readonly isEntryCertain: boolean[] = [];

  /** Pages [firstPage, endPage) were removed, or (not certain) may have been. Ascending, as walks are. */
  remove(firstPage: number, endPage: number, entrySpanPages: number, isCertain: boolean): void {
    this.firstPage = this.isTouched ? Math.min(this.firstPage, firstPage) : firstPage;
    this.endPage = this.isTouched ? Math.max(this.endPage, endPage) : endPage;
    this.isTouched = true;
    if (isCertain) this.isCertain = true;
    const last = Math.floor((endPage - 1) / entrySpanPages);
    let entry = Math.floor(firstPage / entrySpanPages);
    const next = (this.entries.at(-1) ?? 0) + (this.entryCounts.at(-1) ?? 0);
    if (entry < next) {
      if (isCertain) this.#makeLastCertain();
      entry = next;
    }
    if (entry <= last) this.#addRun(entry, last + 1 - entry, isCertain);
  }

  #addRun(entry: number, count: number, isCertain: boolean): void {
    this.entries.push(entry);
    this.entryCounts.push(count);
    this.isEntryCertain.push(isCertain);
  }

  /** The last entry of the last run did hold something, whatever the others of the run did. */
  #makeLastCertain(): void {
    const at = this.entries.length - 1;
    const count = this.entryCounts[at]!;
    if (this.isEntryCertain[at] === true || count === 1) {
      this.isEntryCertain[at] = true;
      return;
    }
    this.entryCounts[at] = count - 1;
    this.#addRun(this.entries[at]! + count - 1, 1, true);
  }

  reset(): void {
    this.isTouched = false;
    this.isCertain = false;
    this.entries.length = 0;
    this.entryCounts.length = 0;
    this.isEntryCertain.length = 0;
  }
}

/** Leaves of one context that lost their write permission and were not invalidated yet. */
export interface ProtectedLeaves {
  leaves: number;
  unknownPages: number;
  firstPage: number;
  endPage: number;
}

const NOTHING: Readonly<ProtectedLeaves> = { leaves: 0, unknownPages: 0, firstPage: 0, endPage: 0 };

export class WriteProtectLedger {
  readonly #byContext = new Map<number, ProtectedLeaves>();

  add(contextId: number, firstPage: number, endPage: number, leaves: number): void {
    this.#entry(contextId, firstPage, endPage).leaves += leaves;
  }

  addUnknown(contextId: number, firstPage: number, endPage: number, pages: number): void {
    this.#entry(contextId, firstPage, endPage).unknownPages += pages;
  }

  /** What has gathered since the last call for this context. */
  take(contextId: number): Readonly<ProtectedLeaves> {
    const entry = this.#byContext.get(contextId);
    if (entry === undefined) return NOTHING;
    this.#byContext.delete(contextId);
    return entry;
  }

  #entry(contextId: number, firstPage: number, endPage: number): ProtectedLeaves {
    let entry = this.#byContext.get(contextId);
    if (entry === undefined) {
      entry = { leaves: 0, unknownPages: 0, firstPage, endPage };
      this.#byContext.set(contextId, entry);
    }
    entry.firstPage = Math.min(entry.firstPage, firstPage);
    entry.endPage = Math.max(entry.endPage, endPage);
    return entry;
  }
}
