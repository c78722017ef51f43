import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { eventLine, readText, type Row } from "../testing/read-text.ts";

const PROBES = fileURLToPath(
  new URL("../../fixtures/captures/tiny-612/kprobes.txt", import.meta.url),
);

const COMM = "vcpu".padStart(16);
const ARGUMENTS = "mmu=0xffff80008257d9c8 start=0x180000 size=0x20 may_block=1";

/** What all of these lines say; the time is another one. */
const UNMAP = { kind: "unmap_range", cpu: 1, pid: 600, mmu: "0xffff80008257d9c8", addr: 0x180000 };

async function rowsOf(text: string): Promise<readonly Row[]> {
  return (await readText(text, [65536], { probes: PROBES })).rows;
}

const kernel = (flags: string): string =>
  `${COMM}-600     [001] ${flags} 34.478548: unmap_range: (__unmap_stage2_range+0x0/0x70) ${ARGUMENTS}\n`;
const report = (context: string, text: string): string => `cpus=2\n${context}${text}\n`;
const printed = (text: string): string =>
  `cpus=2\n${COMM}-600   [001] d....    34.478548: ${text}\n`;
const perf = (text: string): string =>
  `            vcpu     600 [001]    34.478548:          kvm:${text}\n`;

describe("8. layout switches inside one pipeline", () => {
  const PLAIN = `unmap_range:          (ffff800080060bc8) ${ARGUMENTS}`;
  // -R prints pointers and longs in hexadecimal, other integers in decimal: the value is the same.
  const RAW = `unmap_range:           __probe_ip=ffff800080060bc8 mmu=0xffff80008257d9c8 start=0x180000 size=32 may_block=1`;

  const lines: readonly (readonly [string, string])[] = [
    ["no flags", kernel("  ")],
    ["4 flag letters", kernel("d... ")],
    ["5 flag letters", kernel("d....")],
    ["7 flag letters", kernel("dN..1..")],
    ["8 flag letters", kernel("dNL.h1.1")],
    ["trace-cmd report", report(`${COMM}-600   [001]    34.478548: `, PLAIN)],
    ["trace-cmd report, 5 letters", report(`${COMM}-600   [001] d....    34.478548: `, PLAIN)],
    ["-t", report(`${COMM}-600   [001] d....    34.478548000: `, PLAIN)],
    ["-l", report(`${COMM.slice(-8)}-600     1d....    34.478548: `, PLAIN)],
    ["--ts-diff", report(`${COMM}-600   [001]    34.478548: (+5395)  `, PLAIN)],
    ["--raw-ts", report(`${COMM}-600   [001]34478548000: `, PLAIN)],
    ["--raw-ts, flags", report(`${COMM}-600   [001] d.... 34478548000: `, PLAIN)],
    ["-R", report(`${COMM}-600   [001]    34.478548: `, RAW)],
    ["an instance's name", report(`kv: ${COMM}-600   [001] d....    34.478548: `, PLAIN)],
  ];

  for (const [name, text] of lines) {
    it(`read the same event: ${name}`, async () => {
      const [row, ...others] = await rowsOf(text);
      expect(others).toEqual([]);
      expect(row).toMatchObject({ ...UNMAP, len: 0x20 });
    });
  }

  it("do not depend on what the first line had: flags may come and go", async () => {
    const text = ["  ", "d... ", "d....", "dN..1.."].map(kernel).join("");
    const rows = await rowsOf(text);
    expect(rows.map(({ kind, len }) => [kind, len])).toEqual(
      Array.from({ length: 4 }, () => ["unmap_range", 0x20]),
    );
  });
});

describe("9. same event, different text", () => {
  const events: readonly (readonly [string, object, readonly (readonly [string, string])[]])[] = [
    [
      "kvm_unmap_hva_range",
      { kind: "unmap_hva", addr: 0x7fb869b66000, len: 0x800000 },
      [
        [
          "kernel",
          eventLine(
            "kvm_unmap_hva_range: mmu notifier unmap range: 0x007fb869b66000 -- 0x007fb86a366000",
          ),
        ],
        [
          "report",
          printed(
            "kvm_unmap_hva_range:  mmu notifier unmap range: 0x007fb869b66000 -- 0x007fb86a366000",
          ),
        ],
        ["-R", printed("kvm_unmap_hva_range:   start=0x7fb869b66000 end=0x7fb86a366000")],
        [
          "perf, not parsed",
          perf("kvm_unmap_hva_range: [FAILED TO PARSE] start=140430024269824 end=140430032658432"),
        ],
      ],
    ],
    [
      "kvm_guest_fault: zero is printed without 0x",
      { kind: "guest_fault", addr: 0 },
      [
        [
          "kernel",
          eventLine(
            "kvm_guest_fault: ipa 0, hsr 0x93c18007, hxfar 0xffff98a0c000, pc 0x00000000405b2c",
          ),
        ],
        [
          "report",
          printed(
            "kvm_guest_fault:      ipa 0, hsr 0x93c18007, hxfar 0xffff98a0c000, pc 0x00000000405b2c",
          ),
        ],
      ],
    ],
    [
      "kvm_access_fault: hexadecimal without 0x",
      { kind: "access_fault", addr: 0x20000 },
      [
        ["kernel", eventLine("kvm_access_fault: IPA: 20000")],
        ["report", printed("kvm_access_fault:     IPA: 20000")],
        ["-R", printed("kvm_access_fault:      ipa=0x20000")],
      ],
    ],
  ];

  for (const [name, expected, texts] of events) {
    for (const [printer, text] of texts) {
      it(`is one event: ${name}, ${printer}`, async () => {
        const [row, ...others] = await rowsOf(text);
        expect(others).toEqual([]);
        expect(row).toMatchObject(expected);
      });
    }
  }

  it("is a loss where a text leaves out what the event needs, never a zero", async () => {
    const text = `cpus=2\n${COMM}-600   [001] d....    34.478548: kvm_guest_fault:      <CANT FIND FIELD ipa>\n`;
    const { rows, counts } = await readText(text, [65536], { probes: PROBES });
    expect(rows.map(({ kind, addr }) => [kind, addr])).toEqual([["other", undefined]]);
    expect(counts).toEqual({ MISSING_ARGUMENT: 1 });
  });
});

describe("10. output side: a bad quote in CSV", () => {
  const good = "1,remote,1\n";

  it("never swallows the tail in silence", async () => {
    for (const bad of ['2,"remote"x,1\n', '2,"remote,1\n']) {
      const { rows, info, hasDataLoss, counts } = await readText(
        `ts_ns,event,kvm\n${good}${bad}${good.repeat(50)}`,
      );
      // What could not be told apart is declared lost.
      expect(rows.length).toBeLessThan(52);
      expect(info.events).toBe(rows.length);
      expect(hasDataLoss).toBe(true);
      expect(counts.TRUNCATED ?? counts.UNPARSED_LINE).toBeGreaterThan(0);
    }
  });
});

describe("(+) equal time stamps", () => {
  it("leave the order of the lines as it is, across CPUs and batches", async () => {
    const count = 30_000;
    const text = Array.from({ length: count }, (_, i) =>
      eventLine("kvm_entry: PC: 0x0", "1.000000", i + 1, i % 3),
    ).join("");
    const { rows, counts } = await readText(text, [8192]);
    expect(
      rows.every(({ pid, cpu, tsNs }, i) => pid === i + 1 && cpu === i % 3 && tsNs === 0),
    ).toBe(true);
    expect(rows).toHaveLength(count);
    expect(counts).toEqual({});
  });

  it("of files put together are told of, not sorted", async () => {
    const one = eventLine("kvm_entry: PC: 0x0", "1.000005", 1, 0);
    const two = eventLine("kvm_entry: PC: 0x0", "1.000003", 2, 1);
    const { rows, counts } = await readText(one + two);
    expect(rows.map(({ pid }) => pid)).toEqual([1, 2]);
    expect(counts).toEqual({ TIME_BACKWARDS: 1 });
  });
});
