/** `downtime` as a user runs it: child processes, real files, exit codes. */
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

const COMPLETED = path.join(ROOT, "fixtures/migrations/mig-cut-61.txt.gz");
const CANCELLED = path.join(ROOT, "fixtures/migrations/migc-cut-612.txt.gz");

let work: string;
beforeAll(() => {
  work = fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-downtime-"));
});
afterAll(() => {
  fs.rmSync(work, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly bytes: Buffer;
}

function downtime(...words: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [EXECUTABLE, "downtime", ...words],
    {
      cwd: work,
      env: { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "" },
      maxBuffer: 64 * 2 ** 20,
    },
  );
  return { code: status, out: stdout.toString(), err: stderr.toString(), bytes: stdout };
}

interface TraceDocument {
  readonly outcome: string;
  readonly phases: readonly {
    readonly phase: string;
    readonly policy: string;
    readonly collapses: number;
    readonly flush_calls: number;
  }[];
  readonly policies: readonly { readonly policy: string; readonly epoch: string }[];
  readonly estimates: readonly Readonly<Record<string, string | number | null>>[];
}

function jsonOf(...words: readonly string[]): TraceDocument {
  return JSON.parse(downtime(...words).out) as TraceDocument;
}

const VM = ["--memory", "192GiB", "--vcpus", "48", "--host-page", "1g", "--draws", "300"];
const LINK = ["--bandwidth", "500MB/s", "--dirty-rate", "200MB/s", "--hot-set", "10.7GiB"];

describe("the published case", () => {
  it("is one command, with its decomposition and both intervals", () => {
    const { code, out } = downtime("--case", "ye-2020");
    expect(code).toBe(0);
    for (const text of ["524.3 ms", "131.1 ms", "655.4 ms", "TAKEN FROM THE RESULT"]) {
      expect(out).toContain(text);
    }
    expect(out).toMatch(/roll-back stall +legacy-5\.8 +7\.0 s .*inside .*inside/);
    expect(out).toMatch(/roll-back stall +rfc-2020 +< 1\.0 s .*agrees/);
    expect(out).toContain("With nothing taken from the result (1 to 192 blocks, any fill)");
    expect(out).toContain("DOES NOT CONVERGE");
    expect(out.split("\n")[0]).toMatch(/^STRUCTURE DECIDES/);
  });

  it("gives the same bytes again", () => {
    const args = ["--case", "ye-2020", "--draws", "300", "--format", "json"];
    expect(downtime(...args).out).toBe(downtime(...args).out);
  });
});

describe("parameters alone", () => {
  it("the twin that converges: 6 passes, 451 s, and every cell has a unit or a reason", () => {
    const { code, out } = downtime(...VM, ...LINK, "--format", "json");
    expect(code).toBe(0);
    const result = JSON.parse(out) as {
      policies: readonly { policy: string; passes: number; outcome: string }[];
      estimates: readonly Record<string, string | number | null>[];
      costs: readonly { source: string; date: string; unit: string }[];
      note: string;
    };
    expect(result.note).toBe("estimated, not measured");
    expect(result.policies.map(({ passes, outcome }) => [passes, outcome])).toEqual(
      result.policies.map(() => [6, "converged"]),
    );
    for (const row of result.estimates) {
      expect(row["unit"], String(row["quantity"])).toMatch(/^(s|vCPU·s)$/);
      expect(row["p50"] === null).toBe(row["because"] !== null);
    }
    expect(result.costs.every(({ source, date, unit }) => source && date && unit)).toBe(true);
  });

  it("writes every table as CSV and Arrow with the same rows", () => {
    const folder = path.join(work, "tables");
    expect(downtime(...VM, ...LINK, "--out", folder).code).toBe(0);
    const names = fs.readdirSync(folder).filter((name) => name.endsWith(".csv"));
    expect(names).toHaveLength(8);
    for (const name of names) {
      const rows = parse<Record<string, string>>(fs.readFileSync(path.join(folder, name)), {
        columns: true,
      });
      const table = tableFromIPC(
        fs.readFileSync(path.join(folder, name.replace(".csv", ".arrow"))),
      );
      expect(table.numRows, name).toBe(rows.length);
      expect(table.schema.fields.map((field) => field.name)).toEqual(Object.keys(rows[0]!));
      expect(table.schema.fields.every((field) => field.metadata.has("unit"))).toBe(true);
    }
    const summary = JSON.parse(fs.readFileSync(path.join(folder, "summary.json"), "utf8")) as {
      schema_version: number;
    };
    expect(summary.schema_version).toBe(1);
  });

  it("a gate that does not hold is exit code 4, one that holds 0", () => {
    const args = [...VM, ...LINK, "--policy", "legacy-5.8,range-6.9"];
    expect(downtime(...args, "--require", "converges,rollback_stall<1s@range-6.9").code).toBe(0);
    const failed = downtime(...args, "--require", "rollback_stall<1s");
    expect(failed.code).toBe(4);
    expect(failed.err).toMatch(/--require rollback_stall<1s does not hold for legacy-5\.8/);
    const unknown = downtime(...args, "--require", "network_downtime<1s");
    expect(unknown.code, "a quantity without a value meets no gate").toBe(4);
    expect(downtime(...args, "--require", "rollback_stall<1s@e9").code).toBe(2);
  });

  it("a kernel's version stands for its own policy and epoch", () => {
    const { out } = downtime(...VM, ...LINK, "--kernel", "6.1.176");
    expect(out).toMatch(/quantity +pgtable-5\.10 +range-6\.9/);
    expect(out).toContain("of the given or recorded version (about 5.14 to 6.1");
  });

  it("takes epochs as policies, and a loaded calibration as a whole", () => {
    const { out } = downtime(
      ...VM,
      ...LINK,
      "--policy",
      "e1,e2,e3,e4,e5",
      "--calibration",
      "loaded",
    );
    expect(out).toMatch(/quantity +e1 +e2 +e3 +e4 +e5/);
    expect(out).toMatch(/t_vmid +73\.2 +37 to 146/);
  });
});

describe("clear answers", () => {
  it.each([
    [[], "there is nothing to estimate from"],
    [[...VM, "--bandwidth", "0MB/s", "--dirty-rate", "1MB/s"], "must be more than 0"],
    [[...VM, "--bandwidth", "-1MB/s", "--dirty-rate", "1MB/s"], "is negative"],
    [[...VM, "--bandwidth", "500", "--dirty-rate", "1MB/s"], "has no unit"],
    [[...VM, ...LINK, "--downtime-limit", "3000s"], "cannot be meant"],
    [[...VM, ...LINK, "--vcpus", "0"], "--vcpus"],
    [["--memory", "1GiB", "--host-page", "2m", ...LINK], "is larger (10.7 GiB) than"],
    [[...VM, "--bandwidth", "1GB/s", "--hot-set", "1GiB"], "needs a rate"],
    [
      [...VM, "--bandwidth", "1GB/s", "--hot-set", "1GiB", "--dirty-rate", "0MB/s"],
      "is 0: nothing is",
    ],
    [[...VM, ...LINK, "--blocks", "193"], "are more (193)"],
    [[...VM, ...LINK, "--fill", "1.5", "--blocks", "3"], "cannot be meant"],
    [[...VM, ...LINK, "--slots", "1GiB,2GiB"], "add up to 3 GiB"],
    [
      [...VM, ...LINK, "--force-at", "1s", "--cancel-at", "1s"],
      "either stops the guest or cancels",
    ],
    [[...VM, ...LINK, "--vmm", "cloud-hypervisor", "--auto-converge"], "is not there in"],
    [[...VM, ...LINK, "--cost", "t_ipb=1us"], "did you mean 't_ipa'?"],
    [[...VM, ...LINK, "--cost", "t_ipa=1s..2us"], "is not of the form"],
    [[...VM, ...LINK, "--require", "downtime<1s"], "is not one of source_downtime"],
    [[...VM, ...LINK, "--policy", "no-such"], "no-such"],
  ])("%j is refused: %s", (words, why) => {
    const { code, out, err } = downtime(...words);
    expect(err).toContain(why);
    expect(out).toBe("");
    expect(code).toBe(2);
  });

  it("without a bandwidth: what needs one says so, the roll-back does not", () => {
    const { code, out } = downtime(...VM, "--dirty-rate", "200MB/s", "--hot-set", "10.7GiB");
    expect(code).toBe(0);
    expect(out).toContain("not known: the link's bandwidth (--bandwidth)");
    expect(out).toMatch(/roll-back stall +\d/);
  });

  it("λ of 1 and more, with and without a hot set", () => {
    const rate = [...VM, "--bandwidth", "500MB/s", "--dirty-rate", "500..1000MB/s"];
    const alone = downtime(...rate);
    expect(alone.out).toContain("λ = dirty rate / bandwidth = 1.0 to 2.0: at least 1");
    expect(alone.out).toContain("0 s to 410 s (bounds)");
    expect(alone.out).toContain("a rate alone does not say whether it converges");
    const hot = downtime(...rate, "--hot-set", "10GiB");
    expect(hot.out).toContain("it does not converge: what is dirty does not shrink");
    expect(hot.out).toMatch(/source downtime if forced +\d/);
  });

  it("nothing is written: one pass, and nothing to roll back", () => {
    const { code, out } = downtime(...VM, "--bandwidth", "500MB/s", "--dirty-rate", "0MB/s");
    expect(code).toBe(0);
    expect(out).toContain("converges after 1 pass");
    expect(out).toContain("nothing is written, so no block is broken");
  });
});

describe("a trace", () => {
  it("gives phases as recorded and estimates of an old and a new policy", () => {
    const { code, out } = downtime(CAPTURE, "--bandwidth", "100MB/s", "--draws", "300");
    expect(code).toBe(0);
    expect(out).toContain("Phases as recorded");
    expect(out).toContain("Broadcast flushes by phase");
    expect(out).toMatch(/quantity +range-6\.9 +pgtable-5\.10/);
    expect(out).toMatch(/roll-back stall +\d/);
  });

  it("a completed and a cancelled migration: phases, and old and new policies with intervals", () => {
    const machine = ["--cpu", "fwb,tlbirange,ttl", "--draws", "300", "--format", "json"];
    const completed = jsonOf(COMPLETED, "--kernel", "6.1.192", ...machine);
    expect(completed.outcome).toBe("completed");
    const cancelled = jsonOf(CANCELLED, "--kernel", "6.12.107", ...machine);
    expect(cancelled.outcome).toBe("rolled-back");
    const rolled = cancelled.phases.find(
      ({ phase, policy }) => phase === "rollback" && policy === "recorded",
    )!;
    expect(rolled).toMatchObject({ collapses: 9, flush_calls: 9 });
    for (const { policies, estimates } of [completed, cancelled]) {
      expect(policies.map(({ policy }) => policy).sort()).toEqual(["pgtable-5.10", "range-6.9"]);
      for (const quantity of ["source_downtime", "rollback_stall", "lost_vcpu_rollback"]) {
        const rows = estimates.filter((row) => row["quantity"] === quantity);
        expect(rows).toHaveLength(2);
        for (const { p5, p50, p95 } of rows as unknown as readonly Record<string, number>[]) {
          expect(p5!).toBeGreaterThan(0);
          expect(p50!).toBeGreaterThanOrEqual(p5!);
          expect(p95!).toBeGreaterThanOrEqual(p50!);
        }
      }
    }
    // 6.1 is a kernel of the third epoch, although its policy is called after 5.10.
    expect(completed.policies.find(({ policy }) => policy === "pgtable-5.10")!.epoch).toBe("e3");
    expect(cancelled.policies.find(({ policy }) => policy === "pgtable-5.10")!.epoch).toBe("e2");
  });

  it("a machine that it does not show is refused", () => {
    const { code, err } = downtime(CAPTURE, "--vm", "99");
    expect(code).toBe(2);
    expect(err).toContain("99 is not in the trace");
  });
});

describe("calibrate", () => {
  const RUN = [
    "Testing guest mode: PA-bits:40,  VA-bits:48,  4K pages",
    "Testing memory backing src granularity: 0x1000",
    "Testing memory size(aligned): 0x40000000",
    "Number of testing vCPUs: 1",
    "KVM_CREATE_MAPPINGS: total execution time: 0.300000000s",
    "KVM_UPDATE_MAPPINGS: total execution time: 0.440000000s",
    "KVM_ADJUST_MAPPINGS: total execution time: 0.216000000s",
    "",
  ].join("\n");

  it("fits, shows residuals, saves what --costs reads", () => {
    const input = path.join(work, "page-table.txt");
    const saved = path.join(work, "site.json");
    fs.writeFileSync(input, RUN);
    const { code, out } = downtime("calibrate", input, "--save-costs", saved, "--date", "2026-11");
    expect(code).toBe(0);
    expect(out).toMatch(/t_fault +idle/);
    expect(out).toContain("residual");
    expect(out).toContain("Not fitted");
    const used = downtime(...VM, ...LINK, "--costs", saved);
    expect(used.code).toBe(0);
    expect(used.out).toContain(`${saved}: calibrated`);
  });

  it("what is no measurement is refused", () => {
    const { code, err } = downtime("calibrate", CAPTURE);
    expect(code).toBe(1);
    expect(err).toContain("it holds no durations");
  });
});
