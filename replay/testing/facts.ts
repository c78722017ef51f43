import type { Stage2Observer } from "../stage2/observer.ts";

/** Writes down every fact of a walk as a line, runs taken apart leaf by leaf. */
export class FactLog implements Stage2Observer {
  readonly lines: string[] = [];
  readonly #spanPages: readonly number[];

  constructor(spanPages: readonly number[]) {
    this.#spanPages = spanPages;
  }

  /** What was written since the last call. */
  take(): string[] {
    return this.lines.splice(0);
  }

  leavesCleared(page: number, level: number, count: number, cacheable: number): void {
    this.#run("cleared", page, level, count);
    this.lines.push(`cacheable ${cacheable}`);
  }

  tableFreed(page: number, tableLevel: number, certain: boolean): void {
    this.lines.push(`freed table of level ${tableLevel} at ${page}${certain ? "" : "?"}`);
  }

  unknownCleared(page: number, level: number, pages: number): void {
    this.lines.push(`unknown cleared at ${page}, level ${level}: ${pages} pages`);
  }

  blockBroken(page: number, level: number): void {
    this.lines.push(`broke block of level ${level} at ${page}`);
  }

  leafReplaced(page: number, level: number): void {
    this.lines.push(`replaced leaf of level ${level} at ${page}`);
  }

  leafUnclear(page: number, level: number): void {
    this.lines.push(`met leaf of level ${level} at ${page}, unclear`);
  }

  leafKept(page: number, level: number, permissionsDiffer: boolean): void {
    this.lines.push(`kept leaf of level ${level} at ${page}${permissionsDiffer ? "*" : ""}`);
  }

  collapsed(page: number, level: number, leaves: number, tables: number, uncertain: number): void {
    const doubt = uncertain > 0 ? `, ${uncertain} more unknown` : "";
    this.lines.push(`collapsed to level ${level} at ${page}: ${leaves} + ${tables}${doubt}`);
  }

  mappedOverUnknown(page: number, level: number): void {
    this.lines.push(`mapped over unknown at ${page}, level ${level}`);
  }

  blockSplit(page: number, level: number): void {
    this.lines.push(`split block of level ${level} at ${page}`);
  }

  splitOverUnknown(page: number, blocks: number): void {
    this.lines.push(`split over unknown at ${page}: ${blocks} blocks`);
  }

  writeProtected(page: number, level: number, count: number): void {
    this.#run("protected", page, level, count);
  }

  unknownWriteProtected(page: number, pages: number): void {
    this.lines.push(`protected unknown at ${page}: ${pages} pages`);
  }

  #run(what: string, page: number, level: number, count: number): void {
    const span = this.#spanPages[level] ?? Number.NaN;
    for (let i = 0; i < count; i += 1) {
      // Only a run's first leaf may be entered in its middle.
      const at = i === 0 ? page : page - (page % span) + i * span;
      this.lines.push(`${what} leaf of level ${level} at ${at}`);
    }
  }
}
