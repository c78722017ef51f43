/**
 * `batch plan`, `run` and `merge` as a user runs them: child processes that are killed, disks that are
 * full, traces that are no traces. What has to come out is what an undisturbed run gives, byte by byte.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Manifest } from "./batch/manifest.ts";
import {
  childrenOf,
  documents,
  EXECUTABLE,
  isAlive,
  outcomeOf,
  peakMemoryOf,
  startTool,
  tool,
  treeOf,
  writeFleet,
} from "./batch/testing/fleet.ts";
import type { Rollup } from "../reports/batch/rollup.ts";

/** Many processes on a machine that others use too. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const COUNT = 60;

let work: string;
let traces: string;
let manifest: string;
let reference: ReadonlyMap<string, string>;

const at = (...parts: readonly string[]): string => path.join(work, ...parts);

async function merged(
  plan: string,
  stores: readonly string[],
  name: string,
): Promise<ReadonlyMap<string, string>> {
  const results = stores.flatMap((store) => ["--results", store]);
  const out = at(name);
  const words = [
    "batch",
    "merge",
    plan,
    ...results,
    "--out",
    out,
    "--dataset",
    "parquet,arrow,csv",
  ];
  await tool(words);
  return treeOf(out);
}

function rollupIn(tree: ReadonlyMap<string, string>): Rollup {
  return JSON.parse(
    Buffer.from(tree.get("rollup.json") ?? "", "latin1").toString("utf8"),
  ) as Rollup;
}

function manifestIn(file: string): Manifest {
  return JSON.parse(fs.readFileSync(file, "utf8")) as Manifest;
}

beforeAll(async () => {
  work = fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-batch-"));
  traces = at("traces");
  const csv = await writeFleet(traces, COUNT, 150);
  manifest = at("fleet.json");
  expect((await tool(["batch", "plan", "--csv", csv, "--out", manifest])).code).toBe(0);
  const run = await tool(["batch", "run", manifest, "--results", at("one"), "--jobs", "1"]);
  expect(run.out).toBe(`${COUNT} traces: ${COUNT} computed, 0 done before, 0 failed\n`);
  expect(run.code).toBe(0);
  reference = await merged(manifest, [at("one")], "merged-one");
  expect(rollupIn(reference).traces.done).toBe(COUNT);
});

afterAll(() => {
  fs.rmSync(work, { recursive: true, force: true });
});

describe("batch run", () => {
  it("does nothing twice", async () => {
    const before = treeOf(at("one"));
    const again = await tool(["batch", "run", manifest, "--results", at("one")]);
    expect(again.out).toBe(`${COUNT} traces: 0 computed, ${COUNT} done before, 0 failed\n`);
    expect(treeOf(at("one"))).toStrictEqual(before);
  });

  it("gives with several jobs, and in parts into stores of their own, the bytes of one job", async () => {
    const several = await tool(["batch", "run", manifest, "--results", at("two"), "--jobs", "3"]);
    expect(several.code).toBe(0);
    expect(treeOf(at("two"))).toStrictEqual(treeOf(at("one")));
    const parts = [at("part-1"), at("part-2"), at("part-3")];
    const computed: number[] = [];
    for (const [i, part] of parts.entries()) {
      // As a Slurm array with ids 5, 7, 9 has it, the last one by the option.
      const slurm = {
        SLURM_ARRAY_TASK_ID: String(5 + 2 * i),
        SLURM_ARRAY_TASK_MIN: "5",
        SLURM_ARRAY_TASK_STEP: "2",
        SLURM_ARRAY_TASK_COUNT: "3",
      };
      const words = ["batch", "run", manifest, "--results", part, "--jobs", "1"];
      const outcome = await (i === 2 ? tool([...words, "--shard", "3/3"]) : tool(words, slurm));
      computed.push(Number(/(\d+) computed/.exec(outcome.out)?.[1]));
    }
    expect(computed).toStrictEqual([20, 20, 20]);
    expect(await merged(manifest, parts, "merged-parts")).toStrictEqual(reference);
  });

  it("loses nothing when workers are killed, and when it is killed itself", async () => {
    const store = at("killed");
    const words = [
      "batch",
      "run",
      manifest,
      "--results",
      store,
      "--jobs",
      "2",
      "--retry-delay",
      "10",
    ];
    // The whole run, three times: what it had in hand is not there, and nothing is half there.
    for (let round = 0; round < 3; round += 1) {
      const child = startTool(words);
      const ended = outcomeOf(child);
      const enough = (round + 1) * 8;
      while (documents(store, "results").length < enough && child.exitCode === null)
        await sleep(10);
      const workers = childrenOf(child.pid!);
      child.kill("SIGKILL");
      expect((await ended).signal).toBe("SIGKILL");
      for (const name of documents(store, "results")) {
        const text = fs.readFileSync(path.join(store, "results", name), "utf8");
        expect(() => void JSON.parse(text)).not.toThrow();
      }
      // Its workers have nobody left to work for.
      await expect.poll(() => workers.filter(isAlive), { timeout: 10_000 }).toEqual([]);
    }
    // Its workers, again and again: the run goes on with new ones.
    const child = startTool([...words, "--retries", "50"]);
    const ended = outcomeOf(child);
    let killed = 0;
    while (child.exitCode === null && killed < 6) {
      await sleep(60);
      const [pid] = childrenOf(child.pid!);
      if (pid === undefined) continue;
      try {
        process.kill(pid, "SIGKILL");
        killed += 1;
      } catch {
        // It has gone by itself.
      }
    }
    const outcome = await ended;
    expect(outcome.code).toBe(0);
    expect(killed).toBeGreaterThan(0);
    expect(await merged(manifest, [store], "merged-killed")).toStrictEqual(reference);
    expect(documents(store, "failures")).toEqual([]);
  });

  it("stops for a signal, and goes on from there", async () => {
    const store = at("stopped");
    const child = startTool(["batch", "run", manifest, "--results", store, "--jobs", "1"]);
    const ended = outcomeOf(child);
    while (documents(store, "results").length < 5 && child.exitCode === null) await sleep(10);
    child.kill("SIGTERM");
    const { code, out } = await ended;
    expect(code).toBe(130);
    expect(out).toMatch(/stopped before its end: it was interrupted/);
    const done = documents(store, "results").length;
    expect(documents(store, "failures")).toEqual([]);
    const rest = await tool(["batch", "run", manifest, "--results", store]);
    expect(rest.out).toBe(
      `${COUNT} traces: ${COUNT - done} computed, ${done} done before, 0 failed\n`,
    );
    expect(treeOf(store)).toStrictEqual(treeOf(at("one")));
  });

  it("ends when the disk takes no more, and goes on when it does", async () => {
    const store = at("full");
    // A limit on the size of files refuses like a full disk does, and needs no privilege.
    const limited = (blocks: number): string =>
      `ulimit -f ${blocks}; exec "${process.execPath}" "${EXECUTABLE}" batch run "${manifest}" --results "${store}" --jobs 1 --retries 1 --retry-delay 1`;
    const sizes = [...treeOf(at("one")).values()].map((text) => text.length).sort((a, b) => a - b);
    const median = sizes[Math.floor(sizes.length / 2)]!;
    let status = 0;
    let text = "";
    try {
      execFileSync("bash", ["-c", limited(Math.ceil(median / 1024))], { encoding: "utf8" });
    } catch (error) {
      ({ status, stdout: text } = error as { status: number; stdout: string });
    }
    expect(status).toBe(1);
    expect(text).toMatch(/not tried/);
    expect(text).toMatch(/stopped before its end: cannot write the results: .* \(EFBIG\)/);
    expect(documents(store, "results").length).toBeLessThan(COUNT);
    expect([...treeOf(store).keys()].filter((name) => name.endsWith(".tmp"))).toEqual([]);
    // A merge of what is there says what is not.
    const partial = rollupIn(await merged(manifest, [store], "merged-full"));
    expect(partial.traces.done + partial.traces.missing).toBe(COUNT);
    expect(partial.failures.length).toBe(partial.traces.missing);
    expect(partial.failures.every(({ code }) => code === "MISSING")).toBe(true);
    expect((await tool(["batch", "run", manifest, "--results", store])).code).toBe(0);
    expect(await merged(manifest, [store], "merged-full")).toStrictEqual(reference);
  });
});

describe("batch run of what others made", () => {
  it("lists every trace that fails, and keeps the others", async () => {
    const folder = at("odd");
    const csv = await writeFleet(folder, 3, 100);
    fs.writeFileSync(path.join(folder, "noise.txt"), Buffer.alloc(5000, "\u0000\u0001x"));
    fs.writeFileSync(path.join(folder, "prose.txt"), "It was the best of times.\n".repeat(50));
    const good = fs.readFileSync(path.join(folder, "t0000.txt"));
    const packed = gzipSync(good);
    fs.writeFileSync(path.join(folder, "cut.txt.gz"), packed.subarray(0, packed.length / 2));
    // A trace, and then one line that never ends: 300 MB in 400 KB.
    const endless = Buffer.concat([good, Buffer.alloc(300 * 2 ** 20, "x")]);
    fs.writeFileSync(path.join(folder, "bomb.txt.gz"), gzipSync(endless));
    const more = ["noise.txt", "prose.txt", "cut.txt.gz", "bomb.txt.gz", "absent.txt"];
    fs.appendFileSync(csv, more.map((name) => `odd/${name},,,,\n`).join(""));
    fs.appendFileSync(csv, "odd/t0001.txt,altra,huge,6.1.0,rack 9\n");
    const plan = at("odd.json");
    const planned = await tool(["batch", "plan", "--csv", csv, "--out", plan]);
    expect(planned.code).toBe(3);
    expect(planned.err).toMatch(/odd\/t0001\.txt is the same .* though other machines are named/);
    expect(planned.err).toMatch(/odd\/absent\.txt is left out: /);
    expect(manifestIn(plan).items).toHaveLength(7);

    const words = ["batch", "run", plan, "--results", at("odd-results"), "--max-unpacked", "64M"];
    const run = await tool([...words, "--retry-delay", "1"]);
    expect(run.code).toBe(3);
    const failed = [...run.out.matchAll(/^ {2}(\S+): .* \[([A-Z_]+), 1 attempt\]$/gm)];
    expect(failed.map(([, trace, code]) => [trace, code])).toStrictEqual([
      ["odd/bomb.txt.gz", "TOO_LARGE"],
      ["odd/noise.txt", "BINARY"],
      ["odd/prose.txt", "WRONG_FORMAT"],
    ]);
    // What failed for good is not tried again, and is not forgotten.
    const again = await tool(words);
    expect(again.out).toMatch(/^7 traces: 0 computed, 4 done before, 3 failed\n/);
    expect(again.out).toMatch(/prose\.txt: .*in an earlier run/);
    const retried = await tool([...words, "--retry-failed", "--max-unpacked=512M"]);
    expect(retried.code).toBe(2);

    const rollup = rollupIn(await merged(plan, [at("odd-results")], "odd-merged"));
    expect(rollup.traces).toStrictEqual({
      planned: 7,
      done: 4,
      failed: 3,
      missing: 0,
      refused: 1,
      duplicates: 1,
      lossy: 1,
      inferred: 0,
    });
    expect(rollup.failures.map(({ trace, code }) => [trace, code])).toStrictEqual([
      ["odd/absent.txt", "UNREADABLE"],
      ["odd/bomb.txt.gz", "TOO_LARGE"],
      ["odd/noise.txt", "BINARY"],
      ["odd/prose.txt", "WRONG_FORMAT"],
    ]);
    expect(rollup.losses.find(({ code }) => code === "DAMAGED_COMPRESSION")?.traces).toBe(1);
  });

  it("counts a trace once that is named, copied or submitted again", async () => {
    const folder = at("copies");
    await writeFleet(folder, 2, 100);
    fs.copyFileSync(path.join(folder, "t0000.txt"), path.join(folder, "zz-copy.txt"));
    const plan = at("copies.json");
    const inputs = [folder, path.join(folder, "t*.txt"), path.join(folder, "t0001.txt")];
    const planned = await tool(["batch", "plan", ...inputs, "--out", plan]);
    expect(planned.err).toMatch(/zz-copy\.txt is the same trace as t0000\.txt/);
    expect(manifestIn(plan).items.map(({ trace }) => trace)).toEqual(["t0000.txt", "t0001.txt"]);
    // Two runs of the same manifest at once into one store.
    const words = ["batch", "run", plan, "--results", at("copies-results"), "--jobs", "2"];
    const both = await Promise.all([tool(words), tool(words)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(documents(at("copies-results"), "results")).toHaveLength(2);
    const rollup = rollupIn(await merged(plan, [at("copies-results")], "copies-merged"));
    expect(rollup.traces.done).toBe(2);
    expect(rollup.duplicates).toEqual([{ trace: "zz-copy.txt", same_as: "t0000.txt" }]);
  });

  it("notices a trace, and a file beside it, that changed since the plan", async () => {
    const folder = at("changed");
    await writeFleet(folder, 2, 100);
    const plan = at("changed.json");
    await tool(["batch", "plan", folder, "--out", plan]);
    fs.appendFileSync(path.join(folder, "t0000.txt"), "# more\n");
    const first = await tool(["batch", "run", plan, "--results", at("changed-results")]);
    expect(first.out).toMatch(/t0000\.txt: the trace is not what it was .*TRACE_CHANGED/);
    fs.writeFileSync(path.join(folder, "uname.txt"), "Linux h 6.12.1 #1 SMP aarch64 GNU/Linux\n");
    const second = await tool(["batch", "run", plan, "--results", at("changed-results-2")]);
    expect(second.out).toMatch(/t0001\.txt: a file beside the trace is not what it was/);
    expect(second.code).toBe(1);
  });

  it("ends a trace that takes too much memory or time, and not the others", async () => {
    const folder = at("greedy");
    await writeFleet(folder, 2, 100);
    const plan = at("greedy.json");
    await tool(["batch", "plan", folder, "--out", plan]);
    const words = ["batch", "run", plan, "--results", at("greedy-results")];
    const small = await tool([...words, "--max-memory", "8M"]);
    expect(small.out).toMatch(/OUT_OF_MEMORY/);
    expect(small.code).toBe(1);
    const enough = await tool([...words, "--retry-failed", "--max-memory", "1G"]);
    expect(enough.code).toBe(0);
    expect(documents(at("greedy-results"), "failures")).toEqual([]);
  });
});

describe("batch run with everything that can be asked for", () => {
  it("prices refills and estimates downtime, as the commands themselves do", async () => {
    const captures = path.resolve(path.dirname(EXECUTABLE), "../../fixtures/captures");
    const migration = "--memory 4GiB --bandwidth 1GB/s --dirty-rate 100MB/s --hot-set 200MiB";
    const asked = [...migration.split(" "), "--draws", "100", "--seed", "7"];
    const plan = at("asked.json");
    const inputs = [path.join(captures, "tiny-612")];
    const words = [
      "batch",
      "plan",
      ...inputs,
      "--out",
      plan,
      "--tlb",
      "neoverse-n1",
      "--tlb-seeds",
      "9",
    ];
    expect((await tool([...words, ...asked])).err).toMatch(
      /how downtime is estimated, and it is not/,
    );
    expect((await tool([...words, "--downtime", ...asked])).code).toBe(0);
    const run = await tool(["batch", "run", plan, "--results", at("asked")]);
    expect(run.out).toMatch(/^1 trace: 1 computed/);
    const tree = await merged(plan, [at("asked")], "asked-merged");
    const rollup = rollupIn(tree);
    expect(rollup.worst_by).toBe("guest_downtime_s_p95");
    expect(rollup.groups.some(({ metrics }) => "combined_refills" in metrics)).toBe(true);

    const single = await tool(["downtime", inputs[0]!, ...asked, "--format", "csv", "--quiet"]);
    const [header = "", ...lines] = single.out.trim().split("\n");
    const datasets = Buffer.from(tree.get("datasets/downtime_estimates.csv") ?? "", "latin1");
    const gathered = datasets.toString("utf8").trim().split("\n");
    expect(gathered[0]?.endsWith(header)).toBe(true);
    const own = gathered.slice(1);
    expect(own).toHaveLength(lines.length);
    for (const [i, line] of lines.entries()) expect(own[i]?.endsWith(`,${line}`)).toBe(true);
  });
});

describe("a fleet of a thousand traces", () => {
  it("runs in memory that does not grow with their number", async () => {
    const folder = at("thousand");
    const csv = await writeFleet(folder, 1000, 40);
    const plan = at("thousand.json");
    await tool(["batch", "plan", "--csv", csv, "--out", plan]);
    const store = at("thousand-results");
    const child = startTool(["batch", "run", plan, "--results", store, "--jobs", "2"]);
    const ended = outcomeOf(child);
    const peaks = new Map<number, number>();
    const middle = new Map<number, number>();
    while (child.exitCode === null && child.signalCode === null) {
      for (const pid of [child.pid!, ...childrenOf(child.pid!)]) {
        const peak = peakMemoryOf(pid);
        if (peak > 0) peaks.set(pid, peak);
      }
      if (middle.size === 0 && documents(store, "results").length > 400) {
        for (const [pid, peak] of peaks) middle.set(pid, peak);
      }
      await sleep(200);
    }
    expect((await ended).out).toBe("1,000 traces: 1000 computed, 0 done before, 0 failed\n");
    expect(middle.size).toBeGreaterThan(0);
    for (const peak of peaks.values()) expect(peak).toBeLessThan(400 * 2 ** 20);
    // 600 more traces: not the memory of 600 results.
    for (const [pid, peak] of middle) {
      expect((peaks.get(pid) ?? 0) - peak).toBeLessThan(64 * 2 ** 20);
    }
    const rollup = rollupIn(await merged(plan, [store], "thousand-merged"));
    expect(rollup.traces.done).toBe(1000);
    expect(rollup.worst).toHaveLength(20);
    expect(rollup.groups.reduce((sum, { traces: n }) => sum + n, 0)).toBe(3000);
  });
});
