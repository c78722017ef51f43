/**
 * Entries of one PE whose translation the page table no longer holds: normally none. A policy that
 * invalidates too little leaves some, and each use of one is a stale hit.
 */
export class StaleEntries {
  /** Hits on such entries so far. */
  hits = 0;
  /** Stale combined keys; true: only a write through it is wrong (its write permission was taken away). */
  readonly #combined = new Map<number, boolean>();
  readonly #stage2 = new Map<number, boolean>();

  get isEmpty(): boolean {
    return this.#combined.size === 0 && this.#stage2.size === 0;
  }

  addCombined(key: number, writesOnly: boolean): void {
    this.#combined.set(key, (this.#combined.get(key) ?? true) && writesOnly);
  }

  addStage2(key: number, writesOnly: boolean): void {
    this.#stage2.set(key, (this.#stage2.get(key) ?? true) && writesOnly);
  }

  /** A combined entry was used; whether it was stale for this use. */
  usedCombined(key: number, isWrite: boolean): boolean {
    const writesOnly = this.#combined.get(key);
    if (writesOnly === undefined || (writesOnly && !isWrite)) return false;
    this.hits += 1;
    return true;
  }

  /** Whether a stage-2-only entry is stale, and then only for writes or for every use. */
  stage2Kind(key: number): boolean | undefined {
    return this.#stage2.get(key);
  }

  combinedKind(key: number): boolean | undefined {
    return this.#combined.get(key);
  }

  /** The entry was brought in anew. */
  freshCombined(key: number): void {
    this.#combined.delete(key);
  }

  freshStage2(key: number): void {
    this.#stage2.delete(key);
  }

  /** Forgets what the arrays no longer hold. */
  keep(holdsCombined: (key: number) => boolean, holdsStage2: (key: number) => boolean): void {
    for (const key of this.#combined.keys()) if (!holdsCombined(key)) this.#combined.delete(key);
    for (const key of this.#stage2.keys()) if (!holdsStage2(key)) this.#stage2.delete(key);
  }
}
