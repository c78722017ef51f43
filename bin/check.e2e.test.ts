/**
 * `check` as a user runs it: child processes, real files, exit codes. Expected numbers are from the captures'
 * own records (capture.json, README) or counted in hand-made traces.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { text as readText } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { CheckReport, UnreadableReport } from "../reports/check/schema.ts";
import { CHECKED, UNREADABLE } from "../reports/check/schema.test.data.ts";

const ROOT = path.resolve(fileURLToPath(import.meta.url), "../..");
const EXECUTABLE = path.join(ROOT, "dist/bin/tlbi-replay.js");
const CAPTURES = path.join(ROOT, "fixtures/captures");

let work: string;
beforeAll(() => {
  work = fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-check-"));
});
afterAll(() => fs.rmSync(work, { recursive: true, force: true }));

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function check(args: readonly string[], stdin = ""): Promise<Outcome> {
  return run(["check", ...args], stdin);
}

async function run(args: readonly string[], stdin = ""): Promise<Outcome> {
  const child = spawn(process.execPath, [EXECUTABLE, ...args]);
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  const ended = once(child, "close");
  const [out, err] = await Promise.all([readText(child.stdout), readText(child.stderr)]);
  const [code] = (await ended) as [number];
  return { code, out, err };
}

/** One line of JSON, held against the documented schema. */
function parsed(printed: string): CheckReport {
  return v.parse(CHECKED, JSON.parse(printed));
}

async function json(
  trace: string,
  ...options: readonly string[]
): Promise<{ code: number; report: CheckReport }> {
  const { code, out } = await check([trace, "--format", "json", "--quiet", ...options]);
  expect(out.trimEnd().split("\n")).toHaveLength(1);
  return { code, report: parsed(out) };
}

const capture = (name: string): string => path.join(CAPTURES, name);
const textOf = (name: string): string =>
  gunzipSync(fs.readFileSync(path.join(CAPTURES, name, "trace.txt.gz"))).toString("latin1");

function statuses({ answers }: CheckReport): Record<string, string> {
  return Object.fromEntries(answers.map(({ answer, status }) => [answer, status]));
}
const stateOf = ({ probes }: CheckReport, name: string): string | undefined =>
  probes.functions.find((one) => one.function === name)?.state;
const errorOf = (report: CheckReport, code: string): CheckReport["errors"][number] | undefined =>
  report.errors.find((error) => error.code === code);

/** A file of its own folder, with files beside it. */
function folder(name: string, files: Readonly<Record<string, string>>): string {
  const directory = path.join(work, name);
  fs.mkdirSync(directory);
  for (const [file, content] of Object.entries(files)) {
    fs.writeFileSync(path.join(directory, file), content);
  }
  return directory;
}

const HEADER = "# tracer: nop\n#\n";
function line(time: string, event: string, cpu = 0, pid = 500): string {
  return `            vmm-${pid}     [00${cpu}] d....    ${time}: ${event}\n`;
}
const PGT = "pgt=0xffff000010000000 mmu=0xffff800080000880";
const MAP = `map: (kvm_pgtable_stage2_map+0x0/0x140) ${PGT} addr=0x40000000 size=0x1000 phys=0x1000 prot=0x7`;
const MAP_RET = "map_ret: (kvm_handle_guest_abort+0x42c/0xfb8 <- kvm_pgtable_stage2_map) ret=0";
const UNMAP = `unmap: (kvm_pgtable_stage2_unmap+0x0/0xc0) ${PGT} addr=0x40000000 size=0x1000`;
const UNMAP_RET = "unmap_ret: (stage2_apply_range+0xd8/0x110 <- kvm_pgtable_stage2_unmap) ret=0";

describe("complete captures", () => {
  it("tiny-612: everything is told, nothing is wrong", async () => {
    const { code, report } = await json(capture("tiny-612"));
    expect(code).toBe(0);
    expect(report.verdict.level).toBe("complete");
    expect(report.input).toMatchObject({
      format: "ftrace-text",
      compression: "gzip",
      events: 6940,
    });
    expect(report.input.sha256).toMatch(/^[0-9a-f]{64}$/);
    // From capture.json and per_cpu_stats.txt.
    expect(report.events.by_cpu).toEqual({ 0: 89, 1: 6851 });
    expect(report.events.by_kind).toMatchObject({
      map: 271,
      hw_vmid_ipa: 4,
      hw_vmid_ipa_nsh: 256,
      hw_vmid_range: 9,
    });
    expect(report.time).toMatchObject({ clock: "mono", unit: "ns", resolution: "us" });
    expect(report.machine.architecture).toBe("arm64");
    expect(report.machine.settings).toContainEqual({
      name: "kernel",
      value: "6.12.107 (debian)",
      origin: "capture.json",
    });
    expect(report.losses).toMatchObject({ events_lost: 0, unreadable: 0, intervals: [] });
    expect(report.probes).toMatchObject({ list: "kprobes.txt", missing: [] });
    expect(statuses(report)).toEqual({
      predict: "yes",
      verify: "yes",
      instructions: "yes",
      "dirty-log": "yes",
      memslots: "yes",
      teardown: "yes",
      migration: "yes",
      refills: "bounds",
      nested: "no",
      x86: "no",
    });
    expect(report.invariants.filter(({ count }) => count > 0).map(({ id }) => id)).toEqual([
      "UNMAP_OF_NOTHING",
    ]);
  });

  it("the same trace as trace.dat: times in ns, the clock from the file", async () => {
    const { code, report } = await json(path.join(capture("tiny-612"), "trace.v7.dat"));
    expect(code).toBe(0);
    expect(report.verdict.level).toBe("complete");
    expect(report.time).toMatchObject({
      clock: "mono",
      clock_origin: "the file itself",
      resolution: "ns",
    });
    expect(report.events.by_cpu).toEqual({ 0: 89, 1: 6851 });
  });

  it("nv-tiny-72: nested events; eager split was not probed and cannot have been called", async () => {
    const { code, report } = await json(capture("nv-tiny-72"));
    expect(code).toBe(0);
    expect(report.verdict.level).toBe("complete");
    expect(stateOf(report, "kvm_pgtable_stage2_split")).toBe("not-called");
    const nested = report.answers.find(({ answer }) => answer === "nested");
    expect(nested?.because[0]).toMatch(/no nested policy is modelled yet/);
  });

  it("tiny-612-perf, as perf script printed it", async () => {
    const trace = path.join(capture("tiny-612-perf"), "perf.script.ns.txt.gz");
    const { code, report } = await json(trace);
    expect(code).toBe(0);
    expect(report.input).toMatchObject({ format: "perf-script", events: 7128 });
    expect(report.time.resolution).toBe("ns");
    expect(report.verdict.level).toBe("complete");
  });

  it("tiny-61: functions that 6.1 does not have are not missing", async () => {
    const { report } = await json(capture("tiny-61"));
    expect(report.probes.missing).toEqual([]);
    expect(stateOf(report, "__kvm_tlb_flush_vmid_range")).toBe("not-in-kernel");
    expect(stateOf(report, "kvm_pgtable_stage2_split")).toBe("not-in-kernel");
  });
});

describe("captures that lack something", () => {
  it("tiny-612-lost-overwrite: 15,051 events lost, where, and what that does", async () => {
    const { code, report } = await json(capture("tiny-612-lost-overwrite"));
    expect(code).toBe(3);
    expect(report.verdict.level).toBe("bounds");
    expect(report.losses.events_lost).toBe(15_051);
    expect(report.losses.intervals).toEqual([
      {
        cpu: null,
        count: 15_051,
        from_ns: null,
        to_ns: "46613919000",
        line: 3,
        origin: "header",
      },
      {
        cpu: 1,
        count: null,
        from_ns: null,
        to_ns: "46619997000",
        line: 208,
        origin: "buffer starts late",
      },
    ]);
    expect(report.losses.tables_forgotten).toBe(1);
    expect(report.losses.calls_certain).toBe(118);
    expect(report.losses.effects.join("\n")).toMatch(/118 calls for certain and at most \d+ more/);
    expect(report.losses.effects.join("\n")).toMatch(/118 calls matched, 4 undecided/);
    expect(statuses(report)).toMatchObject({ predict: "bounds", verify: "bounds" });
    expect(errorOf(report, "EVENTS_OVERWRITTEN")?.examples[0]?.line).toBe(3);
  });

  it("tiny-612-nvhe: predictions only, because the primitives run at EL2", async () => {
    const { code, report } = await json(capture("tiny-612-nvhe"));
    expect(code).toBe(0);
    // Without recorded invalidations the start level of the walk stays an assumption, until it is stated.
    expect(report.verdict.level).toBe("bounds");
    expect(report.losses).toMatchObject({ calls_certain: 271, calls_unknown: 2 });
    expect(statuses(report)).toMatchObject({ predict: "bounds", verify: "no" });
    const told = await json(capture("tiny-612-nvhe"), "--ipa-bits", "40");
    expect(told.report.verdict.level).toBe("predictions");
    expect(statuses(told.report)).toMatchObject({ predict: "yes", verify: "no" });
    expect(report.probes.missing.map((one) => [one.function, one.state])).toEqual([
      ["__kvm_tlb_flush_vmid", "at-el2"],
      ["__kvm_tlb_flush_vmid_ipa", "at-el2"],
      ["__kvm_tlb_flush_vmid_ipa_nsh", "at-el2"],
      ["__kvm_tlb_flush_vmid_range", "at-el2"],
    ]);
  });

  it("an older kernel that nothing names is not measured by a newer one", async () => {
    const { report } = await json(folder("unknown-61", { "trace.txt": textOf("tiny-61") }));
    expect(report.losses.policy).toMatch(/^(legacy|pgtable)-/);
    expect(report.invariants.filter(({ count }) => count > 0).map(({ id }) => id)).toEqual([
      "UNMAP_OF_NOTHING",
    ]);
    const verify = report.answers.find(({ answer }) => answer === "verify");
    expect(verify?.because.join()).not.toMatch(/differ in/);
  });

  it("without files beside it: assumed, and said", async () => {
    fs.writeFileSync(path.join(work, "bare.txt"), textOf("tiny-612"));
    const { code, report } = await json(path.join(work, "bare.txt"));
    expect(code).toBe(0);
    // Only a known kernel's recorded calls tell the start level of the walk: two calls hang on it.
    expect(report.verdict.level).toBe("bounds");
    expect(report.losses.calls_unknown).toBe(2);
    expect(statuses(report)).toMatchObject({ predict: "bounds", memslots: "yes" });
    expect(report.machine.assumptions.join()).toMatch(/--kernel.*--cpu.*--page-size/);
    expect(report.time.clock).toBeNull();
    const stated = ["--kernel", "6.12.107", "--cpu", "tlbirange,fwb,ttl,lpa2", "--page-size", "4k"];
    const told = await json(path.join(work, "bare.txt"), ...stated);
    expect(told.report.verdict.level).toBe("complete");
  });
});

describe("hand-made traces", () => {
  it("a LOST line: the interval lies between the CPU's own events", async () => {
    const trace =
      HEADER +
      line("1.000001", MAP) +
      line("1.000002", MAP_RET) +
      line("1.000003", "kvm_entry: PC: 0x0", 1, 501) +
      "CPU:1 [LOST 77 EVENTS]\n" +
      line("1.000004", "kvm_exit: IRQ", 0, 500) +
      line("1.000009", "kvm_exit: IRQ", 1, 501);
    const { code, report } = await json(
      path.join(folder("lost", { "trace.txt": trace }), "trace.txt"),
    );
    expect(code).toBe(3);
    expect(report.losses.intervals).toEqual([
      {
        cpu: 1,
        count: 77,
        from_ns: "1000003000",
        to_ns: "1000009000",
        line: 6,
        origin: "trace",
      },
    ]);
  });

  it("statistics and a probe profile beside it tell losses that the trace does not", async () => {
    const directory = folder("statistics", {
      "trace.txt": HEADER + line("1.000001", MAP) + line("1.000002", MAP_RET),
      "per_cpu_stats.txt": "== cpu3\nentries: 2\noverrun: 0\ndropped events: 12\n",
      "kprobes.txt": "p:s2/map kvm_pgtable_stage2_map pgt=%x0:x64\n",
      "kprobe_profile.txt": "  map    2    5\n",
    });
    const { code, report } = await json(directory);
    expect(code).toBe(3);
    expect(report.losses.events_lost).toBe(17);
    expect(report.losses.intervals.map(({ cpu, count, origin }) => [cpu, count, origin])).toEqual([
      [3, 12, "per_cpu_stats.txt"],
      [null, 5, "kprobe_profile.txt: probe map"],
    ]);
  });

  it("a needed probe that the kernel refused: no prediction, with the closest that is there", async () => {
    const scope =
      "unmap_gfn: (kvm_unmap_gfn_range+0x0/0x70) kvm=0xffff800080000000 start=0x40000 end=0x40001";
    const directory = folder("refused", {
      "trace.txt":
        HEADER + line("1.000001", MAP) + line("1.000002", MAP_RET) + line("1.100000", scope),
      "kprobes.txt": [
        "p:s2/map kvm_pgtable_stage2_map pgt=%x0:x64",
        "r:s2/map_ret kvm_pgtable_stage2_map ret=$retval",
        "p:s2/unmap_gfn kvm_unmap_gfn_range kvm=%x0:x64",
        "SKIPPED unmap kvm_pgtable_stage2_unmap pgt=%x0:x64",
      ].join("\n"),
    });
    const { code, report } = await json(directory);
    expect(code).toBe(0);
    expect(report.verdict.level).toBe("described");
    expect(statuses(report)).toMatchObject({ predict: "no", verify: "no", memslots: "no" });
    expect(
      report.probes.missing.find((one) => one.function === "kvm_pgtable_stage2_unmap"),
    ).toEqual({
      function: "kvm_pgtable_stage2_unmap",
      is_return: false,
      state: "refused",
      needed_for: ["predict", "verify", "instructions"],
      without: "no",
      effect: "the invalidations of unmaps are missing, and what is mapped is not known",
      closest: ["kvm_unmap_gfn_range"],
    });
    expect(errorOf(report, "MISSING_PROBE")?.count).toBe(report.probes.missing.length);
  });

  it("sources that contradict each other and the trace", async () => {
    const directory = folder("contradicting", {
      "trace.txt":
        HEADER +
        line("1.000001", MAP) +
        line("1.000002", MAP_RET) +
        line(
          "1.000003",
          "hw_vmid_range: (__kvm_tlb_flush_vmid_range+0x0/0x188) mmu=0xffff800080000880 start=0x40000000 pages=1",
        ),
      "capture.json": JSON.stringify({ kernel: "6.1.0", mode: "nVHE" }),
      "uname.txt": "Linux host 6.12.107 #1 SMP aarch64 GNU/Linux\n",
    });
    const { report } = await json(directory);
    expect(report.machine.contradictions).toHaveLength(3);
    expect(report.machine.contradictions.join("\n")).toMatch(
      /capture\.json says 6\.1\.0, uname\.txt 6\.12\.107[^]*6\.1.*has no __kvm_tlb_flush_vmid_range[^]*nVHE/,
    );
    expect(errorOf(report, "CONTRADICTING_SOURCES")?.count).toBe(3);
  });

  it("broken invariants, with line and time", async () => {
    const trace =
      HEADER + line("1.000001", MAP) + line("1.000002", UNMAP_RET) + line("1.000003", MAP_RET);
    const directory = folder("broken", { "trace.txt": trace });
    const { report } = await json(directory);
    expect(errorOf(report, "RETURN_WITHOUT_CALL")).toMatchObject({
      severity: "notice",
      count: 1,
      examples: [{ line: 4, ts_ns: "1000002000" }],
    });
    const { out } = await check([directory, "--quiet"]);
    expect(out).toMatch(/! RETURN_WITHOUT_CALL × 1: .*line 4/);
  });

  it("a clock of bare integers", async () => {
    const trace = HEADER + line("1001", MAP) + line("1005", MAP_RET);
    const { report } = await json(folder("ticks", { "trace.txt": trace }));
    expect(report.time).toMatchObject({
      clock: null,
      unit: "tick",
      resolution: "tick",
      span_ns: 4,
    });
  });

  it("the list of errors does not grow with what is wrong", async () => {
    const broken = Array.from({ length: 3000 }, (_, i) => `line ${i} is no event\n`).join("");
    const trace = HEADER + line("1.000001", MAP) + broken + line("1.000002", MAP_RET);
    const { code, report } = await json(folder("many", { "trace.txt": trace }));
    expect(code).toBe(3);
    expect(report.losses.unreadable).toBe(3000);
    expect(errorOf(report, "UNPARSED_LINE")?.count).toBe(3000);
    for (const { examples } of report.errors) expect(examples.length).toBeLessThanOrEqual(5);
  });
});

describe("what analyze refuses is described", () => {
  it("a trace without stage-2 events: exit code 0", async () => {
    const trace = HEADER + line("1.000001", "sched_switch: prev_comm=a next_comm=b");
    const { code, report } = await json(folder("sched", { "trace.txt": trace }));
    expect(code).toBe(0);
    expect(report.verdict).toEqual({
      level: "described",
      sentence: "not usable for predictions: the trace has no stage-2 operation",
    });
    expect(report.events.by_name).toEqual([{ name: "sched_switch", kind: "other", count: 1 }]);
  });

  it("stock KVM tracepoints: refill lower bounds", async () => {
    const stock = textOf("tiny-612")
      .split("\n")
      .filter((text) => /kvm_(entry|exit|guest_fault):/.test(text));
    const { report } = await json(
      folder("stock", { "trace.txt": `${HEADER}${stock.join("\n")}\n` }),
    );
    expect(statuses(report)).toMatchObject({ predict: "no", refills: "bounds" });
  });

  it("x86: described as far as it is read, nothing of arm64 is assumed", async () => {
    const trace =
      HEADER +
      line("1.000001", "kvm_mmu_set_spte: gfn 100 spte 6000010005007 (rwxu) level 1 at 105007800") +
      line("1.000002", "kvm_flush_remote_tlbs: (kvm_flush_remote_tlbs+0x0/0x80) kvm=0xff6000000");
    const { code, report } = await json(folder("x86", { "trace.txt": trace }));
    expect(code).toBe(0);
    expect(report.machine).toMatchObject({
      architecture: "x86",
      settings: [{ name: "kernel", value: null }],
      assumptions: [],
    });
    expect(report.verdict.sentence).toMatch(/^x86 KVM \(it has kvm_mmu_set_spte events\)/);
    expect(new Set(Object.values(statuses(report)))).toEqual(new Set(["no"]));
    expect(report.probes).toMatchObject({ functions: [], missing: [] });
  });

  it.each([
    ["empty.txt", "", "EMPTY"],
    ["garbage.txt", "hello\nworld\n", "WRONG_FORMAT"],
    ["binary.bin", "\u0000\u0001\u0002\u0000\u0003", "BINARY"],
  ])("%s: exit code 1, and why on stdout", async (name, content, code) => {
    fs.writeFileSync(path.join(work, name), content);
    const outcome = await check([path.join(work, name), "--format", "json"]);
    expect(outcome.code).toBe(1);
    const report: UnreadableReport = v.parse(UNREADABLE, JSON.parse(outcome.out));
    expect(report.verdict.level).toBe("unreadable");
    expect(report.errors.map((error) => error.code)).toEqual([code]);
    const table = await check([path.join(work, name)]);
    expect(table.code).toBe(1);
    expect(table.out).toContain(`${name}: not read: `);
  });

  it("one of several: the others are checked, exit code 3", async () => {
    const missing = path.join(work, "not-there.txt");
    const { code, out } = await check([missing, capture("tiny-72"), "--format", "json", "--quiet"]);
    expect(code).toBe(3);
    const [first, second] = out.trimEnd().split("\n");
    expect(v.parse(UNREADABLE, JSON.parse(first!)).trace).toBe(missing);
    expect(parsed(second!).verdict.level).toBe("complete");
  });
});

/** The capture without some events, and without the header that counts them. */
function without(events: RegExp): string {
  return textOf("tiny-612")
    .split("\n")
    .filter((text) => !events.test(text) && !text.startsWith("# entries"))
    .join("\n");
}

describe("verify names the probes that it lacks", () => {
  it("without a list: unmap was not recorded, and its callers were", async () => {
    const trace = without(/: unmap(_ret)?: /);
    const directory = folder("no-unmap", { "trace.txt": trace });
    const options = ["--kernel", "6.12.107", "--cpu", "tlbirange,fwb,ttl,lpa2", "--quiet"];
    const table = await run(["verify", directory, ...options]);
    expect(table.code).toBe(4);
    expect(table.out).toMatch(
      /missing probe: kvm_pgtable_stage2_unmap: not probed, though it must have been called/,
    );
    const { out } = await run(["verify", directory, ...options, "--format", "json"]);
    expect(JSON.parse(out)).toMatchObject({
      missing_probes: [
        { function: "kvm_pgtable_stage2_unmap", is_return: false, state: "not-recorded" },
      ],
    });
    const { report } = await json(directory, ...options.slice(0, -1));
    expect(statuses(report)).toMatchObject({ predict: "no", teardown: "yes" });
    expect(report.verdict.level).toBe("described");
  });

  it("with a list that leaves one out", async () => {
    const list = fs
      .readFileSync(path.join(capture("tiny-612"), "kprobes.txt"), "utf8")
      .split("\n")
      .filter((text) => !text.includes("kvm_pgtable_stage2_relax_perms"));
    const directory = folder("no-relax", {
      "trace.txt": without(/: relax_perms(_ret)?: /),
      "kprobes.txt": list.join("\n"),
    });
    const { out, code } = await run(["verify", directory, "--kernel", "6.12.107", "--quiet"]);
    expect(code).toBe(4);
    expect(out).toMatch(/missing probe: kvm_pgtable_stage2_relax_perms: not in the probe list/);
    // 256 faults relaxed permissions: each has a local invalidation, and nothing that asked for it.
    const { report } = await json(directory, "--kernel", "6.12.107");
    expect(errorOf(report, "PRIMITIVE_WITHOUT_CAUSE")?.count).toBe(256);
    expect(statuses(report)).toMatchObject({ predict: "bounds", verify: "bounds" });
  });

  it("nothing of it where none is missing", async () => {
    const { out, code } = await run(["verify", capture("tiny-612"), "--quiet"]);
    expect(code).toBe(0);
    expect(out).not.toContain("missing probe");
  });
});

describe("--require", () => {
  it.each([
    ["tiny-612", "complete,lossless,predict,verify,dirty-log", 0],
    ["tiny-612", "nested", 4],
    ["tiny-612-nvhe", "memslots,teardown", 0],
    ["tiny-612-nvhe", "verify", 4],
    ["tiny-612-nvhe", "complete", 4],
    ["tiny-612-lost-overwrite", "lossless", 4],
  ])("%s --require %s: exit code %i", async (name, gates, expected) => {
    const { code, err } = await check([capture(name), "--require", gates, "--quiet"]);
    expect(code).toBe(expected);
    expect(err.includes("does not hold")).toBe(expected === 4);
  });

  it("an unknown gate and a format without a table are wrong usage", async () => {
    const unknown = await check([capture("tiny-612"), "--require", "perfect"]);
    expect(unknown.code).toBe(2);
    expect(unknown.err).toMatch(/'perfect' is not one of complete, lossless, predict/);
    for (const format of ["csv", "arrow"]) {
      const refused = await check([capture("tiny-612"), "--format", format]);
      expect(refused.code).toBe(2);
      expect(refused.err).toMatch(new RegExp(`check prints a table or json, not ${format}`));
    }
  });
});

describe("the table", () => {
  it("has the verdict in its first line, and a reason once", async () => {
    const { out, code } = await check([capture("tiny-612-lost-overwrite"), "--quiet"]);
    expect(code).toBe(3);
    expect(out.split("\n")[0]).toMatch(/usable, for bounds only: 15,051 × the ring buffer/);
    expect(out).toMatch(/instructions bounds .*\n +- as predict/);
    expect(out).toMatch(/CPU 1: not known how many events, between the beginning and 46619997000/);
  });

  it("from a pipe", async () => {
    const trace =
      HEADER +
      line("1.000001", MAP) +
      line("1.000002", MAP_RET) +
      line("1.100000", UNMAP) +
      line("1.100001", UNMAP_RET);
    const { out, code } = await check(["-", "--quiet"], trace);
    expect(code).toBe(0);
    expect(out).toMatch(/^-: usable/);
  });

  it("cannot be steered by a trace", async () => {
    const evil = HEADER + line("1.000001", "\u001b[31mred: text") + line("1.000002", MAP);
    const { out } = await check(["-", "--quiet"], evil);
    expect(out).not.toContain("\u001b[31mred");
  });
});
