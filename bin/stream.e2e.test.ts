/** `analyze --tlb --stream FILE` as a user runs it: recorded accesses of every format, and what is none. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = path.resolve(fileURLToPath(import.meta.url), "../..");
const EXECUTABLE = path.join(ROOT, "dist/bin/tlbi-replay.js");
const CAPTURE = path.join(ROOT, "fixtures/captures/tiny-612");
const POLICIES = ["range-6.9", "vmid-wide"];
/** Four pages, over and over. */
const VISITS = 400;

let work: string;
beforeAll(() => {
  work = fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-stream-"));
});
afterAll(() => fs.rmSync(work, { recursive: true, force: true }));

function analyze(
  stream: string,
  ...words: readonly string[]
): { code: number | null; out: string; err: string } {
  const own = ["--tlb", "neoverse-n1", "--stream", stream];
  const shared = ["--policy", POLICIES.join(), "--quiet"];
  const all = [EXECUTABLE, "analyze", CAPTURE, ...shared, ...own, ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, {
    cwd: work,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "" },
  });
  return { code: status, out: stdout, err: stderr };
}

interface Refills {
  readonly stream: string;
  readonly is_known: boolean;
  readonly stream_file: Readonly<Record<string, unknown>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly assumptions: readonly string[];
  readonly knobs: readonly { readonly name: string; readonly value: number | string }[];
  readonly totals: readonly { readonly stale_hits: number; readonly policy: string }[];
  readonly rows: readonly { readonly stream: string }[];
}

function refillsOf(stream: string, ...words: readonly string[]): Refills {
  const { code, out, err } = analyze(stream, "--format", "json", ...words);
  expect(err).toBe("");
  expect(code).toBe(0);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what summary.json has, checked below
  return (JSON.parse(out) as { refills: Refills }).refills;
}

function save(name: string, content: string | Uint8Array): string {
  fs.writeFileSync(path.join(work, name), content);
  return name;
}

function lines(lineOf: (page: number, i: number) => string): string {
  return Array.from({ length: VISITS }, (_, i) => lineOf(16 + (i % 4), i)).join("");
}

const hex = (page: number): string => (page * 4096).toString(16);

function champsim(): Uint8Array {
  const bytes = Buffer.alloc(64 * VISITS);
  for (let i = 0; i < VISITS; i += 1) {
    bytes.writeBigUInt64LE(0x401000n, i * 64);
    bytes.writeBigUInt64LE(BigInt((16 + (i % 4)) * 4096), i * 64 + 32);
  }
  return bytes;
}

function arrow(): Uint8Array {
  const vaPage = Int32Array.from({ length: VISITS }, (_, i) => 16 + (i % 4));
  return tableToIPC(tableFromArrays({ va_page: vaPage, rw: new Uint8Array(VISITS) }), "file");
}

const drmemtrace = (page: number, i: number): string =>
  `${String(i + 1).padStart(12)} ${String(i + 1).padStart(10)}:     4242 read  8 byte(s) @ 0x${hex(page).padStart(16, "0")} by PC 0x0000000000401000\n`;

describe("a recorded sequence", () => {
  it.each([
    ["lackey", (): string => lines((page) => ` L ${hex(page)},8\n`)],
    ["drmemtrace", (): string => lines(drmemtrace)],
    ["champsim", champsim],
    ["din", (): string => lines((page) => `0 ${hex(page)}\n`)],
    ["access-csv", (): string => `va,rw\n${lines((page) => `0x${hex(page)},r\n`)}`],
    ["access-arrow", arrow],
  ] as const)("of %s drives the TLBs, with its provenance", (format, make) => {
    const content = make();
    const file = save(`sequence.${format}`, content);
    const refills = refillsOf(file, "--tlb-knob", "visitsPerUs=1");
    expect(refills.stream).toBe(`sequence:${format}`);
    expect(new Set(refills.rows.map(({ stream }) => stream))).toEqual(new Set([refills.stream]));
    expect(refills.stream_file).toMatchObject({
      path: file,
      format,
      class: "sequence",
      bytes: Buffer.byteLength(content),
      sha256: createHash("sha256").update(content).digest("hex"),
      reads: VISITS,
      writes: 0,
      threads: 1,
      pages: 4,
      visits: VISITS,
      rows_left_out: 0,
      losses: [],
    });
    expect(refills.is_known).toBe(true);
    // Packed onto the first four pages that the trace maps: outside only until those are mapped.
    expect(refills.counts["visits"]).toBeGreaterThan(VISITS);
    expect(refills.totals.every(({ stale_hits: stale }) => stale === 0)).toBe(true);
    expect(refills.assumptions.join()).toContain("the guests do what the file recorded elsewhere");
  });

  it("is told in the terminal: file, class, place, time and coverage", () => {
    const file = save(
      "both.lackey",
      lines((page, i) => `${i % 2 === 0 ? "I  401000,4\n" : ""} S ${hex(page)},8\n`),
    );
    const { out, code } = analyze(file, "--stream-map", "0x10000=0x180000");
    expect(code).toBe(0);
    expect(out).toContain("stream sequence:lackey");
    expect(out).toMatch(/both\.lackey: lackey, [\d,]+ bytes, sha256 [0-9a-f]{64}/);
    expect(out).toContain("0 reads and 400 writes of 1 threads, in 400 visits of 4 pages");
    expect(out).toContain("not used: 200 fetches");
    expect(out).toContain("an IPA is the file's address + 0x170000 (--stream-map)");
    expect(out).toContain("from the beginning again at its end");
    expect(out).toMatch(/covered: of [\d,]+ visits of the first seed [\d,]+ were made; [1-9]/);
  });

  it("of IPAs lies where it says; what the trace does not map is counted", () => {
    const rows = lines((_, i) => `0x${i % 2 === 0 ? "180000" : "7fff0000"}\n`);
    const { counts } = refillsOf(save("ipa.csv", `ipa\n${rows}`), "--tlb-knob", "visitsPerUs=1");
    const { visits, visits_outside: outside, visits_unmapped: unmapped } = counts;
    expect(visits).toBeGreaterThan(100);
    // Half of all, and the other half until 0x180000 is mapped.
    expect(outside).toBeGreaterThanOrEqual(visits! + unmapped!);
    const none = refillsOf(save("far.csv", "ipa\n0x7fff0000\n"));
    expect(none).toMatchObject({ is_known: false });
    expect(analyze("far.csv").out).toMatch(/unknown, because none of [\d,]+ visits met memory/);
  });

  it("goes by the trace's clock where that is said", () => {
    // The guest enters at 34.479918 and leaves at 34.480428; 0x182000 is mapped at 34.480553, and it
    // enters again at 34.480694 until 34.480811.
    const file = save(
      "clock.csv",
      [
        "ts_s,ipa,rw",
        "34.480000000,0x180000,r",
        "34.480100000,0x182000,r",
        "34.480500000,0x180000,r",
        "34.480750000,0x182000,w",
        "",
      ].join("\n"),
    );
    const refills = refillsOf(file, "--stream-time", "clock");
    expect(refills.counts).toMatchObject({ visits: 2, visits_outside: 1, visits_unmapped: 0 });
    expect(refills.counts["seeds"]).toBe(1);
    expect(refills.assumptions.join()).toContain("at its times");
    expect(analyze(file, "--stream-time", "clock").out).toContain(
      "1 visits of the file fall into no time of their vCPU in a guest",
    );
  });
});

describe("statistics", () => {
  it.each([
    [
      "damon",
      "  kdamond.0  9 [001]  10.000000: damon:damon_aggregated: target_id=1 nr_regions=1 65536-131072: 20 5\n",
      "accesses",
    ],
    ["perf-mem", " prog 7/7 [001] 1.000001: memory:  5000\n", "the samples tell no absolute rate"],
  ])("of %s are rates and say that they are no sequence", (format, line, timing) => {
    const file = save(`rates.${format}`, line.repeat(50));
    const refills = refillsOf(file);
    expect(refills.stream).toBe(`statistics-not-a-sequence:${format}`);
    expect(refills.stream_file).toMatchObject({
      class: "statistics, not a sequence",
      visits: null,
    });
    expect(String(refills.stream_file["timing"]) + refills.assumptions.join()).toContain(timing);
    expect(refills.assumptions.join()).toContain("statistics, not a sequence");
    expect(refills.counts["visits"]).toBeGreaterThan(0);
    const hasPace = refills.knobs.some(({ name }) => name === "visitsPerUs");
    expect(hasPace).toBe(format === "perf-mem");
    expect(analyze(file).out).toContain("statistics, not a sequence");
  });
});

describe("a file that is damaged", () => {
  it("is used as far as it goes, with exit code 3 and the loss told", () => {
    const text = lines((page) => ` L ${hex(page)},8\n`);
    const cut = save("cut.lackey", text.slice(0, -3));
    const run = analyze(cut);
    expect(run.code).toBe(3);
    expect(run.out).toContain("the last line has no newline and is not whole");
    const packed = gzipSync(text.repeat(50), { level: 0 });
    const half = save("half.lackey.gz", packed.subarray(0, packed.length / 2));
    expect(analyze(half)).toMatchObject({ code: 3 });
    const bad = save("bad.lackey", `${text} L zzzz,8\n L 10000,8\n`);
    const told = analyze(bad, "--format", "json");
    expect(told.code).toBe(3);
    expect(told.out).toContain('"UNPARSED_LINE"');
  });

  it.each([
    ["missing.lackey", undefined, "--stream takes generated, proven, or a file"],
    ["empty", "", "empty"],
    ["readme.md", "# A title\n\nand words\n", "these are no accesses that can be read"],
    ["fetches.lackey", "I  401000,4\n", "none of its 1 records is an access to data (1 fetches"],
    [
      "idle.damon",
      "  kdamond.0  9 [001]  1.000000: damon:damon_aggregated: target_id=1 nr_regions=1 65536-131072: 0 5\n",
      "none of its 1 lines tells that a page was accessed",
    ],
  ])("fails with a sentence: %s", (name, content, sentence) => {
    if (content !== undefined) save(name, content);
    const { code, err, out } = analyze(name);
    expect(err).toContain(sentence);
    expect(code).toBe(1);
    expect(out).toBe("");
  });

  it.each([
    [["generated", "--stream-map", "packed"], "--stream-map: says how a file of accesses is read"],
    [["some.lackey", "--stream-map", "0x12"], "0x12 is not the begin of a page"],
    [["some.lackey", "--stream-map", "somewhere"], "is no mapping of addresses to IPAs"],
    [["some.lackey", "--stream-time", "clock"], "clock needs a time for every access"],
    [["some.lackey", "--tlb-knob", "theta=1"], "theta says nothing of a stream that is sequence"],
    [["some.lackey", "--stream-damon", "5"], "is not SAMPLE,AGGREGATION"],
    [["some.damon", "--stream-time", "pace"], "orders a sequence, and some.damon is statistics"],
    [["lackey:"], "names the format lackey without a file"],
    [["generated", "--tlb-knob", "pattern=sideways"], "pattern is one of popularity, uniform"],
  ])("refuses %j", (words, sentence) => {
    save("some.lackey", " L 10000,8\n L 11000,8\n");
    save(
      "some.damon",
      "  kdamond.0  9 [001]  1.000000: damon:damon_aggregated: target_id=1 nr_regions=1 65536-131072: 3 5\n",
    );
    const [stream = "", ...rest] = words;
    const { code, err } = analyze(stream, ...rest);
    expect(err).toContain(sentence);
    expect(code).toBe(2);
  });
});

describe("the generator", () => {
  it("goes by every knob, and says so", () => {
    const { out, code } = analyze(
      "generated",
      "--tlb-knob",
      "pattern=backwards-512,sharing=1,movedShare=0,phaseMs=50,runLength=2,stage1Class=1",
      "--tlb-knob",
      "episodes=4,capVisits=200",
    );
    expect(code).toBe(0);
    expect(out).toContain("pattern = backwards-512 (--tlb-knob)");
    expect(out).toContain("phaseMs = 50 ms (--tlb-knob)");
    expect(out).toContain("stage1Class = 1 (--tlb-knob)");
  });
});
