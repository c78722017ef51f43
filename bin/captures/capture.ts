import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";

import { unprobedOperations } from "./unprobed.ts";

/**
 * A capture: a folder with a trace and, from an independent observer, every TLBI instruction that the
 * CPUs executed. `capture.json` says what was recorded; `tlbi.tsv.gz` lists the instructions.
 */
export interface Capture {
  readonly name: string;
  readonly folder: string;
  /** Executed TLBI instructions of KVM's flush functions, by instruction; those of a nested hypervisor left out. */
  readonly executed: ReadonlyMap<string, number>;
  /** What was run, to find captures of the same work on other systems. */
  readonly workload: string;
  readonly isArm64: boolean;
  readonly isX86: boolean;
  /** Functions of operations that could not be probed, by the capture's probe list. */
  readonly unprobed: readonly string[];
}

/** The functions that execute the primitives' instructions, with nVHE's prefix or without. */
const FLUSH_FUNCTION =
  /^(__kvm_nvhe_)?__kvm_(tlb_flush_vmid(_ipa(_nsh)?|_range)?|flush_(cpu|vm)_context)$/;

export function readCapture(folder: string): Capture | undefined {
  const file = path.join(folder, "capture.json");
  if (!existsSync(file)) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a field that is missing is looked after below
  const json = JSON.parse(readFileSync(file, "utf8")) as CaptureJson;
  const executed = new Map<string, number>();
  for (const [key, count] of Object.entries(json.truth?.tlbi_by_function_and_op ?? {})) {
    const [name = "", instruction = ""] = key.split(" ");
    if (!FLUSH_FUNCTION.test(name)) continue;
    executed.set(instruction, (executed.get(instruction) ?? 0) + count);
  }
  const output = (json.workload_output ?? "").replace(/hva=\w+|0x[0-9a-f]+|[\d.]+s?\b/g, "#");
  const probeList = path.join(folder, "kprobes.txt");
  return {
    name: path.basename(folder),
    folder,
    executed,
    workload: `${json.workload ?? ""}\n${output}`,
    unprobed: unprobedOperations(existsSync(probeList) ? readFileSync(probeList, "utf8") : ""),
    isX86: /\bx86_64\b/.test(json.uname ?? ""),
    isArm64: /aarch64|arm64/.test(`${json.uname ?? ""} ${json.kernel ?? ""}`),
  };
}

interface CaptureJson {
  readonly uname?: string;
  readonly kernel?: string;
  readonly workload?: string;
  readonly workload_output?: string;
  readonly truth?: { readonly tlbi_by_function_and_op?: Readonly<Record<string, number>> };
}

/**
 * Path of the trace that a capture is checked with: its text, or where it has none (or one without an
 * event) what trace-cmd wrote. Undefined where there is neither.
 */
export function traceOf(capture: Capture): string | undefined {
  const present = TRACE_NAMES.map((name) => path.join(capture.folder, name)).filter((file) =>
    existsSync(file),
  );
  return present.find((file) => !isEmptyText(file)) ?? present[0];
}

const TRACE_NAMES: readonly string[] = [
  "trace.txt",
  "trace.txt.gz",
  "trace.txt.xz",
  "trace.v7.dat",
  "trace.dat",
];

/** A text of nothing but its header. */
function isEmptyText(file: string): boolean {
  if (!file.endsWith(".txt") || statSync(file).size > MAX_HEADER_BYTES) return false;
  const lines = readFileSync(file, "latin1").split("\n");
  return lines.every((line) => line === "" || line.startsWith("#"));
}

const MAX_HEADER_BYTES = 4096;

/** Executed instructions by hardware VMID, counted: `2 ripas2e1is 538000100000`; stage-1 ones apart. */
export interface ExecutedByVmid {
  readonly flushes: ReadonlyMap<string, number>;
  /** `3 vmalle1is`: of a nested guest, executed for its hypervisor. */
  readonly stage1: ReadonlyMap<string, number>;
}

export function executedByVmid(capture: Capture): ExecutedByVmid | undefined {
  const file = path.join(capture.folder, "tlbi.tsv.gz");
  if (!existsSync(file)) return undefined;
  const flushes = new Map<string, number>();
  const stage1 = new Map<string, number>();
  for (const line of gunzipSync(readFileSync(file)).toString("latin1").split("\n")) {
    const [type, , , name = "", instruction = "", operand = "", vmid = ""] = line.split("\t");
    if (type !== "T") continue;
    if (name === "__kvm_tlbi_s1e2") addTo(stage1, `${vmid} ${instruction}`);
    if (!FLUSH_FUNCTION.test(name) || name.endsWith("_context")) continue;
    addTo(flushes, `${vmid} ${instruction} ${BigInt(`0x${operand}`).toString(16)}`);
  }
  return { flushes, stage1 };
}

function addTo(of: Map<string, number>, key: string): void {
  of.set(key, (of.get(key) ?? 0) + 1);
}

/** Executed instructions of the page-table paths by CPU, in order: `ripas2e1is 510000fffff0`. */
export function executedByCpu(
  capture: Capture,
): ReadonlyMap<number, readonly string[]> | undefined {
  const file = path.join(capture.folder, "tlbi.tsv.gz");
  if (!existsSync(file)) return undefined;
  const byCpu = new Map<number, string[]>();
  for (const line of gunzipSync(readFileSync(file)).toString("latin1").split("\n")) {
    const [type, , cpu = "", name = "", instruction = "", operand = ""] = line.split("\t");
    if (type !== "T" || !FLUSH_FUNCTION.test(name) || name.endsWith("_context")) continue;
    const list = byCpu.get(Number(cpu)) ?? [];
    list.push(`${instruction} ${BigInt(`0x${operand}`).toString(16)}`);
    byCpu.set(Number(cpu), list);
  }
  return byCpu;
}
