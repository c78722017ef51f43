import { describe, expect, it } from "vitest";
import type { DurationSummary } from "../../ingest/durations.ts";
import { readSelftestRuns } from "../../ingest/selftests/read-runs.ts";
import { FAULT_COLUMNS } from "../costs/published/faults.ts";
import { UNMAP_4K_S, UNMAP_GIB } from "../costs/published/tlbirange.ts";
import { parseSiteCosts } from "../costs/site-costs.ts";
import { parseKernelVersion } from "../policies/kernel-version.ts";
import { calibrate } from "./calibrate.ts";
import type { CalibratedConstant, CalibrationResult, Fit } from "./calibration.ts";
import type { MeasuredRun } from "./request.ts";
import { siteCostsOf } from "./site-costs-of.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

function pageTable(
  stages: Readonly<Record<string, number>>,
  memoryBytes: number,
  backingBytes = 4096,
  vcpus = 1,
): string {
  const lines = Object.entries(stages).map(
    ([stage, seconds]) => `KVM_${stage}_MAPPINGS: total execution time: ${seconds.toFixed(9)}s`,
  );
  return [
    "Testing guest mode: PA-bits:40,  VA-bits:48,  4K pages",
    `Testing memory backing src granularity: 0x${backingBytes.toString(16)}`,
    `Testing memory size(aligned): 0x${memoryBytes.toString(16)}`,
    `Number of testing vCPUs: ${vcpus}`,
    ...lines,
    "",
  ].join("\n");
}

function dirtyLog(
  memoryBytes: number,
  vcpus: number,
  times: {
    readonly dirty: readonly number[];
    readonly clear?: readonly number[];
    readonly get?: readonly number[];
    readonly enable?: number;
  },
  options = "",
): string {
  const lines = times.dirty.flatMap((seconds, at) => [
    `Iteration ${at + 1} dirty memory time: ${seconds.toFixed(9)}s`,
    `Iteration ${at + 1} get dirty log time: ${(times.get?.[at] ?? 0.001).toFixed(9)}s`,
    ...(times.clear === undefined
      ? []
      : [`Iteration ${at + 1} clear dirty log time: ${times.clear[at]!.toFixed(9)}s`]),
  ]);
  return [
    `./dirty_log_perf_test -v ${vcpus} ${options}`,
    "Testing guest mode: PA-bits:40,  VA-bits:48,  4K pages",
    `guest physical test memory: [0x0, 0x${memoryBytes.toString(16)})`,
    ...(times.enable === undefined
      ? []
      : [`Enabling dirty logging time: ${times.enable.toFixed(9)}s`]),
    ...lines,
    "",
  ].join("\n");
}

function runsOf(
  text: string,
  kernel?: string,
  unmaps?: MeasuredRun["unmaps"],
): readonly MeasuredRun[] {
  const version = kernel === undefined ? undefined : parseKernelVersion(kernel);
  return readSelftestRuns(text, "test").map((run) => ({ run, kernel: version, unmaps }));
}

function fitted(runs: readonly MeasuredRun[], fwb?: boolean): CalibrationResult {
  return calibrate({ runs, graphs: [], fwb });
}

function fit(result: CalibrationResult, constant: CalibratedConstant): Fit {
  const found = result.fits.find((one) => one.constant === constant);
  if (found === undefined)
    throw new Error(`${constant} was not fitted: ${reason(result, constant)}`);
  return found;
}

function reason(result: CalibrationResult, constant: CalibratedConstant): string {
  return result.notFitted.find((one) => one.constant === constant)?.because ?? "";
}

const texts = (seconds: readonly number[]): string =>
  seconds.map((one, at) => pageTable({ UNMAP: one }, UNMAP_GIB[at]! * GIB)).join("");

/** 3 µs a block and 61 ns a PTE, and 10 ms of every run. */
const adjust = (blocks: number, backing: number, vcpus = 1): string =>
  pageTable(
    { ADJUST: 0.01 + blocks * (3e-6 + (1 + backing / 8192) * 61e-9) },
    blocks * backing,
    backing,
    vcpus,
  );

const summary = (count: number, medianNs: number): DurationSummary => ({
  count,
  minNs: medianNs - 200,
  medianNs,
  p95Ns: medianNs + 900,
  maxNs: medianNs * 100,
});

describe("unmapping, from the published tables", () => {
  it.each([
    ["v9", 1.49, 0.43],
    ["v2", 1.53, 0.51],
  ] as const)("%s: a flush of %f µs, a walk of %f µs a page", (version, flush, walk) => {
    const table = UNMAP_4K_S[version];
    const result = fitted([
      ...runsOf(texts(table.base), "6.5", "per-ipa"),
      ...runsOf(texts(table.series), "6.6", "range"),
    ]);
    // A least-squares line, in which the largest run weighs most, gives what the title says.
    expect(fit(result, "t_walk_unmap").valueNs / 1000).toBeCloseTo(walk, 1);
    expect(Math.abs(fit(result, "t_ipa").valueNs / 1000 / flush - 1)).toBeLessThan(0.05);
    const { lowNs, valueNs, highNs, points, load } = fit(result, "t_ipa");
    expect(load).toBe("idle");
    expect(lowNs!).toBeLessThan(valueNs);
    expect(highNs!).toBeGreaterThan(valueNs);
    expect(points).toHaveLength(8);
  });

  it("without runs that defer the flush says why there is no t_ipa", () => {
    const result = fitted(runsOf(texts(UNMAP_4K_S.v9.base), "6.5"));
    expect(reason(result, "t_ipa")).toContain("without its flush is not measured");
    expect(result.notes[0]).toMatch(/one by one takes 1\.9\d µs, walk and flush together/);
  });

  it("on a kernel that may do either is left out unless it is said", () => {
    const result = fitted(runsOf(texts(UNMAP_4K_S.v9.base), "6.12"));
    expect(result.fits).toEqual([]);
    expect(result.notes[0]).toContain("how that kernel unmaps is not known");
  });
});

describe("collapse", () => {
  const text =
    [64, 128, 512].map((blocks) => adjust(blocks, 2 * MIB)).join("") +
    [1, 2, 4].map((blocks) => adjust(blocks, GIB)).join("");

  it("tells a PTE from a block where blocks have two sizes", () => {
    const { valueNs, lowNs, warnings } = fit(fitted(runsOf(text), true), "t_walk");
    expect(valueNs).toBeCloseTo(61, 6);
    expect(lowNs).toBeUndefined();
    expect(warnings).toContain("2 points: too few for an interval");
  });

  it("does not without FWB, nor where it is not known, nor of one size", () => {
    expect(reason(fitted(runsOf(text), false), "t_walk")).toContain("cleans every page too");
    expect(reason(fitted(runsOf(text)), "t_walk")).toContain(
      "whether the CPU has FWB is not known",
    );
    expect(reason(fitted(runsOf(adjust(64, 2 * MIB)), true), "t_walk")).toContain(
      "blocks of one size",
    );
  });

  it("never mixes idle runs with loaded ones", () => {
    const mixed = fitted(runsOf(adjust(64, 2 * MIB) + adjust(4, GIB, 128)), true);
    expect(mixed.fits).toEqual([]);
    expect(reason(mixed, "t_walk")).toContain("the idle runs collapse blocks of one size");
    expect(reason(mixed, "t_walk")).toContain("the loaded runs");
  });
});

describe("faults and write-protection", () => {
  it("fits the serial part from the published columns, by the kernel's lock", () => {
    const spinlock = FAULT_COLUMNS.find(({ name }) => name === "Altra, spinlock")!;
    const text = spinlock.vcpus
      .map((vcpus, at) =>
        dirtyLog(vcpus * spinlock.bytesPerVcpu, vcpus, { dirty: [9, spinlock.seconds[at]!] }),
      )
      .join("");
    const result = fitted(runsOf(text, "5.16"));
    const serial = fit(result, "t_ser_spinlock");
    // 1.22 µs by the table's own arithmetic.
    expect(Math.abs(serial.valueNs / 1220 - 1)).toBeLessThan(0.03);
    expect(serial.load).toBe("loaded");
    // One vCPU: 0.926 s of 524,288 pages.
    expect(fit(result, "t_fault").valueNs).toBeCloseTo((0.926 / 524_288) * 1e9, 6);
    expect(fit(result, "t_fault").warnings.join()).toContain("all runs are of one size");
    expect(reason(result, "t_ser_parallel")).toContain("6.2 or later");
  });

  it("does not take a lock's cost from runs in which it does not show", () => {
    const text = [1, 2, 4, 8]
      .map((vcpus) => dirtyLog(vcpus * GIB, vcpus, { dirty: [1, 1] }))
      .join("");
    expect(reason(fitted(runsOf(text, "6.12")), "t_ser_parallel")).toContain(
      "still getting cheaper",
    );
    expect(reason(fitted(runsOf(text)), "t_ser_rwlock")).toContain("needs the kernel's version");
  });

  it("fits write-protection from the clears behind the first iteration, and the call from the offset", () => {
    // 50 µs a call and 25 ns a page; the first iteration write-protects blocks, and would spoil it.
    const sizes = [1, 2, 3, 4, 8, 16];
    const text = sizes
      .map((gib) => {
        const pages = (gib * GIB) / 4096;
        const seconds = 50e-6 + pages * 25e-9;
        return dirtyLog(gib * GIB, 1, { dirty: [1, 1], clear: [1e-5, seconds] });
      })
      .join("");
    const result = fitted(runsOf(text, "6.12"));
    const { valueNs, lowNs, highNs, relativeResidual } = fit(result, "t_wp");
    expect(valueNs).toBeCloseTo(25, 3);
    expect(lowNs!).toBeCloseTo(25, 3);
    expect(highNs!).toBeCloseTo(25, 3);
    expect(relativeResidual!).toBeLessThan(1e-6);
    expect(fit(result, "t_ioctl").valueNs).toBeCloseTo(50_000, 0);
  });

  it("without manual protection takes GET and the log start, of pages that are written", () => {
    const pages = GIB / 4096;
    const text = dirtyLog(
      GIB,
      1,
      { dirty: [1, 1], get: [9, pages * 20e-9], enable: pages * 20e-9 },
      "-g -s anonymous",
    );
    expect(fit(fitted(runsOf(text)), "t_wp").points).toHaveLength(2);
    const blocks = dirtyLog(
      GIB,
      1,
      { dirty: [1, 1], get: [9, pages * 20e-9], enable: 4e-6 },
      "-g -s anonymous_hugetlb_2mb",
    );
    expect(fit(fitted(runsOf(blocks)), "t_wp").points).toHaveLength(1);
  });

  it("says where the number of vCPUs is missing, or more work took less time", () => {
    const text = dirtyLog(GIB, 4, { dirty: [1, 1] }).replace(/^.*-v 4.*\n/, "");
    const result = fitted(runsOf(text, "6.12"));
    expect(result.inputs[0]!.leftOut[0]).toContain("the number of vCPUs is not in the output");
    expect(reason(result, "t_fault")).toContain("no run has one vCPU");
    const odd = [1, 2, 4]
      .map((gib) => dirtyLog(gib * GIB, 1, { dirty: [1, 1], clear: [1, 1 / gib] }))
      .join("");
    expect(reason(fitted(runsOf(odd)), "t_wp")).toContain("more pages took less time");
  });
});

describe("function_graph", () => {
  it("gives the flushes that no selftest has apart", () => {
    const durations = new Map([
      ["__kvm_tlb_flush_vmid", summary(40, 1500)],
      ["__kvm_tlb_flush_vmid_range", summary(12, 2600)],
      ["__kvm_tlb_flush_vmid_ipa", summary(3, 1800)],
      ["kvm_set_memory_region", summary(99, 1)],
    ]);
    const result = calibrate({
      runs: [],
      graphs: [{ name: "graph.txt", durations, load: "loaded" }],
      fwb: true,
    });
    expect(fit(result, "t_vmid")).toMatchObject({
      valueNs: 1500,
      lowNs: 1300,
      highNs: 2400,
      load: "loaded",
    });
    expect(fit(result, "t_rng")).toMatchObject({ valueNs: 2600, lowNs: undefined });
    expect(reason(result, "t_ipa")).toBe(
      "graph.txt holds 3 calls of __kvm_tlb_flush_vmid_ipa: too few",
    );
    expect(
      result.fits.every(({ warnings }) => warnings.some((one) => one.includes("upper bound"))),
    ).toBe(true);
  });

  it("is held against what the selftests say", () => {
    const pages = GIB / 4096;
    const runs = runsOf(dirtyLog(GIB, 1, { dirty: [1, pages * 1000e-9] }));
    const graphs = [
      {
        name: "g",
        durations: new Map([["kvm_handle_guest_abort", summary(50, 4000)]]),
        load: "idle" as const,
      },
    ];
    const { notes } = calibrate({ runs, graphs, fwb: true });
    expect(notes).toEqual([
      "t_fault (idle) is 1000 ns by one way and 4000 ns by another: the measurements disagree by 4.0×",
    ]);
  });
});

describe("nothing to fit", () => {
  it("says of every constant what it would take", () => {
    const { fits, notFitted } = calibrate({ runs: [], graphs: [], fwb: undefined });
    expect(fits).toEqual([]);
    expect(notFitted).toHaveLength(11);
    expect(notFitted.every(({ because }) => because.startsWith("it takes "))).toBe(true);
  });
});

describe("siteCostsOf", () => {
  it("writes what --costs reads, one load at a time", () => {
    const sizes = [1, 2, 4, 8, 16];
    const text = sizes
      .map((gib) => dirtyLog(gib * GIB, 1, { dirty: [1, gib * 0.4], clear: [1, gib * 0.007] }))
      .join("");
    const result = fitted(runsOf(text));
    const about = { measuredOn: "host 7", date: "2026-11" };
    const site = siteCostsOf(result, "idle", about)!;
    expect(parseSiteCosts(JSON.stringify(site), "site")).toEqual(site);
    const names = site.costs.map(({ name }) => name);
    expect(names).toContain("t_wp");
    expect(names).toContain("t_fault");
    expect(siteCostsOf(result, "loaded", about)).toBeUndefined();
  });

  it("assumes a range where there is no interval, and says so", () => {
    const pages = GIB / 4096;
    const result = fitted(runsOf(dirtyLog(GIB, 1, { dirty: [1, pages * 1200e-9] })));
    const { costs } = siteCostsOf(result, "idle", { measuredOn: "h", date: "2026" })!;
    const cost = costs.find(({ name }) => name === "t_fault");
    expect(cost!.low).toBeCloseTo(800, 6);
    expect(cost!.mode).toBeCloseTo(1200, 6);
    expect(cost!.high).toBeCloseTo(1800, 6);
    expect(cost!.source).toContain("range assumed");
  });
});
