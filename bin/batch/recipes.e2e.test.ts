/** The recipes, as far as they run without a cluster: their own commands, with what the schedulers set. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { documents, EXECUTABLE, tool, treeOf, writeFleet } from "./testing/fleet.ts";

const RECIPES = path.resolve(fileURLToPath(import.meta.url), "../../../fixtures/recipes");
/** Many processes on a machine that others use too. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const COUNT = 13;

let work: string;
let manifest: string;
let reference: ReadonlyMap<string, string>;

const at = (...parts: readonly string[]): string => path.join(work, ...parts);

beforeAll(async () => {
  work = fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-recipes-"));
  const csv = await writeFleet(at("traces"), COUNT, 60);
  manifest = at("fleet.json");
  await tool(["batch", "plan", "--csv", csv, "--out", manifest]);
  await tool(["batch", "run", manifest, "--results", at("one"), "--jobs", "1"]);
  reference = treeOf(at("one"));
  fs.mkdirSync(at("bin"));
  const shim = `#!/bin/sh\nexec "${process.execPath}" "${EXECUTABLE}" "$@"\n`;
  fs.writeFileSync(at("bin/tlbi-replay"), shim, { mode: 0o755 });
});

afterAll(() => {
  fs.rmSync(work, { recursive: true, force: true });
});

async function run(
  command: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number | null> {
  const PATH = `${at("bin")}:${process.env["PATH"] ?? ""}`;
  const child = spawn(command, words, {
    env: { HOME: work, PATH, ...environment },
    stdio: "ignore",
  });
  const [code] = (await once(child, "exit")) as [number | null];
  return code;
}

describe("the recipe for a Slurm array", () => {
  it("does every trace once, in as many tasks as there are", async () => {
    const script = path.join(RECIPES, "slurm-array.sh");
    const done: number[] = [];
    for (let task = 1; task <= 4; task += 1) {
      const status = await run("bash", [script, manifest, at("slurm")], {
        SLURM_ARRAY_TASK_ID: String(task),
        SLURM_ARRAY_TASK_MIN: "1",
        SLURM_ARRAY_TASK_MAX: "4",
        SLURM_ARRAY_TASK_STEP: "1",
        SLURM_ARRAY_TASK_COUNT: "4",
        SLURM_CPUS_PER_TASK: "2",
      });
      expect(status).toBe(0);
      done.push(documents(at("slurm"), "results").length);
    }
    expect(done).toEqual([4, 7, 10, 13]);
    expect(treeOf(at("slurm"))).toStrictEqual(reference);
  });

  it("fails for Slurm where the manifest is wrong", async () => {
    const script = path.join(RECIPES, "slurm-array.sh");
    expect(await run("bash", [script, at("gone.json"), at("slurm-2")], {})).toBe(1);
    expect(await run("bash", [script, manifest, at("slurm-2")], { SLURM_ARRAY_TASK_ID: "1" })).toBe(
      2,
    );
  });
});

describe("the recipe for a Kubernetes Indexed Job", () => {
  const text = fs.readFileSync(path.join(RECIPES, "kubernetes-indexed-job.yaml"), "utf8");

  it("tells a pod as many parts as it has, and does every trace once", async () => {
    expect(text).toMatch(/^ {2}completionMode: Indexed$/m);
    const completions = Number(/^ {2}completions: (\d+)$/m.exec(text)?.[1]);
    const told = /name: JOB_COMPLETIONS\n\s+value: "(\d+)"/.exec(text)?.[1];
    expect(told).toBe(String(completions));
    const block = /args:\n\s+- \|\n([\s\S]*?)\n\s+env:/.exec(text)?.[1] ?? "";
    const command = block
      .replaceAll("/fleet/fleet.json", manifest)
      .replaceAll("/fleet/results", at("pods"));
    expect(command).toContain(manifest);
    for (let index = 0; index < completions; index += 1) {
      const environment = { JOB_COMPLETION_INDEX: String(index), JOB_COMPLETIONS: told ?? "" };
      expect(await run("sh", ["-c", command], environment)).toBe(0);
    }
    expect(treeOf(at("pods"))).toStrictEqual(reference);
  });

  it("asks for enough memory for its workers", () => {
    const jobs = Number(/--jobs (\d+)/.exec(text)?.[1]);
    const each = Number(/--max-memory (\d+)G/.exec(text)?.[1]);
    const limit = Number(/limits: \{ memory: (\d+)Gi \}/.exec(text)?.[1]);
    expect(limit).toBeGreaterThan(jobs * each);
  });
});
