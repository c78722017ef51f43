import { LAST_LEVEL } from "../../stage2/geometry.ts";
import type { Geometry } from "../../stage2/geometry.ts";
import type { Stage2Observer } from "../../stage2/observer.ts";

/** What must not be used any more of the translations that one bracket changed. */
export interface Change {
  readonly page: number;
  readonly pages: number;
  /** Largest class of entry that could hold it: 0 pages, 1 blocks of level 2, … */
  readonly leafClass: number;
  /**
   * `gone`: any use is wrong; `protected`: a write is; `relaxed`: only the PE that faulted has to drop
   * it; `unclear`: the trace does not show what was there.
   */
  readonly kind: "gone" | "protected" | "relaxed" | "unclear";
}

/** Collects the facts of walks as ranges of translations that changed. */
export class ChangeCollector implements Stage2Observer {
  /** Where the next facts go. */
  into: Change[] = [];
  /** Pages that splitting took out of blocks so far, and those that collapsing put back. */
  pagesSplit = 0;
  blocksSplit = 0;
  pagesCollapsed = 0;
  readonly #geometry: Geometry;

  constructor(geometry: Geometry) {
    this.#geometry = geometry;
  }

  leavesCleared(page: number, level: number, count: number): void {
    this.#add(page, level, count, "gone");
  }

  /** No translation. */
  tableFreed(): void {}

  unknownCleared(page: number, _level: number, pages: number): void {
    this.into.push({ page, pages, leafClass: 2, kind: "unclear" });
  }

  blockBroken(page: number, level: number): void {
    this.blocksSplit += 1;
    this.pagesSplit += this.#geometry.spanPages[level]!;
    this.#add(page, level, 1, "gone");
  }

  leafReplaced(page: number, level: number): void {
    this.#add(page, level, 1, "gone");
  }

  leafKept(): void {}

  leafUnclear(page: number, level: number): void {
    this.#add(page, level, 1, "unclear");
  }

  collapsed(page: number, level: number, leaves: number): void {
    const pages = this.#geometry.spanPages[level]!;
    if (leaves > 0) this.pagesCollapsed += pages;
    const first = page - (page % pages);
    const leafClass = LAST_LEVEL - level - 1;
    this.into.push({ page: first, pages, leafClass, kind: "gone" });
  }

  mappedOverUnknown(page: number, level: number): void {
    this.#add(page, level, 1, "unclear");
  }

  blockSplit(page: number, level: number): void {
    this.blockBroken(page, level);
  }

  splitOverUnknown(page: number, blocks: number): void {
    this.#add(page, this.#geometry.minBlockLevel, blocks, "unclear");
  }

  writeProtected(page: number, level: number, count: number): void {
    this.#add(page, level, count, "protected");
  }

  unknownWriteProtected(page: number, pages: number): void {
    this.into.push({ page, pages, leafClass: 2, kind: "unclear" });
  }

  relaxed(page: number, level: number): void {
    this.#add(page, Math.max(level, this.#geometry.minBlockLevel), 1, "relaxed");
  }

  #add(page: number, level: number, count: number, kind: Change["kind"]): void {
    const span = this.#geometry.spanPages[level]!;
    const first = page - (page % span);
    // Neighbouring leaves come one by one: one range of them is cheaper to look for.
    const last = this.into.at(-1);
    const leafClass = LAST_LEVEL - level;
    if (
      last !== undefined &&
      last.kind === kind &&
      last.leafClass === leafClass &&
      last.page + last.pages === first
    ) {
      this.into[this.into.length - 1] = { ...last, pages: last.pages + count * span };
    } else this.into.push({ page: first, pages: count * span, leafClass, kind });
  }
}
