import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type ReadTrace, readText } from "../../testing/read-text.ts";

const FIXTURES = new URL("../../../fixtures/", import.meta.url);
const ATTACHING = "Attaching 3 probes...\n";
const PGT = "0xfff00000c112bcc0";
const UNMAP = `kprobe:kvm_pgtable_stage2_unmap pgt=${PGT} addr=0x180000 size=0x1000`;
const UNMAP_ROW = { kind: "unmap", pgt: PGT, addr: 0x180000, len: 0x1000 };

function line(text = UNMAP, comm = "CPU 0/KVM", ns = 5_143_549_416_035): string {
  return `s2| ${ns} 1 19989 ${text} | ${comm}\n`;
}

async function withTemplate(text: string, lineTemplate: string): Promise<ReadTrace> {
  return readText(text, [65536], { lineTemplate });
}

async function refusal(text: string, options: object): Promise<unknown> {
  return readText(text, [65536], options).then(
    () => "read",
    (error: unknown) => error,
  );
}

/** What `stage2.bt` prints, each probe firing once with small values. */
function printedByProgram(): string {
  const program = readFileSync(new URL("bpftrace/stage2.bt", FIXTURES), "utf8");
  const values: Record<string, string> = {
    cpu: "1",
    tid: "7",
    comm: "a | b=0x1",
    "ksym(arg3)": "kvm_pgtable_stage2_unmap",
    "(int32)retval": "-11",
    "(int32)arg2": "-1",
    "args.ipa": "180000",
    "args.hsr": "92000007",
  };
  let ns = 1_000_000_000;
  const printed = [...program.matchAll(/printf\("(.*)\\n"(?:, (.*))?\);/g)].map((call) => {
    const [, format = "", list = ""] = call;
    const expressions = list === "" ? [] : list.split(", ");
    ns += 1000;
    return `${format.replaceAll(/%(?:llu|llx|d|s)/g, () => {
      const expression = expressions.shift() ?? "";
      const argument = /^arg(\d)$/.exec(expression)?.[1];
      if (expression === "nsecs") return String(ns);
      return values[expression] ?? `${Number(argument) + 1}000`;
    })}\n`;
  });
  return ATTACHING + printed.join("");
}

describe("our bpftrace program", () => {
  it("prints lines that are read whole, each probe as what it is", async () => {
    const { rows, counts, info } = await readText(printedByProgram());
    expect(counts).toEqual({});
    expect(rows.map(({ kind }) => kind)).toEqual([
      "map",
      "unmap",
      "wrprotect",
      "relax_perms",
      "mkyoung",
      "split",
      "destroy",
      "apply_range",
      "unmap_gfn",
      "age_gfn",
      "enable_log_pt_masked",
      "remote",
      "arch_remote_range",
      "tlb_range",
      "hw_vmid",
      "hw_vmid_ipa",
      "hw_vmid_ipa_nsh",
      "hw_vmid_range",
      "hw_cpu_context",
      "hw_vm_context",
      "map_ret",
      "unmap_ret",
      "wrprotect_ret",
      "relax_perms_ret",
      "split_ret",
      "guest_fault",
      "kvm_entry",
      "kvm_exit",
    ]);
    expect(rows[0]).toMatchObject({ pgt: "0x1000", addr: 0x2000, len: 0x3000, phys: 0x4000 });
    expect(rows[0]).toMatchObject({ prot: 0x5000n, cpu: 1, pid: 7, tsNs: 0 });
    expect(rows[7]).toMatchObject({ addr: 0x2000, len: 0x1000, arg0: 1 });
    expect(rows[15]).toMatchObject({ mmu: "0x1000", addr: 0x2000, arg0: -1 });
    expect(rows[20]).toMatchObject({ arg0: -11, tsNs: 20_000 });
    expect(rows[25]).toMatchObject({ addr: 0x180000, arg0: 0x92000007 });
    expect(info).toMatchObject({ format: "bpftrace", layout: "lines of our program", events: 28 });
    expect(info.eventsByName.get("kvm_pgtable_stage2_map%return")).toBe(1);
  });

  it("prints the same as -f json", async () => {
    const text = printedByProgram();
    const json = text
      .split("\n")
      .filter((printed) => printed !== "" && !printed.startsWith("Attaching"))
      .map((printed) => JSON.stringify({ type: "printf", data: `${printed}\n` }));
    const attached = JSON.stringify({ type: "attached_probes", data: { probes: 3 } });
    const fromJson = await readText(`${[attached, ...json].join("\n")}\n`);
    const fromText = await readText(text);
    expect(fromJson.counts).toEqual({});
    expect(fromJson.rows).toEqual(fromText.rows);
    expect(fromJson.info.layout).toBe("lines of our program, as JSON");
  });
});

/** Lines of a kernel's text whose meaning bpftrace can print too, and the same as our program prints them. */
function bothTexts(): readonly [string, string] {
  const trace = new URL("captures/tiny-612/trace.txt.gz", FIXTURES);
  const kernel: string[] = [];
  const printed: string[] = [];
  const CONTEXT = /^(.{16})-(\d+) +\[(\d+)\] \S+ +(\d+)\.(\d{6}): (\w+): (.*)$/;
  for (const text of gunzipSync(readFileSync(trace)).toString("latin1").split("\n")) {
    const [, comm = "", pid, cpu, seconds, micros, name, body = ""] = CONTEXT.exec(text) ?? [];
    const entry = /^\(([\w.]+)\+0x\w+\/0x\w+\)(.*)$/.exec(body);
    const returned = /^\(\S+ <- (\w+)\)(.*)$/.exec(body);
    const fault = /^ipa (\S+), hsr (\S+),/.exec(body);
    let event: string | undefined;
    if (entry !== null) event = `kprobe:${entry[1]}${entry[2]}`;
    else if (returned !== null) event = `kretprobe:${returned[1]}${returned[2]}`;
    else if (name === "kvm_guest_fault") event = `kvm:${name} ipa=${fault?.[1]} hsr=${fault?.[2]}`;
    else if (name === "kvm_entry" || name === "kvm_exit") event = `kvm:${name}`;
    if (event === undefined) continue;
    kernel.push(text);
    const ns = `${seconds === "0" ? "" : seconds}${micros}000`;
    printed.push(`s2| ${ns} ${Number(cpu)} ${pid} ${event} | ${comm.trimStart()}`);
  }
  return [`${kernel.join("\n")}\n`, `${ATTACHING}${printed.join("\n")}\n`];
}

describe("a capture as bpftrace would have printed it", () => {
  it("gives the events of the kernel's text", async () => {
    const [kernel, printed] = bothTexts();
    const expected = await readText(kernel);
    const found = await readText(printed, [4093]);
    expect(expected.rows.length).toBeGreaterThan(3000);
    expect(found.counts).toEqual({});
    const shifted = expected.rows.map((row) => ({ ...row, line: row.line + 1 }));
    expect(found.rows).toEqual(shifted);
    expect(found.info.baseNs).toBe(expected.info.baseNs);
  });
});

describe("what bpftrace prints beside events", () => {
  it("is known: losses with their place, maps, comments, empty lines", async () => {
    const { rows, counts } = await readText(
      [
        ATTACHING,
        line(),
        "Lost 12 events\n",
        line(undefined, undefined, 5_143_549_416_036),
        "\n@calls: 12\n@sizes[kvm, 3]: 4\n@h: \n[1]                    5 |@@@@    |\n[2, 4)  7 |@@@|\n",
        "# mine\n",
      ].join(""),
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["unmap", "lost", "unmap"]);
    expect(rows[1]).toMatchObject({ cpu: 65_535, pid: -1, arg0: 12, line: 3 });
    expect(counts).toEqual({ EVENTS_LOST: 12, PROGRAM_OUTPUT: 5 });
  });

  it("is known as JSON too", async () => {
    const records = [
      { type: "attached_probes", data: { probes: 2 } },
      { type: "printf", data: line() },
      { type: "lost_events", data: { events: 7 } },
      { type: "map", data: { "@": 5 } },
      { type: "hist", data: { "@h": [{ min: 1, max: 1, count: 5 }] } },
      { type: "printf", data: "what is this\n" },
      { type: "lost_events", data: {} },
    ];
    const text = records.map((record) => JSON.stringify(record)).join("\n");
    const { rows, counts } = await readText(`${text}\n{"type": "pri\n`);
    expect(rows.map(({ kind }) => kind)).toEqual(["unmap", "lost", "lost"]);
    expect(rows[1]).toMatchObject({ arg0: 7 });
    expect(counts).toEqual({ EVENTS_LOST: 8, PROGRAM_OUTPUT: 2, UNPARSED_LINE: 2 });
  });

  it("is a loss where it is neither", async () => {
    const { counts, rows } = await readText(
      `${ATTACHING}${line()}s2| 1 1 1\nERROR: no\n${line(UNMAP.replace("0x1000", "lots"))}${line(UNMAP.replace(" addr", " x=1 y"))}`,
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["unmap", "other", "other"]);
    expect(counts).toMatchObject({ UNPARSED_LINE: 2, BAD_NUMBER: 1, MISSING_ARGUMENT: 1 });
  });

  it("is in the order of time, though the buffers of two CPUs were emptied one behind the other", async () => {
    const { rows, counts, hasDataLoss } = await readText(
      [3, 4, 1, 2, 4].map((s) => line(undefined, undefined, s * 1_000_000_000)).join(""),
    );
    expect(rows.map(({ line: at }) => at)).toEqual([3, 4, 1, 2, 5]);
    expect(counts).toEqual({ TIME_BACKWARDS: 1 });
    expect(hasDataLoss).toBe(false);
  });
});

describe("a task's name", () => {
  it("misleads nobody, whatever it holds", async () => {
    for (const comm of ["", " ", "|", "s2| 1 1 1 f | x", "addr=0x0", "| a=1 |", "Lost 5 events"]) {
      const { rows, counts } = await readText(ATTACHING + line(undefined, comm));
      expect([rows, counts], comm).toMatchObject([[UNMAP_ROW], {}]);
    }
  });

  it("may go on in the next line, as far as a name can be long", async () => {
    const { rows, counts } = await readText(
      ATTACHING + line(undefined, "a\nb\ns2| 1 1 1") + line(),
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["unmap", "unmap"]);
    expect(counts).toEqual({ MARKER_CONTINUED: 2 });
    const long = await readText(ATTACHING + line(undefined, "a\nbcdefghijklmnopq"));
    expect(long.counts).toEqual({ UNPARSED_LINE: 1 });
  });

  it("of at most 15 bytes cannot make an event", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 15 }), async (bytes) => {
        const comm = Buffer.from(bytes).toString("latin1");
        fc.pre(!/[\0]/.test(comm));
        const { rows } = await readText(line() + line(undefined, comm) + line());
        expect(rows.filter(({ kind }) => kind !== "lost")).toMatchObject([
          UNMAP_ROW,
          UNMAP_ROW,
          UNMAP_ROW,
        ]);
      }),
      { numRuns: 200 },
    );
  });
});

describe("a line template", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["{ts_ns} {cpu} {pid} {event} {args}", `2500000001 3 7 ${UNMAP}`],
    ["{ts_s} {cpu} {pid} {event} {args}", `2.500000001 3 7 ${UNMAP}`],
    [
      "[{ts_s}] cpu{cpu} {tgid}/{pid} {event}: {args}",
      UNMAP.replace(" ", ": ").replace(/^/, "[2.500000001] cpu3 1/7 "),
    ],
    ["{comm}-{pid} {cpu} {ts_ns} {event} {args}", `a-b c-7 3 2500000001 ${UNMAP}`],
    ["{comm:16}{pid} {cpu} {ts_ns} {event} {args}", `         1 2 3 47 3 2500000001 ${UNMAP}`],
    [
      "{skip} {ts_ns} {cpu} {pid} {args} {{{event}}}",
      `x 2500000001 3 7${UNMAP.replace(/\S+/, "")} {kprobe:kvm_pgtable_stage2_unmap}`,
    ],
    [
      "{event=kvm_pgtable_stage2_unmap} {ts_ns} {cpu} {pid} {args}",
      `2500000001   3    7   ${UNMAP.replace(/\S+ /, "")}`,
    ],
  ];
  for (const [template, text] of cases) {
    it(`is followed: ${template}`, async () => {
      const { rows, counts, info } = await withTemplate(`${text}\n${text}\n`, template);
      const row = { ...UNMAP_ROW, cpu: 3, pid: 7 };
      expect([rows, counts]).toMatchObject([[row, row], {}]);
      expect(info.baseNs).toBe(2_500_000_001n);
      expect(info.layout).toBe(`lines by template ${template}`);
    });
  }

  it("takes events by any of bpftrace's names", async () => {
    const names = [
      "kvm_pgtable_stage2_unmap",
      "kvm_pgtable_stage2_unmap+0",
      "fentry:kvm:kvm_pgtable_stage2_unmap",
      "kfunc:vmlinux:kvm_pgtable_stage2_unmap",
    ];
    const returns = ["kvm_pgtable_stage2_unmap%return", "fexit:vmlinux:kvm_pgtable_stage2_unmap"];
    const args = UNMAP.replace(/\S+/, "");
    const text = [
      ...names.map((name) => `1 0 7 ${name}${args}`),
      ...returns.map((name) => `1 0 7 ${name} ret=0`),
      "1 0 7 tracepoint:kvm:kvm_exit",
      "1 0 7 uprobe:/bin/sh:main x=1",
    ];
    const { rows, counts } = await withTemplate(
      `${text.join("\n")}\n`,
      "{ts_ns} {cpu} {pid} {event} {args}",
    );
    expect(rows.map(({ kind }) => kind)).toEqual([
      "unmap",
      "unmap",
      "unmap",
      "unmap",
      "unmap_ret",
      "unmap_ret",
      "kvm_exit",
      "other",
    ]);
    expect(counts).toEqual({});
  });

  it("loses a line whose name could end at several places", async () => {
    const template = "{ts_ns} {cpu} {comm} {pid} {event} {args}";
    const good = `1 0 vcpu 0 7 ${UNMAP}\n`;
    const bad = `1 0 a 5 x=1 7 ${UNMAP}\n`;
    const forged = `1 0 a 5 f 6 ${UNMAP}\n`;
    const { rows, counts } = await withTemplate(good + bad + forged, template);
    expect(rows).toMatchObject([{ pid: 7 }, { pid: 7 }, { pid: 6 }]);
    expect(counts).toEqual({});
    const ambiguous = await withTemplate(
      `${good}1 0 a 5 f 6 g 7 f\n`,
      "{ts_ns} {cpu} {comm} {pid} {event} {skip} {skip}",
    );
    expect(ambiguous.counts).toMatchObject({ UNPARSED_LINE: 1 });
  });

  it("says that no line names its CPU", async () => {
    const { rows, examples } = await withTemplate(`1 7 ${UNMAP}\n`, "{ts_ns} {pid} {event} {args}");
    expect(rows).toMatchObject([{ cpu: 65_535 }]);
    expect(examples).toEqual([expect.stringMatching(/^ASSUMED no line names its CPU/)]);
  });

  it("reads a layout of bpftrace that is not ours", async () => {
    const text = `${ATTACHING}5143549416035 1 19989 CPU 1/KVM gfn=0x2 spte=0x26ced6a25 lvl=1\n5143549480030 1 19989 CPU 1/KVM gfn=0x800 spte=0x12bc97e67 lvl=1\n5143567233857 0 19989 CPU 1/`;
    const { rows, counts } = await withTemplate(
      text,
      "{event=kvmmmu:kvm_mmu_set_spte} {ts_ns} {cpu} {pid} {comm} {args}",
    );
    expect(rows).toMatchObject([
      { kind: "set_spte", addr: 2, prot: 0x2_6ced_6a25n, cpu: 1, pid: 19_989, tsNs: 0 },
      { kind: "set_spte", addr: 0x800, tsNs: 63_995 },
      { kind: "other", tsNs: 17_817_822 },
    ]);
    expect(counts).toEqual({ MISSING_ARGUMENT: 1, UNTERMINATED_LINE: 1 });
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ["{ts_ns} {cpu} {pid}", /needs the event once/],
    ["{ts_ns} {pid} {event} {event=f}", /needs the event once/],
    ["{event=f} {event=g} {ts_ns} {pid}", /names two events/],
    ["{cpu} {pid} {event}", /needs one time/],
    ["{ts_ns} {ts_s} {pid} {event}", /needs one time/],
    ["{ts_ns} {event}", /needs \{pid\}/],
    ["{ts_ns} {pid} {pid} {event}", /has pid twice/],
    ["{ts_ns}{pid} {event}", /nothing between ts_ns and pid/],
    ["{ts_ns} {pid} {event}:{args}", /needs a blank before/],
    ["{ts_ns} {pid} {event} {what}", /unknown field \{what\}; there are ts_ns/],
    ["{ts_ns} {pid} {event} {comm:0}", /0 bytes wide/],
    ["{ts_ns} {pid:3} {event}", /gives pid a width/],
    ["{ts_ns} {pid=3} {event}", /gives pid a value/],
    ["{ts_ns} {pid} {event", /single \{/],
    ["{ts_ns} {pid} {event} }", /single \}/],
  ];
  for (const [template, message] of wrong) {
    it(`is refused: ${template}`, async () => {
      expect(await refusal(line(), { lineTemplate: template })).toMatchObject({
        code: "BAD_OPTION",
        message: expect.stringMatching(message),
        hint: expect.stringContaining("{ts_ns} {cpu} {pid} {event} {args}"),
      });
    });
  }
});

describe("output of bpftrace that cannot be read", () => {
  it("is refused where its layout is another program's", async () => {
    for (const text of [
      `${ATTACHING}5143549416035 1 19989 gfn=0x2\n`,
      '{"type": "printf", "data": "hello"}\n',
    ]) {
      expect(await refusal(text, {})).toMatchObject({
        code: "UNSUPPORTED_LAYOUT",
        message: expect.stringContaining("not ours"),
        hint: expect.stringContaining("--line-template"),
      });
    }
  });

  it("is refused where no line is of the template, or another format is asked for", async () => {
    const lineTemplate = "{ts_ns} {cpu} {pid} {event} {args}";
    expect(await refusal(line(), { lineTemplate })).toMatchObject({ code: "UNSUPPORTED_LAYOUT" });
    expect(await refusal(line(), { lineTemplate, inputFormat: "csv" })).toMatchObject({
      code: "BAD_OPTION",
    });
  });

  it("is read where it holds nothing yet", async () => {
    const { rows, info } = await readText(ATTACHING);
    expect([rows, info.format]).toEqual([[], "bpftrace"]);
  });
});
