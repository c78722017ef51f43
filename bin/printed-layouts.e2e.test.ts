/** Traces of other tracers as a user gives them to `analyze`: child processes and real files. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

const EXECUTABLE = resolve(fileURLToPath(import.meta.url), "../../dist/bin/tlbi-replay.js");
const MACHINE = ["--kernel", "6.12.107", "--cpu", "tlbirange,fwb", "--page-size", "4k"];
const PGT = "0xfff00000c112bcc0";
const MMU = "0xffff80008258d9c8";

let work: string;

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "tlbi-replay-printed-"));
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

interface Outcome {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function analyze(text: string, ...options: readonly string[]): Outcome {
  const path = join(work, "trace.txt");
  writeFileSync(path, text);
  const run = spawnSync(process.execPath, [EXECUTABLE, "analyze", path, ...MACHINE, ...options], {
    encoding: "utf8",
  });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

/** One VM: a page is mapped where nothing was, and unmapped, for which the kernel asks one RANGE. */
const EVENTS: readonly (readonly [string, string])[] = [
  ["kvm_pgtable_stage2_map", `pgt=${PGT} addr=0x180000 size=0x1000 phys=0x102f3b000 prot=0x7`],
  ["kvm_pgtable_stage2_map%return", "ret=0"],
  ["kvm_pgtable_stage2_unmap", `pgt=${PGT} addr=0x180000 size=0x1000`],
  ["kvm_tlb_flush_vmid_range", `mmu=${MMU} addr=0x180000 size=0x1000`],
  ["__kvm_tlb_flush_vmid_range", `mmu=${MMU} start=0x180000 pages=1`],
  ["kvm_pgtable_stage2_unmap%return", "ret=0"],
];

/** The recorded RANGE calls in the CSV that `analyze` prints. */
function recordedRanges(csv: string): string | undefined {
  return csv.split("\n").find((line) => line.startsWith("recorded,") && line.includes(",RANGE,"));
}

/** A line of function_graph. */
function call(text: string, duration = "  1.541 us    "): string {
  return ` 1)   vcpu-4802    | ${duration}|  ${text}\n`;
}

/** The durations of a function that was called once. */
function once(ns: number): object {
  return { count: 1, min: ns, median: ns, p95: ns, max: ns };
}

describe("analyze", () => {
  it("answers from lines of bpftrace, ours or by a template, as from those of a probe", () => {
    const ours = EVENTS.map(
      ([event, args], i) => `s2| ${5_000_000_000 + i} 1 7 ${event} ${args} | vcpu 0`,
    );
    const mine = EVENTS.map(([event, args], i) => `[1] vcpu 0/7 5.00000000${i} ${event}: ${args}`);
    const results = [
      analyze(`Attaching 3 probes...\n${ours.join("\n")}\n`, "--format", "csv"),
      analyze(
        `${mine.join("\n")}\n`,
        "--format",
        "csv",
        "--line-template",
        "[{cpu}] {comm}/{pid} {ts_s} {event}: {args}",
      ),
    ];
    for (const { status, out, err } of results) {
      expect([status, err]).toEqual([0, expect.not.stringContaining("rror")]);
      expect(recordedRanges(out)).toMatch(/^recorded,\w+,RANGE,1,/);
    }
    expect(results[1]!.out).toBe(results[0]!.out);
  });

  it("refuses a wrong template as a matter of usage", () => {
    const { status, err } = analyze("x\n", "--line-template", "{ts_ns} {what}");
    expect(status).toBe(2);
    expect(err).toContain("unknown field {what}");
    expect(err).toContain("{ts_ns} {cpu} {pid} {event} {args}");
  });

  it("writes the durations of a function_graph trace into its summary", () => {
    const none = "              ";
    const text = [
      "# tracer: function_graph\n#\n# CPU  TASK/PID         DURATION                  FUNCTION CALLS\n",
      call(
        `kvm_pgtable_stage2_map(pgt=${PGT}, addr=0x180000, size=0x1000, phys=0x102f3b000, prot=7, mc=0x0, flags=0); /* ret=0x0 */`,
      ),
      call(`kvm_pgtable_stage2_unmap(pgt=${PGT}, addr=0x180000, size=0x1000) {`, none),
      call(`  kvm_tlb_flush_vmid_range(mmu=${MMU}, addr=0x180000, size=0x1000) {`, none),
      call(`    __kvm_tlb_flush_vmid_range(mmu=${MMU}, start=0x180000, pages=1); /* ret=0x0 */`),
      call("  } /* kvm_tlb_flush_vmid_range ret=0x0 */", "  2.000 us    "),
      call("} /* kvm_pgtable_stage2_unmap ret=0x0 */", "+ 12.000 us   "),
    ].join("");
    const folder = join(work, "out");
    const { status, err } = analyze(text, "--out", folder);
    expect([status, err]).toEqual([0, expect.not.stringContaining("rror")]);
    const summary: unknown = JSON.parse(readFileSync(join(folder, "summary.json"), "utf8"));
    expect(summary).toMatchObject({
      inputs: [
        {
          format: "function-graph",
          first_ts_ns: null,
          durations_ns: {
            __kvm_tlb_flush_vmid_range: once(1541),
            kvm_pgtable_stage2_map: once(1541),
            kvm_pgtable_stage2_unmap: once(12_000),
            kvm_tlb_flush_vmid_range: once(2000),
          },
        },
      ],
    });
    const csv = readFileSync(join(folder, "flushes.csv"), "utf8");
    expect(recordedRanges(csv)).toMatch(/,RANGE,1,/);
  });

  it("says that a function_graph trace without arguments answers nothing", () => {
    const { status, err } = analyze(
      "# tracer: function_graph\n#\n# CPU  DURATION                  FUNCTION CALLS\n 0)   1.541 us    |  kvm_pgtable_stage2_unmap();\n",
    );
    expect(status).toBe(1);
    expect(err).toContain("none of its 1 events is a stage-2 operation");
  });
});
