import { type Geometry, LAST_LEVEL } from "../stage2/geometry.ts";

/** A leaf of the slow table; `flags` as in LeafFlag. */
export interface SlowLeaf {
  phys: number;
  flags: number;
}

const READ_WRITE_EXECUTE = 4 | 8 | 16;
const WRITE = 8;
const UNCACHED = 32;
const YOUNG = 64;

/**
 * The stage-2 table as obviously as can be: leaves in a map and tables in a set, both named by
 * "level/first page". A table is named by the entry that points to it. Facts are lines as in FactLog.
 */
export class SlowTable {
  readonly geometry: Geometry;
  readonly leaves: Map<string, SlowLeaf> = new Map<string, SlowLeaf>();
  readonly tables: Set<string> = new Set<string>();
  facts: string[] = [];

  constructor(geometry: Geometry) {
    this.geometry = geometry;
  }

  takeFacts(): string[] {
    const facts = this.facts;
    this.facts = [];
    return facts;
  }

  map(start: number, pages: number, phys: number, flags: number, mustInstall: boolean): void {
    for (let page = start; page < start + pages; ) {
      page += this.#mapOne(page, start + pages, phys + page - start, flags, mustInstall);
    }
  }

  unmap(start: number, end: number): void {
    this.#unmapUnder(this.geometry.topLevel, start, end);
  }

  wrprotect(start: number, end: number): void {
    this.#visitLeaves(this.geometry.topLevel, start, end, (leaf, level, page) => {
      if ((leaf.flags & WRITE) === 0) return;
      leaf.flags &= ~WRITE;
      this.facts.push(`protected leaf of level ${level} at ${page}`);
    });
  }

  clearYoung(start: number, end: number): void {
    this.#visitLeaves(this.geometry.topLevel, start, end, (leaf) => {
      leaf.flags &= ~YOUNG;
    });
  }

  /** Level of the leaf that was relaxed; -1: none. */
  relax(page: number, flags: number): number {
    for (let level = 0; level <= LAST_LEVEL; level += 1) {
      const leaf = this.leaves.get(this.#name(page, level));
      if (leaf === undefined) continue;
      leaf.flags |= flags & READ_WRITE_EXECUTE;
      return level;
    }
    return -1;
  }

  split(start: number, end: number, cachePages: number): void {
    this.#splitUnder(this.geometry.topLevel, start, end, { pages: cachePages });
  }

  /** Where the walk of a page ends: level, and the leaf if there is one. */
  lookup(page: number): { level: number; leaf: SlowLeaf | undefined } {
    let level = this.geometry.topLevel;
    while (this.tables.has(this.#name(page, level))) level += 1;
    return { level, leaf: this.leaves.get(this.#name(page, level)) };
  }

  #span(level: number): number {
    return this.geometry.spanPages[level] ?? Number.NaN;
  }

  #name(page: number, level: number): string {
    return `${level}/${page - (page % this.#span(level))}`;
  }

  #mapOne(page: number, end: number, phys: number, flags: number, mustInstall: boolean): number {
    for (let level = this.geometry.topLevel; ; level += 1) {
      const span = this.#span(level);
      const name = this.#name(page, level);
      const old = this.leaves.get(name);
      const fits = page % span === 0 && phys % span === 0 && end - page >= span;
      if (level === LAST_LEVEL || (level >= this.geometry.minBlockLevel && fits)) {
        if (this.tables.has(name)) this.#collapse(page, level);
        else if (old !== undefined) {
          const same = old.phys === phys && ((old.flags ^ flags) & (UNCACHED | YOUNG)) === 0;
          if (same && !mustInstall) {
            const differs = ((old.flags ^ flags) & READ_WRITE_EXECUTE) !== 0;
            this.facts.push(`kept leaf of level ${level} at ${page}${differs ? "*" : ""}`);
            return span - (page % span);
          }
          this.facts.push(`replaced leaf of level ${level} at ${page}`);
        }
        this.leaves.set(name, { phys, flags });
        return span - (page % span);
      }
      if (old !== undefined) {
        this.facts.push(`broke block of level ${level} at ${page}`);
        this.leaves.delete(name);
      }
      this.tables.add(name);
    }
  }

  #collapse(page: number, level: number): void {
    let leaves = 0;
    let tables = 0;
    for (const map of [this.leaves, this.tables]) {
      for (const name of map.keys()) {
        if (!this.#isUnder(name, page, level)) continue;
        if (map === this.leaves) leaves += 1;
        else tables += 1;
        map.delete(name);
      }
    }
    this.facts.push(`collapsed to level ${level} at ${page}: ${leaves} + ${tables}`);
  }

  /** Is the entry below (or, for a table, the same as) the entry of `level` at a page? */
  #isUnder(name: string, page: number, level: number): boolean {
    const [own, first] = name.split("/").map(Number);
    if (own === undefined || first === undefined || own < level) return false;
    return this.#name(first, level) === this.#name(page, level);
  }

  #unmapUnder(level: number, start: number, end: number): void {
    for (let page = start; page < end; ) {
      const next = Math.min(end, page - (page % this.#span(level)) + this.#span(level));
      const name = this.#name(page, level);
      const leaf = this.leaves.get(name);
      if (leaf !== undefined) {
        this.leaves.delete(name);
        this.facts.push(`cleared leaf of level ${level} at ${page}`);
      } else if (this.tables.has(name)) {
        this.#unmapUnder(level + 1, page, next);
        if (this.#isEmpty(name)) {
          this.tables.delete(name);
          this.facts.push(`freed table of level ${level + 1} at ${page}`);
        }
      }
      page = next;
    }
  }

  #isEmpty(table: string): boolean {
    const [level, first] = table.split("/").map(Number);
    if (level === undefined || first === undefined) throw new Error(table);
    for (const map of [this.leaves, this.tables]) {
      for (const name of map.keys()) {
        if (name !== table && this.#isUnder(name, first, level)) return false;
      }
    }
    return true;
  }

  #visitLeaves(
    level: number,
    start: number,
    end: number,
    visit: (leaf: SlowLeaf, level: number, firstPage: number) => void,
  ): void {
    for (let page = start; page < end; ) {
      const first = page - (page % this.#span(level));
      const next = Math.min(end, first + this.#span(level));
      const name = this.#name(page, level);
      const leaf = this.leaves.get(name);
      if (leaf !== undefined) visit(leaf, level, first);
      else if (this.tables.has(name)) this.#visitLeaves(level + 1, page, next, visit);
      page = next;
    }
  }

  #splitUnder(level: number, start: number, end: number, budget: { pages: number }): void {
    if (level === LAST_LEVEL) return;
    for (let page = start; page < end; ) {
      const next = Math.min(end, page - (page % this.#span(level)) + this.#span(level));
      const name = this.#name(page, level);
      const leaf = this.leaves.get(name);
      const whole = level === 2 ? 1 : 1 + this.geometry.entriesPerTable;
      const toPages = budget.pages >= whole;
      if (leaf !== undefined && (toPages || budget.pages >= 1)) {
        budget.pages -= toPages ? whole : 1;
        this.facts.push(`split block of level ${level} at ${page}`);
        this.#breakUp(
          page - (page % this.#span(level)),
          level,
          leaf,
          toPages ? LAST_LEVEL : level + 1,
        );
      }
      if (this.tables.has(name)) this.#splitUnder(level + 1, page, next, budget);
      page = next;
    }
  }

  #breakUp(first: number, level: number, block: SlowLeaf, leafLevel: number): void {
    this.leaves.delete(this.#name(first, level));
    const end = first + this.#span(level);
    for (let table = level; table < leafLevel; table += 1) {
      for (let page = first; page < end; page += this.#span(table)) {
        this.tables.add(this.#name(page, table));
      }
    }
    for (let page = first; page < end; page += this.#span(leafLevel)) {
      const leaf = { phys: block.phys + page - first, flags: block.flags };
      this.leaves.set(this.#name(page, leafLevel), leaf);
    }
  }
}
