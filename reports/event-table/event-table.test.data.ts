/** Event tables for the tests of their writers. */
import * as arrow from "apache-arrow";
import { createEventBatch, type EventBatch } from "../../ingest/events/columns.ts";
import type { RecordedTrace } from "../../ingest/events/event-table-metadata.ts";
import { NameTable } from "../../ingest/events/names.ts";
import { PointerTable } from "../../ingest/events/pointers.ts";
import { clearRow } from "../../ingest/events/rows.ts";
import { ArrowEventWriter } from "./arrow-writer.ts";
import { CsvEventWriter } from "./csv-writer.ts";

/** A row as it is written; what is left out is absent. */
export interface TableRow {
  readonly tsNs: number;
  readonly cpu: number;
  readonly pid: number;
  readonly event: string;
  readonly kind: number;
  readonly line: number;
  readonly pgt: bigint;
  readonly mmu: bigint;
  readonly kvm: bigint;
  readonly prot: bigint;
  /** addr, len, phys. */
  readonly numbers: readonly number[];
  /** arg0 … arg3. */
  readonly args: readonly number[];
}

export const NO_LOSS: RecordedTrace = {
  source: {
    path: "made-up.txt",
    format: "ftrace-text",
    layout: "default layout",
    compression: "none",
    bytes: 1,
    sha256: "00",
    lines: 1,
  },
  clock: { base_ns: "0", first_ts_ns: null, last_ts_ns: null },
  rows: 0,
  events: 0,
  entries_in_buffer: null,
  entries_written: null,
  statistics_counted: false,
  diagnostics: [],
  examples: [],
};

export interface Filled {
  readonly batch: EventBatch;
  readonly pointers: PointerTable;
  readonly names: NameTable;
}

export function fill(rows: readonly TableRow[]): Filled {
  const batch = createEventBatch(Math.max(1, rows.length));
  const [pointers, names] = [new PointerTable(), new NameTable()];
  const intern = (value: bigint): number =>
    pointers.intern(Number(value >> 32n), Number(value & 0xffff_ffffn));
  for (const [i, row] of rows.entries()) {
    clearRow(batch, i);
    batch.tsNs[i] = row.tsNs;
    batch.cpu[i] = row.cpu;
    batch.pid[i] = row.pid;
    batch.name[i] = names.idOf(row.event);
    batch.kind[i] = row.kind;
    batch.line[i] = row.line;
    batch.pgt[i] = intern(row.pgt);
    batch.mmu[i] = intern(row.mmu);
    batch.kvm[i] = intern(row.kvm);
    batch.prot[i] = Number(row.prot & 0xffff_ffffn);
    batch.protHigh[i] = Number(row.prot >> 32n);
    batch.addr[i] = row.numbers[0]!;
    batch.len[i] = row.numbers[1]!;
    batch.phys[i] = row.numbers[2]!;
    batch.arg0[i] = row.args[0]!;
    batch.arg1[i] = row.args[1]!;
    batch.arg2[i] = row.args[2]!;
    batch.arg3[i] = row.args[3]!;
  }
  batch.length = rows.length;
  return { batch, pointers, names };
}

export async function arrowBytes(
  rows: readonly TableRow[],
  baseNs = 0n,
  batchRows = 65_536,
  trace: RecordedTrace = { ...NO_LOSS, rows: rows.length },
): Promise<Buffer> {
  const { batch, pointers, names } = fill(rows);
  const chunks: Buffer[] = [];
  const sink = {
    write: async (parts: readonly Uint8Array[]): Promise<void> => {
      chunks.push(...parts.map((part) => Buffer.from(part)));
      return Promise.resolve();
    },
  };
  const writer = new ArrowEventWriter(arrow, sink, pointers, names, batchRows);
  await writer.append(batch, 0, rows.length, baseNs);
  await writer.finish(trace);
  return Buffer.concat(chunks);
}

export async function csvText(rows: readonly TableRow[], baseNs = 0n): Promise<string> {
  const { batch, pointers, names } = fill(rows);
  let text = "";
  const sink = {
    write: async (parts: readonly Uint8Array[]): Promise<void> => {
      for (const part of parts) text += Buffer.from(part).toString("utf8");
      return Promise.resolve();
    },
  };
  const writer = new CsvEventWriter(sink, pointers, names);
  await writer.append(batch, 0, rows.length, baseNs);
  await writer.finish(NO_LOSS);
  return text;
}

/** A row of kind `unmap` that `i` tells from others. */
export function sampleRow(i: number): TableRow {
  return {
    tsNs: i * 1000,
    cpu: i % 4,
    pid: 600 + (i % 3),
    event: i % 5 === 0 ? "unmap_it" : "wp",
    kind: 3,
    line: i + 1,
    pgt: 0xfff0_0000_c112_bcc0n,
    mmu: 0n,
    kvm: 0n,
    prot: 0n,
    numbers: [i * 4096, 4096, Number.NaN],
    args: [Number.NaN, Number.NaN, Number.NaN, Number.NaN],
  };
}
