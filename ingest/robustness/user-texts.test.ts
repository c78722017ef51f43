import { describe, expect, it } from "vitest";

import { eventLine, readText } from "../testing/read-text.ts";

const ENTRY = eventLine("kvm_entry: PC: 0x0");
const LATER = eventLine("kvm_entry: PC: 0x0", "1.000005");
const UNMAP = "unmap: (kvm_pgtable_stage2_unmap+0x0/0x70) pgt=0x40 addr=0x1000 size=0x1000";

/** A probe that prints a string. */
const event = (text: readonly string[]): string =>
  eventLine(`uprobe_arg: (0x55d0c0de1139) s="${text.join("\n")}" n=5`);

describe("6. multi-line payloads", () => {
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

  /** What programs pass to a probe that prints a string: with line ends, and lines that imitate others. */
  const TEXT = [
    "one",
    "",
    "# entries-in-buffer/entries-written: 5/500   #P:2",
    " => do_syscall_64",
    `root-1 [000] d.... 1.000003: ${UNMAP}`,
    "## x",
    'say "so"x',
    ...Array.from({ length: 12 }, (_, i) => `line ${i}`),
    "end",
  ];

  it("reads 586 events in 11,721 lines, and takes nothing else for an event", async () => {
    const one = event(TEXT);
    const text = one.repeat(585) + event([...TEXT, "and one more"]);
    const lines = text.split("\n").length - 1;
    expect(lines).toBe(11_721);
    const header = `# tracer: nop\n#\n# entries-in-buffer/entries-written: 586/586   #P:2\n#\n`;
    for (const sizes of [[65536], [997]]) {
      const { info, counts, hasDataLoss } = await readText(header + text, sizes);
      expect(info.events).toBe(586);
      expect(info.lines).toBe(11_725);
      expect(info.entriesWritten).toBe(586);
      // 11,721 lines less the 586 that begin an event and as many empty ones.
      expect(counts).toEqual({ TEXT_CONTINUED: 11_721 - 586 - 586 });
      expect(hasDataLoss).toBe(false);
    }
  });

  it("believes a line of losses wherever it stands", async () => {
    const { rows, counts } = await readText(
      `${eventLine('u: (0x55d0) s="a')}CPU:1 [LOST 5 EVENTS]\n${ENTRY}`,
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["other", "lost", "kvm_entry"]);
    expect(counts).toEqual({ EVENTS_LOST: 5 });
  });

  it("tells by the header that a text printed a perfect line", async () => {
    const header = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 2/2   #P:2\n#\n";
    const printed = `${eventLine('u: (0x55d0) s="a')}b\n${eventLine(UNMAP)}`;
    const { counts } = await readText(`${header}${printed}${LATER}`);
    expect(counts).toEqual({ TEXT_CONTINUED: 1, FORGED_EVENTS: 1 });
  });

  it("does not take a damaged line behind a closed text for a part of it", async () => {
    const text = [
      `${eventLine('u: (0x55d0) s="a" n=5')}damaged line\n${ENTRY}`,
      `${eventLine('u: (0x55d0) s="a"')}damaged line\n${ENTRY}`,
      `${eventLine("sched_process_exit: comm=cat pid=7")}damaged line\n${ENTRY}`,
    ].join("");
    expect((await readText(text)).counts).toEqual({ UNPARSED_LINE: 3 });
    const { counts } = await readText(text.replaceAll("\n", "\r\n"));
    expect(counts).toEqual({ UNPARSED_LINE: 3 });
  });

  it("knows a comm that a tracepoint prints, as long as a comm can be", async () => {
    const exit = eventLine("sched_process_exit: comm=a\nb\nc pid=9 prio=120");
    const tooLong = eventLine("sched_process_exit: comm=a\nbbbbbbbbbbbbbbbb pid=9 prio=120");
    expect((await readText(exit + ENTRY)).counts).toEqual({ TEXT_CONTINUED: 2 });
    expect((await readText(tooLong + ENTRY)).counts).toEqual({ UNPARSED_LINE: 1 });
  });
});

describe("7. forged events, and traces out of mails", () => {
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
