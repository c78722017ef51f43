import { describe, expect, it } from "vitest";

import { readText } from "../../testing/read-text.ts";

const header = (left: number, written: number): string =>
  `# tracer: nop\n#\n# nop latency trace v1.1.5 on 6.12\n# ---------\n# latency: 0 us, #${left}/${written}, CPU#0 | (M:desktop VP:0, KP:0, SP:0 HP:0 #P:2)\n#    -----------------\n#  cmd     pid     |||||| time  |   caller     \n#     \\   /        ||||||  \\    |    /       \n`;
const line = (
  text: string,
  time = "11768067us#",
  comm = "kvm_page",
  rest = "599       0d....",
): string => `${comm.padStart(8)}-${rest} ${time}: ${text}\n`;
const UNMAP =
  "unmap: (kvm_pgtable_stage2_unmap+0x0/0x70) pgt=0xffff000000000040 addr=0x1000 size=0x2000";

describe("the latency format", () => {
  it("reads pid, CPU and time beside every delay mark", async () => {
    const marks = [" ", "+", "!", "#", "*", "@", "$"];
    const text = marks.map((mark, i) => line(UNMAP, `${11768067 + i}us${mark}`)).join("");
    const { rows, counts, info } = await readText(header(7, 7) + text);
    expect(counts).toEqual({});
    expect(rows.map(({ tsNs }) => tsNs)).toEqual([0, 1000, 2000, 3000, 4000, 5000, 6000]);
    expect(rows[0]).toMatchObject({ kind: "unmap", pid: 599, cpu: 0, addr: 0x1000, len: 0x2000 });
    expect(info).toMatchObject({
      layout: "latency format, 5 flag letters, times count from the buffer's start",
      baseNs: 11_768_067_000n,
      entriesInBuffer: 7,
      entriesWritten: 7,
    });
  });

  it("is recognised without its header, whatever the comms hold", async () => {
    const comms = [
      "#comment",
      "a b-c [1",
      "<idle>-0",
      "",
      "  -12",
      "\t-7  [00",
      "CPU:0 [L",
      "=> kfree",
    ];
    const text = comms.map((comm) => line(UNMAP, "5us ", comm, "42        12d..2.")).join("");
    const { rows, counts, info } = await readText(text);
    expect(counts).toEqual({});
    expect(rows.map(({ pid, cpu, kind }) => [pid, cpu, kind])).toEqual(
      comms.map(() => [42, 12, "unmap"]),
    );
    expect(info.layout).toContain("latency format without header");
  });

  it("takes the entries in its header for evidence of losses", async () => {
    const lost = await readText(header(1, 5) + line(UNMAP));
    expect(lost.counts).toEqual({ EVENTS_OVERWRITTEN: 4 });
    const cut = await readText(header(3, 3) + line(UNMAP));
    expect(cut.counts).toEqual({ TRUNCATED: 1 });
  });

  it("reads bare ticks where the clock has no unit", async () => {
    const { rows, counts, info } = await readText(
      header(2, 2) + line(UNMAP, "245813556") + line(UNMAP, "245845224"),
    );
    expect(rows.map(({ tsNs }) => tsNs)).toEqual([0, 31668]);
    expect(counts).toEqual({ ASSUMED: 1 });
    expect(info.layout).toContain("clock in ticks");
  });

  it("does not read a line whose columns are another's", async () => {
    const bad = [
      line(UNMAP).replace("us#", "us?"),
      line(UNMAP).replace("us#", "ms#"),
      line(UNMAP).replace("0d....", "0q...."),
      line(UNMAP).replace("0d....", "d...."),
      line(UNMAP, "99999999999999999us "),
      ` ${line(UNMAP)}`,
      "kvm_page-599\n",
    ];
    for (const text of bad) {
      const { rows, counts } = await readText(line(UNMAP) + text + line(UNMAP));
      expect(rows, text).toHaveLength(2);
      expect(counts, text).toEqual({ UNPARSED_LINE: 1 });
    }
  });
});

const verbose = (abs: string, time: string): string =>
  `       CPU 1/KVM   21537   1 1 00000001 00000004 [${abs}] ${time}: ${UNMAP}\n`;

describe("the verbose latency format", () => {
  it("reads the absolute time, as the default layout prints it", async () => {
    const { rows, info, counts } = await readText(
      header(2, 2) +
        verbose("b301381a", "68.776ms (+0.002ms)") +
        verbose("b3026d91", "148.000ms (+0.100ms)"),
    );
    expect(counts).toEqual({});
    expect(rows).toMatchObject([
      { kind: "unmap", pid: 21537, cpu: 1, tsNs: 0 },
      { tsNs: 79_223_000 },
    ]);
    expect(info).toMatchObject({ layout: "verbose latency format", baseNs: 3_003_201_562_000n });
  });

  it("reads ticks", async () => {
    const { info, counts } = await readText(verbose("0000023d50263ab9", "245813556 (+31668)"));
    expect(info.baseNs).toBe(0x23d50263ab9n);
    expect(counts).toEqual({ ASSUMED: 1 });
  });
});
