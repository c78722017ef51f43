/**
 * The captures of `fixtures/captures`: what real kernels did, with every TLBI instruction that the CPUs
 * executed. Expectations written by hand are from the captures' own records, not from a run of the tool.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { CpuFeatures } from "../../replay/policies/features.ts";
import type { Policy, PolicyFlags } from "../../replay/policies/flags.ts";
import { findPolicy } from "../../replay/policies/registry.ts";
import type * as VersionMap from "../../replay/policies/version-map.ts";
import { type Capture, executedByCpu, readCapture, traceOf as checkedTraceOf } from "./capture.ts";
import { checkCapture, type CheckResult } from "./checks.ts";
import { checkCrossPredictions } from "./cross-prediction.ts";
import { type ReplayedCapture, replayCapture } from "./replayed.ts";

/** Flags that the recorded kernel's policy is given on top of its own, to see checks fail. */
const mutation = vi.hoisted(() => ({ flags: {} as Partial<PolicyFlags> }));
vi.mock("../../replay/policies/version-map.ts", async (importActual) => {
  const actual = await importActual<typeof VersionMap>();
  const policyOfKernel: typeof actual.policyOfKernel = (version) => {
    const policy = actual.policyOfKernel(version);
    return { ...policy, flags: { ...policy.flags, ...mutation.flags } };
  };
  return { ...actual, policyOfKernel };
});

const CAPTURES = fileURLToPath(new URL("../../fixtures/captures/", import.meta.url));
const NAMES = readdirSync(CAPTURES).sort();

function capture(name: string): Capture {
  return readCapture(path.join(CAPTURES, name))!;
}

function traceOf(name: string): string {
  return checkedTraceOf(capture(name))!;
}

function textOf(name: string): string {
  return gunzipSync(readFileSync(traceOf(name))).toString("latin1");
}

async function replayed(name: string, policyId?: string, features?: CpuFeatures) {
  const policy: Policy | undefined = policyId === undefined ? undefined : findPolicy(policyId)!;
  const prediction =
    policy === undefined || features === undefined ? undefined : { policy, features };
  return await replayCapture(traceOf(name), prediction);
}

/** Certain calls of the policy, in the order VM, IPA, IPA_LOCAL, RANGE. */
function callsOf(run: ReplayedCapture): readonly number[] {
  const { VM, IPA, IPA_LOCAL, RANGE } = run.result.fits[0]!.calls;
  return [VM, IPA, IPA_LOCAL, RANGE].map(({ predicted }) => predicted);
}

function instructionCounts(run: ReplayedCapture): Readonly<Record<string, number>> {
  const policy = run.result.fits[0]!.policy;
  const rows = run.result.instructions.filter((row) => row.policy === policy);
  return Object.fromEntries(rows.map((row) => [row.instruction, row.count]));
}

function featuresOf(...names: (keyof CpuFeatures)[]): CpuFeatures {
  const has = (name: keyof CpuFeatures): boolean => names.includes(name);
  return {
    tlbirange: has("tlbirange"),
    fwb: has("fwb"),
    ttl: has("ttl"),
    lpa2: has("lpa2"),
    dic: has("dic"),
  };
}

function problemsOf(results: readonly CheckResult[]): readonly string[] {
  return results.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`));
}

function skippedOf(results: readonly CheckResult[]): readonly string[] {
  return results.filter(({ skipped }) => skipped !== undefined).map(({ name }) => name);
}

/** Instruction counts of each operation, in the order of the trace. */
function inOrder(
  of: Iterable<readonly [line: number, counts: ReadonlyMap<string, number>]>,
): readonly (readonly string[])[] {
  const byLine = [...of].sort(([a], [b]) => a - b);
  return byLine.map(([, counts]) => [...counts].map(([name, n]) => `${n} ${name}`).sort());
}

/** Instructions with their operands, on whichever CPU. */
function operands(of: ReadonlyMap<number, readonly string[]>): readonly string[] {
  return [...of.values()].flat().sort();
}

afterEach(() => {
  mutation.flags = {};
});

it("every folder is a capture, and none is missing here", () => {
  expect(NAMES).toEqual([
    "mms-4M-612",
    "nv-tiny-72",
    "s2-huge-61",
    "s2-huge-612",
    "s2-huge-612-n1",
    "s2-huge-eager-612",
    "tiny-61",
    "tiny-612",
    "tiny-612-16k",
    "tiny-612-lost-overwrite",
    "tiny-612-lpa2off",
    "tiny-612-nvhe",
    "tiny-612-perf",
    "tiny-72",
  ]);
  for (const name of NAMES) expect(readCapture(path.join(CAPTURES, name)), name).toBeDefined();
});

describe("each capture on its own", () => {
  /** nVHE runs the primitives at EL2, where no probe sees them. */
  const SKIPPED: Readonly<Record<string, readonly string[]>> = {
    "tiny-612-nvhe": ["tiny-612-nvhe: calls", "tiny-612-nvhe: calls, operations only"],
  };
  const LOSSY = new Set(["tiny-612-lost-overwrite"]);

  it.each(NAMES)("%s: nothing contradicts what the CPUs executed", async (name) => {
    const results = await checkCapture(capture(name));
    expect(problemsOf(results)).toEqual([]);
    expect(skippedOf(results)).toEqual(SKIPPED[name] ?? []);
    expect(results.map((result) => result.name)).toEqual(
      LOSSY.has(name)
        ? [`${name}: bounds under loss`]
        : [
            "calls",
            "calls, operations only",
            "instruction counts",
            "operands",
            ...(name.startsWith("nv-") ? ["emulated TLBIs", "instructions by hardware VMID"] : []),
          ].map((check) => `${name}: ${check}`),
    );
  });

  it("an overwritten buffer gives bounds around what was executed, and the losses by name", async () => {
    const [result] = await checkCapture(capture("tiny-612-lost-overwrite"));
    expect(result!.note).toContain("EVENTS_OVERWRITTEN 15051");
    expect(result!.note).toContain("BUFFER_STARTED_LATE 1");
    const run = await replayed("tiny-612-lost-overwrite");
    const fit = run.result.fits[0]!;
    // Of 263 + 232 + 6 calls executed, the trace still has 116 + 2 + 4.
    expect(fit.calls.IPA_LOCAL).toMatchObject({ recorded: 116, matched: 116, unknown: 0 });
    expect(fit.calls.RANGE).toMatchObject({ recorded: 2, matched: 2, unknown: 0 });
    expect(fit.calls.IPA).toMatchObject({ predicted: 0, recorded: 4, matched: 0, unknown: 4 });
    // The bounds have room for what was recorded: certain ≤ recorded ≤ certain + unknown.
    const rows = run.result.flushes.filter((row) => row.policy === fit.policy);
    for (const primitive of ["IPA", "IPA_LOCAL", "RANGE"] as const) {
      const of = rows.filter((row) => row.primitive === primitive);
      const certain = of.reduce((sum, row) => sum + row.calls, 0);
      const atMost = of.reduce((sum, row) => sum + row.calls + row.unknown_calls, 0);
      const recorded = fit.calls[primitive].recorded!;
      expect(certain, primitive).toBeLessThanOrEqual(recorded);
      expect(atMost, primitive).toBeGreaterThanOrEqual(recorded);
    }
  });

  /** Written by hand from `truth` in each capture.json: calls, then instructions. */
  const TRUTH: readonly (readonly [
    name: string,
    calls: readonly number[],
    instructions: Readonly<Record<string, number>>,
  ])[] = [
    ["tiny-61", [1, 531, 0, 0], { vmalls12e1is: 1, ipas2e1is: 531, vmalle1is: 531, vmalle1: 1 }],
    [
      "tiny-612",
      [0, 4, 256, 9],
      // 11 in RANGE + 4 in IPA; 9 + 4; 256 + one vCPU switch.
      { ripas2e1is: 6, ipas2e1is: 15, vmalle1is: 13, ipas2e1: 256, vmalle1: 257 },
    ],
    [
      "tiny-612-lpa2off",
      [0, 4, 256, 9],
      { ripas2e1is: 4, ipas2e1is: 11, vmalle1is: 13, ipas2e1: 256, vmalle1: 257 },
    ],
    [
      "tiny-612-16k",
      [0, 2, 256, 7],
      { ripas2e1is: 6, ipas2e1is: 11, vmalle1is: 9, ipas2e1: 256, vmalle1: 257 },
    ],
    [
      "tiny-612-nvhe",
      [0, 4, 256, 9],
      { ripas2e1is: 6, ipas2e1is: 15, vmalle1is: 13, ipas2e1: 256, vmalle1: 258 },
    ],
    [
      "tiny-72",
      [0, 4, 256, 9],
      { ripas2e1is: 6, ipas2e1is: 15, vmalle1is: 13, ipas2e1: 256, vmalle1: 257 },
    ],
    ["mms-4M-612", [0, 6, 0, 68], { ripas2e1is: 4, ipas2e1is: 75, vmalle1is: 74, vmalle1: 2 }],
    ["nv-tiny-72", [0, 17, 0, 16], { ripas2e1is: 12, ipas2e1is: 21, vmalle1is: 33, vmalle1: 3 }],
    [
      "s2-huge-eager-612",
      [0, 60, 185, 93],
      { ripas2e1is: 93, ipas2e1is: 60, vmalle1is: 153, ipas2e1: 185, vmalle1: 187 },
    ],
  ];

  it.each(TRUTH)("%s: calls %j", async (name, calls, instructions) => {
    const run = await replayed(name);
    expect(callsOf(run)).toEqual(calls);
    expect(instructionCounts(run)).toEqual(instructions);
  });
});

describe("the same work on three systems", () => {
  const HUGE = ["s2-huge-61", "s2-huge-612", "s2-huge-612-n1"] as const;
  const N612 = featuresOf("tlbirange", "fwb", "ttl", "lpa2");
  const NONE = featuresOf();
  let lines: ReadonlyMap<string, readonly string[]>;

  beforeAll(() => {
    lines = new Map(HUGE.map((name) => [name, textOf(name).split("\n")]));
  });

  /** Unmap calls as the trace's text has them: line number, table (numbered by first sight), addr, len. */
  function unmapsIn(name: string) {
    const tables: string[] = [];
    return lines.get(name)!.flatMap((text, i) => {
      const pgt = / pgt=(0x\w+)/.exec(text)?.[1];
      if (pgt !== undefined && !tables.includes(pgt)) tables.push(pgt);
      const call = /: unmap: \(.* addr=(0x\w+) size=(0x\w+)/.exec(text);
      if (call === null) return [];
      const [addr, len] = [Number(call[1]), Number(call[2])];
      return [{ line: i + 1, table: tables.indexOf(pgt!), addr, len }];
    });
  }

  function onlyIn61() {
    const shared = unmapsIn("s2-huge-612");
    let next = 0;
    const extra = unmapsIn("s2-huge-61").filter(({ table, addr, len }) => {
      const other = shared[next];
      const same = other?.table === table && other.addr === addr && other.len === len;
      if (same) next += 1;
      return !same;
    });
    expect(next, "the unmaps of 6.12 are all in 6.1, in order").toBe(shared.length);
    return extra;
  }

  /** 6.1 asks twice for one MADV_DONTNEED of hugetlb memory, 6.12 once. */
  const ONLY_IN_61: readonly (readonly [addr: number, len: number])[] = [
    [0x103800000, 0x200000],
    [0x100e00000, 0x200000],
    [0x102a00000, 0x200000],
    [0x100c00000, 0x200000],
    [0x100e00000, 0x200000],
    [0x102c00000, 0x400000],
    [0x183c00000, 0x200000],
    [0x183e00000, 0x200000],
    [0x100000000, 0x400000],
    [0x183a00000, 0x200000],
    [0x182200000, 0x200000],
    [0x102e00000, 0x200000],
    [0x100200000, 0x200000],
    [0x101800000, 0x200000],
    [0x181e00000, 0x400000],
    [0x182600000, 0x400000],
    [0x100000000, 0x200000],
    [0x183e00000, 0x200000],
    [0x101200000, 0x400000],
    [0x100600000, 0x400000],
  ];

  it("every pair predicts each other's instructions", async () => {
    const results = await checkCrossPredictions(HUGE.map(capture));
    expect(problemsOf(results)).toEqual([]);
    expect(skippedOf(results)).toEqual([]);
    expect(results.map(({ name }) => name)).toEqual([
      "s2-huge-61 replayed as s2-huge-612 (range-6.9)",
      "s2-huge-61 replayed as s2-huge-612-n1 (range-6.9)",
      "s2-huge-612 replayed as s2-huge-61 (pgtable-5.10)",
      "s2-huge-612 replayed as s2-huge-612-n1 (range-6.9)",
      "s2-huge-612-n1 replayed as s2-huge-61 (pgtable-5.10)",
      "s2-huge-612-n1 replayed as s2-huge-612 (range-6.9)",
    ]);
    expect(results[0]!.note).toContain("unmaps only in s2-huge-61: 20 (");
    expect(results[0]!.note).toContain("only in s2-huge-612: none");
    expect(results[3]!.note).toMatch(/: none; only in s2-huge-612-n1: none$/);
  });

  it("6.1 was asked for 20 unmaps more, each a repetition of the one before", () => {
    const extra = onlyIn61();
    expect(extra.map(({ addr, len }) => [addr, len])).toEqual(ONLY_IN_61);
    const all = unmapsIn("s2-huge-61");
    for (const call of extra) {
      const before = all[all.findIndex(({ line }) => line === call.line) - 1];
      expect(before).toMatchObject({ table: call.table, addr: call.addr, len: call.len });
    }
    expect(unmapsIn("s2-huge-612-n1").map(({ addr, len }) => [addr, len])).toEqual(
      unmapsIn("s2-huge-612").map(({ addr, len }) => [addr, len]),
    );
  });

  it("61 as range-6.9 with TLBIRANGE and FWB: 612's calls and 20 RANGE, one for each of those unmaps", async () => {
    const run = await replayed("s2-huge-61", "range-6.9", N612);
    expect(callsOf(run)).toEqual([0, 99, 1, 118 + 20]);
    const own = await replayed("s2-huge-612");
    expect(callsOf(own)).toEqual([0, 99, 1, 118]);

    const extraLines = new Set(onlyIn61().map(({ line }) => line));
    for (const line of extraLines) {
      // Nothing was mapped any more: the unmap is one RANGE of 2 or 4 MiB, one ripas2e1is + vmalle1is.
      expect([line, ...run.byLine.get(line)!]).toEqual([line, ["ripas2e1is", 1], ["vmalle1is", 1]]);
    }
    const rest = [...run.byLine].filter(([line]) => !extraLines.has(line));
    expect(inOrder(rest)).toEqual(inOrder(own.byLine));
  });

  it.each([
    // From the two traces' own truth: VM, IPA, IPA_LOCAL, RANGE.
    ["s2-huge-612", "pgtable-5.10", N612, [24, 8625, 0, 0]],
    ["s2-huge-612-n1", "pgtable-5.10", NONE, [24, 8625, 0, 0]],
    ["s2-huge-612-n1", "range-6.9", N612, [0, 99, 1, 118]],
    ["s2-huge-612", "range-6.9", NONE, [24, 8624, 1, 0]],
    ["s2-huge-61", "range-6.9", NONE, [24, 8624, 1, 0]],
  ] as const)("%s as %s (%j) gives %j", async (name, policy, features, calls) => {
    const run = await replayed(name, policy, features);
    expect(callsOf(run)).toEqual(calls);
    expect(run.result.fits[0]!.unknown).toBeLessThanOrEqual(1);
  });

  it.each([
    ["s2-huge-612", "s2-huge-612-n1", "range-6.9", NONE],
    ["s2-huge-612-n1", "s2-huge-612", "range-6.9", N612],
  ] as const)(
    "%s on the CPU of %s executes what that CPU executed",
    async (name, other, id, cpu) => {
      const run = await replayed(name, id, cpu);
      expect(instructionCounts(run)).toEqual(Object.fromEntries(capture(other).executed));
      // With operands, but on any CPU: the two runs were scheduled differently.
      expect(operands(run.predictedByCpu)).toEqual(operands(executedByCpu(capture(other))!));
    },
  );
});

describe("the checks can fail", () => {
  /** A wrong flag, a capture that shows it, and words of the problem that is named. */
  const MUTATIONS: readonly (readonly [Partial<PolicyFlags>, string, RegExp])[] = [
    [{ deferredTableFlush: false }, "tiny-612", /calls: IPA: 4 recorded, 0 matched, 4 missed/],
    [{ lpa2Aware: false }, "tiny-612", /instruction counts: ripas2e1is: 4 predicted, 6 executed/],
    [{ lpa2Aware: true, rangeEncoder: "ascending" }, "tiny-612", /operands: CPU \d/],
    [{ unmap: "leaf" }, "tiny-612", /calls: RANGE: 9 recorded, 1 matched, 8 missed/],
    [{ relax: "ipa" }, "tiny-612", /calls: IPA_LOCAL: 256 recorded, 0 matched, 256 missed/],
    [{ logFlush: "vmid" }, "tiny-612", /calls: VM: 0 recorded, 0 matched, 0 missed, 1 spurious/],
    [{ noHintArgument: "zero" }, "tiny-612", /calls: 4 level hints differ/],
    [{ repeatTlbi: "twice" }, "tiny-612", /instruction counts: vmalle1is: 26 predicted/],
    [{ tableHint: "parent-level" }, "tiny-61", /calls: \d+ level hints differ/],
    [{ unmap: "vmid" }, "tiny-61", /calls: IPA: 531 recorded, .* missed/],
    [{ relax: "ipa-local" }, "tiny-61", /calls: IPA: 531 recorded, 275 matched, 256 missed/],
    [{ leafChange: "vmid" }, "s2-huge-eager-612", /calls: VM: 0 recorded, .* [1-9]\d* spurious/],
    [{ logFlush: "leaves" }, "s2-huge-eager-612", /calls: RANGE: 93 recorded/],
  ];

  it.each(MUTATIONS)("%j on %s", async (flags, name, problem) => {
    mutation.flags = flags;
    const problems = problemsOf(await checkCapture(capture(name)));
    expect(problems.join("\n")).toMatch(problem);
  });

  it("a wrong count in the truth", async () => {
    const real = capture("tiny-61");
    const executed = new Map(real.executed).set("ipas2e1is", 530);
    const problems = problemsOf(await checkCapture({ ...real, executed }));
    expect(problems).toEqual([
      "tiny-61: instruction counts: ipas2e1is: 531 predicted, 530 executed",
    ]);
  });

  it("under loss, more predicted than was executed", async () => {
    const real = capture("tiny-612-lost-overwrite");
    const executed = new Map(real.executed).set("ipas2e1", 115);
    const problems = problemsOf(await checkCapture({ ...real, executed }));
    expect(problems).toEqual([
      "tiny-612-lost-overwrite: bounds under loss: ipas2e1: 116 predicted, only 115 executed",
    ]);
  });

  it("one operation of the same work that differs between two systems", async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "captures-"));
    try {
      const [one, two] = ["s2-huge-612", "s2-huge-612-n1"].map((name) => path.join(folder, name));
      cpSync(capture("s2-huge-612").folder, one!, { recursive: true });
      cpSync(capture("s2-huge-612-n1").folder, two!, { recursive: true });
      const sound = await checkCrossPredictions([readCapture(one!)!, readCapture(two!)!]);
      expect([sound.length, problemsOf(sound)]).toEqual([2, []]);

      // A page that n1 invalidates by its address is never mapped in the other.
      const ipa = /: hw_vmid_ipa: .* ipa=(0x\w+) level=3/.exec(textOf("s2-huge-612-n1"))![1]!;
      const trace = path.join(one!, "trace.txt.gz");
      const text = textOf("s2-huge-612").split("\n");
      const map = text.findIndex(
        (line) => line.includes(": map: ") && line.includes(` addr=${ipa} `),
      );
      text[map] = text[map]!.replace(" size=0x1000 ", " size=0x0 ");
      writeFileSync(trace, gzipSync(Buffer.from(text.join("\n"), "latin1")));
      const broken = await checkCrossPredictions([readCapture(one!)!, readCapture(two!)!]);
      expect(problemsOf(broken).join("\n")).toMatch(
        /s2-huge-612 replayed as s2-huge-612-n1 \(range-6\.9\): ipas2e1is: \d+ predicted, 8624 in /,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
