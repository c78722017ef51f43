import type { EventBatch } from "./columns.ts";

/** Back to absent values; a row is written only where its event has a value. */
export function emptyBatch(batch: EventBatch, rows: number): void {
  for (const column of [batch.name, batch.pgt, batch.mmu, batch.kvm, batch.prot, batch.protHigh]) {
    column.fill(0, 0, rows);
  }
  for (const column of [
    batch.addr,
    batch.len,
    batch.phys,
    batch.arg0,
    batch.arg1,
    batch.arg2,
    batch.arg3,
  ]) {
    column.fill(Number.NaN, 0, rows);
  }
  batch.length = 0;
}

/** Empties what an argument may have put into a row. */
export function clearRow(batch: EventBatch, row: number): void {
  batch.pgt[row] = 0;
  batch.mmu[row] = 0;
  batch.kvm[row] = 0;
  batch.prot[row] = 0;
  batch.protHigh[row] = 0;
  batch.addr[row] = Number.NaN;
  batch.len[row] = Number.NaN;
  batch.phys[row] = Number.NaN;
  batch.arg0[row] = Number.NaN;
  batch.arg1[row] = Number.NaN;
  batch.arg2[row] = Number.NaN;
  batch.arg3[row] = Number.NaN;
}
