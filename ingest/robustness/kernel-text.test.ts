import { describe, expect, it } from "vitest";

import { eventLine, readText } from "../testing/read-text.ts";

const ENTRY = eventLine("kvm_entry: PC: 0x0");
const UNMAP = "unmap: (kvm_pgtable_stage2_unmap+0x0/0x70) pgt=0x40 addr=0x1000 size=0x1000";

/** An event in the latency format. */
const latencyLine = (comm: string): string => `${comm}-9         1d....    5us : ${UNMAP}\n`;

describe("3. silent loss: what a header does not tell", () => {
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

describe("4. hostile comms", () => {
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

  it("reads an event whose comm holds line ends, in every layout with a comm", async () => {
    for (const [text, pid] of [
      [`             a\n${eventLine(UNMAP, "1.000000", 9, 1, "b").trimStart()}`, 9],
      [`             a\n${eventLine(UNMAP, "1.000000", 9, 1, "").trimStart()}`, undefined],
      [`          a\nb\n${eventLine(UNMAP, "1.000000", 9, 1, "cc").trimStart()}`, 9],
      [` 12345678901234\n-9       [001] d....  1.000000: ${UNMAP}\n`, 9],
      [` \n${eventLine(UNMAP, "1.000000", 9, 1, "bbbbbbbbbbbbbb").trimStart()}`, 9],
      [`            \n${eventLine(UNMAP, "1.000000", 9, 1, "bbb").trimStart()}`, 9],
    ] as const) {
      const { rows, counts } = await readText(`${ENTRY}${text}${ENTRY}`);
      const found = rows.map(({ kind, pid: of }) => [kind, of]);
      const others = [
        ["kvm_entry", 7],
        ["kvm_entry", 7],
      ];
      if (pid === undefined) {
        // The `-` is not where 16 columns of comm end: it is no event of the kernel's.
        expect(found).toEqual(others);
        expect(counts).toEqual({ UNPARSED_LINE: 2 });
      } else {
        expect(found).toEqual([others[0], ["unmap", pid], others[1]]);
        expect(counts).toEqual({});
      }
    }
  });

  it("counts each piece of what only looks like such a comm", async () => {
    const { rows, counts, lines } = await readText(`${ENTRY}          a\nb\n${ENTRY}          c\n`);
    expect(rows.map(({ kind }) => kind)).toEqual(["kvm_entry", "kvm_entry"]);
    expect(counts).toEqual({ UNPARSED_LINE: 3 });
    expect(lines).toEqual([2, 3, 5]);
  });

  it("does not let a marker make such an event", async () => {
    const forged = `             a\n${eventLine(UNMAP, "1.000000", 9, 1, "b").trimStart()}`;
    const { rows, counts } = await readText(
      `${eventLine("tracing_mark_write: x")}${forged}${ENTRY}`,
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["marker", "kvm_entry"]);
    expect(counts).toEqual({ MARKER_CONTINUED: 2 });
  });

  it("reads a comm with a line end in the latency format", async () => {
    const header = "# tracer: nop\n#\n# nop latency trace v1.1.5 on 6.18.44\n";
    const { rows, counts } = await readText(
      header + latencyLine("    a\nbb") + latencyLine("       #"),
    );
    expect(rows.map(({ kind, pid, cpu }) => [kind, pid, cpu])).toEqual([
      ["unmap", 9, 1],
      ["unmap", 9, 1],
    ]);
    expect(counts).toEqual({});
  });
});

describe("5. integer clocks and tai", () => {
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

describe("10. output side: numbers that a double does not hold", () => {
  it("are refused where they are quantities", async () => {
    const { rows, counts } = await readText(
      eventLine(UNMAP.replace("addr=0x1000", "addr=0xffffffffffffffff")),
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["other"]);
    expect(counts).toEqual({ BAD_NUMBER: 1 });
  });
});
