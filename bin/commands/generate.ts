/** `generate`: a reproducible trace of made-up VMs, for tests, benchmarks and a first look at the tool. */
import { createWriteStream, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip, gzipSync } from "node:zlib";
import type { Argv, CommandModule } from "yargs";
import { traceChunks } from "../../fixtures/generator/generate.ts";
import { generateNested } from "../../fixtures/generator/nested/generate-nested.ts";
import {
  DEFAULT_NESTED,
  NESTED_GRANULES,
  type NestedOptions,
} from "../../fixtures/generator/nested/options.ts";
import {
  BACKINGS,
  DEFAULT_OPTIONS,
  KERNELS,
  MAX_VCPUS,
  MAX_VMS,
  WORKLOADS,
  problemWith,
} from "../../fixtures/generator/options.ts";
import type { CpuFeatures, GeneratorOptions } from "../../fixtures/generator/options.ts";
import { x86TraceChunks } from "../../fixtures/generator/x86/generate.ts";
import {
  MAX_X86_YIELDS,
  problemWithX86,
  X86_KERNELS,
  X86_RECORDED,
  X86_WORKLOAD,
  type X86GeneratorOptions,
} from "../../fixtures/generator/x86/options.ts";
import { GENERATED_PRIMITIVES } from "../../fixtures/generator/truth.ts";
import type { GeneratedTruth } from "../../fixtures/generator/truth.ts";
import { TraceError } from "../../ingest/errors.ts";
import { onInterrupt } from "../lifecycle.ts";
import { printResult } from "../stdout.ts";
import { badOption, byteCount, choice, choices, single, wholeNumber } from "../values.ts";
import type { RawValue } from "../values.ts";

/** The command's arguments as typed, before any check. */
export interface GenerateArguments {
  seed: RawValue;
  kernel: RawValue;
  cpu: RawValue;
  vms: RawValue;
  vcpus: RawValue;
  memory: RawValue;
  backing: RawValue;
  workload: RawValue;
  size: RawValue | undefined;
  events: RawValue | undefined;
  yields?: RawValue | undefined;
  recorded?: RawValue | undefined;
  nested?: RawValue | undefined;
  guests?: RawValue | undefined;
  "pa-bits"?: RawValue | undefined;
  out: RawValue;
  quiet?: boolean;
}

const FEATURES = ["tlbirange", "fwb", "lpa2"] as const;
const DEFAULT_SIZE = "16M";
export const generateCommand: CommandModule<object, GenerateArguments> = {
  command: "generate",
  describe: "Write a reproducible trace of made-up VMs",
  builder: buildOptions,
  handler: async (args) => {
    if (args.nested !== undefined) {
      await writeNested(planNested(args), args);
      return;
    }
    for (const name of ["guests", "pa-bits"] as const) {
      if (args[name] !== undefined) throw badOption(name, "is for --nested");
    }
    const source = sourceOf(args);
    const truth = await writeTrace(source, single("out", args.out));
    if (args.quiet !== true) process.stderr.write(`${truthSentence(truth)}\n`);
  },
};

function buildOptions(yargs: Argv<object>): Argv<GenerateArguments> {
  const { seed, vms, vcpus } = DEFAULT_OPTIONS;
  return yargs.options({
    seed: text(`Names the trace: 0 to 4294967295`, String(seed)),
    kernel: text(
      `Whose call shapes it shows: ${KERNELS.join(", ")}; of ${X86_WORKLOAD}: ${X86_KERNELS.join(", ")}`,
      DEFAULT_OPTIONS.kernel,
    ),
    cpu: text(`CPU features: a list of ${FEATURES.join(", ")}; or none`, "tlbirange,fwb"),
    vms: text(`VMs at a time: 1 to ${MAX_VMS}`, String(vms)),
    vcpus: text(`vCPUs of each VM: 1 to ${MAX_VCPUS}`, String(vcpus)),
    memory: text("Memory of each VM, with K, M or G (powers of 1024)", "4G"),
    backing: text(`Host pages behind it: ${BACKINGS.join(", ")}`, DEFAULT_OPTIONS.backing),
    workload: text(
      `What the VMs do: ${[...WORKLOADS, X86_WORKLOAD].join(", ")} (an x86 dirty_log_perf_test)`,
      DEFAULT_OPTIONS.workload,
    ),
    yields: {
      type: "string" as const,
      requiresArg: true,
      describe: `${X86_WORKLOAD}: times that the walk yields while logging ends; default 0`,
    },
    recorded: {
      type: "string" as const,
      requiresArg: true,
      describe: `${X86_WORKLOAD}: ${X86_RECORDED.join(" or ")} changes of entries; default all`,
    },
    size: {
      type: "string" as const,
      requiresArg: true,
      describe: `Length of the text in bytes, with K, M or G; ${DEFAULT_SIZE} if neither is given`,
    },
    events: {
      type: "string" as const,
      requiresArg: true,
      describe: "Length in events, instead of --size",
    },
    nested: {
      type: "string" as const,
      requiresArg: true,
      describe: `Instead: one VM that runs a hypervisor (host 6.12), whose tables have this granule: ${NESTED_GRANULES.join(", ")}; of the other options it takes seed, vcpus, events and out`,
    },
    guests: {
      type: "string" as const,
      requiresArg: true,
      describe:
        "With --nested: guests that the hypervisor switches between, 1 to 64; 3 if not given",
    },
    "pa-bits": {
      type: "string" as const,
      requiresArg: true,
      describe: "With --nested: PA bits that the hypervisor sees, 36 to 42; 36 if not given",
    },
    out: text("File to write, compressed if its name ends in .gz; - for stdout", "-"),
  });
}

interface TextOption {
  readonly type: "string";
  readonly requiresArg: true;
  readonly describe: string;
  readonly default: RawValue;
}

function text(describe: string, fallback: string): TextOption {
  return { type: "string", requiresArg: true, describe, default: fallback };
}

/** Makes the trace piece by piece. */
type TraceSource = () => AsyncGenerator<string, GeneratedTruth, void>;

/** @throws TraceError BAD_OPTION, naming the option. */
function sourceOf(args: GenerateArguments): TraceSource {
  if (args.workload === X86_WORKLOAD) {
    const options = planX86(args);
    return () => x86TraceChunks(options);
  }
  for (const name of ["yields", "recorded"] as const) {
    if (args[name] !== undefined)
      throw badOption(name, `is an option of --workload ${X86_WORKLOAD}`);
  }
  const options = planGenerate(args);
  return () => traceChunks(options);
}

/** @throws TraceError BAD_OPTION, naming the option. */
export function planX86(args: GenerateArguments): X86GeneratorOptions {
  for (const name of ["size", "events"] as const) {
    if (args[name] !== undefined) {
      throw badOption(name, `is not an option of --workload ${X86_WORKLOAD}, which --memory sizes`);
    }
  }
  const options: X86GeneratorOptions = {
    kernel: choice("kernel", args.kernel, X86_KERNELS),
    vcpus: wholeNumber("vcpus", args.vcpus, 1, MAX_VCPUS),
    memoryBytes: byteCount("memory", args.memory),
    yields: wholeNumber("yields", args.yields ?? "0", 0, MAX_X86_YIELDS),
    recorded: choice("recorded", args.recorded ?? "all", X86_RECORDED),
  };
  const problem = problemWithX86(options);
  if (problem !== undefined) throw new TraceError("BAD_OPTION", problem);
  return options;
}

/** @throws TraceError BAD_OPTION, naming the option. */
export function planGenerate(args: GenerateArguments): GeneratorOptions {
  const options: GeneratorOptions = {
    seed: wholeNumber("seed", args.seed, 0, 0xffff_ffff),
    kernel: choice("kernel", args.kernel, KERNELS),
    cpu: parseFeatures(args.cpu),
    vms: wholeNumber("vms", args.vms, 1, MAX_VMS),
    vcpus: wholeNumber("vcpus", args.vcpus, 1, MAX_VCPUS),
    memoryBytes: byteCount("memory", args.memory),
    backing: choice("backing", args.backing, BACKINGS),
    workload: choice("workload", args.workload, WORKLOADS),
    size: parseTarget(args),
  };
  const problem = problemWith(options);
  if (problem !== undefined) throw new TraceError("BAD_OPTION", problem);
  return options;
}

function parseTarget(args: GenerateArguments): GeneratorOptions["size"] {
  if (args.events === undefined) return { bytes: byteCount("size", args.size ?? DEFAULT_SIZE) };
  if (args.size !== undefined) throw badOption("events", "cannot be combined with --size");
  return { events: wholeNumber("events", args.events, 1, Number.MAX_SAFE_INTEGER) };
}

function parseFeatures(raw: RawValue): CpuFeatures {
  const names = single("cpu", raw) === "none" ? [] : choices("cpu", raw, FEATURES);
  return {
    tlbirange: names.includes("tlbirange"),
    fwb: names.includes("fwb"),
    lpa2: names.includes("lpa2"),
  };
}

/** @throws TraceError BAD_OPTION, naming the option. */
export function planNested(args: GenerateArguments): NestedOptions {
  const { guests, paBits, events } = DEFAULT_NESTED;
  if (args.size !== undefined) throw badOption("size", "is not for --nested: give --events");
  return {
    seed: wholeNumber("seed", args.seed, 0, 0xffff_ffff),
    granule: choice("nested", args.nested ?? DEFAULT_NESTED.granule, NESTED_GRANULES),
    vcpus: wholeNumber("vcpus", args.vcpus, 1, MAX_VCPUS),
    guests: wholeNumber("guests", args.guests ?? String(guests), 1, 64),
    paBits: wholeNumber("pa-bits", args["pa-bits"] ?? String(paBits), 36, 42),
    events: wholeNumber("events", args.events ?? String(events), 1, MAX_NESTED_EVENTS),
  };
}

/** The whole trace is held in memory. */
const MAX_NESTED_EVENTS = 5_000_000;

async function writeNested(options: NestedOptions, args: GenerateArguments): Promise<void> {
  const { text: trace, events, truth } = generateNested(options);
  const out = single("out", args.out);
  if (out === "-") await printResult(trace);
  else writeAtOnce(out, trace);
  if (args.quiet === true) return;
  const { calls, tlbis, ...counts } = truth;
  const list = (of: object): string =>
    Object.entries(of)
      .map(([name, count]) => `${name} ${grouped(Number(count))}`)
      .join(", ");
  process.stderr.write(
    `${grouped(events)} events; TLBIs of the guest hypervisor: ${list(tlbis)}; shadow tables: ${list(counts)}; calls: ${list(calls)}\n`,
  );
}

function writeAtOnce(out: string, trace: string): void {
  const temporary = path.join(path.dirname(out), `.${path.basename(out)}.${process.pid}.tmp`);
  try {
    const special = isSpecial(out);
    const bytes = out.endsWith(".gz") ? gzipSync(trace) : trace;
    writeFileSync(special ? out : temporary, bytes);
    if (!special) renameSync(temporary, out);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw unwritable(error, out);
  }
}

/** Writes to stdout, or to a file that appears under its name only when it is complete. */
async function writeTrace(source: TraceSource, out: string): Promise<GeneratedTruth> {
  if (out === "-") return await print(source);
  try {
    if (isSpecial(out)) return await writeFileOf(source, out, out);
    return await writeWhole(source, out);
  } catch (error) {
    throw unwritable(error, out);
  }
}

async function print(source: TraceSource): Promise<GeneratedTruth> {
  const chunks = source();
  for (;;) {
    const next = await chunks.next();
    if (next.done === true) return next.value;
    await printResult(next.value);
  }
}

async function writeWhole(source: TraceSource, out: string): Promise<GeneratedTruth> {
  const temporary = path.join(path.dirname(out), `.${path.basename(out)}.${process.pid}.tmp`);
  const remove = (): void => rmSync(temporary, { force: true });
  const forget = onInterrupt(remove);
  try {
    const truth = await writeFileOf(source, temporary, out);
    renameSync(temporary, out);
    return truth;
  } catch (error) {
    remove();
    throw error;
  } finally {
    forget();
  }
}

/** A device or pipe takes the text as it comes; a folder is refused. */
function isSpecial(out: string): boolean {
  const stat = statSync(out, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) {
    throw new TraceError("UNWRITABLE", "is a folder, not a file", out);
  }
  return stat !== undefined && !stat.isFile();
}

async function writeFileOf(
  source: TraceSource,
  file: string,
  name: string,
): Promise<GeneratedTruth> {
  let truth: GeneratedTruth | undefined;
  const pieces = async function* (): AsyncGenerator<string, void, void> {
    truth = yield* source();
  };
  const target = createWriteStream(file);
  if (name.endsWith(".gz")) await pipeline(pieces, createGzip(), target);
  else await pipeline(pieces, target);
  if (truth === undefined) throw new Error("the trace ended before it was complete");
  return truth;
}

function unwritable(error: unknown, out: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (!/^E[A-Z]+$/.test(code)) return error;
  return new TraceError("UNWRITABLE", `cannot be written (${code})`, out);
}

/** `725,000 events, 100,000,123 bytes: VM 486, IPA 76,730, …`. */
function truthSentence(truth: GeneratedTruth): string {
  const counts = GENERATED_PRIMITIVES.map((name) => `${name} ${grouped(truth.primitives[name])}`);
  return `${grouped(truth.events)} events, ${grouped(truth.bytes)} bytes: ${counts.join(", ")}`;
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
