import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

import { tableFromIPC } from "@uwdata/flechette";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { resolveTracePath } from "../ingest/beside/resolve-trace-path.ts";
import { openTrace } from "../ingest/open-trace.ts";
import { readAll, type ReadTrace, type Row } from "../ingest/testing/read-text.ts";
import { replayCapture } from "./captures/replayed.ts";
import { convertTrace, type EventFileFormat } from "./convert-trace.ts";

const CAPTURES = fileURLToPath(new URL("../fixtures/captures/", import.meta.url));
const NAMES = readdirSync(CAPTURES).sort();

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "convert-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function bytesOf(trace: string, format: EventFileFormat): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await convertTrace(trace, format, {
    write: async (parts) => {
      chunks.push(...parts.map((part) => Buffer.from(part)));
      return Promise.resolve();
    },
  });
  return Buffer.concat(chunks);
}

async function read(file: string): Promise<ReadTrace> {
  return readAll(await openTrace(file));
}

/** A folder with the facts of a capture and one trace in it. */
function beside(capture: string, name: string, bytes: Uint8Array): string {
  for (const fact of ["capture.json", "kprobes.txt", "kallsyms.txt", "per_cpu_stats.txt"]) {
    const file = path.join(CAPTURES, capture, fact);
    if (existsSync(file)) cpSync(file, path.join(folder, fact));
  }
  const trace = path.join(folder, name);
  writeFileSync(trace, bytes);
  return trace;
}

/** What a replay says, without where the trace was. */
async function verdict(trace: string): Promise<object> {
  const { result, reader, predictedByCpu, unmaps } = await replayCapture(trace, undefined);
  const { tableBytes: _, ...told } = result;
  const { hasDataLoss } = reader.diagnostics;
  return { told, predictedByCpu, unmaps, hasDataLoss, losses: [...reader.diagnostics.counts()] };
}

function withoutLine({ line: _line, ...row }: Row): Omit<Row, "line"> {
  return row;
}

describe.each(NAMES)("%s", (name) => {
  it("as Arrow has every event, loss and count, and the replay says the same", async () => {
    const trace = await resolveTracePath(path.join(CAPTURES, name));
    const arrow = beside(name, "trace.arrow", await bytesOf(trace, "arrow"));
    const [own, converted] = [await read(trace), await read(arrow)];
    expect(converted.rows).toEqual(own.rows);
    expect(converted.counts).toEqual(own.counts);
    expect(converted.examples).toEqual(own.examples);
    expect(converted.lines).toEqual(own.lines);
    const { events, baseNs, firstTsNs, lastTsNs, eventsByName, lines } = own.info;
    const { entriesInBuffer, entriesWritten } = own.info;
    expect(converted.info).toMatchObject({
      format: "arrow",
      events,
      baseNs,
      firstTsNs,
      lastTsNs,
      eventsByName,
      lines,
      entriesInBuffer,
      entriesWritten,
    });
    expect(await verdict(arrow)).toEqual(await verdict(trace));
  });

  it("as CSV has every event", async () => {
    const trace = await resolveTracePath(path.join(CAPTURES, name));
    const csv = beside(name, "trace.csv", await bytesOf(trace, "csv"));
    const [own, converted] = [await read(trace), await read(csv)];
    expect(converted.rows.map(withoutLine)).toEqual(own.rows.map(withoutLine));
    expect(converted.hasDataLoss).toBe(own.hasDataLoss);
    expect(converted.info.eventsByName).toEqual(own.info.eventsByName);
    expect((await bytesOf(trace, "csv")).equals(readFileSync(csv))).toBe(true);
  });
});

describe("a trace that could not be read everywhere", () => {
  const text = gunzipSync(readFileSync(`${CAPTURES}tiny-612/trace.txt.gz`)).toString("latin1");

  /** Lines made unreadable, too long or wrong, here and there; the last but one too. */
  function garbled(): Buffer {
    const lines = text.split("\n");
    lines[499] = "!!! neither an event nor a comment";
    lines[500] = "!!! and another";
    lines[1000] = "x".repeat(70_000);
    for (let i = 2000; i < lines.length; i += 1) {
      if (i % 97 === 0) lines[i] = lines[i]!.replace(/ addr=0x\w+/, " addr=0xzz");
      if (i % 211 === 0) lines[i] = lines[i]!.slice(0, 30);
    }
    lines[lines.length - 2] = "!!! at the end";
    return Buffer.from(lines.join("\n"), "latin1");
  }

  it("stays one as Arrow: same losses, and the replay forgets at the same events", async () => {
    const trace = beside("tiny-612", "trace.txt", garbled());
    const bytes = await bytesOf(trace, "arrow");
    const arrow = beside("tiny-612", "again.arrow", bytes);
    const [own, converted] = [await read(trace), await read(arrow)];
    expect(own.counts).toMatchObject({ LINE_TOO_LONG: 1, BAD_NUMBER: expect.any(Number) });
    expect(converted.counts).toMatchObject(own.counts);
    expect(converted.rows.filter(({ kind }) => kind !== "lost")).toEqual(own.rows);
    expect(converted.rows.filter(({ kind }) => kind === "lost").length).toBeGreaterThan(20);
    expect(await verdict(arrow)).toEqual(await verdict(trace));
    // A table of a table is the same table.
    const again = await readAll(
      await openTrace(beside("tiny-612", "b.arrow", await bytesOf(arrow, "arrow"))),
    );
    expect(again.rows).toEqual(converted.rows);
    expect(again.counts).toEqual(converted.counts);
  });

  it("stays one as CSV: a hole is a row of kind lost", async () => {
    const trace = beside("tiny-612", "trace.txt", garbled());
    const csv = beside("tiny-612", "again.csv", await bytesOf(trace, "csv"));
    const [arrow, converted] = [await bytesOf(trace, "arrow"), await read(csv)];
    const rows = (await read(beside("tiny-612", "b.arrow", arrow))).rows.map(withoutLine);
    expect(converted.rows.map(withoutLine)).toEqual(rows);
    const lost = rows.filter(({ kind }) => kind === "lost").length;
    expect(converted.counts).toEqual({ EVENTS_LOST: lost });
    expect(converted.hasDataLoss).toBe(true);
  });

  it("a loss without a place is not lost in CSV: the last row tells of it", async () => {
    // The header announces more events than there are: cut, and no line says where.
    const cut = `${text.split("\n").slice(0, 3000).join("\n")}\n`;
    const trace = beside("tiny-612", "trace.txt", Buffer.from(cut, "latin1"));
    const own = await read(trace);
    expect(own.counts).toEqual({ TRUNCATED: 1 });
    const converted = await read(beside("tiny-612", "a.csv", await bytesOf(trace, "csv")));
    expect(converted.rows.slice(0, -1).map(withoutLine)).toEqual(own.rows.map(withoutLine));
    expect(converted.rows.at(-1)).toMatchObject({ kind: "lost", pid: -1, cpu: 65_535 });
    expect(converted.counts).toEqual({ EVENTS_LOST: 1 });
  });

  it("what only statistics beside the trace count is kept, and counted once", async () => {
    const stats = "== cpu0\nentries: 5\noverrun: 0\ncommit overrun: 0\ndropped events: 77\n";
    const trace = path.join(folder, "trace.txt");
    writeFileSync(trace, text, "latin1");
    writeFileSync(path.join(folder, "per_cpu_stats.txt"), stats);
    const arrow = path.join(folder, "events.arrow");
    writeFileSync(arrow, await bytesOf(trace, "arrow"));
    const converted = await read(arrow);
    expect(converted.counts).toEqual({ EVENTS_LOST: 77 });
    expect(converted.info.statisticsCounted).toBe(true);
  });
});

const number = (value: number | undefined): bigint | null =>
  value === undefined ? null : BigInt(value);
const pointer = (text: string | undefined): bigint | null =>
  text === undefined ? null : BigInt(text);

describe("an Arrow event file", () => {
  it("is read by another program's library value by value", async () => {
    const trace = `${CAPTURES}tiny-612-lost-overwrite/trace.txt.gz`;
    const table = tableFromIPC(await bytesOf(trace, "arrow"), { useBigInt: true });
    const { rows, info } = await read(trace);
    expect(table.numRows).toBe(rows.length);
    for (const [i, row] of rows.entries()) {
      expect(table.get(i)).toEqual({
        ts_ns: info.baseNs + BigInt(row.tsNs),
        cpu: row.cpu === 65_535 ? null : row.cpu,
        pid: row.pid === -1 ? null : row.pid,
        event: expect.any(String),
        kind: row.kind,
        line: row.line,
        pgt: pointer(row.pgt),
        mmu: pointer(row.mmu),
        kvm: pointer(row.kvm),
        addr: number(row.addr),
        len: number(row.len),
        phys: number(row.phys),
        prot: row.prot ?? null,
        arg0: number(row.arg0),
        arg1: number(row.arg1),
        arg2: number(row.arg2),
        arg3: number(row.arg3),
      });
    }
    const names = new Map<string, number>();
    for (let i = 0; i < table.numRows; i += 1) {
      const { event, kind } = table.get(i) as { event: string; kind: string };
      if (kind !== "lost") names.set(event, (names.get(event) ?? 0) + 1);
    }
    expect(names).toEqual(new Map(info.eventsByName));
  });

  it("has the same bytes each time, and no key that makes pandas fail", async () => {
    const trace = `${CAPTURES}tiny-612/trace.txt.gz`;
    const [once, twice] = [await bytesOf(trace, "arrow"), await bytesOf(trace, "arrow")];
    expect(once.equals(twice)).toBe(true);
    expect([...(tableFromIPC(once).schema.metadata?.keys() ?? [])]).toEqual([
      "tlbi-replay.event_table",
      "tlbi-replay.base_ns",
      "tlbi-replay.trace",
    ]);
  });
});
