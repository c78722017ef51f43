import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { generateTrace } from "../../../fixtures/generator/generate.ts";
import { DEFAULT_OPTIONS } from "../../../fixtures/generator/options.ts";

const ROOT = path.resolve(fileURLToPath(import.meta.url), "../../../..");
export const EXECUTABLE: string = path.join(ROOT, "dist/bin/tlbi-replay.js");

export const HOST_MODELS = ["altra", "graviton"] as const;
export const VM_TYPES = ["small", "large", "huge"] as const;

/** Writes `count` made-up traces and, beside their folder, a CSV with a machine for each; gives its path. */
export async function writeFleet(folder: string, count: number, events: number): Promise<string> {
  fs.mkdirSync(folder, { recursive: true });
  const base = path.basename(folder);
  const rows = ["trace,host_model,vm_type,kernel,rack"];
  for (let i = 0; i < count; i += 1) {
    const name = `t${String(i).padStart(4, "0")}.txt`;
    const kernel = i % 4 < 2 ? "6.1" : "6.12";
    const text: string[] = [];
    const options = { ...DEFAULT_OPTIONS, seed: i + 1, kernel, size: { events } } as const;
    await generateTrace(options, (chunk) => {
      text.push(chunk);
    });
    fs.writeFileSync(path.join(folder, name), text.join(""));
    rows.push(`${base}/${name},${HOST_MODELS[i % 2]},${VM_TYPES[i % 3]},${kernel}.0,rack ${i % 5}`);
  }
  const csv = `${folder}.csv`;
  fs.writeFileSync(csv, `${rows.join("\n")}\n`);
  return csv;
}

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Starts the built tool; no variable of a scheduler or a server reaches it unless it is given. */
export function startTool(words: readonly string[], environment: Environment = {}): ChildProcess {
  const clean = Object.entries(process.env).filter(
    ([name]) => !/^(SLURM_|JOB_COMPLETION|AWS_|REDIS_URL|TLBI_REPLAY_)/.test(name),
  );
  return spawn(process.execPath, [EXECUTABLE, ...words], {
    env: { ...Object.fromEntries(clean), NO_COLOR: "1", NODE_OPTIONS: "", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return {
    code,
    signal,
    out: Buffer.concat(out).toString("utf8"),
    err: Buffer.concat(err).toString("utf8"),
  };
}

export async function tool(
  words: readonly string[],
  environment: Environment = {},
): Promise<Outcome> {
  return outcomeOf(startTool(words, environment));
}

/** Names of all files below a folder. */
function filesBelow(folder: string): readonly string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** Every file below a folder with its bytes as text, by name. */
export function treeOf(folder: string): ReadonlyMap<string, string> {
  return new Map(
    filesBelow(folder).map((name) => [
      name,
      fs.readFileSync(path.join(folder, name)).toString("latin1"),
    ]),
  );
}

/** Whether a process is there, and not only the record of one that nobody has asked for. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Process ids of a process's children, by the system's own list. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const text = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text.trim().split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Highest resident memory of a process so far, in bytes; 0 where it is gone. */
export function peakMemoryOf(pid: number): number {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

export function documents(store: string, kind: "results" | "failures"): readonly string[] {
  const folder = path.join(store, kind);
  if (!fs.existsSync(folder)) return [];
  return filesBelow(folder).filter((name) => name.endsWith(".json"));
}
