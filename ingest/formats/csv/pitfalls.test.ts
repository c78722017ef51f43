/** The ways in which CSV goes wrong, each by its name. */
import { describe, expect, it } from "vitest";

import { EVENT_TABLE_COLUMNS } from "../../events/event-table.ts";
import { openTrace } from "../../open-trace.ts";
import { inChunks, readText, type ReadTrace } from "../../testing/read-text.ts";

const HEADER = "ts_ns,event,kvm,addr,len\n";
const row = (i: number): string => `${i},remote_range,0x10,${i},1`;

async function namesOf(text: string | Uint8Array): Promise<string[]> {
  const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text;
  const reader = await openTrace("-", { stdin: inChunks(bytes, [7]) });
  const names: string[] = [];
  for await (const batch of reader.batches()) {
    for (let i = 0; i < batch.length; i += 1) names.push(reader.names.text(batch.name[i]!));
  }
  return names;
}

const addresses = ({ rows }: ReadTrace): unknown[] => rows.map(({ addr }) => addr);

describe("a CSV pitfall", () => {
  it("byte order mark: is no part of the first column's name", async () => {
    const read = await readText(`\u{ef}\u{bb}\u{bf}${HEADER}${row(1)}\n`);
    expect([addresses(read), read.counts]).toEqual([[1], {}]);
  });

  it("UTF-16LE with a byte order mark: is refused with the command that converts it", async () => {
    const text = Buffer.from(`\u{feff}${HEADER}${row(1)}\n`, "utf16le");
    await expect(readText(text)).rejects.toMatchObject({
      code: "BINARY",
      message: "this text is in UTF-16",
      hint: expect.stringContaining("iconv -f UTF-16 -t UTF-8"),
    });
  });

  it("LF, then CR LF, then LF: no value keeps a CR, no record is lost", async () => {
    const text = `${HEADER}${row(1)}\r\n${row(2)}\n${row(3)}\r\n${row(4)}`;
    const read = await readText(text, [3]);
    expect([addresses(read), read.counts]).toEqual([[1, 2, 3, 4], {}]);
    expect(read.rows.map(({ len }) => len)).toEqual([1, 1, 1, 1]);
  });

  it("lone CR as line end: is a loss that is counted, never a value", async () => {
    const read = await readText(`${HEADER}${row(1)}\n${row(2)}\r${row(3)}\n${row(4)}\n`);
    expect([addresses(read), read.counts]).toEqual([[1, 4], { UNPARSED_LINE: 1 }]);
    await expect(readText(`${HEADER}${row(1)}\n`.replaceAll("\n", "\r"))).rejects.toMatchObject({
      code: "WRONG_FORMAT",
    });
  });

  it("a column named twice: is refused", async () => {
    await expect(readText("ts_ns,event,addr,addr\n1,kvm_exit,1,2\n")).rejects.toMatchObject({
      message: "the header names column `addr` twice",
    });
  });

  it("a column without a name, and one named __proto__: are noted, and change nothing", async () => {
    const read = await readText("ts_ns,event,,__proto__,kvm\n1,remote,x,polluted,0x10\n");
    expect(read.rows).toMatchObject([{ kind: "remote", kvm: "0x10" }]);
    expect(read.counts).toEqual({ UNKNOWN_ARGUMENT: 2 });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(await namesOf("ts_ns,event,kind\n1,__proto__,other\n2,constructor,other\n")).toEqual([
      "__proto__",
      "constructor",
    ]);
    const named = await readText("ts_ns,event,kind\n1,__proto__,other\n");
    expect([...named.info.eventsByName]).toEqual([["__proto__", 1]]);
  });

  it("a bad quote: ends the reading, and says so, with the line", async () => {
    const read = await readText(`${HEADER}${row(1)}\n2,"remote"x,0x10,2,1\n${row(3)}\n`);
    expect([addresses(read), read.counts, read.lines]).toEqual([[1], { TRUNCATED: 1 }, [3]]);
    expect(read.hasDataLoss).toBe(true);
  });

  it("an unclosed quote: does not swallow the tail silently", async () => {
    const tail = Array.from({ length: 5000 }, (_, i) => row(i)).join("\n");
    const read = await readText(`${HEADER}${row(1)}\n2,"remote,0x10,2,1\n${tail}\n`);
    expect([addresses(read), read.counts]).toEqual([[1], { TRUNCATED: 1 }]);
  });

  it("a record without end: stops at the limit, and says so", async () => {
    const read = await readText(`${HEADER}${row(1)}\n2,remote_range,${"9".repeat(70_000)}\n`);
    expect([addresses(read), read.counts]).toEqual([[1], { TRUNCATED: 1 }]);
  });

  it("uint64 beyond 2^53 and 2^63, decimal or hexadecimal: pointers are exact", async () => {
    const values = ["9007199254740993", "18446673704965373952", "0xffff800080000001", "0x10"];
    const lines = values.map((value, i) => `${i},remote,${value},,`);
    const { rows } = await readText(`${HEADER}${lines.join("\n")}\n`);
    expect(rows.map(({ kvm }) => BigInt(kvm!))).toEqual(values.map(BigInt));
  });

  it("an address beyond 2^53, or a number beyond 2^64: is a loss, never a rounded value", async () => {
    for (const bad of ["9007199254740992", "18446744073709551616", "0x1ffffffffffffffff", "1e3"]) {
      const read = await readText(`${HEADER}1,remote_range,0x10,${bad},1\n`);
      expect([read.rows[0]!.kind, read.counts], bad).toEqual(["other", { BAD_NUMBER: 1 }]);
    }
  });

  it("NUL bytes: are refused in front, and behind that no value and no event", async () => {
    await expect(readText(`${HEADER}1,remo\0te,1,,\n`)).rejects.toMatchObject({ code: "BINARY" });
    const padding = `${row(7)}\n`.repeat(5000);
    const read = await readText(`${HEADER}${padding}8,remote,\0,,\n9,re\0mote,1,,\n`);
    expect(read.counts).toEqual({ BAD_NUMBER: 1, UNSUPPORTED_EVENT: 1 });
    expect(read.info.events).toBe(5002);
  });

  it("invalid UTF-8 in a name: does not make two names one, nor hide a record", async () => {
    const bytes = Buffer.from("ts_ns,event,kind\n1,a\u{ff}b,other\n2,a\u{fe}b,other\n", "latin1");
    const names = await namesOf(bytes);
    expect(names).toHaveLength(2);
    expect(new Set(names).size).toBe(2);
    expect(
      await namesOf(Buffer.from("ts_ns,event,kind\n1,\u{e9}\u{4e2d},other\n", "utf8")),
    ).toEqual(["\u{e9}\u{4e2d}"]);
  });

  it("names that look like formulas: are only names", async () => {
    const header = `${EVENT_TABLE_COLUMNS.map(({ name }) => name).join(",")}\n`;
    const cells = ["=cmd|' /C'!A0", "'=guarded", "@sum", "+1", "-1"];
    const lines = cells.map((name, i) => `${i},,,${name},other,1${",".repeat(11)}`);
    expect(await namesOf(header + lines.join("\n"))).toEqual([
      "=cmd|' /C'!A0",
      "=guarded",
      "@sum",
      "+1",
      "-1",
    ]);
  });
});
