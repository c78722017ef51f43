/** `analyze --tlb` as a user runs it: child processes, real files, exit codes. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { tableFromIPC } from "apache-arrow";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = path.resolve(fileURLToPath(import.meta.url), "../..");
const EXECUTABLE = path.join(ROOT, "dist/bin/tlbi-replay.js");
const CAPTURE = path.join(ROOT, "fixtures/captures/s2-huge-612");
const POLICIES = ["pgtable-6.2", "range-6.9", "vmid-wide"];

let work: string;
beforeAll(() => {
  work = fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-refills-"));
});
afterAll(() => fs.rmSync(work, { recursive: true, force: true }));

function tool(...words: readonly string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [EXECUTABLE, ...words], {
    cwd: work,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "" },
  });
  return { code: status, out: stdout, err: stderr };
}

const analyze = (...words: readonly string[]): ReturnType<typeof tool> =>
  tool("analyze", CAPTURE, "--policy", POLICIES.join(), "--quiet", ...words);

describe("analyze --tlb", () => {
  it("writes refills as CSV and Arrow, traced to their inputs in summary.json", () => {
    const out = path.join(work, "proven");
    const run = analyze("--tlb", "neoverse-n1", "--stream", "proven", "--out", out);
    expect(run).toMatchObject({ code: 0, err: "" });
    const rows = parse<Record<string, string>>(fs.readFileSync(`${out}/refills.csv`), {
      columns: true,
    });
    const arrow = tableFromIPC(fs.readFileSync(`${out}/refills.arrow`));
    expect(arrow.numRows).toBe(rows.length);
    expect(arrow.schema.fields.map(({ name }) => name)).toEqual(Object.keys(rows[0]!));
    const refillsOf = (policy: string, hypothesis: string): number =>
      rows
        .filter((row) => row["policy"] === policy && row["hypothesis"] === hypothesis)
        .reduce((sum, row) => sum + Number(row["combined_refills"]), 0);
    // Every policy has rows under every hypothesis; the recorded kernel's own flushes empty unmaps too.
    for (const policy of POLICIES) expect(refillsOf(policy, "minimum")).toBeGreaterThan(0);
    expect(refillsOf("range-6.9", "combined")).toBeGreaterThan(refillsOf("vmid-wide", "combined"));
    const curve = tableFromIPC(fs.readFileSync(`${out}/miss_curve.arrow`));
    // 1…4096 entries, and 1…16 ways of the second level's sets, under two hypotheses.
    expect(curve.numRows).toBe(POLICIES.length * 2 * (4096 + 16));
    expect(run.out).toMatch(/^vmid-wide( +[\d,]+){9}$/m);
    const { refills } = JSON.parse(fs.readFileSync(`${out}/summary.json`, "utf8"));
    expect(refills.miss_curve).toMatchObject({ table: "miss_curve", rows: curve.numRows });
    expect(refills).toMatchObject({ tlb: "neoverse-n1", stream: "proven", is_known: true });
    expect(refills.shape).toContainEqual({
      part: "l2",
      text: "256x5",
      origin: "neoverse-n1, unverified: as Cortex-A76, whose design it shares",
    });
    expect(refills.counts.proven_visits).toBeGreaterThan(refills.counts.guest_faults);
    expect(run.out).toContain(
      "TLB refills on neoverse-n1, stream proven: the order of the policies",
    );
    expect(run.out).toContain("a lower bound");
  });

  it("takes the shape and the assumptions that are given, and says so", () => {
    const { code, out } = analyze(
      "--tlb",
      "cortex-a55",
      "--tlb-set",
      "l2=64x2,coalesce=4,replace=fifo,l1=4x4",
      "--tlb-knob",
      "theta=0.5",
      "--tlb-knob",
      "episodes=2,capVisits=100",
      "--tlb-seeds",
      "11",
    );
    expect(code).toBe(0);
    expect(out).toContain("l2 64x2 (--tlb-set)");
    expect(out).toContain("replace fifo (--tlb-set)");
    expect(out).toContain("l1 4x4 (--tlb-set)");
    expect(out).toContain("theta = 0.5 (--tlb-knob)");
    expect(out).toContain("median of 11 seeds");
  });

  it("traces every number to its inputs: closed form, costs, latencies with their source", () => {
    const out = path.join(work, "traced");
    const { out: text } = analyze("--tlb", "neoverse-n1", "--out", out, "--tlb-knob", "walkNs=30");
    const { refills } = JSON.parse(fs.readFileSync(`${out}/summary.json`, "utf8"));
    expect(refills.closed_form.totals.map(({ policy }: { policy: string }) => policy)).toEqual(
      POLICIES,
    );
    expect(refills.closed_form.second_level_entries).toBe(1280);
    const [cost] = refills.costs;
    const [total] = refills.totals;
    expect(cost.refill_ns.base).toBe(total.combined_refills.median * 30);
    expect(cost.flush_ns.base).toBe(cost.flush_calls * 1500);
    expect(refills.totals.every(({ hard_bound: n }: { hard_bound: number }) => n > 0)).toBe(true);
    expect(text).toContain("walkNs = 30 ns a refill (--tlb-knob)");
    expect(text).toContain("flushNs = 1500 (1480 to 2000) ns a call (assumed: slopes of");
    expect(text).toContain("Cross-check without simulating: closed form of 1,280 LRU entries");
  });

  it("adds nothing without --tlb", () => {
    const out = path.join(work, "without");
    expect(analyze("--out", out).out).not.toContain("TLB refills");
    expect(fs.readdirSync(out)).not.toContain("refills.csv");
    expect(JSON.parse(fs.readFileSync(`${out}/summary.json`, "utf8"))).not.toHaveProperty(
      "refills",
    );
  });

  it.each([
    [["--tlb", "neoverse-n7"], "--tlb: 'neoverse-n7' is not one of cortex-a76"],
    [["--stream", "proven"], "--stream: says how a TLB is modelled, and there is none"],
    [["--tlb", "apple-m2", "--tlb-set", "l2=3x5"], "--tlb-set: 'l2=3x5' is not a part of a TLB"],
    [["--tlb", "apple-m2", "--tlb-set", "l1=8,l1=9"], "--tlb-set: sets 'l1' twice"],
    [["--tlb", "apple-m2", "--tlb-knob", "theta=9"], "--tlb-knob: theta is a number from 0 to 3"],
    [["--tlb", "apple-m2", "--tlb-knob", "tetha=1"], "--tlb-knob: 'tetha=1' is not NAME=NUMBER"],
    [["--tlb", "apple-m2", "--tlb-seeds", "3"], "--tlb-seeds: '3' is not a whole number from 9"],
  ])("refuses %j", (words, sentence) => {
    const { code, err } = analyze(...words);
    expect(code).toBe(2);
    expect(err).toContain(sentence);
  });

  it("tells every number of every preset, what is used of what is unknown, and from where", () => {
    const { code, out } = tool("analyze", "--tlb", "list");
    expect(code).toBe(0);
    expect(out).toMatch(/^l2 +256x8 +256x8 +measured +Neoverse V2 TRM/m);
    expect(out).toMatch(/^l2 +unknown +256x5 +unknown +no source was found; as Neoverse N1$/m);
    const { presets } = JSON.parse(tool("analyze", "--tlb", "list", "--format", "json").out);
    const ids = presets.map(({ id }: { readonly id: string }) => id);
    expect(ids).toEqual(expect.arrayContaining(["neoverse-n1", "zen5", "champsim-default"]));
    for (const { numbers } of presets) expect(numbers).toHaveLength(9);
    expect(tool("analyze", CAPTURE, "--tlb", "list").code).toBe(2);
    expect(tool("analyze", "--tlb", "list", "--format", "csv").code).toBe(2);
    expect(tool("analyze").err).toContain("analyze needs <traces..>");
  });

  it("lists the presets in the help", () => {
    const { out } = tool("analyze", "--help");
    expect(out).toMatch(/^ +neoverse-v2 +Neoverse V2 .*: L1 measured, L2 measured$/m);
  });
});
