import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { type ReadTrace, readText } from "../../testing/read-text.ts";

const PROBES = fileURLToPath(
  new URL("../../../fixtures/captures/tiny-612/kprobes.txt", import.meta.url),
);

const MAP_ARGUMENTS =
  "pgt=0xfff00000c112bcc0 mmu=0xffff80008258d9c8 addr=0x180000 size=0x1000 phys=0x102f3b000 prot=0x7 flags=0x18";
const MAP = `map:                  (ffff80008009f450) ${MAP_ARGUMENTS}`;
const RETURN = "map_ret:              (ffff80008009f450 <- ffff800080063694) ret=-12";

/** A line of trace-cmd 3.3.1; `context` is what stands between the comm and the event. */
function line(text: string, context = "-600   [001] d....    34.478548: ", comm = "vcpu"): string {
  return `${comm.padStart(16)}${context}${text}\n`;
}

async function read(text: string): Promise<ReadTrace> {
  return readText(text, [65536], { probes: PROBES });
}

async function refusal(text: string, options: object): Promise<unknown> {
  return readText(text, [65536], options).then(
    () => "read",
    (error: unknown) => error,
  );
}

describe("layouts of trace-cmd report", () => {
  const mapRow = {
    kind: "map",
    cpu: 1,
    pid: 600,
    pgt: "0xfff00000c112bcc0",
    mmu: "0xffff80008258d9c8",
    addr: 0x180000,
    len: 0x1000,
    phys: 0x102f3b000,
    prot: 7n,
    arg0: 0x18,
  };
  const RAW_MAP = `map:                   __probe_ip=ffff80008009f450 ${MAP_ARGUMENTS}`;
  const RAW_RETURN =
    "map_ret:               __probe_func=ffff80008009f450 __probe_ret_ip=ffff800080063694 ret=-12";
  /** What stands before the event, the lines' texts, base in ns (or ticks), the layout in words. */
  const layouts: readonly (readonly [string, string, string, bigint, string])[] = [
    [
      "-600   [001]    34.478548: ",
      MAP,
      RETURN,
      34_478_548_000n,
      "no flags column, times in micro",
    ],
    ["-600   [001] d....    34.478548: ", MAP, RETURN, 34_478_548_000n, "flags column (5 letters)"],
    ["-600   [001] dN..1... 34.478548: ", MAP, RETURN, 34_478_548_000n, "flags column (8 letters)"],
    ["-600   [001] d....    34.478548123: ", MAP, RETURN, 34_478_548_123n, "nanoseconds (-t)"],
    ["-600   [001] d.... 34478548123: ", MAP, RETURN, 34_478_548_123n, "times as integers"],
    ["-600   [001] 34478548123: ", MAP, RETURN, 34_478_548_123n, "times as integers"],
    ["-600   [001]34478548123: ", MAP, RETURN, 34_478_548_123n, "times as integers"],
    ["-600   [001]    34.478548: (+35)    ", MAP, RETURN, 34_478_548_000n, "(--ts-diff)"],
    ["-600   [001]    34.478548:          ", MAP, RETURN, 34_478_548_000n, "(--ts-diff)"],
    ["-600   [001]-0x24    34.478548: ", RAW_MAP, RAW_RETURN, 34_478_548_000n, "one by one (-R)"],
    ["-600   [001]    34.478548: ", RAW_MAP, RAW_RETURN, 34_478_548_000n, "one by one (-R)"],
    ["-600   [001]-0x24 34.478548123: (+35)  ", RAW_MAP, RAW_RETURN, 34_478_548_123n, "-R"],
    ["-600   [001] d.... 34478548123: (+35)  ", MAP, RETURN, 34_478_548_123n, "times as integers"],
  ];
  for (const [context, map, returned, baseNs, layout] of layouts) {
    it(`are read: ${layout} (${context.trim()})`, async () => {
      const text = `cpus=2\n${line(map, context)}${line(returned, context)}`;
      const { rows, info, counts } = await read(text);
      expect(rows).toMatchObject([
        { ...mapRow, line: 2 },
        { kind: "map_ret", arg0: -12, cpu: 1, pid: 600, line: 3 },
      ]);
      expect(info).toMatchObject({ format: "trace-cmd-report", baseNs, lines: 3, events: 2 });
      expect(info.layout).toContain(layout);
      expect(info.layout).toMatch(/, functions of probes by kprobes\.txt$/);
      expect(counts).toEqual(layout.startsWith("times as") ? { ASSUMED: 1 } : {});
    });
  }

  it("are read with the short columns of -l", async () => {
    const text = `cpus=2\nkvm_page-600     1d....    34.478548: ${MAP}\nkvm_page-600   113-0x1    34.478549: (+1)  ${RAW_MAP}\n`;
    const { rows, info } = await read(text);
    expect(rows).toMatchObject([mapRow, { ...mapRow, cpu: 113 }]);
    expect(info.layout).toMatch(/^short columns \(-l\), flags column \(5 letters\)/);
  });

  it("are read with the name of an instance before each line, which a loss takes away", async () => {
    const { rows, info, counts } = await read(
      [
        "  kv: cpus=2\n",
        `  kv: ${line(MAP)}`,
        "      CPU:1 [3 EVENTS DROPPED]\n",
        line(MAP),
        `      ${line(MAP)}`,
        line(MAP),
      ].join(""),
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["map", "lost", "map", "map"]);
    expect(counts).toEqual({ EVENTS_LOST: 3, UNPARSED_LINE: 1 });
    expect(info.layout).toContain("a name of an instance or a file before each line");
  });

  it("are read with such names together with -t, --ts-diff and -R", async () => {
    const context = "-600   [001]-0x24 34.478548123: (+35)  ";
    const { rows, info, counts } = await read(
      `kv: cpus=2\nkv: ${line(RAW_MAP, context)}kv: ${line(RAW_RETURN, context)}`,
    );
    expect(rows).toMatchObject([mapRow, { kind: "map_ret", arg0: -12 }]);
    expect(info.layout).toContain("times in nanoseconds (-t), time differences (--ts-diff)");
    expect(counts).toEqual({});
  });

  it("are said to be of one machine where several names stand before the lines", async () => {
    const { examples, rows } = await read(`a: cpus=2\na: ${line(MAP)}b: ${line(MAP)}`);
    expect(rows).toHaveLength(2);
    expect(examples).toEqual(["ASSUMED the lines of a: b: are of one machine"]);
  });

  it("are read without the first line, and with other first lines", async () => {
    for (const first of ["", "version = 6\ncpus=2\n", "version = 7\ncpus=2\nCPU 1 is empty\n"]) {
      const { rows, info, counts } = await read(first + line(MAP) + line(RETURN));
      expect([rows.length, info.format, counts]).toEqual([2, "trace-cmd-report", {}]);
    }
    const { info } = await read("cpus=2\n");
    expect(info).toMatchObject({ events: 0, layout: expect.stringContaining("no event seen") });
  });

  it("are not misled by what a comm holds", async () => {
    for (const comm of [
      "a-1 [000] 1.0:",
      "[001] d.... 2:",
      "CPU:0 [EVENTS",
      "-600   [002] ",
      "#",
    ]) {
      const { rows, counts } = await read(`cpus=2\n${line(MAP, undefined, comm)}`);
      expect([rows, counts]).toMatchObject([[mapRow], {}]);
    }
  });
});

describe("texts of trace-cmd report", () => {
  it("of tracepoints are read as the kernel's are, and field by field", async () => {
    const texts = [
      "kvm_guest_fault:      ipa 0x180000, hsr 0x82000085, hxfar 0x4009a4, pc 0x000000004009a4",
      "kvm_guest_fault:       vcpu_pc=0x000000004009a4 hsr=0x82000085 hxfar=0x4009a4 ipa=0x180000",
      "kvm_guest_fault:       vcpu_pc=4196772 hsr=2181038213 hxfar=0x4009a4 ipa=1572864",
      "kvm_unmap_hva_range:  mmu notifier unmap range: 0x00ffff81183000 -- 0x00ffff81184000",
      "kvm_unmap_hva_range:   start=0x00ffff81183000 end=0x00ffff81184000",
      "kvm_access_fault:      ipa=0x180000",
      "kvm_test_age_hva:      hva=0x00ffff81183000",
      "kvm_userspace_exit:   reason KVM_EXIT_MMIO (6)",
      "kvm_userspace_exit:    reason=6 errno=0",
      "kvm_userspace_exit:    reason=0 errno=-4",
      "kvm_dirty_ring_exit:   vcpu_id=3",
      "kvm_exit:             <CANT FIND FIELD exit_reason>TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: 0x0",
      'kvm_entry:            CAN\'T FIND FIELD "vcpu_id"<CANT FIND FIELD rip>PC: 0x0000000000400b70',
    ];
    const { rows, counts } = await read(`cpus=2\n${texts.map((text) => line(text)).join("")}`);
    const fault = { kind: "guest_fault", addr: 0x180000, arg0: 0x82000085 };
    const unmap = { kind: "unmap_hva", addr: 0xffff81183000, len: 0x1000 };
    const exit = { kind: "userspace_exit", arg0: 6 };
    expect(rows).toMatchObject([
      fault,
      fault,
      fault,
      unmap,
      unmap,
      { kind: "access_fault", addr: 0x180000 },
      { kind: "test_age_hva", addr: 0xffff81183000 },
      exit,
      exit,
      { kind: "userspace_exit", arg0: -4 },
      { kind: "vcpu_event", arg0: 3 },
      { kind: "kvm_exit" },
      { kind: "kvm_entry" },
    ]);
    expect(counts).toEqual({});
  });

  it("of probes may have a symbol with its address behind it", async () => {
    const raw =
      "apply_range:           __probe_ip=ffff800080060ab8 obj=0xffff80008258d9c8 addr=0x180000 end=0x181000 fn=kvm_pgtable_stage2_unmap+0x0 (0xffff80008009f688) resched=1";
    const { rows, counts } = await read(`cpus=2\n${line(raw)}`);
    expect(rows).toMatchObject([{ kind: "apply_range", addr: 0x180000, len: 0x1000, arg0: 1 }]);
    expect(counts).toEqual({});
  });

  it("that trace-cmd could not take apart are read field by field, and that is noted", async () => {
    const { rows, counts } = await read(
      [
        "cpus=2\n",
        line(
          "kvm_guest_fault:      [FAILED TO PARSE] vcpu_pc=0x1 hsr=0x82000085 hxfar=0x1 ipa=0x180000",
        ),
        line("kvm_sys_access:       [FAILED TO PARSE] vcpu_pc=0x80000008 is_write=1"),
        line(
          `map:                  [FAILED TO PARSE] __probe_ip=0xffff80008009f450 ${MAP_ARGUMENTS}`,
        ),
        line("kvm_guest_fault:      [FAILED TO PARSE] hsr=0x82000085"),
      ].join(""),
    );
    const kinds = rows.map(({ kind }) => kind);
    expect(kinds).toEqual(["guest_fault", "vcpu_event", "map", "other"]);
    expect(rows[0]).toMatchObject({ addr: 0x180000, arg0: 0x82000085 });
    expect(counts).toEqual({ TEXT_NOT_PARSED: 4, MISSING_ARGUMENT: 1 });
  });
});

describe("losses in a report", () => {
  it("are placed where trace-cmd says that events were dropped", async () => {
    const { rows, counts } = await read(
      `cpus=2\nCPU:0 [EVENTS DROPPED]\n${line(MAP)}CPU:1 [15051 EVENTS DROPPED]\n${line(MAP)}`,
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["lost", "map", "lost", "map"]);
    expect(rows[0]).toMatchObject({ cpu: 0, pid: -1, tsNs: 0, line: 2 });
    expect(rows[0]).not.toHaveProperty("arg0");
    expect(rows[2]).toMatchObject({ cpu: 1, arg0: 15_051, line: 4 });
    expect(counts).toEqual({ EVENTS_LOST: 15_052 });
  });

  it("are lines that are no event, fields that are missing and probes that are not known", async () => {
    const { rows, counts, lines } = await read(
      [
        "cpus=2\n",
        line(MAP),
        "what is this\n",
        line("kvm_guest_fault:      <CANT FIND FIELD ipa>ipa 0x"),
        line(
          "unmap:                (ffff80008009f688) pgt=0x1 size=0x1 addr=<CANT FIND FIELD addr>",
        ),
        line("mine:                 (ffff80008009f688) pgt=0x1 addr=0x1 size=0x1"),
        line(MAP, "-600   [001]    123: "),
        line(MAP, "-600   [001]    34.4785: "),
        line("no colon"),
      ].join(""),
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["map", "other", "other"]);
    expect(counts).toEqual({ UNPARSED_LINE: 5, BAD_NUMBER: 1, MISSING_ARGUMENT: 1 });
    expect(new Set(lines)).toEqual(new Set([3, 4, 5, 6, 7, 8, 9]));
  });

  it("are not what belongs to a marker, a stack trace or trace-cmd's own account", async () => {
    const { rows, counts } = await read(
      [
        "version = 7\ncpus=2\nCPU:0 [SUBBUFFER START] [34356476975:0x1000]\n TIME EXTEND: delta:1 length:0\n",
        line("kernel_stack:         <stack trace >"),
        "=> do_idle (ffff800080100000)\n => x\n\n",
        line("print:                tracing_mark_write: two"),
        "lines\n",
      ].join(""),
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["other", "marker"]);
    expect(counts).toEqual({ MARKER_CONTINUED: 1 });
  });
});

describe("a report that cannot be read", () => {
  it("is refused where nothing says which functions its probes are on, with -R or without", async () => {
    const raw = `map:                   __probe_ip=ffff80008009f450 ${MAP_ARGUMENTS}`;
    for (const text of [MAP, raw]) {
      expect(await refusal(`cpus=2\n${line(text)}`, {})).toMatchObject({
        code: "UNSUPPORTED_LAYOUT",
        message: expect.stringMatching(
          /^trace-cmd report printed the probes .* without their func/,
        ),
        hint: expect.stringMatching(/kprobe_events.*--probes/),
      });
    }
    // Without probes there is nothing to tell.
    expect(await refusal(`cpus=2\n${line("kvm_entry:            PC: 0x0")}`, {})).toBe("read");
  });

  it("is refused where its lines are others than a report has", async () => {
    for (const text of ["cpus=2\nnothing of the kind\n", "nothing of the kind\n"]) {
      expect(await refusal(text, { inputFormat: "trace-cmd-report" })).toMatchObject({
        code: "UNSUPPORTED_LAYOUT",
        message: expect.stringContaining("not the text of trace-cmd report"),
      });
    }
  });

  it("is refused with a probe list that cannot be used", async () => {
    const text = `cpus=2\n${line(MAP)}`;
    expect(await refusal(text, { probes: `${PROBES}.none` })).toMatchObject({ code: "UNREADABLE" });
    const other = fileURLToPath(import.meta.url);
    expect(await refusal(text, { probes: other })).toMatchObject({ code: "BAD_OPTION" });
  });
});

/** A line with the place of its record behind it. */
const place = (text: string, at: string): string => `${text.trimEnd()} [12770284:${at}:64]\n`;

describe("trace-cmd report --debug", () => {
  it("is read, the places of the records left out", async () => {
    const text = [
      "cpus=2\n",
      "CPU:1 [SUBBUFFER START] [34478548000:0x1320000]\n",
      place(line(MAP), "0x10"),
      " TIME EXTEND: delta:306454770 length:0\n",
      place(line(RETURN), "0x2e8"),
    ].join("");
    const { rows, counts, info } = await read(text);
    const plain = await read(`cpus=2\n\n${line(MAP)}\n${line(RETURN)}`);
    expect(rows).toEqual(plain.rows);
    expect(rows.map(({ kind }) => kind)).toEqual(["map", "map_ret"]);
    expect(counts).toEqual({});
    expect(info.layout).toContain("places of the records (--debug)");
  });

  it("is not seen in what one marker printed", async () => {
    const marker = line("print:                tracing_mark_write: a [1:0x10:64]");
    const { info, rows } = await read(`cpus=2\n${marker}${line(MAP)}${line(MAP)}`);
    expect(info.layout).not.toContain("--debug");
    expect(rows).toHaveLength(3);
  });
});
