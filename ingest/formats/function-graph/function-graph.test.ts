import { describe, expect, it } from "vitest";

import { readText } from "../../testing/read-text.ts";

const PGT = "0xfff00000c112bcc0";
const MMU = "0xffff80008258d9c8";
const RULE = " ------------------------------------------\n";
const UNMAP_ARGS = `pgt=${PGT}, addr=0x180000, size=0x200000`;
const UNMAP = { kind: "unmap", pgt: PGT, addr: 0x180000, len: 0x200000 };
const NO_TIMES = expect.stringContaining("the lines have no times");
const NO_TASKS = expect.stringContaining("the lines name no tasks");

async function refusal(text: string): Promise<unknown> {
  return readText(text).then(
    () => "read",
    (error: unknown) => error,
  );
}

/** `# CPU TASK/PID DURATION FUNCTION CALLS`, as the kernel writes it above the lines. */
function legend(columns: string): string {
  return `# tracer: function_graph\n#\n#${columns}               FUNCTION CALLS\n# |     |   |                     |   |   |   |\n`;
}

describe("a trace of function_graph with everything in it", () => {
  // 6.15 and later: funcgraph-abstime, -proc, -retval, -args.
  const text = [
    legend("     TIME        CPU  TASK/PID         DURATION   "),
    `  360.774522 |   1)   vcpu-4802    |               |  kvm_handle_guest_abort(vcpu=${MMU}) {\n`,
    `  360.774523 |   1)   vcpu-4802    |               |    kvm_pgtable_stage2_map(pgt=${PGT}, addr = 0x180000, size=4096, phys=0x102f3b000, prot=7, mc=0xffff0000c0aa0000, flags=24) {\n`,
    `  360.774525 |   1)   vcpu-4802    |   1.541 us    |      __kvm_tlb_flush_vmid_ipa(mmu=${MMU}, ipa=0x180000, level=3); /* ret=0x0 */\n`,
    "  360.774530 |   1)   vcpu-4802    | + 12.250 us   |    } /* kvm_pgtable_stage2_map ret=-11 */\n",
    "  360.774531 |   1)   vcpu-4802    |               |    /* kvm_entry: PC: 0x0000000000400b70 */\n",
    `  360.774531 |   1)   vcpu-4802    |               |    /* m: (kvm_pgtable_stage2_unmap+0x0/0x70) pgt=${PGT} addr=0x180000 size=0x200000 */\n`,
    "  360.774532 |   1)   vcpu-4802    | ! 100.000 us  |  } /* kvm_handle_guest_abort ret=0x1 */\n",
  ].join("");

  it("gives the events of probes, tracepoints between them, and durations", async () => {
    const { rows, counts, info } = await readText(text);
    const at = { cpu: 1, pid: 4802 };
    expect(rows).toEqual([
      { ...at, kind: "other", tsNs: 0, line: 5 },
      {
        ...at,
        kind: "map",
        tsNs: 1000,
        line: 6,
        pgt: PGT,
        addr: 0x180000,
        len: 4096,
        phys: 0x102f3b000,
        prot: 7n,
        arg0: 24,
      },
      { ...at, kind: "hw_vmid_ipa", tsNs: 3000, line: 7, mmu: MMU, addr: 0x180000, arg0: 3 },
      { ...at, kind: "map_ret", tsNs: 8000, line: 8, arg0: -11 },
      { ...at, kind: "kvm_entry", tsNs: 9000, line: 9 },
      { ...at, ...UNMAP, tsNs: 9000, line: 10 },
    ]);
    expect(counts).toEqual({});
    expect(info).toMatchObject({
      format: "function-graph",
      layout: "absolute times, CPU column, task column, durations",
      baseNs: 360_774_522_000n,
      events: 6,
      lines: 11,
    });
    expect(Object.fromEntries(info.durations!)).toEqual({
      __kvm_tlb_flush_vmid_ipa: { count: 1, minNs: 1541, medianNs: 1541, p95Ns: 1541, maxNs: 1541 },
      kvm_pgtable_stage2_map: {
        count: 1,
        minNs: 12_250,
        medianNs: 12_250,
        p95Ns: 12_250,
        maxNs: 12_250,
      },
      // Not a stage-2 event, but the time of a whole fault.
      kvm_handle_guest_abort: {
        count: 1,
        minNs: 100_000,
        medianNs: 100_000,
        p95Ns: 100_000,
        maxNs: 100_000,
      },
    });
  });

  it("is read the same without its header, as from a pipe, in any chunks", async () => {
    const piped = text.split("\n").slice(4).join("\n");
    const whole = await readText(piped);
    expect(whole.info.layout).toBe("absolute times, CPU column, task column, durations");
    expect(whole.counts).toEqual({});
    expect(whole.rows).toHaveLength(6);
    expect((await readText(piped, [7])).rows).toEqual(whole.rows);
  });
});

describe("calls without arguments", () => {
  it("are losses where the replay needs them, and their returns say nothing", async () => {
    const { rows, counts, info, hasDataLoss } = await readText(
      [
        legend(" CPU  DURATION   "),
        " 0)               |  kvm_pgtable_stage2_unmap() {\n",
        " 0)   0.178 us    |    __kvm_tlb_flush_vmid_ipa();\n",
        " 0)   0.500 us    |    __kvm_flush_vm_context();\n",
        " 0)   6.200 us    |  }\n",
        " 0)   0.646 us    |  getname [some_module]();\n",
      ].join(""),
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["other", "other", "hw_vm_context", "other"]);
    expect(counts).toEqual({ MISSING_ARGUMENT: 2, ASSUMED: 2 });
    expect(hasDataLoss).toBe(true);
    expect(info.durations!.get("kvm_pgtable_stage2_unmap")).toMatchObject({
      count: 1,
      maxNs: 6200,
    });
    expect(info.durations!.get("__kvm_tlb_flush_vmid_ipa")).toMatchObject({ count: 1, maxNs: 178 });
    expect(info.eventsByName.get("getname")).toBe(1);
    // Nothing says when it was.
    expect(rows.every(({ tsNs }) => tsNs === 0)).toBe(true);
    expect([info.firstTsNs, info.lastTsNs]).toEqual([Number.NaN, Number.NaN]);
  });

  it("or with some of them cut are losses too", async () => {
    const { rows, counts, examples } = await readText(
      `${legend(" CPU  DURATION   ")} 0)   1.000 us    |  kvm_pgtable_stage2_map(pgt=${PGT}, addr=0x1000, ...);\n`,
    );
    expect(rows).toMatchObject([{ kind: "other" }]);
    expect(counts).toEqual({ MISSING_ARGUMENT: 1, ASSUMED: 2 });
    expect(examples[0]).toContain("no argument gives len, phys, prot");
  });
});

describe("returns", () => {
  const call = ` 0)               |  kvm_pgtable_stage2_unmap(${UNMAP_ARGS}) {\n`;
  const ends: readonly (readonly [string, number | undefined])[] = [
    ["}", undefined],
    ["} /* kvm_pgtable_stage2_unmap */", undefined],
    ["} /* = 0x0 */", 0],
    ["} /* kvm_pgtable_stage2_unmap = -22 */", -22],
    ["} /* kvm_pgtable_stage2_unmap [kvm] = 0xfffffff5 */", -11],
    ["} /* kvm_pgtable_stage2_unmap ret=-11 */", -11],
    ["} /* ret=0x0 */", 0],
  ];
  for (const [end, value] of ends) {
    it(`are read: ${end}`, async () => {
      const { rows, counts, examples } = await readText(
        `${legend(" CPU  DURATION   ")}${call} 0)   6.200 us    |  ${end}\n`,
      );
      expect(rows).toMatchObject([UNMAP, { kind: "unmap_ret", line: 6 }]);
      expect(rows[1]?.arg0).toBe(value);
      expect(counts).toEqual({ ASSUMED: value === undefined ? 3 : 2 });
      if (value === undefined)
        expect(examples.join()).toContain("1 calls return without their value");
    });
  }

  it("stand in the line of a call that calls nothing", async () => {
    const leaf = `kvm_pgtable_stage2_unmap(${UNMAP_ARGS});`;
    const { rows } = await readText(
      [
        legend(" CPU  DURATION   "),
        ` 0)   6.200 us    |  ${leaf} /* = 0x0 */\n`,
        ` 0)   6.200 us    |  ${leaf} /* <-stage2_apply_range+0xd8/0x110 ret=-11 */\n`,
        ` 0)   6.200 us    |  ${leaf} /* <-stage2_apply_range+0xd8/0x110 */\n`,
      ].join(""),
    );
    expect(rows.map(({ kind, arg0 }) => [kind, arg0])).toEqual([
      ["unmap", undefined],
      ["unmap_ret", 0],
      ["unmap", undefined],
      ["unmap_ret", -11],
      ["unmap", undefined],
      ["unmap_ret", undefined],
    ]);
  });

  it("belong to the call at their depth, on their CPU", async () => {
    const { rows, info } = await readText(
      [
        legend(" CPU  DURATION   "),
        ` 0)               |  kvm_pgtable_stage2_unmap(${UNMAP_ARGS}) {\n`,
        ` 1)               |  kvm_pgtable_stage2_wrprotect(${UNMAP_ARGS}) {\n`,
        " 0)               |    other() {\n",
        " 1)   2.000 us    |  }\n",
        // The end of other() was lost.
        " 0)   3.000 us    |  }\n",
        " 0)   4.000 us    |  }\n",
      ].join(""),
    );
    expect(rows.map(({ kind, cpu, pid }) => [kind, cpu, pid])).toEqual([
      ["unmap", 0, -2],
      ["wrprotect", 1, -3],
      ["other", 0, -2],
      ["wrprotect_ret", 1, -3],
      ["unmap_ret", 0, -2],
    ]);
    expect(info.durations!.get("kvm_pgtable_stage2_unmap")).toMatchObject({
      count: 1,
      maxNs: 3000,
    });
  });
});

describe("switches between tasks", () => {
  it("tell whose lines follow, and a task is found again on another CPU", async () => {
    const unmap = `kvm_pgtable_stage2_unmap(${UNMAP_ARGS}) {\n`;
    const { rows, counts, examples } = await readText(
      [
        legend(" CPU  DURATION   "),
        ` 0)               |  ${unmap}`,
        RULE,
        " 0)   <...>-1994   =>   a => b-77   \n",
        `${RULE}\n`,
        ` 0)               |  ${unmap}`,
        RULE,
        " 0)   a => b-77   =>   <...>-1994  \n",
        `${RULE}\n`,
        " 0)   9.000 us    |  }\n",
        RULE,
        " 1)    idle-0     =>   a => b-77  \n",
        `${RULE}\n`,
        " 1)   8.000 us    |  }\n",
      ].join(""),
    );
    expect(rows.map(({ kind, cpu, pid }) => [kind, cpu, pid])).toEqual([
      ["unmap", 0, -2],
      ["unmap", 0, 77],
      ["unmap_ret", 0, -2],
      ["unmap_ret", 1, 77],
    ]);
    expect(counts).toEqual({ ASSUMED: 3 });
    expect(examples.slice(0, 2)).toEqual([NO_TIMES, NO_TASKS]);
  });
});

describe("columns", () => {
  const unmap = `kvm_pgtable_stage2_unmap(${UNMAP_ARGS});`;
  const layouts: readonly (readonly [string, string, string])[] = [
    [
      " CPU  DURATION   ",
      " 0)   6.200 us    |  @",
      "no times, CPU column, no task column, durations",
    ],
    [
      " CPU  DURATION   ",
      "0)   6.200 us    |  @",
      "no times, CPU column, no task column, durations",
    ],
    [
      " CPU  DURATION   ",
      " 12) $ 12345678 us |  @",
      "no times, CPU column, no task column, durations",
    ],
    [
      " CPU  DURATION   ",
      " 12) * 123456.7 us |  @",
      "no times, CPU column, no task column, durations",
    ],
    [" CPU", "   0) @", "no times, CPU column, no task column, no durations"],
    [
      " CPU  TASK/PID         DURATION   ",
      " 0)    sh-4802     |   6.200 us    |  @",
      "no times, CPU column, task column, durations",
    ],
    [
      "  TASK/PID         DURATION   ",
      "   sh-4802     |   6.200 us    |  @",
      "no times, no CPU column, task column, durations",
    ],
    [
      "   REL TIME      CPU  DURATION   ",
      "        7 us |   0)   6.200 us    |  @",
      "times count from the buffer's start, CPU column, no task column, durations",
    ],
    [
      " CPU||||     DURATION   ",
      " 0)  d..1. |   6.200 us    |  @",
      "no times, CPU column, no task column, latency format, durations",
    ],
  ];
  for (const [columns, template, description] of layouts) {
    it(`are read: ${description} (${template})`, async () => {
      const line = `${template.replace("@", unmap)}\n`;
      const { rows, info, counts } = await readText(legend(columns) + line + line);
      expect(rows.filter(({ kind }) => kind === "unmap")).toMatchObject([UNMAP, UNMAP]);
      expect(info.layout).toBe(description);
      expect(Object.keys(counts)).toEqual(["ASSUMED"]);
    });
  }

  it("of tasks are not misled by a name", async () => {
    for (const comm of [" | f();", "a-1", "|", "1) x", "} /* "]) {
      const task = `${comm.slice(0, 7)}-4802`;
      const column = task.padStart(Math.floor((14 + task.length) / 2)).padEnd(14);
      const { rows, counts } = await readText(
        `${legend(" CPU  TASK/PID         DURATION   ")} 0) ${column} |   6.200 us    |  ${unmap}\n`,
      );
      expect(rows, comm).toMatchObject([{ ...UNMAP, pid: 4802 }, { kind: "unmap_ret" }]);
      expect(counts, comm).toEqual({ ASSUMED: 2 });
    }
  });
});

describe("what else stands in such a text", () => {
  it("is known: interrupts, overruns, structures as arguments", async () => {
    const { counts, rows } = await readText(
      [
        legend(" CPU  DURATION   "),
        " 0)   ==========> |\n 0)   <========== |\n (Overruns: 0)\n",
        ` 0)   1.000 us    |  kvm_pgtable_stage2_unmap(pgt=${PGT}, range=(range)[0x1, 0x2], addr=0x180000, size=0x200000);\n`,
      ].join(""),
    );
    expect(rows).toMatchObject([UNMAP, { kind: "unmap_ret" }]);
    expect(counts).toEqual({ ASSUMED: 3 });
  });

  it("is a loss that the pipe tells of, with its place; calls that were open are over", async () => {
    const { rows, counts } = await readText(
      [
        legend(" CPU  DURATION   "),
        ` 0)               |  kvm_pgtable_stage2_unmap(${UNMAP_ARGS}) {\n`,
        "CPU:0 [LOST 12 EVENTS]\n",
        " 0)   9.000 us    |  }\n",
      ].join(""),
    );
    expect(rows.map(({ kind, arg0 }) => [kind, arg0])).toEqual([
      ["unmap", undefined],
      ["lost", 12],
    ]);
    expect(counts).toEqual({ EVENTS_LOST: 12, ASSUMED: 2 });
  });

  it("may be a marker's text, over several lines", async () => {
    const { rows, counts } = await readText(
      [
        legend(" CPU  DURATION   "),
        " 0)               |  /* hello */\n",
        " 0)               |  /* one\ntwo\n 0) three */\n",
        " 0)   1.000 us    |  f();\nwhat\n",
      ].join(""),
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["marker", "marker", "other"]);
    expect(counts).toEqual({ MARKER_CONTINUED: 2, UNPARSED_LINE: 1, ASSUMED: 2 });
  });
});

describe("a trace of function_graph that cannot be read", () => {
  it("is refused with the reason", async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      [`${legend("  DURATION   ")}   0.541 us    |  f();\n`, /neither a CPU nor a task/],
      [`${legend(" CPU  DURATION   ")}nothing of the kind\n`, /none of its first lines/],
    ];
    for (const [text, message] of cases) {
      expect(await refusal(text)).toMatchObject({
        code: "UNSUPPORTED_LAYOUT",
        message: expect.stringMatching(message),
        hint: expect.stringContaining("funcgraph-args"),
      });
    }
  });

  it("is none where it is empty", async () => {
    const { rows, info } = await readText(legend(" CPU  DURATION   "));
    expect([rows, info.format]).toEqual([[], "function-graph"]);
  });
});
