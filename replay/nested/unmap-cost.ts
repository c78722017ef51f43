import { Path } from "../paths.ts";
import { type Geometry, startLevelOf } from "../stage2/geometry.ts";
import type { Stage2Observer } from "../stage2/observer.ts";
import type { Stage2Table } from "../stage2/table.ts";
import { unmapRange } from "../stage2/unmap.ts";
import type { Tally } from "../tally.ts";
import { Primitive } from "../tlbi/primitives.ts";

/** How the host's own kernel flushes an unmap: its policy on that CPU. */
export interface HostUnmap {
  /** FEAT_TLBIRANGE and FWB: one RANGE for each piece of the walk, else one IPA for each leaf and table. */
  readonly isDeferred: boolean;
  /** In a deferred unmap, an IPA for each freed table. */
  readonly flushesTables: boolean;
}

/**
 * Carries out unmaps of shadow tables and adds what they cost to a tally: KVM unmaps in pieces of one
 * block of the coarsest level, and where it defers each piece is one RANGE, whether or not anything was
 * mapped. Pieces of a kind are added at once: a whole context of 48 bits has 262,144 of 4 KiB pages.
 *
 * How large a whole context is, and with which level its walk begins, the trace may show only later: what
 * depends on it is added at the end.
 */
export class UnmapCost implements Stage2Observer {
  readonly #host: HostUnmap;
  readonly #tally: Tally;
  /** kvm_pgtable_stage2_unmap calls so far, without those of whole contexts. */
  #calls = 0;
  #leaves = 0;
  /** Tables that emptied, by the level of their entries. */
  readonly #tables = [0, 0, 0, 0];
  #wholes = 0;

  constructor(host: HostUnmap, tally: Tally) {
    this.#host = host;
    this.#tally = tally;
  }

  /** Clears [startPage, endPage), which is the whole context where `isWhole` says so. */
  unmap(table: Stage2Table, startPage: number, endPage: number, isWhole: boolean): void {
    unmapRange(table, startPage, endPage, this);
    if (isWhole) this.#wholes += 1;
    else this.#pieces(table.geometry, startPage, endPage);
  }

  /** Adds what the size of a context decides. @returns the unmap calls, pieces of whole contexts too. */
  finish(geometry: Geometry, paBits: number): number {
    const rootLevel = startLevelOf(paBits, geometry.pageShift);
    const { isDeferred, flushesTables } = this.#host;
    const tables = this.#tables.reduce((sum, n, level) => sum + (level > rootLevel ? n : 0), 0);
    const singles = isDeferred ? tables * Number(flushesTables) : this.#leaves + tables;
    if (singles > 0) this.#tally.add(Path.nested, Primitive.IPA, 0, 1, singles);
    const chunk = geometry.spanPages[geometry.minBlockLevel]!;
    const pieces = Math.max(1, 2 ** (paBits - geometry.pageShift) / chunk) * this.#wholes;
    if (pieces > 0 && isDeferred) this.#range(0, chunk, pieces);
    return this.#calls + pieces;
  }

  /** Pieces of [startPage, endPage): the first and the last may be parts. */
  #pieces(geometry: Geometry, startPage: number, endPage: number): void {
    const chunk = geometry.spanPages[geometry.minBlockLevel]!;
    const firstEnd = Math.min(endPage, (Math.floor(startPage / chunk) + 1) * chunk);
    const whole = Math.max(0, Math.floor((endPage - firstEnd) / chunk));
    const rest = Math.max(0, endPage - firstEnd - whole * chunk);
    this.#calls += 1 + whole + Number(rest > 0);
    if (!this.#host.isDeferred) return;
    this.#range(startPage, firstEnd - startPage, 1);
    if (whole > 0) this.#range(firstEnd, chunk, whole);
    if (rest > 0) this.#range(firstEnd + whole * chunk, rest, 1);
  }

  #range(page: number, pages: number, count: number): void {
    this.#tally.add(Path.nested, Primitive.RANGE, page, pages, count);
  }

  leavesCleared(_page: number, _level: number, count: number): void {
    this.#leaves += count;
  }

  tableFreed(_page: number, tableLevel: number): void {
    this.#tables[tableLevel]! += 1;
  }

  unknownCleared(): void {
    // Shadow tables of the model begin empty: nothing in them is unknown.
  }
  blockBroken(): void {
    // Of map calls.
  }
  leafReplaced(): void {
    // Of map calls.
  }
  leafKept(): void {
    // Of map calls.
  }
  leafUnclear(): void {
    // Of map calls.
  }
  collapsed(): void {
    // Of map calls.
  }
  mappedOverUnknown(): void {
    // Of map calls.
  }
  blockSplit(): void {
    // Of eager splits.
  }
  splitOverUnknown(): void {
    // Of eager splits.
  }
  writeProtected(): void {
    // Of write-protection.
  }
  unknownWriteProtected(): void {
    // Of write-protection.
  }
}
