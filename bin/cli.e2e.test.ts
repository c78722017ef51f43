/**
 * `analyze` and `verify` as a user runs them: child processes, real files, exit codes. Expected numbers
 * are from the captures' own records or worked out by hand.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { tableFromIPC } from "apache-arrow";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateTrace } from "../fixtures/generator/generate.ts";
import { DEFAULT_OPTIONS } from "../fixtures/generator/options.ts";

const ROOT = path.resolve(fileURLToPath(import.meta.url), "../..");
const EXECUTABLE = path.join(ROOT, "dist/bin/tlbi-replay.js");
const PRIMITIVES = ["VM", "IPA", "IPA_LOCAL", "RANGE", "CPU", "ALL"] as const;
const RESULT_FILES = [
  ...[
    "flushes",
    "heat",
    "instructions",
    "operation_sizes",
    "paired",
    "stall_events",
    "stalls",
  ].flatMap((table) => [`${table}.arrow`, `${table}.csv`]),
  "summary.json",
  "timeline.arrow",
  "timeline.csv",
  "timeline_phases.arrow",
  "timeline_phases.csv",
];
/** What stands beside the capture tiny-612, as options. */
const LIKE_612 = [
  "--kernel",
  "6.12.107",
  "--cpu",
  "tlbirange,fwb,ttl,lpa2,dic",
  "--page-size",
  "4k",
];

let work: string;

beforeAll(() => {
  work = fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-e2e-"));
});
afterAll(() => {
  fs.rmSync(work, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly bytes: Buffer;
  readonly out: string;
  readonly err: string;
}

interface RunOptions {
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  /** Options of node itself. */
  readonly node?: readonly string[];
}

function start(
  words: readonly string[],
  cwd: string = work,
  node: readonly string[] = [],
): ChildProcess {
  return spawn(process.execPath, [...node, EXECUTABLE, ...words], {
    cwd,
    env: { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "" },
  });
}

async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout!.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr!.on("data", (chunk: Buffer) => err.push(chunk));
  await once(child, "close");
  const bytes = Buffer.concat(out);
  return {
    code: child.exitCode,
    signal: child.signalCode,
    bytes,
    out: bytes.toString("utf8"),
    err: Buffer.concat(err).toString("utf8"),
  };
}

async function tool(words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = start(words, options.cwd, options.node);
  child.stdin!.on("error", () => undefined);
  child.stdin!.end(options.stdin ?? "");
  return await outcomeOf(child);
}

function capture(name: string): string {
  return path.join(ROOT, "fixtures/captures", name);
}

function textOf(name: string): string {
  return gunzipSync(fs.readFileSync(path.join(capture(name), "trace.txt.gz"))).toString("latin1");
}

/** A file in the working folder; its name. */
function file(name: string, content: string | Uint8Array): string {
  fs.writeFileSync(path.join(work, name), content);
  return name;
}

/** Files of a folder by name. */
function filesIn(folder: string): ReadonlyMap<string, Buffer> {
  const names = fs.readdirSync(folder).sort();
  return new Map(names.map((name) => [name, fs.readFileSync(path.join(folder, name))]));
}

type Table = readonly Readonly<Record<string, string>>[];

/** Cells as text; null is the empty text. */
function fromCsv(bytes: string | Uint8Array): Table {
  const text = typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8");
  const rows: Record<string, string>[] = parse(text, { columns: true });
  return rows;
}

function fromArrow(bytes: Uint8Array): Table {
  const table = tableFromIPC(bytes);
  const names = table.schema.fields.map((field) => field.name);
  const rows: Record<string, string>[] = [];
  for (let row = 0; row < table.numRows; row += 1) {
    const cells = names.map((name) => [name, String(table.getChild(name)!.get(row) ?? "")]);
    rows.push(Object.fromEntries(cells) as Record<string, string>);
  }
  return rows;
}

function fromJson(rows: readonly Readonly<Record<string, string | number | null>>[]): Table {
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value ?? "")])),
  );
}

interface SummaryJson {
  readonly flushes: readonly Readonly<Record<string, string | number | null>>[];
  readonly instructions: readonly Readonly<Record<string, string | number | null>>[];
  readonly configuration: readonly {
    readonly name: string;
    readonly value: unknown;
    readonly origin: string;
  }[];
  readonly assumptions: readonly string[];
  readonly inputs: readonly {
    readonly path: string;
    readonly events: number;
    readonly losses: readonly { readonly code: string; readonly count: number }[];
    readonly examples: readonly { readonly code: string; readonly line: number }[];
  }[];
}

interface VerificationJson {
  readonly trace: string;
  readonly policy: string;
  readonly calls: Readonly<Record<string, { predicted: number; recorded: number | null }>>;
  readonly matched: number;
  readonly missed: number;
  readonly spurious: number;
  readonly unknown: number;
  readonly best_fit: string | null;
  readonly losses: readonly { readonly code: string; readonly count: number }[];
  readonly input: { readonly examples: readonly { code: string; line: number }[] };
}

/** Calls and TLBI instructions of a policy: `RANGE 9 = 17`. */
function totals(table: Table, policy: string): readonly string[] {
  return PRIMITIVES.flatMap((primitive) => {
    const rows = table.filter((row) => row["policy"] === policy && row["primitive"] === primitive);
    const sum = (name: string): number => rows.reduce((n, row) => n + Number(row[name]), 0);
    return rows.length === 0 ? [] : [`${primitive} ${sum("calls")} = ${sum("tlbi")}`];
  });
}

/** The run ended with this code, said why in one sentence (and hints), printed no result and no stack. */
function expectRefusal(outcome: Outcome, code: number, sentence: RegExp | string): void {
  const { err } = outcome;
  expect([outcome.code, outcome.out], err).toEqual([code, ""]);
  const own = err.split("\n").filter((line) => !line.startsWith("  hint: ") && line !== "");
  const said = own.filter((line) => line.startsWith("tlbi-replay: "));
  expect(said, err).toHaveLength(1);
  expect(said[0]).toMatch(sentence);
  expectNoStack(err);
  expect(err).not.toContain("internal error");
}

function expectNoStack(err: string): void {
  expect(err).not.toMatch(/^\s+at |node:internal|Error:/m);
}

describe("verify", () => {
  it("DIR --format json prints one object with the calls of the six primitives", async () => {
    const { code, out } = await tool(["verify", capture("tiny-612"), "--format", "json"]);
    expect(code).toBe(0);
    expect(out.endsWith("\n")).toBe(true);
    expect(out.trimEnd().split("\n")).toHaveLength(1);
    const report: VerificationJson = JSON.parse(out);
    expect(Object.keys(report.calls)).toEqual(PRIMITIVES);
    // From capture.json's truth.
    expect(report).toMatchObject({
      trace: capture("tiny-612"),
      policy: "range-6.9",
      calls: {
        VM: { predicted: 0, recorded: 0 },
        IPA: { predicted: 4, recorded: 4 },
        IPA_LOCAL: { predicted: 256, recorded: 256 },
        RANGE: { predicted: 9, recorded: 9 },
        CPU: { predicted: 1, recorded: 1 },
        ALL: { predicted: 0, recorded: 0 },
      },
      matched: 269,
      missed: 0,
      spurious: 0,
      unknown: 0,
      best_fit: "range-6.9",
    });
  });

  it("prints a line of JSON for each of several traces", async () => {
    const traces = [capture("tiny-61"), capture("tiny-612")];
    const { code, out } = await tool(["verify", ...traces, "--format", "json"]);
    expect(code).toBe(0);
    const reports: VerificationJson[] = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(reports.map(({ trace, policy }) => [trace, policy])).toEqual([
      [traces[0], "pgtable-5.10"],
      [traces[1], "range-6.9"],
    ]);
  });

  it("without requests (--operations-only) predicts the same", async () => {
    const words = ["verify", capture("tiny-61"), "--operations-only", "--format", "json"];
    const { code, out } = await tool(words);
    const report: VerificationJson = JSON.parse(out);
    expect([code, report.matched, report.missed, report.spurious]).toEqual([0, 532, 0, 0]);
  });

  it("disagreement: exit code 4, each with its line and the trace around it", async () => {
    const words = ["verify", capture("tiny-61"), "--policy", "range-6.9"];
    const { code, out, err } = await tool(words);
    expect(code, err).toBe(4);
    expect(out).toMatch(/: 4 calls matched, 528 missed, 265 spurious/);
    expect(out).toMatch(/^First \d+ of 793 disagreements$/m);
    const lines = textOf("tiny-61").split("\n");
    const heads = [...out.matchAll(/^\S*tiny-61:(\d+): (missed|spurious) (\w+): .+$/gm)];
    expect(heads.length).toBeGreaterThanOrEqual(5);
    for (const [head, line] of heads) {
      // Three lines before, the line itself, three after.
      const block = out.slice(out.indexOf(head)).split("\n").slice(1, 8);
      const from = Number(line) - 3;
      expect(block).toEqual(
        Array.from({ length: 7 }, (_, i) => {
          const n = from + i;
          return `    ${n === Number(line) ? ">" : " "} ${n}: ${lines[n - 1]}`;
        }),
      );
      expect(lines[Number(line) - 1]).toMatch(/: (hw_vmid|map|unmap|relax_perms|wrprotect)/);
    }
  });

  it("nothing recorded to compare with (nVHE): exit code 4, predictions only", async () => {
    const table = await tool(["verify", capture("tiny-612-nvhe")]);
    expect(table.code).toBe(4);
    expect(table.out).toContain("nothing was recorded to compare with");
    expect(table.out).toMatch(/^IPA_LOCAL +256 +no probe +0 +0 +0 +256$/m);
    const json = await tool(["verify", capture("tiny-612-nvhe"), "--format", "json"]);
    expect(json.code).toBe(4);
    const report: VerificationJson = JSON.parse(json.out);
    expect(report.calls["RANGE"]).toMatchObject({ predicted: 9, recorded: null });
    expect(report).toMatchObject({ matched: 0, missed: 0, spurious: 0, unknown: 269 });
    expect(report.best_fit).toBeNull();
  });

  it("losses: exit code 3, named, and what they hide is unknown", async () => {
    const lost = capture("tiny-612-lost-overwrite");
    const { code, out } = await tool(["verify", lost, "--format", "json"]);
    expect(code).toBe(3);
    const report: VerificationJson = JSON.parse(out);
    expect(report.losses).toMatchObject([
      { code: "EVENTS_OVERWRITTEN", count: 15_051 },
      { code: "BUFFER_STARTED_LATE", count: 1 },
    ]);
    expect(report).toMatchObject({ matched: 118, missed: 0, spurious: 0, unknown: 4 });
  });

  it.each([
    [["--format", "csv"], /table or json/],
    [["--policy", "range-6.9,ideal"], /one policy/],
  ])("refuses %j", async (words, sentence) => {
    expectRefusal(await tool(["verify", capture("tiny-61"), ...words]), 2, sentence);
  });
});

describe("analyze writes its results", () => {
  let folder: string;

  beforeAll(async () => {
    const { code, err } = await tool(["analyze", capture("tiny-612"), "--out", "results/612"]);
    expect([code, err]).toEqual([0, expect.stringContaining("results/612")]);
    folder = path.join(work, "results/612");
  });

  it("two tables, each as CSV and Arrow, and the summary; nothing else is left", () => {
    expect([...filesIn(folder).keys()]).toEqual(RESULT_FILES);
  });

  it("with the columns of the contract, in order", () => {
    const columns: Readonly<Record<string, readonly string[]>> = {
      flushes: ["policy", "path", "primitive", "calls", "tlbi", "dsb", "pages"],
      instructions: ["policy", "instruction", "count"],
    };
    for (const [name, wanted] of Object.entries(columns)) {
      const header = fs.readFileSync(path.join(folder, `${name}.csv`), "utf8").split("\n")[0]!;
      expect(header.split(",").slice(0, wanted.length)).toEqual(wanted);
      const table = tableFromIPC(fs.readFileSync(path.join(folder, `${name}.arrow`)));
      expect(table.schema.fields.map((field) => field.name).join(",")).toBe(header);
    }
  });

  it("CSV, Arrow and summary hold the same rows", () => {
    const files = filesIn(folder);
    const summary: SummaryJson = JSON.parse(files.get("summary.json")!.toString("utf8"));
    for (const name of ["flushes", "instructions"] as const) {
      const rows = fromCsv(files.get(`${name}.csv`)!);
      expect(rows.length).toBeGreaterThan(5);
      expect(fromArrow(files.get(`${name}.arrow`)!)).toEqual(rows);
      expect(fromJson(summary[name])).toEqual(rows);
    }
  });

  it("with the numbers of the capture's record, for what was recorded and for its policy", () => {
    const files = filesIn(folder);
    const flushes = fromCsv(files.get("flushes.csv")!);
    // 4 × 2; 256 × 2; RANGE: 6 ripas2e1is + 11 ipas2e1is + 9 vmalle1is; a vCPU switch.
    const truth = ["IPA 4 = 8", "IPA_LOCAL 256 = 512", "RANGE 9 = 26", "CPU 1 = 1"];
    expect(totals(flushes, "recorded")).toEqual(truth);
    expect(totals(flushes, "range-6.9")).toEqual(truth);
    const instructions = fromCsv(files.get("instructions.csv")!);
    for (const policy of ["recorded", "range-6.9"]) {
      const rows = instructions.filter((row) => row["policy"] === policy);
      expect(Object.fromEntries(rows.map((row) => [row["instruction"], row["count"]]))).toEqual({
        ipas2e1is: "15",
        ripas2e1is: "6",
        vmalle1is: "13",
        ipas2e1: "256",
        vmalle1: "257",
      });
    }
    const summary: SummaryJson = JSON.parse(files.get("summary.json")!.toString("utf8"));
    expect(summary.inputs).toMatchObject([{ events: 6940, losses: [] }]);
  });

  it("byte-identical in a second run, over the first set too", async () => {
    const first = filesIn(folder);
    const { code } = await tool(["analyze", capture("tiny-612"), "--out", "results/612"]);
    expect(code).toBe(0);
    expect(filesIn(folder)).toEqual(first);
  });

  it("two traces get a folder each, named after them, with what each gives alone", async () => {
    const words = ["analyze", capture("tiny-61"), capture("tiny-612"), "--out", "both"];
    const { code, out } = await tool(words);
    expect(code).toBe(0);
    expect(out).toContain("tiny-61/trace.txt.gz\n");
    expect(fs.readdirSync(path.join(work, "both")).sort()).toEqual(["tiny-61", "tiny-612"]);
    const both = filesIn(path.join(work, "both/tiny-612"));
    for (const [name, bytes] of filesIn(folder)) {
      // The summary names the arguments, which differ.
      if (name !== "summary.json") expect(both.get(name)).toEqual(bytes);
    }
    const other = fromCsv(filesIn(path.join(work, "both/tiny-61")).get("flushes.csv")!);
    expect(totals(other, "recorded")).toEqual(["VM 1 = 1", "IPA 531 = 1062", "CPU 1 = 1"]);
  });

  it("refuses two traces that would write to one folder", async () => {
    const twice = [capture("tiny-61"), path.join(capture("tiny-61"), "trace.txt.gz")];
    expectRefusal(await tool(["analyze", ...twice, "--out", "one"]), 2, /'tiny-61' of --out/);
    expect(fs.existsSync(path.join(work, "one"))).toBe(false);
  });
});

describe("analyze on stdout", () => {
  const words = ["analyze", capture("tiny-612"), "--format"];

  it("csv, arrow and json are the same table; stderr has the rest", async () => {
    const csv = await tool([...words, "csv"]);
    const arrow = await tool([...words, "arrow"]);
    const json = await tool([...words, "json"]);
    for (const { code, err } of [csv, arrow, json]) {
      expect([code, err]).toEqual([0, expect.stringContaining("6940 events")]);
    }
    const rows = fromCsv(csv.out);
    expect(totals(rows, "recorded")).toEqual([
      "IPA 4 = 8",
      "IPA_LOCAL 256 = 512",
      "RANGE 9 = 26",
      "CPU 1 = 1",
    ]);
    expect(fromArrow(arrow.bytes)).toEqual(rows);
    const summary: SummaryJson = JSON.parse(json.out);
    expect(fromJson(summary.flushes)).toEqual(rows);
  });

  it("--quiet keeps stderr empty, and the result is the same", async () => {
    const [loud, quiet] = [await tool([...words, "csv"]), await tool([...words, "csv", "--quiet"])];
    expect([quiet.code, quiet.err]).toEqual([0, ""]);
    expect(quiet.out).toBe(loud.out);
  });

  it("one table does not hold several traces", async () => {
    const two = ["analyze", capture("tiny-61"), capture("tiny-612"), "--format", "csv"];
    expectRefusal(await tool(two), 2, /one table/);
  });

  it("a pipe, plain or compressed, gives what the folder gives, with its facts as options", async () => {
    const { out } = await tool([...words, "csv"]);
    const plain = Buffer.from(textOf("tiny-612"), "latin1");
    for (const stdin of [plain, gzipSync(plain)]) {
      const piped = await tool(["analyze", "-", ...LIKE_612, "--format", "csv"], { stdin });
      expect([piped.code, piped.err]).toEqual([0, expect.stringMatching(/^-: ftrace-text/)]);
      expect(piped.out).toBe(out);
    }
  });

  it("a compressed file gives what a plain one gives, whatever they are called", async () => {
    const plain = Buffer.from(textOf("tiny-61"), "latin1");
    file("plain.gz", plain);
    file("compressed.txt", gzipSync(plain));
    const results = await Promise.all(
      ["plain.gz", "compressed.txt"].map((name) =>
        tool(["analyze", name, "--kernel", "6.1", "--format", "csv"]),
      ),
    );
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    expect(results[1]!.out).toBe(results[0]!.out);
    expect(totals(fromCsv(results[0]!.out), "recorded")).toContain("IPA 531 = 1062");
  });
});

describe("policies", () => {
  const trace = capture("tiny-612");

  it("--policy takes a list and keeps its order", async () => {
    const ids = "ideal,pgtable-5.10,auto";
    const { code, out } = await tool(["analyze", trace, "--policy", ids, "--format", "csv"]);
    expect(code).toBe(0);
    expect([...new Set(fromCsv(out).map((row) => row["policy"]))]).toEqual([
      "ideal",
      "pgtable-5.10",
      "range-6.9",
      "recorded",
    ]);
  });

  it("--flag changes every policy, and the summary says so", async () => {
    const words = ["analyze", trace, "--policy", "auto", "--flag", "relax=ipa"];
    const { code, out } = await tool([...words, "--format", "json"]);
    expect(code).toBe(0);
    const summary: SummaryJson = JSON.parse(out);
    expect(totals(fromJson(summary.flushes), "range-6.9")).toEqual([
      // The 256 permission faults broadcast: 4 + 256.
      "IPA 260 = 520",
      "RANGE 9 = 26",
      "CPU 1 = 1",
    ]);
    const policy = summary.configuration.find(({ name }) => name === "policy range-6.9");
    expect(policy?.origin).toContain("relax");
    expect(policy?.value).toContain('"relax":"ipa"');
  });

  it("--cpu none: without the features 6.12 invalidates as before them", async () => {
    const { code, out } = await tool(["analyze", trace, "--cpu", "none", "--format", "csv"]);
    expect(code).toBe(0);
    const rows = fromCsv(out);
    expect(totals(rows, "range-6.9").map((text) => text.split(" ")[0])).not.toContain("RANGE");
    // What was recorded is what that CPU executed, whatever is asked.
    expect(totals(rows, "recorded")).toContain("RANGE 9 = 26");
  });

  it("--policy-file: a threshold of 1024 pages on rfc-2020, worked out by hand", async () => {
    // 4096 pages from 1 GiB; unmapped: 600 from page 0, 300 from page 600, 1100 from page 1024.
    const GIB = 2 ** 30;
    const rows: string[] = ["ts_ns,cpu,pid,event,pgt,mmu,addr,len,phys,prot,arg0"];
    const call = (event: string, page: number, pages: number, tail: string): void => {
      const head = `${rows.length},0,7,${event}`;
      rows.push(`${head},0x1000,0x2000,${GIB + page * 4096},${pages * 4096},${tail},`);
      rows.push(`${rows.length},0,7,${event}_ret,,,,,,,0`);
    };
    for (let page = 0; page < 4096; page += 1) call("map", page, 1, `${2 * GIB + page * 4096},7`);
    for (const [page, pages] of [
      [0, 600],
      [600, 300],
      [1024, 1100],
    ] as const) {
      call("unmap", page, pages, ",");
    }
    file("unmaps.csv", `${rows.join("\n")}\n`);
    const policy = {
      id: "rfc-1024",
      base: "rfc-2020",
      summary: "VM from 1024 pages on",
      flags: { unmapThresholdPages: 1024 },
    };
    file("policy.json", JSON.stringify(policy));
    const words = ["analyze", "unmaps.csv", "--policy", "rfc-2020,rfc-1024"];
    const machine = ["--policy-file", "policy.json", "--kernel", "5.8", "--start", "fresh"];
    const { code, out, err } = await tool([...words, ...machine, "--format", "csv"]);
    expect(code, err).toBe(0);
    // Freed tables: pages 0–511 with the first, 1024–1535 and 1536–2047 with the last: 3 IPA.
    // Threshold 512: VM for 600 and 1100; 300 singles and one vmalle1is for the other.
    expect(totals(fromCsv(out), "rfc-2020")).toEqual(["VM 2 = 2", "IPA 3 = 6", "RANGE 1 = 301"]);
    // Threshold 1024: VM for 1100 only; (600 + 1) + (300 + 1).
    expect(totals(fromCsv(out), "rfc-1024")).toEqual(["VM 1 = 1", "IPA 3 = 6", "RANGE 2 = 902"]);
  });

  it("--kernel without files beside the trace: what is assumed is said", async () => {
    file("alone.txt", textOf("tiny-612"));
    const { code, out } = await tool([
      "analyze",
      "alone.txt",
      "--kernel",
      "6.12",
      "--format",
      "json",
    ]);
    expect(code).toBe(0);
    const summary: SummaryJson = JSON.parse(out);
    expect(summary.configuration).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: "kernel", value: "6.12.0", origin: "--kernel" }),
        expect.objectContaining({ name: "cpu", origin: "assumed" }),
        expect.objectContaining({ name: "page_size_bytes", value: 4096, origin: "assumed" }),
      ]),
    );
    expect(summary.assumptions.join("\n")).toMatch(/tlbirange, fwb, ttl are assumed \(--cpu\)/);
  });

  it.each([
    [["--policy", "range-6.99"], /--policy: 'range-6\.99' is not a policy/],
    [["--policy", "nv-exact"], /'nv-exact' is a policy for nested guests .* no guest hypervisor/],
    [
      ["--policy", "x86-once-5.18"],
      /'x86-once-5\.18' is a policy of x86 KVM, and .* is a trace of arm64 KVM \(it has map events\)/,
    ],
    [["--policy", "auto,range-6.9"], /--policy: names 'range-6\.9' twice/],
    [["--policy", "ideal,,auto"], /--policy: has an empty item/],
    [["--policy-file", "no-such.json"], /no-such\.json: there is no such policy file/],
    [["--policy-file", "broken.json"], /broken\.json:2: this policy file is not JSON/],
    [["--flag", "relax=sometimes"], /--flag: relax takes ipa, .* not 'sometimes'/],
    [["--flag", "relaxed=ipa"], /--flag: 'relaxed' is not a flag/],
    [["--flag", "relax"], /--flag: 'relax' is not of the form NAME=VALUE/],
    [["--cpu", "sve"], /--cpu: 'sve' is not one of tlbirange, fwb, ttl, lpa2/],
    [["--cpu", "none,fwb"], /--cpu: names 'none' together with features/],
    [["--page-size", "8k"], /--page-size: '8k' is not one of 4k, 16k, 64k/],
    [["--ipa-bits", "60"], /--ipa-bits: '60' is not a whole number from 32 to 52/],
    [["--kernel", "banana"], /--kernel: 'banana' is not a kernel version/],
    [["--format", "xml"], /--format: 'xml' is not one of table, csv, json, arrow/],
    [["--out", "-"], /--out: names a folder, not stdout/],
    [["--instance", "kv"], /an instance is named \(kv\), but ftrace-text has none/],
  ])("%j is refused with exit code 2 and one sentence", async (words, sentence) => {
    file("broken.json", '{ "id": "x"\n  "base": "ideal" }\n');
    expectRefusal(await tool(["analyze", trace, ...words]), 2, sentence);
  });

  it("an instance that a trace.dat does not have is refused with exit code 2", async () => {
    const dat = path.join(capture("tiny-612"), "trace.v7.dat");
    for (const command of ["analyze", "verify"]) {
      const outcome = await tool([command, dat, "--instance", "kv"]);
      expectRefusal(outcome, 2, /trace\.v7\.dat: this trace\.dat has no instance kv/);
      expect(outcome.err).toContain("it has only the top buffer");
    }
  });
});

const HEADER = [
  "# tracer: nop",
  "#",
  "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION",
  "#              | |         |   |||||     |         |",
].join("\n");

function eventLine(time: string, text: string): string {
  return `           s2x86-1145    [001] d..1.    ${time}: ${text}`;
}

describe("what is no usable trace is refused with exit code 1", () => {
  const UNUSABLE: readonly (readonly [
    name: string,
    content: string | Uint8Array,
    sentence: RegExp,
  ])[] = [
    ["empty.txt", "", /empty\.txt: the file is empty/],
    [
      "trace.dat",
      Buffer.from("\u0017\u0008Dtracing6\u0000\u0000\u0000\u0000", "latin1"),
      /trace\.dat: this trace\.dat file ends or is damaged in its first fields/,
    ],
    [
      "random.bin",
      Uint8Array.from({ length: 4096 }, (_, i) => (i * 167 + (i >> 3) * 31) & 0xff),
      /random\.bin: this is not a text file: there is a NUL byte at offset 0/,
    ],
    [
      "trace.txt.zst",
      Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x01, 0x02]),
      /trace\.txt\.zst: nothing could be unpacked: the zstd stream ends before its end mark/,
    ],
    [
      "trace.txt.bz2",
      Uint8Array.from([0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26]),
      /trace\.txt\.bz2: compressed with bzip2/,
    ],
    ["prose.txt", "Dear reader,\nthis is a letter.\n", /it begins with: Dear reader,/],
    [
      "wrong.csv",
      "ts_ns,name,addr\n1,map,0\n",
      /no trace that can be read; it begins with: ts_ns,name/,
    ],
    ["twice.csv", "ts_ns,event,pgt,pgt\n1,map,1,1\n", /names column `pgt` twice/],
    [
      "latency.txt",
      [
        "# tracer: nop",
        "#",
        "# nop latency trace v1.1.5 on 6.1.0-56-arm64",
        "# latency: 0 us, #6110/6110, CPU#0 | (M:desktop VP:0, KP:0, SP:0 HP:0 #P:2)",
        "kvm_page-506       1d.... 8244311us!: free_pgd: (kvm_free_stage2_pgd+0x0/0xdc) mmu=0xffff80000a0559c8",
        "",
      ].join("\n"),
      /none of its 1 events is a stage-2 operation/,
    ],
    [
      "raw.txt",
      `${HEADER}\n506 1 23673212915 type: 53\n506 1 23676666260 type: 1379\n`,
      /this is a raw trace/,
    ],
    [
      "fields.txt",
      `${HEADER}\n${eventLine("34.365747", "free_pgd: __probe_ip=0xffff800080062648 (-140735340468664) mmu=0xffff80008257d9c8 (-140735301559864)")}\n`,
      /trace in field layout/,
    ],
    [
      "x86.txt",
      [HEADER, eventLine("34.353307", "kvm_cpuid: func 0 idx 0 rax d rbx 68747541"), ""].join("\n"),
      /none of its 1 events says what x86 KVM changed or flushed \(it has kvm_cpuid events\)/,
    ],
    [
      "other.txt",
      [
        HEADER,
        eventLine("34.1", "kvm_entry: PC: 0x400a24"),
        eventLine("34.2", "kvm_exit: TRAP"),
        "",
      ]
        .join("\n")
        .replaceAll("34.1", "34.100000")
        .replaceAll("34.2", "34.200000"),
      /none of its 2 events is a stage-2 operation \(it has kvm_entry, kvm_exit\)/,
    ],
  ];

  it.each(UNUSABLE)("%s", async (name, content, sentence) => {
    file(name, content);
    const [analyzed, verified] = await Promise.all(
      ["analyze", "verify"].map((command) => tool([command, name, "--kernel", "6.12"])),
    );
    expectRefusal(analyzed!, 1, sentence);
    expectRefusal(verified!, 1, sentence);
  });

  it("a file that is not there, and a folder without a trace", async () => {
    fs.mkdirSync(path.join(work, "no-trace"), { recursive: true });
    for (const command of ["analyze", "verify"]) {
      expectRefusal(await tool([command, "absent.txt"]), 1, /absent\.txt: there is no such file/);
      expectRefusal(await tool([command, "no-trace"]), 1, /exactly one trace, and holds none/);
    }
  });

  it("no results are written for it", async () => {
    file("prose2.txt", "Dear reader,\n");
    expectRefusal(await tool(["analyze", "prose2.txt", "--out", "nothing"]), 1, /begins with/);
    expect(fs.existsSync(path.join(work, "nothing"))).toBe(false);
  });

  it("a file in the way of --out", async () => {
    file("blocked", "mine\n");
    for (const out of ["blocked", "blocked/deeper"]) {
      const outcome = await tool(["analyze", capture("tiny-61"), "--out", out]);
      expectRefusal(outcome, 1, /blocked.*: cannot write the results: .* is a file, not a folder/);
    }
    expect(fs.readFileSync(path.join(work, "blocked"), "utf8")).toBe("mine\n");
  });
});

/** What analyze and verify say of a trace that lost something; both end with exit code 3. */
async function lossesOf(name: string) {
  const words = [name, "--kernel", "6.12.107"];
  const json = await tool(["analyze", ...words, "--format", "json"]);
  expectNoStack(json.err);
  const table = await tool(["analyze", ...words]);
  const verified = await tool(["verify", ...words, "--format", "json"]);
  expect([json.code, table.code, verified.code]).toEqual([3, 3, 3]);
  const summary: SummaryJson = JSON.parse(json.out);
  const report: VerificationJson = JSON.parse(verified.out);
  const [input] = summary.inputs;
  const codes = input!.losses.map(({ code, count }) => `${code} ${count}`);
  expect(report.losses.map(({ code, count }) => `${code} ${count}`)).toEqual(codes);
  return { codes, examples: input!.examples, table: table.out, summary, report };
}

describe("what lost data is used as far as it goes: exit code 3, and the loss by name", () => {
  it("a garbled line in the middle, named with file and line", async () => {
    const lines = textOf("tiny-612").split("\n");
    const at = lines.findIndex((line, i) => i > 3000 && line.includes(": kvm_entry: "));
    lines[at] = "garbage !! here";
    file("garbled.txt", lines.join("\n"));
    const { codes, examples, table, summary } = await lossesOf("garbled.txt");
    expect(codes).toEqual(["UNPARSED_LINE 1"]);
    expect(examples).toContainEqual(
      expect.objectContaining({ code: "UNPARSED_LINE", line: at + 1 }),
    );
    expect(table).toContain(`garbled.txt:${at + 1}: `);
    expect(table).toContain("garbage !! here");
    expect(totals(fromJson(summary.flushes), "recorded")).toContain("IPA_LOCAL 256 = 512");
  });

  it("a gzip stream that is cut", async () => {
    const whole = fs.readFileSync(path.join(capture("tiny-612"), "trace.txt.gz"));
    file("cut.gz", whole.subarray(0, whole.length >> 1));
    const { codes, table, summary, report } = await lossesOf("cut.gz");
    expect(codes).toContain("DAMAGED_COMPRESSION 1");
    expect(table).toContain("the gzip stream ends before its end mark");
    const calls = fromJson(summary.flushes).filter((row) => row["policy"] === "recorded");
    const recorded = calls.reduce((sum, row) => sum + Number(row["calls"]), 0);
    expect(recorded).toBeGreaterThan(0);
    expect(recorded).toBeLessThan(270);
    expect([report.missed, report.spurious]).toEqual([0, 0]);
  });

  it("a CSV with a quote that is no CSV", async () => {
    const rows = [
      "ts_ns,event,pgt,addr,len,ret",
      "1,unmap,0x1000,1073741824,4096,",
      "2,unmap,,,,0",
      '3,"unmap"x,0x1000,0,4096,',
      "4,unmap,0x1000,1073741824,4096,",
      "5,unmap,,,,0",
    ];
    file("quote.csv", `${rows.join("\n")}\n`);
    const words = ["quote.csv", "--kernel", "6.12", "--format", "json"];
    const { code, out, err } = await tool(["analyze", ...words]);
    expect(code, err).toBe(3);
    const summary: SummaryJson = JSON.parse(out);
    expect(summary.inputs[0]).toMatchObject({
      events: 2,
      losses: [{ code: "TRUNCATED", count: 1 }],
      examples: expect.arrayContaining([expect.objectContaining({ code: "TRUNCATED", line: 4 })]),
    });
  });

  it("a trace that ends inside a call: one operation is cut; without returns in it, none is", async () => {
    const calls = ["1,unmap,0x1000,0,4096,", "2,unmap,,,,0", "3,unmap,0x1000,4096,4096,"];
    const header = "ts_ns,event,pgt,addr,len,ret";
    file("ends-inside.csv", `${[header, ...calls].join("\n")}\n`);
    const withoutReturns = calls.filter((row) => !row.endsWith(",0"));
    file("no-returns.csv", `${[header, ...withoutReturns].join("\n")}\n`);
    const [inside, whole] = await Promise.all(
      ["ends-inside.csv", "no-returns.csv"].map((name) =>
        tool(["analyze", name, "--kernel", "6.12", "--start", "fresh", "--format", "json"]),
      ),
    );
    const summaries: SummaryJson[] = [inside!, whole!].map(({ out }) => JSON.parse(out));
    const losses = summaries.map((summary) => summary.inputs[0]!.losses);
    expect([inside!.code, losses[0]]).toMatchObject([3, [{ code: "OPERATION_CUT", count: 1 }]]);
    expect([whole!.code, losses[1]]).toEqual([0, []]);
    expect(totals(fromJson(summaries[1]!.flushes), "range-6.9")).toEqual(["RANGE 2 = 4"]);
  });

  it("an overwritten ring buffer, with results written all the same", async () => {
    const words = ["analyze", capture("tiny-612-lost-overwrite"), "--out", "lost"];
    const { code, out } = await tool(words);
    expect(code).toBe(3);
    expect(out).toMatch(/15,051 × the ring buffer overwrote events/);
    const files = filesIn(path.join(work, "lost"));
    // It shows no dirty logging, so no phases.
    const expected = RESULT_FILES.filter((name) => !name.startsWith("timeline_phases"));
    expect([...files.keys()]).toEqual(expected);
    const unknown = fromCsv(files.get("flushes.csv")!).map((row) => Number(row["unknown_calls"]));
    expect(Math.max(...unknown)).toBeGreaterThan(0);
  });
});

/** Code that runs before the tool: SIGKILL at its nth step of writing files, a write being done by half. */
function killAtStep(n: number): string {
  return `import fs from "node:fs";
    let steps = 0;
    for (const name of ["rmSync", "writeFileSync", "fsyncSync", "renameSync"]) {
      const call = fs[name];
      fs[name] = (...args) => {
        steps += 1;
        if (steps !== ${n}) return call(...args);
        if (name === "writeFileSync") call(args[0], args[1].slice(0, args[1].length >> 1));
        process.kill(process.pid, "SIGKILL");
        for (;;);
      };
    }`;
}

describe("a run that is cut short", () => {
  it("a reader that closes the pipe: exit code 0, not a word", async () => {
    const child = start(["analyze", capture("tiny-612"), "--format", "json", "--quiet"]);
    child.stdin!.end();
    child.stdout!.destroy();
    const { code, err } = await outcomeOf(child);
    expect([code, err]).toEqual([0, ""]);
  });

  it("… | head -1", async () => {
    const script = `"$0" "$1" verify "$2" "$2" --format json --quiet | head -c 20; echo "\${PIPESTATUS[0]}"`;
    const words = ["-c", script, process.execPath, EXECUTABLE, capture("tiny-61")];
    const outcome = await outcomeOf(spawn("bash", words));
    expect([outcome.out, outcome.err]).toEqual(['{"schema_version":1,0\n', ""]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "%s in a long run: exit code 130 and nothing under a final name",
    async (signal) => {
      const big = path.join(work, "big.txt");
      if (!fs.existsSync(big)) {
        const sink = fs.openSync(big, "w");
        await generateTrace({ ...DEFAULT_OPTIONS, size: { bytes: 60_000_000 } }, (chunk) => {
          fs.writeSync(sink, chunk);
        });
        fs.closeSync(sink);
      }
      expect(fs.statSync(big).size).toBeGreaterThanOrEqual(60_000_000);
      const out = `interrupted-${signal}`;
      const child = start(["analyze", "-", "--kernel", "6.12", "--out", out]);
      const ended = outcomeOf(child);
      // A broken pipe is what an interrupt leaves behind.
      child.stdin!.on("error", () => undefined);
      // Once 40 MB have gone through the pipe, the replay is in the middle of its work.
      let sent = 0;
      for await (const chunk of fs.createReadStream(big, { highWaterMark: 2 ** 20 })) {
        if (child.exitCode !== null || child.signalCode !== null || child.stdin!.destroyed) break;
        if (!child.stdin!.write(chunk)) {
          const drained = once(child.stdin!, "drain").catch(() => undefined);
          await Promise.race([drained, once(child, "exit")]);
        }
        sent += 1;
        if (sent === 40) child.kill(signal);
      }
      const { code, out: text, err } = await ended;
      expect(sent).toBeGreaterThanOrEqual(40);
      expect([code, text]).toEqual([130, ""]);
      expect(err).toContain(`tlbi-replay: interrupted by ${signal}`);
      expectNoStack(err);
      const left = path.join(work, out);
      expect(fs.existsSync(left) ? fs.readdirSync(left) : []).toEqual([]);
    },
  );

  describe("SIGKILL while a set replaces another", () => {
    // Two different sets, so that a mixture of both would show.
    const own = ["analyze", capture("tiny-612"), "--out", "out", "--quiet"];
    const other = [...own, "--policy", "ideal,per-page", "--cpu", "none"];
    let before: ReadonlyMap<string, Buffer>;
    let after: ReadonlyMap<string, Buffer>;
    let cwd: string;
    let milliseconds: number;

    beforeAll(async () => {
      cwd = path.join(work, "killed");
      fs.mkdirSync(cwd);
      expect((await tool(own, { cwd })).code).toBe(0);
      before = filesIn(path.join(cwd, "out"));
      const began = performance.now();
      expect((await tool(other, { cwd })).code).toBe(0);
      milliseconds = performance.now() - began;
      after = filesIn(path.join(cwd, "out"));
      for (const name of RESULT_FILES) expect(after.get(name), name).not.toEqual(before.get(name));
    });

    /** The folder with the first set in it, and nothing else. */
    function reset(): void {
      fs.rmSync(path.join(cwd, "out"), { recursive: true });
      fs.mkdirSync(path.join(cwd, "out"));
      for (const [name, bytes] of before) fs.writeFileSync(path.join(cwd, "out", name), bytes);
    }

    /** What is wrong in the folder; `summary` says whose set it is, if one. */
    function inspect(): {
      readonly summary: "before" | "after" | "none";
      readonly temporary: number;
    } {
      const all = filesIn(path.join(cwd, "out"));
      const names = [...all.keys()].filter((name) => !name.startsWith("."));
      const isOf = (set: ReadonlyMap<string, Buffer>, name: string): boolean =>
        set.get(name)?.equals(all.get(name)!) === true;
      for (const name of names) {
        expect([name, isOf(before, name) || isOf(after, name)]).toEqual([name, true]);
      }
      const temporary = all.size - names.length;
      if (!names.includes("summary.json")) return { summary: "none", temporary };
      expect(names).toEqual(RESULT_FILES);
      const summary = isOf(after, "summary.json") ? "after" : "before";
      const set = summary === "after" ? after : before;
      expect(names.filter((name) => !isOf(set, name))).toEqual([]);
      const parsed: SummaryJson = JSON.parse(all.get("summary.json")!.toString("utf8"));
      const flushes = fromCsv(all.get("flushes.csv")!);
      expect(fromArrow(all.get("flushes.arrow")!)).toEqual(flushes);
      expect(fromJson(parsed.flushes)).toEqual(flushes);
      return { summary, temporary };
    }

    it("at steps all over the writing, and in the middle of a write", async () => {
      const seen: string[] = [];
      /** False where the run ended before that step. */
      const kill = async (step: number): Promise<boolean> => {
        reset();
        const code = killAtStep(step);
        const node = ["--import", `data:text/javascript,${encodeURIComponent(code)}`];
        const outcome = await tool(other, { cwd, node });
        const { summary, temporary } = inspect();
        if (outcome.signal === null) {
          expect([outcome.code, summary, temporary]).toEqual([0, "after", 0]);
          return false;
        }
        expect(outcome.signal).toBe("SIGKILL");
        seen.push(`${summary} ${temporary > 0 ? "and temporary files" : ""}`.trim());
        return true;
      };
      // A whole run each time: every fifth step, which meets each kind of step of some file, and the last.
      let step = 1;
      while (await kill(step)) step += 5;
      for (let last = step - 4; last < step && (await kill(last)); ) last += 1;
      // All files are written and renamed; between the two sets there is a time without a summary.
      expect(seen.length).toBeGreaterThanOrEqual(12);
      expect([...new Set(seen)]).toEqual([
        "before",
        "before and temporary files",
        "none and temporary files",
        "after",
      ]);
    }, 120_000);

    it("at any time", async () => {
      let kills = 0;
      for (let turn = 0; turn < 8; turn += 1) {
        reset();
        const child = start(other, cwd);
        const ended = outcomeOf(child);
        child.stdin!.end();
        // Over a whole run, in a fixed scatter.
        await sleep(milliseconds * (0.3 + ((turn * 5) % 8) * 0.09));
        child.kill("SIGKILL");
        if ((await ended).signal === "SIGKILL") kills += 1;
        inspect();
      }
      expect(kills).toBeGreaterThan(0);
    });
  });
});
