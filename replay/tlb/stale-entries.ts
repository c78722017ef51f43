/** Why a translation is stale: what of the page table changed, and what the policy did about it. */
export interface StaleOrigin {
  /** The leaves that changed. */
  readonly page: number;
  readonly pages: number;
  /** Their class: 0 pages, 1 blocks of level 2, 2 blocks of level 1. */
  readonly leafClass: number;
  /** The write permission was taken away, the leaf itself stays. */
  readonly isProtected: boolean;
  /** Operation that changed them, and when the policy had its last chance to flush. */
  readonly path: number;
  readonly judgedNs: number;
  /** Calls that the policy made in that bracket, and the first of them; primitive −1: none. */
  readonly calls: number;
  readonly primitive: number;
  readonly callPage: number;
  readonly callPages: number;
}

export interface StaleMark {
  /** Only a write through it is wrong. */
  readonly writesOnly: boolean;
  readonly origin: StaleOrigin | undefined;
}

/**
 * Entries of one PE whose translation the page table no longer holds: normally none. A policy that
 * invalidates too little leaves some, and each use of one is a stale hit.
 */
export class StaleEntries {
  /** Hits on such entries so far, and why the last of them was one. */
  hits = 0;
  lastOrigin: StaleOrigin | undefined;
  readonly #combined = new Map<number, StaleMark>();
  readonly #stage2 = new Map<number, StaleMark>();

  get isEmpty(): boolean {
    return this.#combined.size === 0 && this.#stage2.size === 0;
  }

  addCombined(key: number, writesOnly: boolean, origin?: StaleOrigin): void {
    add(this.#combined, key, writesOnly, origin);
  }

  addStage2(key: number, writesOnly: boolean, origin?: StaleOrigin): void {
    add(this.#stage2, key, writesOnly, origin);
  }

  /** A combined entry was used; whether it was stale for this use. */
  usedCombined(key: number, isWrite: boolean): boolean {
    const mark = this.#combined.get(key);
    if (mark === undefined || (mark.writesOnly && !isWrite)) return false;
    this.hits += 1;
    this.lastOrigin = mark.origin;
    return true;
  }

  /** Whether a stage-2-only entry is stale, and then how. */
  stage2Mark(key: number): StaleMark | undefined {
    return this.#stage2.get(key);
  }

  combinedMark(key: number): StaleMark | undefined {
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

/** Stale for every use outweighs stale for writes; the first reason stays. */
function add(
  marks: Map<number, StaleMark>,
  key: number,
  writesOnly: boolean,
  origin: StaleOrigin | undefined,
): void {
  const known = marks.get(key);
  marks.set(key, {
    writesOnly: (known?.writesOnly ?? true) && writesOnly,
    origin: known?.origin ?? origin,
  });
}
