import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { openBytes } from "../../source/open-bytes.ts";
import { inChunks, readAll, type ReadTrace } from "../../testing/read-text.ts";
import { CsvReader } from "./reader.ts";

/** All that a reader gives, or its refusal; and the names of the rows' events. */
async function outcome(bytes: Uint8Array, size: number, mayBePlain: boolean): Promise<object> {
  const source = await openBytes("-", { stdin: inChunks(bytes, [size]) });
  const reader = new CsvReader(source, mayBePlain);
  const names: string[] = [];
  const batches = reader.batches.bind(reader);
  reader.batches = async function* named() {
    for await (const batch of batches()) {
      for (let i = 0; i < batch.length; i += 1) names.push(reader.names.text(batch.name[i]!));
      yield batch;
    }
  };
  try {
    const read: ReadTrace = await readAll(reader);
    return { ...read, names };
  } catch (error) {
    return { refused: error };
  }
}

const HEADERS = [
  "ts_ns,cpu,pid,event,kind,line,pgt,mmu,kvm,addr,len,phys,prot,arg0,arg1,arg2,arg3",
  "ts_ns,cpu,pid,event,pgt,mmu,kvm,addr,len,phys,prot,arg0,arg1,arg2,arg3",
  "event,ts_ns,pgt,addr,size,len,level,end,colour,arg0",
  "ts_s,event,kvm,gfn,pages",
  "ts_ns,event,ret,pgt,addr,len",
  '"ts_ns",event,kvm,addr,len,prot',
  " ts_ns , event,kvm,addr",
];

const NUMBER = fc.oneof(
  fc.constant(""),
  fc.integer({ min: 0, max: 9999 }).map(String),
  fc.bigInt(0n, (1n << 64n) + 5n).map(String),
  fc.bigInt(0n, (1n << 64n) - 1n).map((n) => `0x${n.toString(16)}`),
  fc.integer({ min: -99, max: -1 }).map(String),
  fc.constantFrom("-1", "0x", "1e3", "--5", "-0x10", "-0", "00", "9007199254740993", "0XFF", "+1"),
  fc.constantFrom("18446744073709551615", "-9223372036854775808", "0x1ffffffffffffffff", "x"),
);
const NAME = fc.constantFrom(
  "map",
  "unmap",
  "unmap_ret",
  "remote",
  "kvm_exit",
  "lost",
  "hw_vmid_ipa",
  "commit_region",
  "kvm_pgtable_stage2_unmap",
  "no_such",
  "",
  "=cmd",
  "'=cmd",
  "__proto__",
  "constructor",
);
const ODD_CELL = fc.constantFrom(
  ' "a"',
  '"1"',
  '"1,2"',
  '"a""b"',
  'a"b',
  '"open',
  " 7 ",
  "\t7",
  "7 ",
  "\0",
  "1\r2",
  "\r",
  "\u{e9}",
  "\u{ff}\u{fe}",
  "#",
  "'",
  ";",
  "\u{a0}7",
  "\u{b}7",
  "\f7",
);

const cell = (name: string): fc.Arbitrary<string> => {
  if (name === "event") return NAME;
  if (name === "kind") return fc.oneof(NAME, fc.constant("unmap"), fc.constant("kvm_exit"));
  if (name === "ts_ns") return fc.oneof(fc.integer({ min: 0, max: 1e9 }).map(String), NUMBER);
  return fc.oneof({ weight: 3, arbitrary: fc.constant("4096") }, NUMBER);
};

/** Mostly what a program writes, now and then what people do. */
const LINE = (columns: readonly string[]): fc.Arbitrary<string> => {
  const row = fc.tuple(...columns.map(cell)).map((cells) => cells.join(","));
  const odd = fc.tuple(row, ODD_CELL, fc.nat()).map(([text, replacement, at]) =>
    text
      .split(",")
      .with(at % columns.length, replacement)
      .join(),
  );
  return fc.oneof(
    { weight: 12, arbitrary: row },
    { weight: 1, arbitrary: odd },
    {
      weight: 1,
      arbitrary: fc.constantFrom("", "# a \"comment, 'with' quotes", "#", " ", "1,2", ",,,,"),
    },
    { weight: 1, arbitrary: row.map((text) => `${text},9`) },
  );
};

const TEXT = fc
  .constantFrom(...HEADERS)
  .chain((header) => {
    const columns = header.replaceAll(/[" ]/g, "").split(",");
    const lineEnd = fc.constantFrom("\n", "\n", "\n", "\r\n");
    return fc.tuple(
      fc.constantFrom("", "\u{ef}\u{bb}\u{bf}", "# first\n", "\n\n"),
      fc.constant(header),
      lineEnd,
      fc.array(fc.tuple(LINE(columns), lineEnd), { maxLength: 40 }),
      fc.boolean(),
    );
  })
  .map(([front, header, end, lines, isWhole]) => {
    const body = lines.map(([line, lineEnd]) => line + lineEnd).join("");
    const text = front + header + end + body;
    return Buffer.from(isWhole ? text : text.slice(0, -1), "latin1");
  });

const row = (i: number): string => `${i},unmap,0x10,${i * 4096},4096`;

describe("the fast way through plain CSV", () => {
  it("gives what the parser gives, record by record, loss by loss", async () => {
    await fc.assert(
      fc.asyncProperty(TEXT, fc.integer({ min: 1, max: 200 }), async (bytes, size) => {
        const expected = await outcome(bytes, 4096, false);
        expect(await outcome(bytes, size, true)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("hands over in the middle of a file, and lines keep their numbers", async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => row(i));
    const odd: readonly (readonly [string, number])[] = [
      ['5,"unmap",0x10,0,1', 3001],
      ["5,unmap, 0x10,0,1", 3001],
      // To the parser a lone CR ends a line, though no record.
      ["5,unmap,0x10,\r0,1", 3002],
      ["\u{e9}", 3001],
    ];
    for (const [line, count] of odd) {
      const lines = rows.with(1777, line);
      const bytes = Buffer.from(`ts_ns,event,pgt,addr,len\n${lines.join("\n")}\n`, "latin1");
      const fast = await outcome(bytes, 1 << 16, true);
      expect(fast).toEqual(await outcome(bytes, 1 << 16, false));
      expect(fast).toMatchObject({ info: { lines: count } });
    }
  });

  it("leaves a line that is too long to the parser", async () => {
    for (const length of [30_000, 40_000, 70_000]) {
      const text = `ts_ns,event,kvm\n1,remote,1\n2,remote,${"1".repeat(length)}\n3,remote,1\n`;
      const fast = await outcome(Buffer.from(text), 1000, true);
      expect(fast).toEqual(await outcome(Buffer.from(text), 1000, false));
    }
  });
});
