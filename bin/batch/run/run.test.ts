import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TraceError } from "../../../ingest/errors.ts";
import type { BatchItem } from "../manifest.ts";
import type { DocumentKind, ResultStore } from "../store/result-store.ts";
import { parseFailure } from "./failure-document.ts";
import { failed, failureOf, type UnitOutcome } from "./outcome.ts";
import { delayMs } from "./retry.ts";
import { runBatch, type RunReport, type RunSetting } from "./run-batch.ts";
import { formatRun } from "./run-report.ts";
import { itemsOfShard, parseShard, shardOfEnvironment } from "./shard.ts";

/** A store in memory, which refuses writes while `isFull`. */
class MemoryStore implements ResultStore {
  readonly description = "memory";
  readonly files = new Map<string, string>();
  isFull = false;

  async has(kind: DocumentKind, key: string): Promise<boolean> {
    return Promise.resolve(this.files.has(this.place(kind, key)));
  }
  async read(kind: DocumentKind, key: string): Promise<string | undefined> {
    return Promise.resolve(this.files.get(this.place(kind, key)));
  }
  async write(kind: DocumentKind, key: string, text: string): Promise<void> {
    if (this.isFull) throw new TraceError("UNWRITABLE", "no space is left on the disk (ENOSPC)");
    this.files.set(this.place(kind, key), text);
    return Promise.resolve();
  }
  async remove(kind: DocumentKind, key: string): Promise<void> {
    this.files.delete(this.place(kind, key));
    return Promise.resolve();
  }
  place(kind: DocumentKind, key: string): string {
    return `${kind}/${key}`;
  }
  close(): void {}
}

function itemsOf(count: number): readonly BatchItem[] {
  return Array.from({ length: count }, (_, i) => ({
    key: i.toString(16).padStart(64, "0"),
    trace: `t${String(i).padStart(3, "0")}`,
    bytes: 1 + ((i * 7919) % 97),
    sha256: "0".repeat(64),
    companions: [],
    host_model: null,
    vm_type: null,
    kernel: null,
    labels: {},
    options: {},
  }));
}

type Execute = (item: BatchItem, attempt: number) => UnitOutcome;

/** Runs items; each attempt at an item is counted, and what is done is written. */
async function run(
  store: MemoryStore,
  count: number,
  execute: Execute,
  setting: Partial<RunSetting> = {},
): Promise<RunReport & { readonly attempts: ReadonlyMap<string, number> }> {
  const attempts = new Map<string, number>();
  const report = await runBatch(itemsOf(count), {
    store,
    jobs: 2,
    retry: { retries: 2, delayMs: 0 },
    retryFailed: false,
    stop: new AbortController().signal,
    execute: async (item) => {
      const attempt = (attempts.get(item.trace) ?? 0) + 1;
      attempts.set(item.trace, attempt);
      try {
        const outcome = execute(item, attempt);
        if (outcome.ok) await store.write("results", item.key, item.trace);
        return outcome;
      } catch (error) {
        return failureOf(error);
      }
    },
    ...setting,
  });
  return { ...report, attempts };
}

const lost: Execute = () => failed("WORKER_LOST", "gone");
const done: UnitOutcome = { ok: true, isLossy: false };

describe("runBatch", () => {
  it("tries again what another attempt may mend, and only that", async () => {
    const store = new MemoryStore();
    const report = await run(store, 10, ({ trace }, attempt) => {
      if (trace === "t003" && attempt < 3) return failed("WORKER_LOST", "ended by SIGKILL");
      if (trace === "t004") return failed("WORKER_LOST", "ended by SIGKILL");
      if (trace === "t005") return failed("WRONG_FORMAT", "not a trace");
      if (trace === "t006") return { ok: true, isLossy: true };
      return done;
    });
    expect(report).toMatchObject({
      computed: 8,
      lossy: 1,
      skipped: 0,
      untried: 0,
      stopped: undefined,
    });
    expect(report.failed.map(({ trace, code, attempts }) => [trace, code, attempts])).toEqual([
      ["t004", "WORKER_LOST", 3],
      ["t005", "WRONG_FORMAT", 1],
    ]);
    expect(report.attempts.get("t003")).toBe(3);
    expect(report.attempts.get("t005")).toBe(1);
    const kept = store.files.get(`failures/${"5".padStart(64, "0")}`) ?? "";
    expect(parseFailure(kept, "5".padStart(64, "0"))).toMatchObject({ trace: "t005", attempts: 1 });
    expect(parseFailure(kept, "6".padStart(64, "0"))).toBeUndefined();

    // Later: what is done is skipped, what failed for good stays, what a machine did is tried again.
    const later = await run(store, 10, () => done);
    expect(later).toMatchObject({ computed: 1, skipped: 8 });
    expect(later.failed.map(({ trace, isEarlier }) => [trace, isEarlier])).toEqual([
      ["t005", true],
    ]);
    expect([...later.attempts.keys()]).toEqual(["t004"]);
    expect(formatRun(later)).toContain("--retry-failed");
    const forced = await run(store, 10, () => done, { retryFailed: true });
    expect(forced).toMatchObject({ computed: 1, skipped: 9, failed: [] });
    expect([...store.files.keys()].filter((name) => name.startsWith("failures"))).toEqual([]);
  });

  it("adds up the attempts of all runs", async () => {
    const store = new MemoryStore();
    await run(store, 1, lost);
    const second = await run(store, 1, lost);
    expect(second.failed[0]?.attempts).toBe(6);
  });

  it("stops when the store takes no more, and what is not done is done later", async () => {
    const store = new MemoryStore();
    const full = await run(store, 30, () => {
      store.isFull = store.files.size >= 12;
      return done;
    });
    expect(full.computed).toBe(12);
    expect(full.stopped).toMatch(/no space is left/);
    expect(full.failed).toEqual([]);
    expect(full.computed + full.untried).toBe(30);
    store.isFull = false;
    const rest = await run(store, 30, () => done);
    expect(rest).toMatchObject({ computed: 18, skipped: 12, untried: 0, stopped: undefined });
  });

  it("goes on when the store was full for a moment", async () => {
    const store = new MemoryStore();
    const report = await run(
      store,
      5,
      ({ trace }, attempt) => {
        store.isFull = trace === "t002" && attempt === 1;
        return done;
      },
      { jobs: 1 },
    );
    expect(report).toMatchObject({ computed: 5, stopped: undefined, failed: [] });
  });

  it("counts nothing of what it had in hand when it is stopped", async () => {
    const store = new MemoryStore();
    const stop = new AbortController();
    const report = await run(
      store,
      20,
      ({ trace }) => {
        if (trace !== "t007") return done;
        stop.abort();
        return failed("WORKER_LOST", "ended by SIGTERM");
      },
      { stop: stop.signal, jobs: 1 },
    );
    expect(report).toMatchObject({ computed: 7, failed: [], untried: 13 });
    expect(report.stopped).toBe("it was interrupted");
  });
});

describe("delayMs", () => {
  it("doubles up to half a minute", () => {
    const policy = { retries: 20, delayMs: 500 };
    expect([1, 2, 3, 7, 20].map((n) => delayMs(n, policy))).toEqual([
      500, 1000, 2000, 30000, 30000,
    ]);
  });
});

function slurm(id: number, rest: Record<string, string>): unknown {
  return shardOfEnvironment({ SLURM_ARRAY_TASK_ID: String(id), ...rest });
}

describe("shards", () => {
  it("hold every item once, and about as many bytes each", () => {
    const shape = fc.record({
      items: fc.integer({ min: 0, max: 200 }),
      count: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(
      fc.property(shape, ({ items: length, count }) => {
        const items = itemsOf(length);
        const parts = Array.from({ length: count }, (_, i) =>
          itemsOfShard(items, { index: i + 1, count, origin: "" }),
        );
        const all = parts.flat().map(({ trace }) => trace);
        expect(all.toSorted()).toStrictEqual(items.map(({ trace }) => trace));
        const sizes = parts.map((part) => part.reduce((sum, { bytes }) => sum + bytes, 0));
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(97);
      }),
    );
  });

  it("are named from 1", () => {
    expect(parseShard("2/8")).toMatchObject({ index: 2, count: 8 });
    for (const text of ["0/8", "9/8", "1", "1/0", "-1/2", "1/2/3", "a/b", "1e1/20"]) {
      expect(() => parseShard(text), text).toThrow(/is not a part/);
    }
  });

  it("come from Slurm and from Kubernetes", () => {
    expect(slurm(0, { SLURM_ARRAY_TASK_COUNT: "4" })).toMatchObject({ index: 1, count: 4 });
    const odd = {
      SLURM_ARRAY_TASK_COUNT: "4",
      SLURM_ARRAY_TASK_MIN: "10",
      SLURM_ARRAY_TASK_STEP: "5",
    };
    expect([10, 15, 20, 25].map((id) => slurm(id, odd))).toMatchObject(
      [1, 2, 3, 4].map((index) => ({ index, count: 4 })),
    );
    expect(() => slurm(12, odd)).toThrow(/do not name a part/);
    expect(() => slurm(3, {})).toThrow(/SLURM_ARRAY_TASK_COUNT is not/);
    expect(() => slurm(3, { SLURM_ARRAY_TASK_COUNT: "x" })).toThrow(/not a number/);
    const pod = { JOB_COMPLETION_INDEX: "7", JOB_COMPLETIONS: "8" };
    expect(shardOfEnvironment(pod)).toMatchObject({ index: 8, count: 8 });
    expect(() => shardOfEnvironment({ JOB_COMPLETION_INDEX: "8", JOB_COMPLETIONS: "8" })).toThrow(
      /do not name/,
    );
    expect(() => shardOfEnvironment({ JOB_COMPLETION_INDEX: "0" })).toThrow(
      /JOB_COMPLETIONS is not/,
    );
    expect(shardOfEnvironment({})).toBeUndefined();
  });
});
