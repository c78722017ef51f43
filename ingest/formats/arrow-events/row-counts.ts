import type { Diagnostics } from "../../diagnostics.ts";
import type { EventBatch } from "../../events/columns.ts";
import { EventKind } from "../../events/kinds.ts";
import type { NameTable } from "../../events/names.ts";

/** What there is to count of the rows of an event table. */
export class RowCounts {
  rows = 0;
  events = 0;
  /** Of the first and last event; NaN where there is none. */
  firstTsNs: number = Number.NaN;
  lastTsNs: number = Number.NaN;
  /** Of the last row. */
  lastRowTsNs = 0;
  lastLine = 0;
  #lost = 0;
  #byName = new Float64Array(64);

  add(batch: EventBatch): void {
    const { kind, name, tsNs, arg0, length } = batch;
    for (let row = 0; row < length; row += 1) {
      if (kind[row] === EventKind.lost) {
        const count = arg0[row]!;
        this.#lost += Number.isNaN(count) || count < 1 ? 1 : count;
        continue;
      }
      const id = name[row]!;
      if (id >= this.#byName.length) this.#grow(id);
      this.#byName[id] = this.#byName[id]! + 1;
      if (this.events === 0) this.firstTsNs = tsNs[row]!;
      this.events += 1;
      this.lastTsNs = tsNs[row]!;
    }
    this.rows += length;
    this.lastRowTsNs = tsNs[length - 1] ?? this.lastRowTsNs;
    this.lastLine = batch.line[length - 1] ?? this.lastLine;
  }

  byName(names: NameTable): ReadonlyMap<string, number> {
    const counts: [string, number][] = [];
    for (let id = 1; id <= names.count; id += 1) {
      const count = this.#byName[id] ?? 0;
      if (count > 0) counts.push([names.text(id), count]);
    }
    return new Map(counts.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Makes the rows of losses diagnostics, where nothing else tells of them. */
  reportLost(diagnostics: Diagnostics): void {
    if (this.#lost === 0) return;
    const detail = "by the rows of kind lost: what was lost, and why, is not known any more";
    diagnostics.add("EVENTS_LOST", detail, 0, 0, this.#lost);
  }

  #grow(id: number): void {
    const grown = new Float64Array(Math.max(id + 1, this.#byName.length * 2));
    grown.set(this.#byName);
    this.#byName = grown;
  }
}
