import { gzipSync } from "node:zlib";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readAccesses } from "./testing/read-accesses.ts";

const LACKEY = [
  "==4711== Lackey, an example Valgrind tool",
  "I  0023C790,2",
  " L 1ffefff,2",
  " S BE80199C,4",
  " M ffff800000001000,8",
  " L ffff800000001ff8,8",
  "==4711== ",
  "",
].join("\n");

describe("valgrind lackey", () => {
  it("is loads, stores and both; an access over a page end touches two pages", async () => {
    const { rows, records, counts, info } = await readAccesses(LACKEY);
    // Page 0x1ff‖effe: 0x1ffefff is the last byte of page 0x1ffe. Upper half: 2^40 + page within it.
    expect(rows).toEqual([
      "read 1ffe×1",
      "read 1fff×1",
      "write be801×1",
      "read 1f800000001×1",
      "write 1f800000001×1",
      "read 1f800000001×1",
    ]);
    expect(records).toEqual([3, 3, 4, 5, 5, 6]);
    expect(counts).toEqual({});
    expect(info).toMatchObject({
      format: "lackey",
      records: 7,
      address: "va",
      baseNs: undefined,
      counts: { reads: 3, writes: 2, fetches: 1, splitAccesses: 1, others: 2 },
    });
  });

  it("gives fetches where they are wanted, and neighbours as one row", async () => {
    const text = "I  1000,4\nI  1004,4\n L 5000,8\n L 5008,8\n S 5010,8\nI  1008,4\n";
    const { rows } = await readAccesses(text, { withFetches: true });
    expect(rows).toEqual(["fetch 1×2", "read 5×2", "write 5×1", "fetch 1×1"]);
    expect((await readAccesses(text)).rows).toEqual(["read 5×2", "write 5×1"]);
    expect((await readAccesses(text, { pageBytes: 65_536, withFetches: true })).rows).toEqual([
      "fetch 0×2",
      "read 0×2",
      "write 0×1",
      "fetch 0×1",
    ]);
  });

  it("counts every line that is no access", async () => {
    const bad = [
      " L 5000",
      " L 5000,",
      " L 5000,8 ",
      " X 5000,8",
      "I 5000,8",
      " L xyz,8",
      " L 12345678901234567,8",
      " L 5000,99999999999999999999",
      " L 5000,65537",
      " L 0010000000000000,8",
      " L fffffffffffffffe,8",
      " L 000ffffffffffffe,8",
      "a\u{0}b",
    ];
    const { rows, counts } = await readAccesses(` L 1000,8\n${bad.join("\n")}\n L 2000,8\n`);
    expect(rows).toEqual(["read 1×1", "read 2×1"]);
    expect(counts).toEqual({ UNPARSED_LINE: bad.length });
  });

  it("takes a top byte for a tag, and says so", async () => {
    const { rows, counts } = await readAccesses(" L b400007fdeadb000,8\n S b4ff800000001000,8\n");
    expect(rows).toEqual(["read 7fdeadb×1", "write 1f800000001×1"]);
    expect(counts).toEqual({ ASSUMED: 1 });
  });

  it("does not believe the cut last line of a damaged stream", async () => {
    const text = " L 1000,8\n".repeat(20_000);
    const packed = gzipSync(text);
    expect((await readAccesses(packed)).rows.join()).toBe("read 1×20000");
    const { rows, counts } = await readAccesses(packed.subarray(0, packed.length - 12));
    expect(rows).toHaveLength(1);
    expect(counts.DAMAGED_COMPRESSION).toBe(1);
    const cut = await readAccesses(" L 1000,8\n L 20");
    expect(cut.counts).toEqual({ TRUNCATED: 1, UNPARSED_LINE: 1 });
    expect((await readAccesses(" L 1000,8\n L 2000,8")).counts).toEqual({ UNTERMINATED_LINE: 1 });
  });

  it("survives endless lines and lines of nothing but damage in bounded memory", async () => {
    const text = ` L 1000,8\n L ${"0".repeat(300_000)}\n${"x\n L 1000,8\n".repeat(30_000)}`;
    const { rows, counts } = await readAccesses(text, {}, [1000, 77]);
    expect(rows).toEqual(["read 1×30001"]);
    expect(counts).toEqual({ LINE_TOO_LONG: 1, UNPARSED_LINE: 30_000 });
  });

  it("is the same in chunks of any size", async () => {
    const whole = await readAccesses(LACKEY);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        async (sizes) => {
          expect((await readAccesses(LACKEY, {}, sizes)).rows).toEqual(whole.rows);
        },
      ),
      { numRuns: 30 },
    );
  });
});

const VIEW = [
  "Output format:",
  "<--record#-> <--instr#->: <---tid---> <record details>",
  "------------------------------------------------------------",
  "          85          61:      296231 ifetch       2 byte(s) @ 0x0000000000401024 0f 05                syscall",
  "          86          62:      296231 <marker: timestamp 13319413770947383>",
  "          86          62:      296231 <marker: tid 296231 on core 10>",
  "          87          63:      296231 read         8 byte(s) @ 0x00007ffe00000ffc by PC 0x0000000000401026",
  "          88          63:      W2.T17 <marker: timestamp 13319413770947393>",
  "          89          64:      W2.T17 write        4 byte(s) @ 0x0000000000402000 by PC 0x000000000040102c",
  "          90          64:      W2.T17 ifetch       8 byte(s) @ 0x0000000000401012 48 8d 34 25 00 20 40 lea    0x00402000 -> %rsi",
  "          90          64:      W2.T17                                             00",
  "          91          64:      W2.T17 pref-r-L1    0 byte(s) @ 0x0000000000402000 by PC 0x000000000040102c",
  "View tool results:",
  "              6 : total instructions",
  "",
].join("\n");

const viewLine = (details: string): string => `  1  1:   7 ${details}\n`;

describe("drmemtrace view", () => {
  it("is accesses with threads, workloads and the times of its markers", async () => {
    const { rows, counts, info } = await readAccesses(VIEW);
    expect(rows).toEqual([
      "@0 t296231 read 7ffe00000×1",
      "@0 t296231 read 7ffe00001×1",
      "@10000 t17 s2 write 402×1",
    ]);
    expect(counts).toEqual({});
    expect(info).toMatchObject({
      format: "drmemtrace",
      baseNs: 13319413770947383000n,
      counts: { reads: 1, writes: 1, fetches: 2 },
    });
  });

  it("counts what it cannot read", async () => {
    const bad = [
      "read 8 byte(s) @ 0xzz by PC 0x1",
      "read  byte(s) @ 0x1000",
      "read 70000 byte(s) @ 0x1000 by",
      "gulp 8 byte(s) @ 0x1000 by",
      "<marker: timestamp x>",
    ];
    const text = `${viewLine("read 8 byte(s) @ 0x1000 by")}${bad.map(viewLine).join("")}1 1 read\n`;
    const { rows, counts } = await readAccesses(text);
    expect(rows).toEqual(["t7 read 1×1"]);
    expect(counts).toEqual({ UNPARSED_LINE: bad.length + 1 });
  });
});

describe("din", () => {
  it("is labels and addresses; escapes and flushes are no accesses", async () => {
    const text = "0 1000\n1 0x2008 written here\n2 400000\n3 0\n 4\t0\n0 1fff\r\n";
    const { rows, counts, info } = await readAccesses(text, { withFetches: true });
    expect(rows).toEqual(["read 1×1", "write 2×1", "fetch 400×1", "read 1×1"]);
    expect(counts).toEqual({});
    expect(info).toMatchObject({ format: "din", counts: { others: 2 } });
  });

  it("counts lines that are none", async () => {
    const { rows, counts } = await readAccesses("0 1000\n5 2000\n0\n0 zz\n0 12z\n01000\nx\n", {
      format: "din",
    });
    expect(rows).toEqual(["read 1×1"]);
    expect(counts).toEqual({ UNPARSED_LINE: 6 });
  });

  it("is not told from a table of numbers that is none", async () => {
    await expect(readAccesses("1 2\n7 8\n")).rejects.toMatchObject({ code: "WRONG_FORMAT" });
  });
});

describe("our own CSV", () => {
  it("takes every column", async () => {
    const text = [
      "# made by hand",
      "ts_ns,vcpu,asid,va,rw,size,repeat",
      "1795182104551297123,1,7,0x1000,r,,",
      "1795182104551297125,1,7,0x1ffc,w,8,3",
      "1795182104551297125,0,0,4096,X,,",
      '"1795182104551297126",2,,0xffff800000001000,read,,2',
      "1795182104551297120,,,0x1000,0,,",
      "",
    ].join("\n");
    const { rows, counts, info, records } = await readAccesses(text);
    expect(rows).toEqual([
      "@0 t1 s7 read 1×1",
      "@2 t1 s7 write 1×3",
      "@2 t1 s7 write 2×3",
      "@3 t2 read 1f800000001×2",
      "@-3 read 1×1",
    ]);
    expect(records).toEqual([3, 4, 4, 6, 7]);
    expect(counts).toEqual({});
    expect(info).toMatchObject({ baseNs: 1795182104551297123n, records: 7, address: "va" });
    expect(info.counts).toMatchObject({ reads: 4, writes: 3, fetches: 1, splitAccesses: 1 });
  });

  it("takes page numbers and IPAs, and says what it assumes", async () => {
    const { rows, counts, info } = await readAccesses("ipa_page,ts_s\n5,0.5\n0x6,0.500000001\n");
    expect(rows).toEqual(["@0 read 5×1", "@1 read 6×1"]);
    expect(counts).toEqual({ ASSUMED: 1 });
    expect(info).toMatchObject({ address: "ipa", baseNs: 500_000_000n });
    const top = await readAccesses("va_page,rw\n0xffff800000001,r\n0x10000000000000,r\n");
    expect(top.rows).toEqual(["read 1f800000001×1"]);
    expect(top.counts).toEqual({ BAD_NUMBER: 1 });
  });

  it("counts every row that it cannot use", async () => {
    const bad = [
      "x,0x1000,r,1,1",
      "1,zz,r,1,1",
      "1,-1,r,1,1",
      "1,0x1000,q,1,1",
      "1,0x1000,r,-1,1",
      "1,0x1000,r,70000,1",
      "1,0x1000,r,1,0",
      "1,0x1000,r,1,4294967296",
      "1,0x\u{130}000,r,1,1",
      "99999999999999999999,0x1000,r,1,1",
    ];
    const text = `ts_ns,va,rw,size,repeat\n${bad.join("\n")}\n1,,r,1,1\n1,2\n1,0x5000,w,1,1\n`;
    const { rows, counts } = await readAccesses(Buffer.from(text, "utf8"));
    expect(rows).toEqual(["@0 write 5×1"]);
    expect(counts).toEqual({ BAD_NUMBER: bad.length, MISSING_ARGUMENT: 1, UNPARSED_LINE: 1 });
  });

  it("refuses a header that is not clear", async () => {
    for (const header of ["va,ipa", "va,va_page", "va,vcpu,tid", "va,ts_ns,ts_s", "rw,size"]) {
      const text = `${header}\n1,2,3\n`;
      await expect(readAccesses(text, { format: "access-csv" })).rejects.toMatchObject({
        code: "WRONG_FORMAT",
      });
    }
    const { counts } = await readAccesses("va,rw,colour\n0x1000,r,red\n");
    expect(counts).toEqual({ UNKNOWN_ARGUMENT: 1 });
  });

  it("stops where a quote breaks it, and does not believe a cut last line", async () => {
    const broken = await readAccesses('va,rw\n0x1000,r\n"0x20"00,r\n0x3000,r\n');
    expect(broken.rows).toEqual(["read 1×1"]);
    expect(broken.counts).toEqual({ TRUNCATED: 1 });
    const packed = gzipSync(`va,rw\n${"0x1000,r\n".repeat(20_000)}`);
    const { counts } = await readAccesses(packed.subarray(0, packed.length - 20));
    expect(counts.DAMAGED_COMPRESSION).toBe(1);
    expect(counts.UNPARSED_LINE).toBeUndefined();
  });

  it("is the same through the parser as without it", async () => {
    const row = fc.record({
      va: fc.integer({ min: 0, max: 2 ** 31 }),
      rw: fc.constantFrom("r", "w", "x"),
      repeat: fc.integer({ min: 1, max: 9 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 50 }), async (rows) => {
        const plain = rows.map(({ va, rw, repeat }) => `${va},${rw},${repeat}\n`).join("");
        const quoted = rows.map(({ va, rw, repeat }) => `"${va}", ${rw} ,"${repeat}"\n`).join("");
        const options = { withFetches: true };
        const [a, b] = await Promise.all([
          readAccesses(`va,rw,repeat\n${plain}`, options, [17]),
          readAccesses(`va,rw,repeat\n${quoted}`, options, [17]),
        ]);
        expect(b.rows).toEqual(a.rows);
        expect(b.records).toEqual(a.records);
        const slow = rows.reduce((sum, { repeat }) => sum + repeat, 0);
        expect(a.info.counts.reads + a.info.counts.writes + a.info.counts.fetches).toBe(slow);
      }),
      { numRuns: 30 },
    );
  });
});
