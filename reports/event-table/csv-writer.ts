import { DIAGNOSTIC_CODES } from "../../ingest/diagnostics.ts";
import type { EventBatch } from "../../ingest/events/columns.ts";
import { EVENT_TABLE_COLUMNS } from "../../ingest/events/event-table.ts";
import type { RecordedTrace } from "../../ingest/events/event-table-metadata.ts";
import { EVENT_KINDS, EventKind, UNKNOWN_CPU } from "../../ingest/events/kinds.ts";
import type { NameTable } from "../../ingest/events/names.ts";
import type { PointerTable } from "../../ingest/events/pointers.ts";
import { CellWriter } from "./cell-writer.ts";
import { guardedCell } from "./guarded-cell.ts";
import type { ByteSink, EventTableWriter } from "./writer.ts";

const FLUSH_BYTES: number = 1024 * 1024;
/** Longest row without its event's name. */
const ROW_BYTES = 512;

const KIND_CELLS: readonly Uint8Array[] = EVENT_KINDS.map((name) => Buffer.from(name));
/** Kinds whose `prot` is always given: 0 is a value there, not an absent one. */
const GIVES_PROT: ReadonlySet<number> = new Set([EventKind.map, EventKind.relax_perms]);

/**
 * Writes the event table as RFC 4180 text with LF line ends: pointers and `prot` as `0x` and 16 digits,
 * other numbers decimal, an empty cell where there is no value. An event's name that a spreadsheet would
 * take for a formula gets a `'` in front, which the reader takes away again.
 *
 * CSV has no place for what is known of the trace: losses are the rows of kind `lost`, and a trace that
 * lost something without a place ends with such a row.
 */
export class CsvEventWriter implements EventTableWriter {
  readonly #sink: ByteSink;
  readonly #pointers: PointerTable;
  readonly #names: NameTable;
  readonly #cells: CellWriter = new CellWriter(FLUSH_BYTES * 2);
  /** By id of the name. */
  readonly #nameCells: Uint8Array[] = [];
  #lostRows = 0;
  #lastNs = 0n;
  rows = 0;

  constructor(sink: ByteSink, pointers: PointerTable, names: NameTable) {
    this.#sink = sink;
    this.#pointers = pointers;
    this.#names = names;
    this.#cells.text(Buffer.from(`${EVENT_TABLE_COLUMNS.map(({ name }) => name).join(",")}\n`));
  }

  async append(batch: EventBatch, from: number, to: number, baseNs: bigint): Promise<void> {
    const cells = this.#cells;
    for (let row = from; row < to; row += 1) {
      this.#row(batch, row, baseNs);
      if (cells.used > FLUSH_BYTES) await this.#flush();
    }
    this.rows += to - from;
    if (to > from) this.#lastNs = baseNs + BigInt(batch.tsNs[to - 1]!);
  }

  async finish(trace: RecordedTrace): Promise<void> {
    if (this.#lostRows === 0 && hasDataLoss(trace)) {
      const line = trace.source.lines;
      const text = `${this.#lastNs},,,,lost,${line}${",".repeat(EVENT_TABLE_COLUMNS.length - 6)}\n`;
      this.#cells.text(Buffer.from(text));
      this.rows += 1;
    }
    await this.#flush();
  }

  #row(batch: EventBatch, row: number, baseNs: bigint): void {
    const cells = this.#cells;
    const name = this.#nameCell(batch.name[row]!);
    cells.makeRoom(ROW_BYTES + name.length);
    cells.time(baseNs, batch.tsNs[row]!);
    cells.comma();
    const cpu = batch.cpu[row]!;
    if (cpu !== UNKNOWN_CPU) cells.whole(cpu);
    cells.comma();
    const pid = batch.pid[row]!;
    if (pid !== -1) cells.signed(pid);
    cells.comma();
    cells.text(name);
    cells.comma();
    const kind = batch.kind[row]!;
    if (kind === EventKind.lost) this.#lostRows += 1;
    cells.text(KIND_CELLS[kind]!);
    cells.comma();
    cells.whole(batch.line[row]!);
    cells.comma();
    this.#pointer(batch.pgt[row]!);
    this.#pointer(batch.mmu[row]!);
    this.#pointer(batch.kvm[row]!);
    cells.number(batch.addr[row]!);
    cells.number(batch.len[row]!);
    cells.number(batch.phys[row]!);
    const prot = batch.prot[row]!;
    const protHigh = batch.protHigh[row]!;
    if (prot !== 0 || protHigh !== 0 || GIVES_PROT.has(kind)) cells.hex(protHigh, prot);
    cells.comma();
    cells.number(batch.arg0[row]!);
    cells.number(batch.arg1[row]!);
    cells.number(batch.arg2[row]!);
    cells.number(batch.arg3[row]!);
    cells.endRow();
  }

  #pointer(id: number): void {
    const pointers = this.#pointers;
    if (id !== 0) this.#cells.hex(pointers.high(id), pointers.low(id));
    this.#cells.comma();
  }

  #nameCell(id: number): Uint8Array {
    while (this.#nameCells.length <= id) {
      const text = guardedCell(this.#names.text(this.#nameCells.length));
      this.#nameCells.push(Uint8Array.from(Buffer.from(text, "utf8")));
    }
    return this.#nameCells[id]!;
  }

  async #flush(): Promise<void> {
    await this.#sink.write([this.#cells.filled]);
    this.#cells.clear();
  }
}

function hasDataLoss({ diagnostics }: RecordedTrace): boolean {
  const grades: Readonly<Record<string, { readonly severity: string }>> = DIAGNOSTIC_CODES;
  return diagnostics.some(([code]) => {
    const severity = grades[code]?.severity;
    return severity === "dataLoss" || severity === "error";
  });
}
