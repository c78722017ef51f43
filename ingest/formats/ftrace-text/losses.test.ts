import { gzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { eventLine, readText } from "../../testing/read-text.ts";

const HEADER = "# tracer: nop\n#\n";
const entries = (buffered: number, written: number): string =>
  `${HEADER}# entries-in-buffer/entries-written: ${buffered}/${written}   #P:2\n#\n`;
const ENTRY = eventLine("kvm_entry: PC: 0x0");
const UNMAP = "unmap: (kvm_pgtable_stage2_unmap+0x0/0x70)";

describe("losses that the trace declares", () => {
  it("places overwritten entries before the first event", async () => {
    const { rows, counts, info } = await readText(entries(2, 10) + ENTRY + ENTRY);
    expect(counts).toEqual({ EVENTS_OVERWRITTEN: 8 });
    expect(rows[0]).toEqual({ kind: "lost", cpu: 65535, pid: -1, tsNs: 0, line: 3, arg0: 8 });
    expect(rows.map(({ kind }) => kind)).toEqual(["lost", "kvm_entry", "kvm_entry"]);
    expect([info.entriesInBuffer, info.entriesWritten, info.events]).toEqual([2, 10, 2]);
  });

  it("places the late start of a CPU's buffer", async () => {
    const later = eventLine("kvm_entry: PC: 0x0", "1.000005");
    const { rows, counts } = await readText(
      `${ENTRY}${later}##### CPU 1 buffer started ####\n${later}`,
    );
    expect(counts).toEqual({ BUFFER_STARTED_LATE: 1 });
    expect(rows[2]).toEqual({ kind: "lost", cpu: 1, pid: -1, tsNs: 5000, line: 3 });
  });

  it("places lost events, counted or not", async () => {
    const { rows, counts } = await readText(
      `${ENTRY}CPU:1 [LOST 123 EVENTS]\n${ENTRY}CPU:0 [LOST EVENTS]\n${ENTRY}`,
    );
    expect(counts).toEqual({ EVENTS_LOST: 124 });
    expect(rows.map(({ kind, cpu, arg0 }) => [kind, cpu, arg0])).toEqual([
      ["kvm_entry", 0, undefined],
      ["lost", 1, 123],
      ["kvm_entry", 0, undefined],
      ["lost", 0, undefined],
      ["kvm_entry", 0, undefined],
    ]);
  });

  it("compares the number of events with the header", async () => {
    const short = await readText(entries(5, 5) + ENTRY);
    expect(short.examples).toEqual(["TRUNCATED 1 events read, 5 in the header"]);
    const long = await readText(entries(1, 1) + ENTRY + ENTRY);
    expect(long.counts).toEqual({ HEADER_DISAGREES: 1 });
  });
});

describe("lines that cannot be used", () => {
  it("counts each with its place and text, and loses no other", async () => {
    const bad = "this is not an event\n";
    const { rows, counts, examples, lines, byteOffsets } = await readText(ENTRY + bad + ENTRY);
    expect(rows).toHaveLength(2);
    expect(counts).toEqual({ UNPARSED_LINE: 1 });
    expect(examples).toEqual([
      "UNPARSED_LINE no event at the kernel's columns: this is not an event",
    ]);
    expect([lines, byteOffsets]).toEqual([[2], [ENTRY.length]]);
  });

  it("quotes at most 120 characters and keeps 16 examples of thousands", async () => {
    const { counts, examples } = await readText(ENTRY + `${"x".repeat(300)}\n`.repeat(5000));
    expect(counts).toEqual({ UNPARSED_LINE: 5000 });
    expect(examples).toHaveLength(16);
    expect(examples[0]!.endsWith(`${"x".repeat(120)}…`)).toBe(true);
  });

  it("does not take text that imitates an event at other columns for one", async () => {
    const forged =
      "root-1 [000] d.... 1.000000: unmap: (kvm_pgtable_stage2_unmap+0x0/0x70) pgt=0x1 addr=0x0 size=0x1000\n";
    const afterMarker = await readText(
      `${ENTRY}${eventLine("tracing_mark_write: hello")}${forged}second\n${ENTRY}third\n`,
    );
    expect(afterMarker.rows.map(({ kind }) => kind)).toEqual(["kvm_entry", "marker", "kvm_entry"]);
    expect(afterMarker.counts).toEqual({ MARKER_CONTINUED: 2, UNPARSED_LINE: 1 });
  });

  it("reads left-trimmed text where every line is left-trimmed", async () => {
    const { rows, counts, info } = await readText(`${ENTRY.trimStart()}a ${ENTRY.trimStart()}`);
    expect(rows.map(({ kind, pid }) => [kind, pid])).toEqual([
      ["kvm_entry", 7],
      ["kvm_entry", 7],
    ]);
    expect(counts).toEqual({});
    expect(info.layout).toContain("leading blanks stripped");
  });

  it("gives up a line that is longer than 64 KiB, not the next", async () => {
    const long = eventLine(`tracing_mark_write: ${"x".repeat(70_000)}`);
    const { rows, counts, lines } = await readText(ENTRY + long + ENTRY, [1000]);
    expect(rows.map(({ line }) => line)).toEqual([1, 3]);
    expect(counts).toEqual({ LINE_TOO_LONG: 1 });
    expect(lines).toEqual([2]);
  });

  it("accepts CR LF", async () => {
    const { rows, counts, info } = await readText(
      (entries(2, 2) + ENTRY + ENTRY).replaceAll("\n", "\r\n"),
    );
    expect(counts).toEqual({});
    expect([rows.length, info.lines]).toEqual([2, 6]);
  });

  it("counts lines of another clock", async () => {
    const { rows, counts } = await readText(ENTRY + eventLine("kvm_entry: PC: 0x0", "12345"));
    expect(rows).toHaveLength(1);
    expect(counts).toEqual({ UNPARSED_LINE: 1 });
  });

  it("counts probes without a function's name, and those of the fields option", async () => {
    // Behind the part of the file by which the layout is recognised.
    const many = ENTRY.repeat(2000);
    const { rows, counts } = await readText(
      many +
        eventLine("unmap: (ffff80008009f688 <- ffff800080060b90) ret=0") +
        eventLine("unmap: __probe_ip=0xffff80008009f688 (-140735340217144) pgt=0x1 (1)") +
        ENTRY,
    );
    expect(rows).toHaveLength(2001);
    expect(counts).toEqual({ UNPARSED_LINE: 2 });
  });
});

describe("arguments that cannot be used", () => {
  it("are counted and make the event harmless", async () => {
    const cases: readonly (readonly [string, string])[] = [
      [
        `${UNMAP} pgt=0x1 addr=0x1000`,
        "MISSING_ARGUMENT kvm_pgtable_stage2_unmap: no argument gives len",
      ],
      [
        `${UNMAP} addr=0x1000 size=0x1000`,
        "MISSING_ARGUMENT kvm_pgtable_stage2_unmap: no argument gives pgt, mmu or kvm",
      ],
      [
        `${UNMAP} pgt=0x0 mmu=0x0 addr=0x1000 size=0x1000`,
        "MISSING_ARGUMENT kvm_pgtable_stage2_unmap: each of its pointers is NULL",
      ],
      [
        `${UNMAP} pgt=0x1 addr=0x1000 ipa=0x2000 size=0x1000`,
        "MISSING_ARGUMENT kvm_pgtable_stage2_unmap: arguments `addr` and `ipa` both give addr",
      ],
      [
        `${UNMAP} pgt=0x1 addr=(fault) size=0x1000`,
        "BAD_NUMBER `addr` of kvm_pgtable_stage2_unmap is not a number that fits",
      ],
      [
        `${UNMAP} pgt=0x1 addr=0xfff0000000000000 size=0x1000`,
        "BAD_NUMBER `addr` of kvm_pgtable_stage2_unmap is not a number that fits",
      ],
      [
        `${UNMAP} pgt=0x1 addr=-1 size=0x1000`,
        "BAD_NUMBER `addr` of kvm_pgtable_stage2_unmap is not a number that fits",
      ],
      [
        `${UNMAP} pgt=0x1 addr=0x2000 end=0x1000`,
        "BAD_NUMBER `end` of kvm_pgtable_stage2_unmap is not a number that fits",
      ],
      [
        `${UNMAP} pgt=0x1 addr=0x2000 size=0x10 00`,
        "BAD_NUMBER arguments that are not a list of name=value",
      ],
      [
        "x: (a+0x0/0x1 <- kvm_pgtable_stage2_map)",
        "MISSING_ARGUMENT kvm_pgtable_stage2_map: no argument gives arg0",
      ],
      [
        "kvm_guest_fault: ipa zero",
        "MISSING_ARGUMENT kvm_guest_fault: a text of another form than this tracepoint has",
      ],
    ];
    for (const [text, expected] of cases) {
      const { rows, examples } = await readText(eventLine(text));
      expect(rows, text).toEqual([{ kind: "other", cpu: 0, pid: 7, tsNs: 0, line: 1 }]);
      expect(
        examples.map((example) => example.startsWith(expected)),
        `${text}: ${examples.join()}`,
      ).toEqual([true]);
    }
  });

  it("leave no trace in the next row", async () => {
    const { rows } = await readText(
      eventLine(`${UNMAP} pgt=0x1 addr=0x1000 size=bad`) + eventLine("kvm_entry: PC: 0x0"),
    );
    expect(rows[1]).toEqual({ kind: "kvm_entry", cpu: 0, pid: 7, tsNs: 0, line: 2 });
  });

  it("that are unknown are noted once for each name, and counted", async () => {
    const { rows, counts, examples } = await readText(
      eventLine(`${UNMAP} pgt=0x1 addr=0x1000 size=0x1000 colour=3`).repeat(4),
    );
    expect(rows[0]).toMatchObject({ kind: "unmap", addr: 0x1000, len: 0x1000 });
    expect(counts).toEqual({ UNKNOWN_ARGUMENT: 4 });
    expect(examples).toEqual(["UNKNOWN_ARGUMENT `colour` of kvm_pgtable_stage2_unmap"]);
  });

  it("of the wrong unit are not taken: bytes where pages are printed", async () => {
    const { rows, counts } = await readText(
      eventLine("t: (kvm_tlb_flush_vmid_range+0x0/0x1) mmu=0x1 addr=0x0 pages=4"),
    );
    expect(rows[0]!.kind).toBe("other");
    expect(counts).toEqual({ UNKNOWN_ARGUMENT: 1, MISSING_ARGUMENT: 1 });
  });
});

describe("the end of the file", () => {
  it("uses an unterminated last line that is whole, and says so", async () => {
    const { rows, counts } = await readText(ENTRY + ENTRY.trimEnd());
    expect(rows).toHaveLength(2);
    expect(counts).toEqual({ UNTERMINATED_LINE: 1 });
  });

  it("does not use one that is cut", async () => {
    const { rows, counts } = await readText(ENTRY + ENTRY.slice(0, 30));
    expect(rows).toHaveLength(1);
    expect(counts).toEqual({ UNPARSED_LINE: 1, TRUNCATED: 1 });
  });

  it("does not trust a last line that could be cut in a number", async () => {
    const cut = eventLine(`${UNMAP} pgt=0x1 addr=0x1000 size=0x10000`).slice(0, -4);
    const { rows, examples } = await readText(entries(5, 5) + ENTRY + cut);
    expect(rows.map(({ kind }) => kind)).toEqual(["kvm_entry"]);
    expect(examples.map((example) => example.slice(0, 40))).toEqual([
      "TRUNCATED the cut last line is not used:",
      "TRUNCATED 1 events read, 5 in the header",
    ]);
  });

  it("uses what came before the damage of a gzip stream", async () => {
    let text = entries(20_000, 20_000);
    for (let i = 0; i < 20_000; i += 1)
      text += eventLine(`kvm_entry: PC: 0x${((i * 2654435761) % 2 ** 32).toString(16)}`);
    const whole = gzipSync(text);
    const cut = await readText(whole.subarray(0, Math.floor(whole.length * 0.7)));
    expect(cut.counts["DAMAGED_COMPRESSION"]).toBe(1);
    expect(cut.rows.length).toBeGreaterThan(10_000);
    expect(cut.info.compression).toBe("gzip");
    const flipped = Buffer.from(whole);
    flipped.fill(0xff, Math.floor(whole.length / 2), Math.floor(whole.length / 2) + 64);
    const damaged = await readText(flipped);
    expect(damaged.counts["DAMAGED_COMPRESSION"]).toBe(1);
    expect(damaged.counts["TRUNCATED"]).toBeGreaterThan(0);
    expect(damaged.rows.length).toBeGreaterThan(5000);
    expect(damaged.info.bytes).toBe(whole.length);
  });

  it("reads gzip members one after the other", async () => {
    const { rows, counts } = await readText(
      Buffer.concat([gzipSync(ENTRY), gzipSync(ENTRY + ENTRY)]),
    );
    expect(rows).toHaveLength(3);
    expect(counts).toEqual({});
  });
});
