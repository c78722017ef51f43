import * as fc from "fast-check";
import { tableFromIPC } from "@uwdata/flechette";
import { describe, expect, it } from "vitest";

import { EVENT_KINDS, EventKind } from "../../ingest/events/kinds.ts";
import { openTrace } from "../../ingest/open-trace.ts";
import { inChunks } from "../../ingest/testing/read-text.ts";
import { arrowBytes, csvText, type TableRow } from "./event-table.test.data.ts";

const QUANTITY = fc.oneof(
  fc.constant(Number.NaN),
  fc.integer({ min: 0, max: 2 ** 53 - 1 }),
  fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
);
const ARGUMENT = fc.oneof(
  fc.constant(Number.NaN),
  fc.integer({ min: -(2 ** 53 - 1), max: 2 ** 53 - 1 }),
  fc.constantFrom(0, -1, -(2 ** 32), -(2 ** 31), 2 ** 31),
);
const WORD = fc.oneof(fc.constant(0n), fc.bigInt(1n, (1n << 64n) - 1n));
const NAME = fc.oneof(
  fc.constantFrom("map", "unmap_ret", "", "=cmd|' /C'!A0", "'=x", "''-1", "@a", "+b", "-c", "\t=d"),
  fc.constantFrom('a"b', "a,b", " c", "d ", "#e", "__proto__", "\u{e9}\u{ff}", "constructor"),
  fc.string({ maxLength: 12 }).filter((text) => !/[\r\n\u{feff}]/u.test(text)),
);
const ROW: fc.Arbitrary<TableRow> = fc.record({
  tsNs: fc.oneof(fc.integer({ min: -(2 ** 40), max: 2 ** 50 }), fc.constantFrom(0, 2 ** 32)),
  cpu: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant(65_535)),
  pid: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  event: NAME,
  // Kinds that need no arguments, so that any columns may be absent.
  kind: fc.constantFrom(EventKind.other, EventKind.kvm_exit, EventKind.marker, EventKind.lost),
  line: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  pgt: WORD,
  mmu: WORD,
  kvm: WORD,
  prot: WORD,
  numbers: fc.array(QUANTITY, { minLength: 3, maxLength: 3 }),
  args: fc.array(ARGUMENT, { minLength: 4, maxLength: 4 }),
});
/** 0, seconds of uptime, a wall clock, and one of another day. */
const BASE = fc.oneof(
  fc.constantFrom(0n, 34_356_477_000n, 1_795_182_104_551_297_123n, 999_999_999n),
  fc.bigInt(0n, 1n << 62n),
);

/** The rows that a reader gives, with absolute times, as they were handed to the writer. */
async function readBack(bytes: Buffer): Promise<{ rows: TableRow[]; times: bigint[] }> {
  const reader = await openTrace("-", { stdin: inChunks(bytes, [1 << 20]) });
  const rows: TableRow[] = [];
  const times: bigint[] = [];
  const { pointers, names } = reader;
  for await (const batch of reader.batches()) {
    for (let i = 0; i < batch.length; i += 1) {
      times.push(reader.baseNs + BigInt(batch.tsNs[i]!));
      rows.push({
        tsNs: batch.tsNs[i]!,
        cpu: batch.cpu[i]!,
        pid: batch.pid[i]!,
        event: names.text(batch.name[i]!),
        kind: batch.kind[i]!,
        line: batch.line[i]!,
        pgt: pointers.value(batch.pgt[i]!),
        mmu: pointers.value(batch.mmu[i]!),
        kvm: pointers.value(batch.kvm[i]!),
        prot: (BigInt(batch.protHigh[i]!) << 32n) | BigInt(batch.prot[i]!),
        numbers: [batch.addr[i]!, batch.len[i]!, batch.phys[i]!],
        args: [batch.arg0[i]!, batch.arg1[i]!, batch.arg2[i]!, batch.arg3[i]!],
      });
    }
  }
  return { rows, times };
}

const number = (value: number): bigint | null => (Number.isNaN(value) ? null : BigInt(value));
const withoutPlace = ({ line: _line, tsNs: _tsNs, ...row }: TableRow): object => row;
const absolute = (rows: readonly TableRow[], baseNs: bigint): bigint[] =>
  rows.map(({ tsNs }) => baseNs + BigInt(tsNs));
/** -0 and 0 are one number. */
const plain = (rows: readonly TableRow[]): TableRow[] =>
  rows.map((row) => ({ ...row, args: row.args.map((value) => value + 0) }));

describe("any event table", () => {
  const tables = fc.array(ROW, { minLength: 1, maxLength: 30 });

  it("comes back from Arrow as it was, whatever the size of the batches", async () => {
    await fc.assert(
      fc.asyncProperty(tables, BASE, fc.integer({ min: 1, max: 9 }), async (rows, base, size) => {
        const back = await readBack(await arrowBytes(rows, base, size));
        expect(plain(back.rows)).toEqual(plain(rows));
        expect(back.times).toEqual(absolute(rows, base));
      }),
      { numRuns: 150 },
    );
  });

  it("is the same table for another program", async () => {
    await fc.assert(
      fc.asyncProperty(tables, BASE, async (rows, base) => {
        const table = tableFromIPC(await arrowBytes(rows, base, 7), { useBigInt: true });
        const column = (name: string): unknown[] => [...table.getChild(name)];
        expect(column("ts_ns")).toEqual(absolute(rows, base).map((ns) => BigInt.asIntN(64, ns)));
        expect(column("event")).toEqual(rows.map(({ event }) => event));
        expect(column("kind")).toEqual(rows.map(({ kind }) => EVENT_KINDS[kind]));
        expect(column("pgt")).toEqual(rows.map(({ pgt }) => (pgt === 0n ? null : pgt)));
        expect(column("phys")).toEqual(rows.map(({ numbers }) => number(numbers[2]!)));
        expect(column("arg3")).toEqual(rows.map(({ args }) => number(args[3]!)));
      }),
      { numRuns: 60 },
    );
  });

  it("comes back from CSV as it was, but for its lines", async () => {
    await fc.assert(
      fc.asyncProperty(tables, BASE, async (rows, base) => {
        const { rows: back, times } = await readBack(Buffer.from(await csvText(rows, base)));
        expect(plain(back).map(withoutPlace)).toEqual(plain(rows).map(withoutPlace));
        expect(times).toEqual(absolute(rows, base));
        expect(back.map(({ line }) => line)).toEqual(Array.from(rows, (_row, i) => i + 2));
      }),
      { numRuns: 150 },
    );
  });
});

describe("CSV that is written", () => {
  const row: TableRow = {
    tsNs: 5,
    cpu: 3,
    pid: 42,
    event: "=HYPERLINK(1)",
    kind: EventKind.map,
    line: 7,
    pgt: 0xffff_8000_8258_d000n,
    mmu: 1n,
    kvm: 0n,
    prot: 1n << 63n,
    numbers: [0x180000, 4096, 0x1028d3000],
    args: [-12, Number.NaN, Number.NaN, Number.NaN],
  };

  it("has fixed hexadecimal pointers, decimal numbers, empty cells and no formula", async () => {
    expect(await csvText([row], 1_795_182_104_551_297_123n)).toBe(
      "ts_ns,cpu,pid,event,kind,line,pgt,mmu,kvm,addr,len,phys,prot,arg0,arg1,arg2,arg3\n" +
        "1795182104551297128,3,42,'=HYPERLINK(1),map,7,0xffff80008258d000,0x0000000000000001,,1572864,4096,4337774592,0x8000000000000000,-12,,,\n",
    );
  });
});
