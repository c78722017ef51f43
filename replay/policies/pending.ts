/** What one unmap operation has removed so far: for policies that invalidate once at its end. */
export class UnmapScope {
  firstPage = 0;
  endPage = 0;
  isTouched = false;
  /** Something was certainly removed. */
  isCertain = false;
  /** Numbers of the top-level entries that held something, ascending. */
  readonly entries: number[] = [];
  /** Of each of them: did it certainly hold something? */
  readonly isEntryCertain: boolean[] = [];

  /** Pages [firstPage, endPage) were removed, or (not certain) may have been. Ascending, as walks are. */
  remove(firstPage: number, endPage: number, entrySpanPages: number, isCertain: boolean): void {
    this.firstPage = this.isTouched ? Math.min(this.firstPage, firstPage) : firstPage;
    this.endPage = this.isTouched ? Math.max(this.endPage, endPage) : endPage;
    this.isTouched = true;
    if (isCertain) this.isCertain = true;
    const last = Math.floor((endPage - 1) / entrySpanPages);
    let entry = Math.floor(firstPage / entrySpanPages);
    const known = this.entries.at(-1);
    if (known !== undefined && entry <= known) {
      if (isCertain) this.isEntryCertain[this.entries.length - 1] = true;
      entry = known + 1;
    }
    for (; entry <= last; entry += 1) {
      this.entries.push(entry);
      this.isEntryCertain.push(isCertain);
    }
  }

  reset(): void {
    this.isTouched = false;
    this.isCertain = false;
    this.entries.length = 0;
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
