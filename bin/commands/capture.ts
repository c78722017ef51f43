/** `capture`: prints a script that records a trace, for a kernel version; it runs nothing itself. */
import type { Argv, CommandModule } from "yargs";
import { compareReleases, type Release } from "../../ingest/vocabulary/kernel-release.ts";
import { TRACEPOINT_SETS } from "../../ingest/vocabulary/recorded-tracepoints.ts";
import { parseKernelVersion } from "../../replay/policies/kernel-version.ts";
import { writeOutputSet } from "../../reports/output-set.ts";
import {
  ARCHES,
  CLOCKS,
  type CapturePlan,
  HYP_MODE_NAMES,
  PROBE_KINDS,
} from "../capture-script/capture-plan.ts";
import { notesOf } from "../capture-script/plan-notes.ts";
import { checkingScript, recordingScript } from "../capture-script/render-script.ts";
import { printResult } from "../stdout.ts";
import { type RawValue, badOption, byteCount, choice, single, wholeNumber } from "../values.ts";
import { toolIdentity } from "../version.ts";

/** The command's arguments as typed, before any check. */
export interface CaptureArguments {
  kernel: RawValue;
  arch: RawValue;
  probes: RawValue;
  mode: RawValue;
  nested?: boolean | undefined;
  tracepoints: RawValue;
  clock: RawValue;
  seconds: RawValue;
  "events-per-second": RawValue;
  "busy-cpus": RawValue;
  memory: RawValue | undefined;
  overwrite?: boolean | undefined;
  tgid?: boolean | undefined;
  pid: RawValue | undefined;
  checker?: boolean | undefined;
  out: RawValue | undefined;
  quiet?: boolean | undefined;
}

const OLDEST: Release = "5.8";
const RECORD_NAME = "record.sh";
const CHECK_NAME = "check.sh";

export const captureCommand: CommandModule<object, CaptureArguments> = {
  command: "capture",
  describe: "Print a script that records a trace, and one that checks it",
  builder: buildOptions,
  handler: async (args) => {
    const plan = planCapture(args);
    if (args.quiet !== true) tellNotes(plan);
    const { version } = toolIdentity();
    if (args.out !== undefined) {
      writeScripts(single("out", args.out), plan, version, args.quiet === true);
      return;
    }
    const script = args.checker === true ? checkingScript : recordingScript;
    await printResult(script(plan, version));
  },
};

function tellNotes(plan: CapturePlan): void {
  const { assumptions, limits } = notesOf(plan);
  for (const sentence of assumptions) process.stderr.write(`assumed: ${sentence}\n`);
  for (const sentence of limits) process.stderr.write(`note: ${sentence}\n`);
}

function writeScripts(folder: string, plan: CapturePlan, version: string, isQuiet: boolean): void {
  const files = [
    { name: RECORD_NAME, bytes: recordingScript(plan, version) },
    { name: CHECK_NAME, bytes: checkingScript(plan, version) },
  ];
  writeOutputSet(folder, files, CHECK_NAME);
  if (!isQuiet) process.stderr.write(`wrote ${RECORD_NAME} and ${CHECK_NAME} to ${folder}\n`);
}

interface OptionalText {
  readonly type: "string";
  readonly requiresArg: true;
  readonly describe: string;
}

function optional(describe: string): OptionalText {
  return { type: "string", requiresArg: true, describe };
}

function text(describe: string, fallback: RawValue): OptionalText & { readonly default: RawValue } {
  return { ...optional(describe), default: fallback };
}

function flag(describe: string): { readonly type: "boolean"; readonly describe: string } {
  return { type: "boolean", describe };
}

function buildOptions(yargs: Argv<object>): Argv<CaptureArguments> {
  return yargs.options({
    kernel: {
      ...optional("Kernel to record on, as uname -r prints it; 6.12 is enough"),
      demandOption: true as const,
    },
    arch: text(`Machine: ${ARCHES.join(", ")}`, "arm64"),
    probes: text(
      `Kind of probes: ${PROBE_KINDS.join(", ")} (of which the kernel counts no misses)`,
      "kprobe",
    ),
    mode: text(`Where KVM runs: ${HYP_MODE_NAMES.join(", ")} (found when it records)`, "auto"),
    nested: flag("Also what a host of nested guests does with their TLBIs"),
    tracepoints: text(
      `Of KVM: ${TRACEPOINT_SETS.join(", ")}; faults leaves out entries and exits`,
      "standard",
    ),
    clock: text(`Trace clock: ${CLOCKS.join(", ")}`, "mono"),
    seconds: text("Length that the buffers are sized for", "60"),
    "events-per-second": text("Expected rate, all CPUs together", "20000"),
    "busy-cpus": text("CPUs that the events spread over", "1"),
    memory: optional(
      "Most memory of all buffers, with K, M or G (default: a quarter of what is free)",
    ),
    overwrite: flag("Keep the newest events instead of the oldest"),
    tgid: flag("Record thread group ids too"),
    pid: optional("Record only this VMM; misses what kernel threads do to its memory"),
    checker: flag("Print the script that checks a recording"),
    out: optional(`Folder for ${RECORD_NAME} and ${CHECK_NAME}, instead of printing one`),
  });
}

/** @throws TraceError BAD_OPTION, naming the option. */
export function planCapture(args: CaptureArguments): CapturePlan {
  const kernel = single("kernel", args.kernel);
  const version = parseKernelVersion(kernel);
  if (version === undefined || !/^[\w.+~-]+$/.test(kernel)) {
    throw badOption("kernel", `'${kernel}' is not a kernel version`, "write it like uname -r does");
  }
  const release: Release = `${version.major}.${version.minor}`;
  if (compareReleases(release, OLDEST) < 0) {
    throw badOption("kernel", `nothing is known of kernels before ${OLDEST}`);
  }
  const plan: CapturePlan = {
    kernel,
    release,
    arch: choice("arch", args.arch, ARCHES),
    probes: choice("probes", args.probes, PROBE_KINDS),
    mode: choice("mode", args.mode, HYP_MODE_NAMES),
    isNested: args.nested === true,
    tracepoints: choice("tracepoints", args.tracepoints, TRACEPOINT_SETS),
    clock: choice("clock", args.clock, CLOCKS),
    seconds: wholeNumber("seconds", args.seconds, 1, 1_000_000),
    eventsPerSecond: wholeNumber("events-per-second", args["events-per-second"], 1, 100_000_000),
    busyCpus: wholeNumber("busy-cpus", args["busy-cpus"], 1, 8192),
    memoryBytes: args.memory === undefined ? undefined : byteCount("memory", args.memory),
    isOverwriting: args.overwrite === true,
    recordsTgid: args.tgid === true,
    pid: args.pid === undefined ? undefined : wholeNumber("pid", args.pid, 1, 4_194_304),
  };
  refuseContradictions(plan);
  return plan;
}

/** Kernels since which fprobe events can be had: arm64 lacked what they stood on before 6.14. */
const FPROBES_SINCE: Readonly<Record<CapturePlan["arch"], Release>> = { arm64: "6.14", x86: "6.5" };

function refuseContradictions(plan: CapturePlan): void {
  const { arch, release } = plan;
  if (plan.probes === "fprobe" && compareReleases(release, FPROBES_SINCE[arch]) < 0) {
    throw badOption("probes", `${arch} has no fprobe events before ${FPROBES_SINCE[arch]}`);
  }
  if (arch === "x86" && (plan.isNested || plan.mode !== "auto")) {
    throw badOption(plan.isNested ? "nested" : "mode", "is about arm64");
  }
  if (arch === "arm64" && plan.clock === "x86-tsc") throw badOption("clock", "is of x86");
  if (plan.isNested && compareReleases(release, "6.11") < 0) {
    throw badOption("nested", "there are no nested guests on arm64 before 6.11");
  }
}
