/** Traces without stage-2 probes, as a user runs them. Expected numbers are those of capture.json. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = path.resolve(fileURLToPath(import.meta.url), "../..");
const EXECUTABLE = path.join(ROOT, "dist/bin/tlbi-replay.js");
const CAPTURES = path.join(ROOT, "fixtures/captures");

let work: string;

beforeAll(() => {
  work = fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-stock-"));
});
afterAll(() => {
  fs.rmSync(work, { recursive: true, force: true });
});

function run(...words: readonly string[]): { code: number | null; out: string; err: string } {
  const env = { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "" };
  const done = spawnSync(process.execPath, [EXECUTABLE, ...words], { env, encoding: "utf8" });
  return { code: done.status, out: done.stdout, err: done.stderr };
}

/** A folder with what stock tracepoints (and the events named) leave of a capture. */
function stripped(name: string, folder: string, alsoKept: RegExp = /^$/): string {
  const target = path.join(work, folder);
  fs.mkdirSync(target);
  fs.copyFileSync(path.join(CAPTURES, name, "capture.json"), path.join(target, "capture.json"));
  const text = gunzipSync(fs.readFileSync(path.join(CAPTURES, name, "trace.txt.gz")));
  const lines = text
    .toString("latin1")
    .split("\n")
    .filter((line) => {
      // Its header counts the lines that are taken out.
      if (line.startsWith("#")) return !line.includes("entries-in-buffer");
      const event = /\d+\.\d+: (\w+):/.exec(line)?.[1] ?? "";
      return event.startsWith("kvm_") || alsoKept.test(event);
    });
  fs.writeFileSync(path.join(target, "trace.txt"), `${lines.join("\n")}\n`, "latin1");
  return target;
}

interface JsonSummary {
  readonly flushes: readonly {
    readonly policy: string;
    readonly path: string;
    readonly primitive: string;
    readonly calls: number;
    readonly unknown_calls: number;
  }[];
  readonly inference?: {
    readonly memslots: string;
    readonly events: readonly { readonly class: string; readonly count: number }[];
    readonly unbounded: readonly { readonly path: string; readonly why: string }[];
  };
}

function analyzed(...words: readonly string[]): JsonSummary {
  const { out } = run("analyze", ...words, "--format", "json", "--policy", "range-6.9");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tool's own summary
  return JSON.parse(out) as JsonSummary;
}

function boundsOf(summary: JsonSummary, why: string, primitive: string): readonly number[] {
  const row = summary.flushes.find((one) => one.path === why && one.primitive === primitive);
  return row === undefined ? [0, 0] : [row.calls, row.calls + row.unknown_calls];
}

describe("analyze of a trace without stage-2 probes", () => {
  it("says first that it infers, gives bounds, and ends as a run with bounds does", () => {
    const folder = stripped("tiny-612", "commits", /^commit_region$/);
    const { code, out, err } = run("analyze", folder);
    expect(code).toBe(3);
    expect(out).toMatch(/^INFERRED FROM STOCK TRACEPOINTS: BOUNDS, NOT COUNTS\n/);
    expect(err).toMatch(/INFERRED FROM STOCK TRACEPOINTS/);
    expect(out).toMatch(/dirty_log: unbounded: /);
    const summary = analyzed(folder);
    // The capture has 256 permission faults, 6 unmaps by the notifier and 2 deleted memslots.
    expect(boundsOf(summary, "relax", "IPA_LOCAL")).toEqual([256, 256]);
    expect(boundsOf(summary, "unmap", "RANGE")).toEqual([6, 7]);
    expect(boundsOf(summary, "memslot", "RANGE")).toEqual([2, 2]);
    expect(summary.inference?.memslots).toMatch(/commit_region/);
  });

  it("says what a modelled TLB could answer here, and what it cannot", () => {
    const folder = stripped("tiny-612", "with-tlb");
    const { code, out, err } = run("analyze", folder, "--tlb", "neoverse-n1");
    expect(code).toBe(3);
    expect(err).toContain("no refills");
    expect(out).toContain("no TLB is modelled where stage-2 operations are inferred");
    // 48 entries, and 1280 of four pages each.
    expect(out).toContain("at most 5168 refills on each PE of neoverse-n1");
    expect(out).not.toContain("TLB refills on");
  });

  it("takes the memslots from a table, with times of the trace's clock", () => {
    const folder = stripped("tiny-612", "table");
    const table = path.join(work, "slots.csv");
    // From the capture's commit_region lines of its one VM; the second memslot is the tested one.
    const slots = slotsOf("tiny-612");
    const [first, second] = slots;
    fs.writeFileSync(
      table,
      `vm,gfn,pages,hva,flags,from_s,to_s\n` +
        slots.map(({ gfn, pages, hva, at }) => `a,${gfn},${pages},${hva},,${at},\n`).join(""),
    );
    expect([first?.gfn, second?.gfn]).toEqual(["0x0", "0xffffeff"]);
    const summary = analyzed(folder, "--memslots", table);
    expect(summary.inference?.memslots).toBe("slots.csv");
    const [least, most] = boundsOf(summary, "relax", "IPA_LOCAL");
    expect([least, most]).toEqual([256, 256]);
    // The table says nothing of the memslots' end: what was unmapped behind it counts as theirs.
    expect(boundsOf(summary, "unmap", "RANGE")[0]).toBeGreaterThanOrEqual(6);
    expect(summary.inference?.unbounded.map(({ path: why }) => why)).toContain("memslot");
  });

  it("without memslots: unmaps are unbounded, with the way to get a table", () => {
    const { code, out } = run("analyze", stripped("tiny-612", "none"));
    expect(code).toBe(3);
    expect(out).toMatch(/unmap: unbounded: no memslot table/);
    expect(out).toMatch(/info ramblock, info mtree -f/);
  });

  it("counts recorded invalidations beside the bounds", () => {
    const folder = stripped("tiny-612", "primitives", /^(commit_region|hw_.*)$/);
    const summary = analyzed(folder);
    const recorded = summary.flushes.filter(({ policy }) => policy === "recorded");
    const ranges = recorded.filter(({ primitive }) => primitive === "RANGE");
    expect(ranges.reduce((sum, { calls }) => sum + calls, 0)).toBe(9);
    expect(boundsOf(summary, "relax", "IPA_LOCAL")).toEqual([256, 256]);
  });

  it("never beside probes: a table is then said to be of no use", () => {
    const table = path.join(work, "unused.csv");
    fs.writeFileSync(table, "ipa,bytes\n0,4096\n");
    const { code, out, err } = run("analyze", path.join(CAPTURES, "tiny-612"), "--memslots", table);
    expect(code).toBe(0);
    expect(out).not.toMatch(/INFERRED/);
    expect(err).toMatch(/--memslots is not used/);
  });

  it("refuses a table that it cannot read as a whole", () => {
    const table = path.join(work, "bad.csv");
    fs.writeFileSync(table, "ipa,bytes\n0,4096\nx,4096\n");
    const { code, out, err } = run("analyze", path.join(work, "none"), "--memslots", table);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/bad\.csv:3: 'x' is not a number/);
  });

  it("refuses a trace with a nested guest", () => {
    const { code, err } = run("analyze", stripped("nv-tiny-72", "nested"));
    expect(code).toBe(1);
    expect(err).toMatch(/a nested guest ran/);
  });
});

describe("verify of a trace without stage-2 probes", () => {
  it("says that it cannot", () => {
    const { code, err } = run("verify", path.join(work, "none"));
    expect(code).toBe(1);
    expect(err).toMatch(/stock tracepoints only: `analyze` infers bounds/);
  });
});

interface CommittedSlot {
  readonly at: string;
  readonly gfn: string;
  readonly pages: string;
  readonly hva: string;
}

/** Memslots that a capture's commit_region lines create. */
function slotsOf(name: string): readonly CommittedSlot[] {
  const text = gunzipSync(fs.readFileSync(path.join(CAPTURES, name, "trace.txt.gz")));
  const pattern = /(\d+\.\d+): commit_region: .* change=0 .*base_gfn=(\w+) npages=(\w+) hva=(\w+)/g;
  return [...text.toString("latin1").matchAll(pattern)].map(
    ([, at = "", gfn = "", pages = "", hva = ""]) => ({ at, gfn, pages, hva }),
  );
}
