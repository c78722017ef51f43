import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { type ReadTrace, readText } from "../../testing/read-text.ts";

const PROBES = fileURLToPath(
  new URL("../../../fixtures/captures/tiny-612/kprobes.txt", import.meta.url),
);

const MAP =
  "kvm_s2:map: (ffff80008009f450) pgt=0xfff00000c112bcc0 mmu=0xffff80008258d9c8 addr=0x180000 size=0x1000 phys=0x102f3b000 prot=0x7 flags=0x18";
const RETURN = "kvm_s2:map_ret: (ffff80008009f450 <- ffff800080063694) ret=-12";
const ENTRY = "kvm:kvm_entry: PC: 0x0000000000400b70";
const ONE_ID = "ASSUMED each line has one number for its task: it is taken for the thread's";

async function read(text: string, inputFormat?: "perf-script"): Promise<ReadTrace> {
  return readText(text, [65536], { probes: PROBES, inputFormat: inputFormat ?? "auto" });
}

async function refusal(text: string, options: object): Promise<unknown> {
  return readText(text, [65536], options).then(
    () => "read",
    (error: unknown) => error,
  );
}

/** A line with a comm in 16 columns. */
function line(
  text: string,
  context = "     599 [001]    66.093409: ",
  comm = "[guest/597]",
): string {
  return `${comm.padStart(16)} ${context}${text}\n`;
}

describe("layouts of perf script", () => {
  const mapRow = {
    kind: "map",
    pid: 599,
    pgt: "0xfff00000c112bcc0",
    mmu: "0xffff80008258d9c8",
    addr: 0x180000,
    len: 0x1000,
    phys: 0x102f3b000,
    prot: 7n,
    arg0: 0x18,
  };
  const layouts: readonly (readonly [string, string, number, bigint, string])[] = [
    ["tid", line("@"), 1, 66_093_409_000n, "comm in 16 columns, one number for the task, CPU"],
    [
      "pid and tid, --ns",
      line("@", "    597/599     [001]    66.093409706:      "),
      1,
      66_093_409_706n,
      "comm in 16 columns, pid/tid, CPU, times in nanoseconds (--ns)",
    ],
    ["period", line("@", "     599 [001]    66.093409:          1 "), 1, 66_093_409_000n, "CPU"],
    ["misc", line("@", "     599 [001] K      66.093409: "), 1, 66_093_409_000n, "CPU"],
    ["misc, no CPU", line("@", "     599 KU     66.093409: "), 65_535, 66_093_409_000n, "no CPU"],
    [
      "flags",
      line("@", "     599 [001]    66.093409: ").replace(": @", ":                         @"),
      1,
      66_093_409_000n,
      "CPU",
    ],
    ["no CPU", line("@", "     599    66.093409: "), 65_535, 66_093_409_000n, "no CPU"],
    ["no comm", "     599 [001]    66.093409: @\n", 1, 66_093_409_000n, "no comm, one number"],
    [
      "call chains",
      "a b 597/599 [001] 66.093409: @\n\tffff80008009f450 kvm_pgtable_stage2_map+0x0 ([kernel.kallsyms])\n\n",
      1,
      66_093_409_000n,
      "comm not aligned, pid/tid",
    ],
  ];
  for (const [name, template, cpu, baseNs, layout] of layouts) {
    it(`are read: ${name}`, async () => {
      const text = ENTRY.padStart(45);
      const { rows, info, counts, examples } = await read(
        [text, MAP, RETURN].map((event) => template.replace("@", event)).join(""),
      );
      expect(rows).toMatchObject([
        { kind: "kvm_entry", cpu, pid: 599 },
        { ...mapRow, cpu },
        { kind: "map_ret", arg0: -12, cpu },
      ]);
      expect(info).toMatchObject({ format: "perf-script", baseNs, events: 3 });
      expect(Object.fromEntries(info.eventsByName)).toEqual({ kvm_entry: 1, map: 1, map_ret: 1 });
      expect(info.layout).toContain(layout);
      expect(info.layout).toMatch(/, functions of probes by kprobes\.txt$/);
      expect(examples.includes(ONE_ID)).toBe(!template.includes("/599"));
      expect(Object.keys(counts).filter((code) => code !== "ASSUMED")).toEqual([]);
    });
  }

  it("say that calls are told apart by their thread where no CPU is printed", async () => {
    const { examples } = await read(line(MAP, "     599    66.093409: "));
    expect(examples).toEqual([ONE_ID, expect.stringContaining("no line names its CPU")]);
  });

  it("are not misled by what a comm holds", async () => {
    for (const comm of [
      "1 [000] 1.0: x",
      "[001]",
      "2 [3] 4.000000:",
      "a:b: c",
      "599 [001]",
      "-1",
    ]) {
      const { rows, counts } = await read(line(MAP, undefined, comm));
      expect([rows, counts]).toMatchObject([[{ ...mapRow, cpu: 1 }], { ASSUMED: 1 }]);
    }
  });

  it("with a free comm lose a line that can be read at several places", async () => {
    const good = `vcpu 0 597/599 [001] 66.093409: ${MAP}\n\tffff80008009f450 f (k)\n\n`;
    const forged = `1 [000] 1.000000: a:b: 597/599 [001] 66.093409: ${MAP}\n\n`;
    const bad = `x 5 [000] 1.000000: a:b: 597/599 [001] 66.093409: ${MAP}\n\n`;
    const { rows, counts } = await read(good + good + bad + forged);
    expect(rows.map(({ kind, pid }) => [kind, pid])).toEqual([
      ["map", 599],
      ["map", 599],
      ["map", 599],
    ]);
    expect(counts).toEqual({ UNPARSED_LINE: 1 });
  });

  it("may have perf's header in front, and events of no group", async () => {
    const header = "# ========\n# captured on    : Fri Nov 20 14:26:57 2026\n# ========\n#\n";
    const { rows, counts } = await read(
      header + line(MAP) + line("cycles: ffff80008009f450 f (k)"),
      "perf-script",
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["map", "other"]);
    expect(counts).toEqual({ ASSUMED: 1 });
  });

  it("take a probe of the right group where a name is defined in several", async () => {
    const { rows, counts } = await read(line(MAP) + line(MAP.replace("kvm_s2:", "mine:")));
    expect(rows).toHaveLength(1);
    expect(counts).toEqual({ UNPARSED_LINE: 1, ASSUMED: 1 });
  });
});

describe("losses in the text of perf script", () => {
  it("are placed where perf says that events were lost", async () => {
    const { rows, counts } = await read(
      [
        line(MAP),
        line("PERF_RECORD_LOST lost 12"),
        line(MAP),
        line("PERF_RECORD_LOST_SAMPLES lost 3"),
        line("PERF_RECORD_COMM: vcpu:597/599"),
        "Processed 7128 events and lost 3 chunks!\n",
      ].join(""),
      "perf-script",
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["map", "lost", "map", "lost", "lost"]);
    expect(rows[1]).toMatchObject({ cpu: 1, pid: -1, arg0: 12, line: 2 });
    expect(rows[3]).toMatchObject({ arg0: 3 });
    expect(rows[4]).toMatchObject({ cpu: 65_535 });
    expect(counts).toEqual({ EVENTS_LOST: 16, ASSUMED: 1 });
  });

  it("are texts that perf could not take apart and whose fields do not say it either", async () => {
    const { rows, counts } = await read(
      [
        line(MAP),
        line("kvm:kvm_guest_fault: [FAILED TO PARSE] vcpu_pc=0x1 hsr=0x82000085 ipa=0x180000"),
        line("kvm:kvm_guest_fault: [FAILED TO PARSE] vcpu_pc=0x1"),
        line("kvm:kvm_entry: [FAILED TO PARSE] vcpu_pc=0x1"),
      ].join(""),
    );
    const kinds = rows.map(({ kind }) => kind);
    expect(kinds).toEqual(["map", "guest_fault", "other", "kvm_entry"]);
    expect(rows[1]).toMatchObject({ addr: 0x180000, arg0: 0x82000085 });
    expect(counts).toEqual({ TEXT_NOT_PARSED: 3, MISSING_ARGUMENT: 1, ASSUMED: 1 });
  });

  it("are probes with what -F +ip,sym,dso prints behind their arguments", async () => {
    const tail = " ffff80008009f450 kvm_pgtable_stage2_map+0x0 ([kernel.kallsyms])";
    const { rows, counts } = await read(line(MAP) + line(MAP + tail) + line(ENTRY + tail));
    expect(rows.map(({ kind }) => kind)).toEqual(["map", "other", "kvm_entry"]);
    expect(counts).toEqual({ BAD_NUMBER: 1, ASSUMED: 1 });
  });

  it("are events of a guest that were injected (-F +machine_pid,vcpu)", async () => {
    const { rows, counts } = await read(`${line(MAP)}VM:  597 VCPU:000 ${line(MAP)}${line(MAP)}`);
    expect(rows).toHaveLength(2);
    expect(counts).toEqual({ UNPARSED_LINE: 1, ASSUMED: 1 });
  });

  it("are lines that are no event", async () => {
    const { rows, counts } = await read(
      `${line(MAP)}what\n${line("no event here")}${line(MAP, "     599 [001]    66.0934: ")}${line(MAP, "     599 [001] 66: ")}`,
      "perf-script",
    );
    expect(rows).toHaveLength(1);
    expect(counts).toEqual({ UNPARSED_LINE: 4, ASSUMED: 1 });
  });
});

describe("a text of perf script that cannot be read", () => {
  it("is refused where nothing says which functions its probes are on", async () => {
    expect(await refusal(line(MAP), {})).toMatchObject({
      code: "UNSUPPORTED_LAYOUT",
      message: expect.stringMatching(/^perf script printed the probes/),
    });
    expect(await refusal(line(ENTRY), {})).toBe("read");
  });

  it("is refused where task, time or event were left out", async () => {
    for (const text of [
      `${MAP}\n`,
      `     599 [001] ${MAP}\n`,
      `     599 [001]    66.093409: (ffff80008009f450) pgt=0x1\n`,
    ]) {
      expect(await refusal(text, { inputFormat: "perf-script" })).toMatchObject({
        code: "UNSUPPORTED_LAYOUT",
        hint: expect.stringContaining("-F comm,pid,tid,cpu,time,event,trace"),
      });
    }
  });
});
