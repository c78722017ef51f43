import { afterEach, describe, expect, it, vi } from "vitest";
import yargs from "yargs";
import { TraceError } from "../../ingest/errors.ts";
import { encodeCommand, encodeRows, encodeTotals, encodeWarnings, formatEncode } from "./encode.ts";
import { planEncode } from "./encode-plan.ts";
import type { EncodeArguments } from "./encode-plan.ts";

const DEFAULTS: EncodeArguments = {
  addr: "0x40000000",
  size: "2M",
  "page-size": "4k",
  cpu: "tlbirange,fwb,ttl,lpa2",
  encoder: "clamped",
  format: "table",
};

function plan(changes: Partial<EncodeArguments> = {}) {
  return planEncode({ ...DEFAULTS, ...changes });
}

function text(changes: Partial<EncodeArguments>): string {
  return [...formatEncode(plan(changes))].join("");
}

describe("addresses and sizes", () => {
  it.each([
    ["0x40000000", 0x40000],
    ["0X40000000", 0x40000],
    ["1073741824", 0x40000],
    ["1G", 0x40000],
    ["1GiB", 0x40000],
    ["1024m", 0x40000],
    ["262144p", 0x40000],
    ["0x40000p", 0x40000],
    ["0", 0],
    [" 1T ", 2 ** 28],
  ])("address %s", (addr, page) => expect(plan({ addr }).firstPage).toBe(page));

  it("counts p in host pages", () => {
    expect(plan({ size: "512p" }).lenPages).toBe(512);
    const wide = plan({ addr: "1p", size: "512p", "page-size": "64k" });
    expect([wide.firstPage, wide.lenPages]).toEqual([1, 512]);
  });

  it("rounds to whole pages and says so", () => {
    const rounded = plan({ addr: "0x40000800", size: "4096" });
    expect([rounded.firstPage, rounded.lenPages]).toEqual([0x40000, 2]);
    expect(rounded.notes).toEqual([
      "start rounded down to the page at 0x40000000",
      "end rounded up to 0x40002000: 2 pages",
    ]);
    expect(plan({ size: "1" }).lenPages).toBe(1);
    expect(plan().notes).toEqual([]);
  });

  it("stays exact above 2^53", () => {
    const sentence = "the range ends at 0x20000000000001, above the 52-bit IPA space";
    expect(() => plan({ addr: "0x20000000000000", size: "1" })).toThrow(sentence);
  });
});

describe("bad input", () => {
  it.each<[Partial<EncodeArguments>, string]>([
    [{ addr: "" }, '"" is no address'],
    [{ addr: "-1" }, '"-1" is no address'],
    [{ addr: "0x" }, '"0x" is no address'],
    [{ addr: "40000000h" }, '"40000000h" is no address'],
    [{ addr: "1e9" }, '"1e9" is no address'],
    [{ addr: "0200" }, '"0200" is no address'],
    [{ size: "2 M" }, '"2 M" is no size'],
    [{ size: "1.5G" }, '"1.5G" is no size'],
    [{ size: "2P" }, '"2P"'],
    [{ size: "0" }, "the size is 0"],
    [{ size: "4096T" }, "above the 52-bit IPA space"],
    [{ addr: "256T", cpu: "tlbirange" }, "above the 48-bit IPA space"],
    [{ addr: "256T", encoder: "ascending" }, "above the 48-bit IPA space"],
    [{ "page-size": "8k" }, "--page-size is 4k, 16k or 64k"],
    [{ "page-size": "constructor" }, "--page-size is 4k, 16k or 64k"],
    [{ cpu: "tlbirange,sve" }, 'not "sve"'],
    [{ cpu: "" }, "--cpu knows"],
    [{ encoder: "c72" }, "--encoder is ascending, descending, clamped"],
    [{ format: "xml" }, "--format is table, csv, json"],
  ])("%j", (changes, sentence) => {
    let caught: unknown;
    try {
      plan(changes);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(TraceError);
    expect(caught).toMatchObject({ code: "BAD_OPTION" });
    expect(String(caught)).toContain(sentence);
  });
});

describe("rows", () => {
  it("takes 52 bits of IPA with 64K pages and with LPA2", () => {
    const last = { addr: "0xffffffffff000", size: "1p" };
    expect([...encodeRows(plan(last))][0]?.ipa).toBe("0xffffffffff000");
    const wide = { addr: "0xffffffff0000", size: "1p", "page-size": "64K", cpu: "tlbirange" };
    expect([...encodeRows(plan(wide))][0]?.operand).toBe("0xffffffff0");
  });

  it("cuts a large range into calls of 2^21 pages", () => {
    const whole = plan({ addr: "0", size: "192G", cpu: "tlbirange" });
    expect(encodeTotals(whole)).toEqual({ calls: 24, tlbi: 48, dsb: 72 });
    const rows = [...encodeRows(whole)];
    expect(rows).toHaveLength(48);
    expect(rows[2]).toEqual({
      call: 2,
      seq: 1,
      instruction: "ripas2e1is",
      operand: "0x7f8000200000",
      scale: 3,
      num: 31,
      ipa: "0x200000000",
      pages: 2097152,
    });
    const uneven = plan({ addr: "4k", size: "2097153p" });
    expect(encodeTotals(uneven)).toEqual({ calls: 2, tlbi: 21 + 2, dsb: 6 });
  });

  it("flushes the VMID once without FEAT_TLBIRANGE", () => {
    const without = plan({ size: "64G", cpu: "none" });
    expect([...encodeRows(without)].map((row) => row.instruction)).toEqual(["vmalls12e1is"]);
    expect(encodeTotals(without)).toEqual({ calls: 1, tlbi: 1, dsb: 2 });
    expect(encodeWarnings(without)).toEqual([
      "without FEAT_TLBIRANGE a range flush is one flush of the whole VMID",
    ]);
  });

  it("warns of the corrupt operand, on stderr only", () => {
    const corrupt = plan({ size: "8G", encoder: "ascending" });
    expect([...encodeRows(corrupt)][0]).toMatchObject({ operand: "0x400000040000", pages: 2 });
    expect(encodeWarnings(corrupt)).toEqual([
      "call 1: corrupt operand (CVE-2024-35980): it names 2 of 2097152 pages",
    ]);
    expect(encodeWarnings(plan({ size: "17G", encoder: "descending" }))[0]).toContain(
      "calls 1 to 2: corrupt operand (CVE-2024-35980): it names 131072 of",
    );
    expect(encodeWarnings(plan({ size: "8G" }))).toEqual([]);
    expect(encodeWarnings(plan())).toEqual([]);
  });
});

describe("formats", () => {
  const size = "3p";

  it("table", () => {
    expect(text({ size })).toBe(
      [
        "  call  seq  instruction              operand  scale  num              ipa    pages",
        "     1    1  ripas2e1is        0x400000004000      0    0       0x40000000        2",
        "     1    2  ipas2e1is                0x40002                   0x40002000        1",
        "     1    3  vmalle1is                    0x0",
        "calls 1, TLBI 3, DSB 3",
        "",
      ].join("\n"),
    );
  });

  it("csv", () => {
    expect(text({ size, format: "csv" })).toBe(
      [
        "call,seq,instruction,operand,scale,num,ipa,pages",
        "1,1,ripas2e1is,0x400000004000,0,0,0x40000000,2",
        "1,2,ipas2e1is,0x40002,,,0x40002000,1",
        "1,3,vmalle1is,0x0,,,,",
        "",
      ].join("\n"),
    );
  });

  it("json", () => {
    const parsed: unknown = JSON.parse(text({ size, format: "json" }));
    const rows = [...encodeRows(plan({ size }))];
    expect(parsed).toEqual({ rows, totals: { calls: 1, tlbi: 3, dsb: 3 } });
  });
});

async function run(...words: string[]): Promise<{ out: string; err: string }> {
  const written = { out: "", err: "" };
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    written.out += String(chunk);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
    written.err += String(chunk);
    return true;
  });
  const program = yargs(["encode", ...words])
    .command(encodeCommand)
    .strict()
    .fail(false);
  await program.parseAsync();
  return written;
}

describe("on the command line", () => {
  afterEach(() => vi.restoreAllMocks());

  it("keeps addresses as typed and results apart from notes", async () => {
    const { out, err } = await run("0x0ffffffffff001", "0x10", "--format", "csv");
    expect(out.split("\n")[1]).toBe("1,1,ipas2e1is,0xffffffffff,,,0xffffffffff000,1");
    expect(err).toBe(
      "note: start rounded down to the page at 0xffffffffff000\n" +
        "note: end rounded up to 0x10000000000000: 1 pages\n" +
        "calls 1, TLBI 2, DSB 3\n",
    );
  });

  it("takes every option", async () => {
    const options = ["--page-size", "16k", "--cpu", "tlbirange", "--encoder", "ascending"];
    const { out } = await run("1G", "3p", ...options);
    expect(out).toContain("ripas2e1is        0x800000010001");
  });

  it("writes everything, in order, when the output is long", async () => {
    const { out } = await run("4k", "1T", "--format", "csv");
    const lines = out.trimEnd().split("\n");
    expect(lines).toHaveLength(1 + 128 * 21);
    expect(lines.at(-1)).toBe("128,21,vmalle1is,0x0,,,,");
  });

  it("refuses an option given twice", async () => {
    const twice = run("1G", "1p", "--encoder", "ascending", "--encoder", "clamped");
    await expect(twice).rejects.toThrow("--encoder takes one value");
  });
});
