/** The executable on real x86 captures: exit codes, contract fields, and refusals. */
import { execFile } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = path.resolve(fileURLToPath(import.meta.url), "../..");
const EXECUTABLE = path.join(ROOT, "dist/bin/tlbi-replay.js");
const MINI_510 = path.join(ROOT, "fixtures/x86-captures/x86-s2-mini-510");
const MINI_72 = path.join(ROOT, "fixtures/x86-captures/x86-s2-mini-72");

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function tool(...words: readonly string[]): Promise<Outcome> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [EXECUTABLE, ...words], (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}

describe("verify", () => {
  it("gives the contract's fields, with the flushes as VM", async () => {
    const { code, out } = await tool("verify", MINI_510, "--format", "json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      trace: MINI_510,
      policy: "x86-per-table-5.10",
      calls: { VM: { predicted: 34, recorded: 34, matched: 34 }, IPA: { predicted: 0 } },
      matched: 34,
      missed: 0,
      spurious: 0,
      unknown: 0,
      best_fit: "x86-per-table-5.10",
    });
  });

  it("has exit code 4 where a named policy does not fit", async () => {
    const { code, out } = await tool(
      "verify",
      MINI_510,
      "--policy",
      "x86-once-5.18",
      "--format",
      "json",
    );
    expect(code).toBe(4);
    expect(JSON.parse(out)).toMatchObject({ policy: "x86-once-5.18", matched: 14, missed: 20 });
  });

  it("takes yields from the recorded flushes, and says so; without them they are unknown", async () => {
    const { out } = await tool("verify", MINI_72);
    expect(out).toContain("1 of its flushes stand before a yield");
    const { code, out: alone } = await tool(
      "verify",
      MINI_72,
      "--operations-only",
      "--format",
      "json",
    );
    expect(code).toBe(0);
    expect(JSON.parse(alone)).toMatchObject({ matched: 11, missed: 0, spurious: 0, unknown: 1 });
  });
});

describe("analyze", () => {
  it("compares the recorded kernel with an old and a new one, and says whose trace it is", async () => {
    const { code, out } = await tool("analyze", MINI_72, "--format", "csv");
    expect(code).toBe(0);
    const [header, ...rows] = out.trim().split(/\r?\n/);
    expect(header).toBe("policy,path,primitive,calls,tlbi,dsb,pages,unknown_calls");
    expect(rows).toContain("x86-collapsible-batch,disable_log,VM,4,0,0,,0");
    expect(rows).toContain("recorded,disable_log,VM,4,0,0,,0");
    expect(rows.filter((row) => row.startsWith("x86-per-table-5.10,memslot"))).toHaveLength(1);
    const table = await tool("analyze", MINI_72);
    expect(table.out).toContain("architecture: x86 (it has kvm_");
    expect(table.err).toContain("a trace of x86 KVM (it has kvm_");
  });

  it.each([MINI_510, MINI_72])("models refills as rows of the contract: %s", async (trace) => {
    const policies = ["x86-per-table-5.10", "x86-once-5.18"];
    const words = ["analyze", trace, "--tlb", "zen4", "--policy", policies.join()] as const;
    const { code, out } = await tool(...words, "--tlb-seeds", "11", "--format", "json");
    expect(code).toBe(0);
    const { refills, flushes } = JSON.parse(out) as {
      flushes: readonly { policy: string; path: string; calls: number }[];
      refills: {
        rows: readonly Record<string, unknown>[];
        differences: readonly unknown[];
      };
    };
    for (const policy of policies) {
      const rows = refills.rows.filter((row) => row["policy"] === policy);
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) {
        const fixed = { tlb: "zen4", stream: "generated", hypothesis: "combined", seeds: 11 };
        expect(row).toMatchObject({ ...fixed, stage2_refills: null, stale_hits: 0 });
      }
    }
    expect(refills.differences).toHaveLength(1);
    const refillsOf = (policy: string, on: string): number =>
      Number(
        refills.rows.find((row) => row["policy"] === policy && row["path"] === on)?.[
          "combined_refills"
        ] ?? 0,
      );
    const callsOf = (policy: string, on: string): number =>
      flushes.find((row) => row.policy === policy && row.path === on)?.calls ?? 0;
    const [perTable = "", once = ""] = policies;
    // Each path by itself: more refills only with more flushes, and the same with as many.
    for (const on of new Set(flushes.map((row) => row.path))) {
      const more = Math.sign(refillsOf(perTable, on) - refillsOf(once, on));
      const calls = Math.sign(callsOf(perTable, on) - callsOf(once, on));
      expect([0, calls], on).toContain(more);
    }
  });

  it.each([
    [["--stream", "proven"], "--stream: accesses are always generated"],
    [
      ["--stream-map", "identity"],
      "--stream-map: says how a file of accesses is read, and there is none",
    ],
    [["--tlb-knob", "flushNs=5"], "--tlb-knob: flushNs has no effect on what is modelled there"],
    [["--tlb-seeds", "3"], "--tlb-seeds: '3' is not a whole number from 9"],
    [["--ipa-bits", "40"], "--ipa-bits: says nothing of a trace of x86 KVM"],
  ])("refuses %j, which would have no effect", async (words, sentence) => {
    const { code, out, err } = await tool("analyze", MINI_510, "--tlb", "zen4", ...words);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(sentence);
  });

  it("changes flags one by one", async () => {
    const { out } = await tool(
      "analyze",
      MINI_510,
      "--policy",
      "x86-per-table-5.10",
      "--flag",
      "removedTable=caller",
      "--format",
      "json",
    );
    const { flushes } = JSON.parse(out) as { flushes: readonly Record<string, unknown>[] };
    expect(flushes).toContainEqual(
      expect.objectContaining({ policy: "x86-per-table-5.10", path: "memslot", calls: 2 }),
    );
    const refused = await tool(
      "analyze",
      MINI_510,
      "--policy",
      "x86-once-5.18",
      "--flag",
      "unmap=leaf",
    );
    expect([refused.code, refused.err]).toEqual([
      2,
      expect.stringContaining("'unmap' is not a flag of x86 policies"),
    ]);
  });

  it("refuses another architecture's policy with exit code 2, and says whose trace it is", async () => {
    const arm64 = path.join(ROOT, "fixtures/captures/tiny-612");
    for (const [trace, policy, sentence] of [
      [
        MINI_510,
        "range-6.9",
        /'range-6\.9' is a policy of arm64 KVM, and .* is a trace of x86 KVM/,
      ],
      [arm64, "x86-once-5.18", /'x86-once-5\.18' is a policy of x86 KVM, and .* of arm64 KVM/],
    ] as const) {
      const { code, out, err } = await tool("analyze", trace, "--policy", policy);
      expect([code, out]).toEqual([2, ""]);
      expect(err).toMatch(sentence);
    }
  });
});

describe("check", () => {
  it("says what is replayed of it", async () => {
    const { code, out } = await tool("check", MINI_510, "--format", "json");
    expect(code).toBe(0);
    const report = JSON.parse(out) as { verdict: { sentence: string } };
    expect(report.verdict.sentence).toMatch(
      /^x86 KVM \(it has .* events\): replayed under x86 policies$/,
    );
  });
});

describe("generate", () => {
  it("writes an x86 dirty_log_perf_test", async () => {
    const words = ["generate", "--workload", "x86-dirty-log", "--vcpus", "1"];
    const { code, out, err } = await tool(...words, "--memory", "16M", "--recorded", "tables");
    expect(code).toBe(0);
    expect(out.match(/kvm_flush_remote_tlbs: \(/g)).toHaveLength(9);
    expect(err).toContain("VM 9,");
    const refused = await tool(...words, "--size", "1M");
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("--size")]);
    const yields = await tool("generate", "--yields", "3");
    expect([yields.code, yields.err]).toEqual([2, expect.stringContaining("x86-dirty-log")]);
  });
});
