import * as arrow from "apache-arrow";
import { beforeAll, describe, expect, it } from "vitest";

import { EVENT_TABLE_COLUMNS } from "../../ingest/events/event-table.ts";
import { openTrace } from "../../ingest/open-trace.ts";
import { inChunks, readAll, type ReadTrace } from "../../ingest/testing/read-text.ts";
import { arrowBytes, NO_LOSS, sampleRow } from "./event-table.test.data.ts";

const ROWS = 40;
const BATCH = 10;

async function read(bytes: Uint8Array): Promise<ReadTrace> {
  return readAll(await openTrace("-", { stdin: inChunks(bytes, [1 << 20]) }));
}

/** Addresses of the rows that were read, which tell which rows they are. */
function rowsOf({ rows }: ReadTrace): number[] {
  return rows.filter(({ kind }) => kind !== "lost").map(({ addr }) => addr! / 4096);
}

/** Offsets at which the messages of a file begin, the end of the batches being the last. */
function messagesOf(bytes: Buffer): number[] {
  const offsets: number[] = [];
  let at = 8;
  for (;;) {
    offsets.push(at);
    const length = bytes.readInt32LE(at + 4);
    if (length === 0) return offsets;
    const body = arrow.Message.decode(bytes.subarray(at + 8, at + 8 + length)).bodyLength;
    at += 8 + length + body;
  }
}

/** Rows with their times on the trace's clock. */
function absolute({ rows, info }: ReadTrace): unknown {
  return rows.map((row) => ({ ...row, tsNs: info.baseNs + BigInt(row.tsNs) }));
}

let whole: Buffer;
/** Of the four batches, and behind them. */
let starts: number[];
beforeAll(async () => {
  const rows = Array.from({ length: ROWS }, (_, i) => sampleRow(i));
  whole = await arrowBytes(rows, 1000n, BATCH);
  // Schema, dictionary, 4 batches, end.
  starts = messagesOf(whole).slice(2);
});

describe("an Arrow event file that was cut", () => {
  it("is whole before", async () => {
    expect(starts).toHaveLength(5);
    const { counts, info, ...read1 } = await read(whole);
    expect(rowsOf({ counts, info, ...read1 })).toEqual([...Array.from({ length: ROWS }).keys()]);
    expect([counts, info.events]).toEqual([{}, ROWS]);
  });

  it("gives every whole batch, and names the byte, wherever it was cut", async () => {
    for (let size = starts[0]!; size < whole.length; size += 37) {
      const result = await read(whole.subarray(0, size));
      const batches = starts.slice(1).filter((end) => end <= size).length;
      expect(rowsOf(result), `cut at ${size}`).toEqual([
        ...Array.from({ length: batches * BATCH }).keys(),
      ]);
      expect(result.counts, `cut at ${size}`).toEqual({ TRUNCATED: 1 });
      const place = starts[batches]!;
      const expected = size < place ? starts[batches - 1] : place;
      expect(result.byteOffsets, `cut at ${size}`).toEqual([expected]);
      expect(result.hasDataLoss).toBe(true);
    }
  });

  it("is refused where it was cut before its schema", async () => {
    for (const size of [8, 12, 100]) {
      await expect(read(whole.subarray(0, size))).rejects.toMatchObject({
        code: "WRONG_FORMAT",
        message: expect.stringContaining("damaged or cut"),
      });
    }
  });
});

describe("a damaged Arrow event file", () => {
  it("loses the batch of a changed byte and no other, and says so", async () => {
    for (const batch of [0, 1, 2, 3]) {
      const bytes = Buffer.from(whole);
      const at = starts[batch + 1]! - 200;
      bytes[at] = bytes[at]! ^ 0x10;
      const result = await read(bytes);
      const left = [...Array.from({ length: ROWS }).keys()].filter(
        (row) => Math.floor(row / BATCH) !== batch,
      );
      expect(rowsOf(result)).toEqual(left);
      expect(result.counts).toEqual({ DAMAGED_BATCH: 1, EVENTS_LOST: BATCH });
      const lost = result.rows.findIndex(({ kind }) => kind === "lost");
      expect([lost, result.rows[lost]!.arg0]).toEqual([batch * BATCH, BATCH]);
    }
  });

  it("finds the next batch where one cannot be followed", async () => {
    const bytes = Buffer.from(whole);
    bytes.writeInt32LE(0x7ffffff0, starts[1]! + 4);
    const result = await read(bytes);
    expect(rowsOf(result)).toEqual(
      [...Array.from({ length: ROWS }).keys()].filter((row) => row < 10 || row >= 20),
    );
    expect(result.counts).toMatchObject({ DAMAGED_BATCH: 1 });
  });

  it("never gives another row, or one less, without saying so", async () => {
    const good = await read(whole);
    let refused = 0;
    let told = 0;
    let state = 12_345;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state % below;
    };
    for (let trial = 0; trial < 600; trial += 1) {
      const bytes = Buffer.from(whole);
      const at = random(bytes.length);
      bytes[at] = bytes[at]! ^ (1 << random(8));
      try {
        const result = await read(bytes);
        if (result.hasDataLoss) told += 1;
        else {
          expect(absolute(result), `byte ${at}`).toEqual(absolute(good));
        }
      } catch (error) {
        expect(error, `byte ${at}`).toMatchObject({
          name: "TraceError",
          code: expect.stringMatching(/^(WRONG_FORMAT|BINARY|UNSUPPORTED_COMPRESSION)$/),
        });
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(5);
    expect(told).toBeGreaterThan(200);
  });

  it("says that its losses are not known where their list is damaged", async () => {
    const loss = { ...NO_LOSS, rows: 1, diagnostics: [["EVENTS_LOST", 5] as const] };
    const bytes = await arrowBytes([sampleRow(0)], 0n, 10, loss);
    expect((await read(bytes)).counts).toEqual({ EVENTS_LOST: 5 });
    const at = bytes.indexOf("EVENTS_LOST");
    bytes.write("EVENTS_LAST", at, "latin1");
    expect((await read(bytes)).counts).toEqual({ DAMAGED_METADATA: 1 });
  });

  it("says so where it has other rows than it announces", async () => {
    const rows = [sampleRow(0), sampleRow(1)];
    const bytes = await arrowBytes(rows, 0n, 10, { ...NO_LOSS, rows: 3 });
    expect((await read(bytes)).counts).toEqual({ DAMAGED_METADATA: 1 });
  });
});

/** A file of the library's own making, with our columns or nearly so. */
function foreign(
  change: (fields: arrow.Field[], metadata: Map<string, string>) => void,
  values: Partial<Record<string, bigint | number>> = {},
): Uint8Array {
  const kinds = arrow.vectorFromArray(["unmap"], new arrow.Utf8());
  const types: Record<string, arrow.DataType> = {
    int64: new arrow.Int64(),
    uint64: new arrow.Uint64(),
    int32: new arrow.Int32(),
    uint32: new arrow.Uint32(),
    uint16: new arrow.Uint16(),
    utf8: new arrow.Utf8(),
    kind: new arrow.Dictionary(new arrow.Utf8(), new arrow.Uint8(), 0),
  };
  const fields = EVENT_TABLE_COLUMNS.map(
    ({ name, type, nullable }) => new arrow.Field(name, types[type]!, nullable),
  );
  const metadata = new Map([
    ["tlbi-replay.event_table", "1"],
    ["tlbi-replay.base_ns", "0"],
  ]);
  change(fields, metadata);
  const children = fields.map(({ name, type }) => {
    if (arrow.DataType.isUtf8(type)) {
      const valueOffsets = Int32Array.of(0, 1);
      return arrow.makeData({
        type,
        length: 1,
        nullCount: 0,
        valueOffsets,
        data: Buffer.from("x"),
      });
    }
    if (arrow.DataType.isDictionary(type)) {
      const data = Uint8Array.of(Number(values["kind"] ?? 0));
      return arrow.makeData({ type, length: 1, nullCount: 0, data, dictionary: kinds });
    }
    const of = type as arrow.Int;
    const data = new of.ArrayType(1);
    const value = values[name] ?? 1;
    data[0] = (of.bitWidth === 64 ? BigInt(value) : Number(value)) as never;
    return arrow.makeData({ type: of, length: 1, nullCount: 0, data });
  });
  const schema = new arrow.Schema(fields, metadata);
  const data = arrow.makeData({
    type: new arrow.Struct(fields),
    length: 1,
    nullCount: 0,
    children: children as arrow.Data[],
  });
  return arrow.RecordBatchFileWriter.writeAll([new arrow.RecordBatch(schema, data)]).toUint8Array(
    true,
  );
}

describe("an Arrow file of others", () => {
  it("with our columns is read, though nothing is known of the trace", async () => {
    const { rows, counts } = await read(foreign(() => undefined));
    expect(rows).toMatchObject([{ kind: "unmap", addr: 1, pgt: "0x1", arg3: 1 }]);
    expect(counts).toEqual({ DAMAGED_METADATA: 1 });
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["without our mark", foreign((_, metadata) => metadata.clear()), /no event table/],
    [
      "of another version",
      foreign((_, metadata) => metadata.set("tlbi-replay.event_table", "99")),
      /version 99, not 1/,
    ],
    [
      "without its clock",
      foreign((_, metadata) => metadata.delete("tlbi-replay.base_ns")),
      /does not tell its clock/,
    ],
    ["with a column too few", foreign((fields) => fields.pop()), /column 17 .* arg3: int64/],
    [
      "with a column of another type",
      foreign((fields) => {
        fields[9] = new arrow.Field("addr", new arrow.Int64(), true);
      }),
      /column 10 .* addr: uint64, and is addr: int64/,
    ],
    [
      "with a column of another name",
      foreign((fields) => {
        fields[1] = new arrow.Field("core", new arrow.Uint16(), true);
      }),
      /column 2 .* cpu: uint16, and is core: uint16/,
    ],
  ])("is refused %s", async (_, bytes, message) => {
    await expect(read(bytes)).rejects.toMatchObject({
      code: "WRONG_FORMAT",
      message: expect.stringMatching(message),
    });
  });

  it("that is a stream is refused", async () => {
    const stream = arrow.tableToIPC(arrow.tableFromArrays({ a: [1] }), "stream");
    await expect(read(stream)).rejects.toMatchObject({ message: expect.stringMatching(/stream/) });
  });

  it.each<[string, Partial<Record<string, bigint | number>>, string]>([
    ["an address beyond 2^53", { addr: 1n << 60n }, "a number beyond 2^53"],
    ["an argument beyond 2^53", { arg0: -(1n << 60n) }, "a number beyond 2^53"],
    ["a time too far away", { ts_ns: 1n << 62n }, "a time too far from the first"],
    ["a kind that it does not name", { kind: 7 }, "a kind outside the dictionary"],
  ])("with %s loses that batch", async (_, values, reason) => {
    const { rows, counts, examples } = await read(foreign(() => undefined, values));
    expect(rows.map(({ kind }) => kind)).toEqual(["lost"]);
    expect(counts).toMatchObject({ DAMAGED_BATCH: 1 });
    expect(examples[0]).toBe(`DAMAGED_BATCH ${reason}`);
  });
});
