import type { Diagnostics } from "../../diagnostics.ts";
import { FETCH } from "../access-batch.ts";
import type { AccessRows } from "../access-rows.ts";
import type { AccessColumns, AccessField } from "./access-columns.ts";
import type { ArrowCells } from "./arrow-cells.ts";

const TWO_32 = 4294967296;
const MAX_EXACT_HIGH = 0x1fffff;
const KEPT_EXAMPLES = 16;

/** Turns the rows of an Arrow batch into accesses. */
export class ArrowAccesses {
  baseNs: bigint | undefined;
  readonly #columns: AccessColumns;
  readonly #cells: ArrowCells;
  readonly #rows: AccessRows;
  readonly #diagnostics: Diagnostics;
  #baseHigh = 0;
  #baseLow = 0;

  constructor(
    columns: AccessColumns,
    cells: ArrowCells,
    rows: AccessRows,
    diagnostics: Diagnostics,
  ) {
    this.#columns = columns;
    this.#cells = cells;
    this.#rows = rows;
    this.#diagnostics = diagnostics;
  }

  take(row: number): void {
    const rows = this.#rows;
    const cells = this.#cells;
    rows.record += 1;
    const thread = this.#small("thread", row, 0, 0x7fffffff);
    const space = this.#small("asid", row, 0, 0xffff);
    const kind = this.#small("rw", row, 0, FETCH);
    const size = this.#small("size", row, 1, 0xffffffff);
    const repeat = this.#small("repeat", row, 1, 0xffffffff);
    const tsNs = this.#time(row);
    if (thread < 0 || space < 0 || kind < 0 || size < 0 || repeat < 1 || tsNs === undefined) {
      this.#lose("BAD_NUMBER", "a number that does not fit its column");
      return;
    }
    const { address, places } = this.#columns;
    const place = places.get(address)!;
    if (cells.isNull(place, row)) {
      this.#lose("MISSING_ARGUMENT", `no ${address}`);
      return;
    }
    cells.read(place, row);
    let { high, low } = cells;
    if (address === "va_page" || address === "ipa_page") {
      const perHigh = TWO_32 / rows.pages.pageBytes;
      const page = high * TWO_32 + low;
      if (high > MAX_EXACT_HIGH || page >= perHigh * TWO_32) {
        this.#lose("BAD_NUMBER", "a page beyond 64 bits of address");
        return;
      }
      high = Math.floor(page / perHigh);
      low = (page % perHigh) * rows.pages.pageBytes;
    }
    rows.tsNs = tsNs;
    rows.thread = thread;
    rows.space = space;
    if (!rows.add(kind, high, low, size, repeat)) {
      this.#lose("BAD_NUMBER", "no address, or an access of more than 64 KiB");
    }
  }

  #small(field: AccessField, row: number, absent: number, max: number): number {
    const place = this.#columns.places.get(field);
    if (place === undefined || this.#cells.isNull(place, row)) return absent;
    this.#cells.read(place, row);
    const { high, low } = this.#cells;
    return high === 0 && low <= max ? low : -1;
  }

  #time(row: number): number | undefined {
    const place = this.#columns.places.get("ts_ns");
    if (place === undefined) return Number.NaN;
    if (this.#cells.isNull(place, row)) return undefined;
    this.#cells.read(place, row);
    const { high, low } = this.#cells;
    if (this.baseNs === undefined) {
      this.baseNs = (BigInt(high | 0) << 32n) | BigInt(low);
      this.#baseHigh = high | 0;
      this.#baseLow = low;
    }
    const difference = (high | 0) - this.#baseHigh;
    if (Math.abs(difference) > MAX_EXACT_HIGH) return undefined;
    return difference * TWO_32 + (low - this.#baseLow);
  }

  #lose(code: "BAD_NUMBER" | "MISSING_ARGUMENT", detail: string): void {
    const { record } = this.#rows;
    if (this.#diagnostics.count(code) >= KEPT_EXAMPLES) this.#diagnostics.tally(code, 1);
    else this.#diagnostics.add(code, detail, record);
  }
}
