import { createEventBatch, type EventBatch } from "../../ingest/events/columns.ts";
import { EventKind, type EventKindName } from "../../ingest/events/kinds.ts";
import { emptyBatch } from "../../ingest/events/rows.ts";

/** One event as a test writes it: pointers as they are printed, absent columns left out. */
export interface EventRow {
  readonly kind: EventKindName;
  readonly pid: number;
  readonly cpu: number;
  /** Default: 1 µs a row. */
  readonly tsNs?: number;
  readonly pgt?: number;
  readonly mmu?: number;
  readonly kvm?: number;
  readonly addr?: number;
  readonly len?: number;
  readonly phys?: number;
  readonly prot?: number;
  readonly arg0?: number;
  readonly arg1?: number;
  readonly arg2?: number;
  readonly arg3?: number;
}

/** Small on purpose: traces of a few hundred events already cross batches. */
const CAPACITY = 256;

/** Feeds rows in batches of a reader's kind; the line of a row is its place, counted from `firstLine`. */
export function feedRows(
  rows: readonly EventRow[],
  consume: (batch: EventBatch) => void,
  firstLine = 1,
): void {
  const batch = createEventBatch(CAPACITY);
  for (let start = 0; start < rows.length; start += CAPACITY) {
    emptyBatch(batch, CAPACITY);
    const part = rows.slice(start, start + CAPACITY);
    for (const [at, row] of part.entries()) write(batch, at, row, firstLine + start + at);
    batch.length = part.length;
    consume(batch);
  }
}

function write(batch: EventBatch, at: number, row: EventRow, line: number): void {
  batch.kind[at] = EventKind[row.kind];
  batch.pid[at] = row.pid;
  batch.cpu[at] = row.cpu;
  batch.line[at] = line;
  batch.tsNs[at] = row.tsNs ?? line * 1000;
  batch.pgt[at] = row.pgt ?? 0;
  batch.mmu[at] = row.mmu ?? 0;
  batch.kvm[at] = row.kvm ?? 0;
  batch.prot[at] = row.prot ?? 0;
  batch.protHigh[at] = 0;
  for (const name of ["addr", "len", "phys", "arg0", "arg1", "arg2", "arg3"] as const) {
    batch[name][at] = row[name] ?? Number.NaN;
  }
}
