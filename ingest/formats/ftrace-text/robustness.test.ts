import { describe, expect, it } from "vitest";

import { eventLine, readText } from "../../testing/read-text.ts";

const ENTRY = eventLine("kvm_entry: PC: 0x0");
const LATER = eventLine("kvm_entry: PC: 0x0", "1.000005");
const UNMAP = "unmap: (kvm_pgtable_stage2_unmap+0x0/0x70) pgt=0x40 addr=0x1000 size=0x1000";

describe("case 3: losses that a header does not tell", () => {
  it("places what a pipe lost, by CPU, right before that CPU's next event", async () => {
    const { rows, counts } = await readText(
      `${eventLine(UNMAP, "1.000000", 7, 0)}CPU:1 [LOST 9011 EVENTS]\n${eventLine(UNMAP, "1.000003", 8, 1)}CPU:0 [LOST EVENTS]\n${eventLine(UNMAP, "1.000004", 7, 0)}`,
    );
    expect(rows.map(({ kind, cpu, arg0 }) => [kind, cpu, arg0])).toEqual([
      ["unmap", 0, undefined],
      ["lost", 1, 9011],
      ["unmap", 1, undefined],
      ["lost", 0, undefined],
      ["unmap", 0, undefined],
    ]);
    expect(counts).toEqual({ EVENTS_LOST: 9012 });
  });
});

describe("case 4: hostile comms", () => {
  it("gives every event its own pid, CPU and name", async () => {
    const comms = [
      "-1 [0] 1.0: x:",
      "CPU:0 [LOST 5",
      " a b ",
      "\u001b[31mred",
      "\xff\xfe",
      "#c",
      "> q",
    ];
    const text = comms.map((comm, i) => eventLine(UNMAP, "1.000000", 10 + i, i, comm)).join("");
    const { rows, counts } = await readText(text);
    expect(rows.map(({ pid, cpu, kind }) => [pid, cpu, kind])).toEqual(
      comms.map((_, i) => [10 + i, i, "unmap"]),
    );
    expect(counts).toEqual({});
  });

  it("counts the pieces of an event whose comm holds a line end", async () => {
    const { rows, counts } = await readText(
      `${ENTRY}             a\n${eventLine(UNMAP, "1.000000", 9, 1, "b").trimStart()}${ENTRY}`,
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["kvm_entry", "kvm_entry"]);
    expect(counts).toEqual({ UNPARSED_LINE: 2 });
  });
});

describe("case 5: clocks that print bare integers", () => {
  it("reads them exactly, and says what it assumed", async () => {
    for (const [first, last] of [
      ["376", "383"], // counter
      ["4295656480", "4295656487"], // uptime
      ["8056921455023", "8056921455030"], // x86-tsc
      ["9007199254740984", "9007199254740991"], // the largest exact number
    ] as const) {
      const { rows, info, counts, examples } = await readText(
        eventLine(UNMAP, first) + eventLine(UNMAP, last),
      );
      expect(rows.map(({ tsNs }) => tsNs)).toEqual([0, 7]);
      expect(info.baseNs).toBe(BigInt(first));
      expect(info.layout).toContain("clock in ticks (1 tick taken for 1 ns)");
      expect(counts).toEqual({ ASSUMED: 1 });
      expect(examples).toEqual([
        "ASSUMED the trace clock prints bare integers: 1 tick is taken for 1 ns",
      ]);
    }
  });

  it("refuses a tick that is not exact", async () => {
    const { rows, counts } = await readText(ENTRY + eventLine(UNMAP, "9007199254740993"));
    expect(rows).toHaveLength(1);
    expect(counts).toEqual({ UNPARSED_LINE: 1 });
  });

  it("keeps every nanosecond of the tai clock", async () => {
    const { rows } = await readText(
      eventLine(UNMAP, "1795182104.551297123") + eventLine(UNMAP, "1795182104.551297124"),
    );
    expect(rows.map(({ tsNs }) => tsNs)).toEqual([0, 1]);
  });
});

describe("case 6: events of several lines", () => {
  it("takes a stack trace for one event", async () => {
    const stack = eventLine("<stack trace>");
    const { info, counts } = await readText(
      `${ENTRY}${stack} => kvm_unmap_gfn_range\n => do_syscall_64\n${ENTRY}`,
    );
    expect(info.events).toBe(3);
    expect(counts).toEqual({});
  });

  it("counts the further lines of a marker, and of nothing else", async () => {
    const marker = eventLine("tracing_mark_write: one");
    const { info, counts } = await readText(`${marker}two\n\nthree\n${ENTRY}four\n`);
    expect(info.events).toBe(2);
    expect(counts).toEqual({ MARKER_CONTINUED: 2, UNPARSED_LINE: 1 });
  });
});

describe("case 7: forged events, and traces out of mails", () => {
  const marker = eventLine("tracing_mark_write: hello", "1.000002");

  it("does not take a marker's text at other columns for an event", async () => {
    const forged = `root-1 [000] d.... 1.000003: ${UNMAP}\n`;
    const { rows, counts } = await readText(marker + forged + LATER);
    expect(rows.map(({ kind }) => kind)).toEqual(["marker", "kvm_entry"]);
    expect(counts).toEqual({ MARKER_CONTINUED: 1 });
  });

  it("does not take a marker's text for a probe, whatever it begins with", async () => {
    const texts = [
      "(kvm_pgtable_stage2_unmap+0x0/0x70) pgt=0x40 addr=0x1000 size=0x1000",
      "(ffff80008009f688) pgt=0x40",
      "__probe_ip=0xffff80008009f688 (-1)",
    ];
    const text = texts.map((one) => eventLine(`tracing_mark_write: ${one}`)).join("");
    const { rows, counts } = await readText(text + eventLine(UNMAP));
    expect(rows.map(({ kind }) => kind)).toEqual(["marker", "marker", "marker", "unmap"]);
    expect(counts).toEqual({});
  });

  it("does not take a line that is older than the marker before it for an event", async () => {
    const text = ENTRY + marker + eventLine(UNMAP, "1.000001") + LATER;
    const header = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 3/3   #P:2\n#\n";
    const saved = await readText(header + text);
    expect(saved.rows.map(({ kind }) => kind)).toEqual(["kvm_entry", "marker", "kvm_entry"]);
    expect(saved.counts).toEqual({ UNPARSED_LINE: 1 });
    // A pipe gives the events of the CPUs as they come.
    const piped = await readText(text);
    expect(piped.rows.map(({ kind }) => kind)).toEqual([
      "kvm_entry",
      "marker",
      "unmap",
      "kvm_entry",
    ]);
    expect(piped.counts).toEqual({ TIME_BACKWARDS: 1 });
  });

  it("tells by the header that a forged line was read, where it looks perfect", async () => {
    const header = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 2/2   #P:2\n#\n";
    const { counts, examples } = await readText(
      header + marker + eventLine(UNMAP, "1.000003") + LATER,
    );
    expect(counts).toEqual({ FORGED_EVENTS: 1 });
    expect(examples[0]).toContain("3 events read, 2 in the header; 1 right behind a marker");
  });

  it("does not believe a header that a marker printed", async () => {
    const text = `${marker}# tracer: function\n# entries-in-buffer/entries-written: 5/500\n${LATER}`;
    const { info, counts } = await readText(text);
    expect(info.events).toBe(2);
    expect(info.entriesInBuffer).toBeUndefined();
    expect(counts).toEqual({ MARKER_CONTINUED: 2 });
  });

  it("reads what a mail program quoted, and says so", async () => {
    const header = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 2/2   #P:2\n#\n\n";
    for (const mark of ["> ", ">", "> > ", ">> "]) {
      const quoted = (header + ENTRY + LATER).replaceAll(/^/gm, mark).slice(0, -mark.length);
      for (const text of [
        quoted,
        quoted.replaceAll(/ +$/gm, ""),
        quoted.replaceAll("\n", "\r\n"),
      ]) {
        const { rows, counts, info } = await readText(text);
        expect(rows.map(({ kind, tsNs }) => [kind, tsNs])).toEqual([
          ["kvm_entry", 0],
          ["kvm_entry", 5000],
        ]);
        expect(counts).toEqual({});
        expect(info.layout).toContain(`each line quoted with ${mark.trimEnd()}`);
        expect(info.entriesInBuffer).toBe(2);
      }
    }
  });

  it("reads quoted lines whose blanks were stripped", async () => {
    const { rows, info } = await readText(`> ${ENTRY.trimStart()}> ${LATER.trimStart()}`);
    expect(rows).toHaveLength(2);
    expect(info.layout).toContain("leading blanks stripped, each line quoted with >");
  });

  it("counts a line that a mail program wrapped", async () => {
    const many = `> ${ENTRY}`.repeat(2000);
    const { rows, counts, examples } = await readText(`${many}wrapped\n> ${ENTRY}`);
    expect(rows).toHaveLength(2001);
    expect(counts).toEqual({ UNPARSED_LINE: 1 });
    expect(examples[0]).toContain("without the quote mark of the others");
  });

  it("does not take one stripped line among whole ones for an event", async () => {
    const { rows, counts } = await readText(ENTRY + ENTRY.trimStart() + ENTRY);
    expect(rows).toHaveLength(2);
    expect(counts).toEqual({ UNPARSED_LINE: 1 });
  });
});

describe("case 10: numbers that a double does not hold", () => {
  it("are refused where they are quantities", async () => {
    const { rows, counts } = await readText(
      eventLine(UNMAP.replace("addr=0x1000", "addr=0xffffffffffffffff")),
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["other"]);
    expect(counts).toEqual({ BAD_NUMBER: 1 });
  });
});
