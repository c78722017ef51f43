/**
 * The queue with a real redis-server: workers and the server are killed, and what comes out is what one job
 * on one machine gives, byte by byte. `npm run test:distributed`.
 */
import type { ChildProcess } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Queue } from "bullmq";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Rollup } from "../../reports/batch/rollup.ts";
import type { Manifest } from "./manifest.ts";
import type { QueueStatus } from "./queue/status.ts";
import type { SubmitReport } from "./queue/submit.ts";
import {
  childrenOf,
  documents,
  type Environment,
  isAlive,
  type Outcome,
  outcomeOf,
  startTool,
  tool,
  treeOf,
  writeFleet,
} from "./testing/fleet.ts";
import { RedisServer } from "./testing/redis-server.ts";
import { s3Environment, startS3 } from "./testing/s3-server.ts";

const COUNT = 60;

let work: string;
let manifest: string;
let reference: ReadonlyMap<string, string>;
let redis: RedisServer;
let environment: Environment;
let store: string;
let rounds = 0;

const at = (...parts: readonly string[]): string => path.join(work, ...parts);

beforeAll(async () => {
  work = fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-queue-"));
  const csv = await writeFleet(at("traces"), COUNT, 150);
  manifest = at("fleet.json");
  await tool(["batch", "plan", "--csv", csv, "--out", manifest]);
  await tool(["batch", "run", manifest, "--results", at("one"), "--jobs", "1"]);
  reference = await merged(manifest, at("one"));
});

afterAll(() => {
  fs.rmSync(work, { recursive: true, force: true });
});

beforeEach(async () => {
  rounds += 1;
  store = at(`results-${rounds}`);
  redis = await RedisServer.start(at(`redis-${rounds}`));
  environment = { TLBI_REPLAY_REDIS_URL: redis.url };
});

afterEach(async () => {
  await redis.kill("SIGKILL");
});

async function merged(plan: string, results: string): Promise<ReadonlyMap<string, string>> {
  const out = `${results}-merged`;
  const words = ["batch", "merge", plan, "--results", results, "--out", out];
  await tool([...words, "--dataset", "parquet,arrow,csv"]);
  return treeOf(out);
}

async function submit(plan: string, ...more: readonly string[]): Promise<SubmitReport> {
  const words = ["batch", "submit", plan, "--results", store, "--format", "json", ...more];
  const { out, err } = await tool(words, environment);
  expect(err).toBe("");
  return JSON.parse(out) as SubmitReport;
}

function startWorker(...more: readonly string[]): ChildProcess {
  // Short locks, so that what a killed worker had is taken over within the test.
  const words = [
    "batch",
    "worker",
    "--results",
    store,
    "--lock-seconds",
    "2",
    "--max-stalls",
    "50",
  ];
  const jobs = more.includes("--jobs") ? [] : ["--jobs", "1"];
  return startTool([...words, ...jobs, ...more], environment);
}

async function worker(...more: readonly string[]): Promise<Outcome> {
  return outcomeOf(startWorker("--until-empty", ...more));
}

async function status(...words: readonly string[]): Promise<QueueStatus> {
  const { out } = await tool(["batch", "status", ...words, "--format", "json"], environment);
  return JSON.parse(out) as QueueStatus;
}

async function untilDone(count: number): Promise<void> {
  const start = performance.now();
  while (documents(store, "results").length < count) {
    if (performance.now() - start > 60_000) throw new Error("the results do not come");
    await sleep(20);
  }
}

function doneBy(outcomes: readonly Outcome[]): number {
  return outcomes.reduce((sum, { out }) => {
    const [, done, earlier] = /^(\d+) traces? done \((\d+) had/.exec(out) ?? [];
    return sum + Number(done) - Number(earlier);
  }, 0);
}

describe("a queue", () => {
  it("gives with four workers the bytes of one job, and counts a second submission for nothing", async () => {
    expect(await submit(manifest)).toMatchObject({ submitted: COUNT, done: 0, queued: 0 });
    expect(await submit(manifest)).toMatchObject({ submitted: 0, done: 0, queued: COUNT });
    const outcomes = await Promise.all([worker(), worker(), worker(), worker()]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(doneBy(outcomes)).toBe(COUNT);
    expect(treeOf(store)).toStrictEqual(treeOf(at("one")));
    expect(await merged(manifest, store)).toStrictEqual(reference);
    expect(await submit(manifest)).toMatchObject({ submitted: 0, done: COUNT });
    expect((await status(manifest, "--results", store)).manifest).toEqual({
      planned: COUNT,
      done: COUNT,
      queued: 0,
      failed: 0,
      missing: [],
    });
  });

  it("loses nothing when workers and the server are killed, again and again", async () => {
    await submit(manifest, "--retries", "50", "--retry-delay", "10");
    // Each round: two workers begin, and one, or a process of its own, or the server is killed.
    for (let round = 0; round < 4; round += 1) {
      const before = documents(store, "results").length;
      const [one, two] = [startWorker(), startWorker()];
      const ended = [outcomeOf(one), outcomeOf(two)];
      await untilDone(before + 6);
      if (round === 1) for (const pid of childrenOf(two.pid!)) process.kill(pid, "SIGKILL");
      if (round === 2) {
        await redis.kill("SIGKILL");
        await sleep(300);
        await redis.resume();
        await untilDone(documents(store, "results").length + 4);
      }
      const orphans = childrenOf(one.pid!);
      one.kill("SIGKILL");
      two.kill(round % 2 === 0 ? "SIGKILL" : "SIGTERM");
      await Promise.all(ended);
      await expect.poll(() => orphans.filter(isAlive), { timeout: 10_000 }).toEqual([]);
      await submit(manifest);
    }
    const outcomes = await Promise.all([worker(), worker()]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
    expect(await merged(manifest, store)).toStrictEqual(reference);
    const { jobs, failed } = await status();
    expect(failed).toEqual([]);
    expect(jobs).toMatchObject({ waiting: 0, active: 0, delayed: 0, completed: COUNT, failed: 0 });
  });

  it("goes on after a server that forgot everything", async () => {
    await submit(manifest);
    const first = startWorker();
    const ended = outcomeOf(first);
    await untilDone(20);
    first.kill("SIGKILL");
    await ended;
    await redis.kill("SIGKILL");
    redis = await RedisServer.start(at(`redis-${rounds}-empty`));
    environment = { TLBI_REPLAY_REDIS_URL: redis.url };
    const done = documents(store, "results").length;
    expect(await submit(manifest)).toMatchObject({ submitted: COUNT - done, done, queued: 0 });
    expect(doneBy([await worker()])).toBe(COUNT - done);
    expect(await merged(manifest, store)).toStrictEqual(reference);
  });

  it("lets a worker finish what it has in hand", async () => {
    await submit(manifest);
    const child = startWorker("--jobs", "3");
    const ended = outcomeOf(child);
    await untilDone(10);
    child.kill("SIGTERM");
    const outcome = await ended;
    expect(outcome.code).toBe(0);
    expect(outcome.err).toMatch(/stopping when what is in hand is done/);
    expect(doneBy([outcome])).toBe(documents(store, "results").length);
    expect((await status()).jobs).toMatchObject({ active: 0, failed: 0, delayed: 0 });
  });

  it("holds a submission back while much is waiting", async () => {
    const child = startTool(
      ["batch", "submit", manifest, "--results", store, "--max-waiting", "5"],
      environment,
    );
    const ended = outcomeOf(child);
    for (let look = 0; look < 5; look += 1) {
      await sleep(300);
      expect((await status()).jobs["waiting"]).toBeLessThanOrEqual(5);
    }
    expect(child.exitCode).toBeNull();
    expect((await status()).jobs["waiting"]).toBe(5);
    // Stopped, it goes on where it was.
    child.kill("SIGTERM");
    expect((await ended).code).toBe(130);
    const running = startWorker();
    const finished = outcomeOf(running);
    expect(await submit(manifest, "--max-waiting", "5")).toMatchObject({ untried: 0, failed: 0 });
    await untilDone(COUNT);
    running.kill("SIGTERM");
    await finished;
    expect(await merged(manifest, store)).toStrictEqual(reference);
  });

  it("tries again what may be mended, and lists what is not", async () => {
    const folder = at(`odd-${rounds}`);
    const csv = await writeFleet(folder, 3, 100);
    const base = path.basename(folder);
    fs.writeFileSync(path.join(folder, "prose.txt"), "It was the best of times.\n".repeat(50));
    fs.appendFileSync(csv, `${base}/prose.txt,,,,\n`);
    const plan = `${folder}.json`;
    await tool(["batch", "plan", "--csv", csv, "--out", plan]);
    // A trace that is away for a while.
    const away = path.join(folder, "t0001.txt");
    fs.renameSync(away, `${away}.away`);
    await submit(plan, "--retries", "8", "--retry-delay", "200");
    const child = startWorker("--until-empty");
    const ended = outcomeOf(child);
    await untilDone(2);
    await sleep(400);
    fs.renameSync(`${away}.away`, away);
    const outcome = await ended;
    expect(outcome.code).toBe(3);
    expect(outcome.err).toMatch(/t0001\.txt: tried again: UNREADABLE/);
    expect(outcome.out).toMatch(/^3 traces done .* 1 failed, [1-9]\d* attempts? repeated/);
    const { failed } = await status();
    expect(failed).toEqual([
      { trace: `${base}/prose.txt`, reason: expect.stringMatching(/^WRONG_FORMAT: /) as string },
    ]);
    expect(await submit(plan)).toMatchObject({ done: 3, failed: 1, retried: 0 });
    expect(await submit(plan, "--retry-failed")).toMatchObject({ done: 3, failed: 0, retried: 1 });
    expect((await worker()).code).toBe(3);
    const rollup = JSON.parse((await merged(plan, store)).get("rollup.json") ?? "") as Rollup;
    expect(rollup.traces).toMatchObject({ planned: 4, done: 3, failed: 1, missing: 0 });
    expect(rollup.failures[0]).toMatchObject({ trace: `${base}/prose.txt`, code: "WRONG_FORMAT" });
  });
});

describe("a queue that others write to", () => {
  it("never shows a password, in what is printed, queued or kept", async () => {
    await redis.kill("SIGKILL");
    const secret = "hunter2-s3cr3t";
    redis = await RedisServer.start(at(`redis-${rounds}-locked`), ["--requirepass", secret]);
    environment = { TLBI_REPLAY_REDIS_URL: `redis://:${secret}@127.0.0.1:${redis.port}/0` };
    const printed: string[] = [];
    const run = async (...words: readonly string[]): Promise<void> => {
      const { out, err } = await tool([...words, "--debug"], environment);
      printed.push(out, err);
    };
    await run("batch", "submit", manifest, "--results", store);
    await run("batch", "worker", "--results", store, "--until-empty");
    await run("batch", "status", manifest, "--results", store);
    const whole = await merged(manifest, store);
    expect(whole).toStrictEqual(reference);
    const wrong = { TLBI_REPLAY_REDIS_URL: `redis://:no-${secret}@127.0.0.1:${redis.port}/0` };
    const refused = await tool(["batch", "status", "--debug"], wrong);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/WRONGPASS/);
    const onLine = await tool([
      "batch",
      "status",
      "--redis",
      environment["TLBI_REPLAY_REDIS_URL"]!,
    ]);
    expect(onLine.code).toBe(2);
    printed.push(refused.out, refused.err, onLine.out, onLine.err);
    const kept = [...treeOf(store).values(), ...whole.values(), await redis.dump(secret)];
    expect(kept.join("\n").length).toBeGreaterThan(100_000);
    for (const text of [...printed, ...kept]) expect(text.includes(secret)).toBe(false);
  });

  it("fails forged jobs one by one, and reads nothing outside its root", async () => {
    const {
      items,
      tool: planner,
      root,
      parameters,
      parameter_files,
    } = JSON.parse(fs.readFileSync(manifest, "utf8")) as Manifest;
    const shared = { tool: planner, root, parameters, parameter_files };
    const item = items[0]!;
    const queue = new Queue("tlbi-replay", { connection: { host: "127.0.0.1", port: redis.port } });
    try {
      const forged: readonly unknown[] = [
        { item: { ...item, trace: "../secret.txt" }, shared },
        { item: { ...item, trace: "/etc/hostname" }, shared: { ...shared, root: "/" } },
        { item: { ...item, key: "../../../../tmp/x" }, shared },
        { item: { ...item, options: { "policy-file": "/etc/passwd" } }, shared },
        { item, shared: { ...shared, tool: { name: "tlbi-replay", version: "0.0.0" } } },
        { item: null },
        "text",
        { item, shared, extra: 1 },
      ];
      for (const [i, data] of forged.entries())
        await queue.add("unit", data, { jobId: `forged-${i}` });
    } finally {
      await queue.close();
    }
    fs.writeFileSync(at("secret.txt"), "secret\n");
    await submit(manifest);
    const outcome = await worker("--root", at("traces").replace(/traces$/, ""));
    expect(outcome.code).toBe(3);
    expect(doneBy([outcome])).toBe(COUNT);
    const { failed, jobs } = await status();
    expect(jobs).toMatchObject({ failed: 8, completed: COUNT });
    const reasons = failed.map(({ reason }) => reason.split(":")[0]);
    expect(reasons.filter((reason) => reason === "OUTSIDE_ROOT")).toHaveLength(2);
    expect(reasons.filter((reason) => reason?.startsWith("this job is not a unit"))).toHaveLength(
      6,
    );
    // They failed under the key of a real trace, whose result is what counts.
    expect(await merged(manifest, store)).toStrictEqual(reference);
  });

  it("keeps results in a bucket", async () => {
    const server = await startS3();
    try {
      store = "s3://fleet/queue";
      environment = { ...environment, ...s3Environment(server) };
      server.refuseWrites = 3;
      await submit(manifest, "--retry-delay", "10");
      const outcomes = await Promise.all([worker(), worker()]);
      expect(doneBy(outcomes)).toBe(COUNT);
      const results = [...server.objects].filter(([name]) => name.includes("/results/"));
      const stored = results.map(([name, bytes]) => [
        name.slice("/fleet/queue/".length),
        bytes.toString("latin1"),
      ]);
      expect(Object.fromEntries(stored)).toStrictEqual(Object.fromEntries(treeOf(at("one"))));
    } finally {
      await server.close();
    }
  });
});
