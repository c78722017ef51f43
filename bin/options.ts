import type { Argv, Options } from "yargs";
import { CPU_FEATURES, type CpuFeature } from "../ingest/beside/host-facts.ts";
import { badOption, choice, choices, list, repeated, single, wholeNumber } from "./values.ts";
import type { RawValue } from "./values.ts";
import { SHAPE_PARTS, type ShapeOverride } from "../replay/tlb/preset-shape.ts";
import type { TlbPreset } from "../replay/tlb/presets/preset.ts";
import { KNOB_NAMES, type KnobName, KNOBS } from "../replay/tlb/refills/knobs.ts";
import { type LIST, parseKnobs, parsePreset, parseShapeOverrides } from "./tlb-values.ts";
import { STREAM_SPECS, type StreamValues, TLB } from "./stream-options.ts";

/**
 * The options that several commands share, each defined once: its values, its default, its help line.
 * A command takes those it has by name (`withOptions`) and so cannot spell or read them differently.
 *
 * None has a default for yargs: a command must be able to tell "not given" from "given", because what is
 * not given may still stand beside the trace, and every effective value is reported with its origin.
 */

export const PAGE_SIZES = ["4k", "16k", "64k"] as const;
export const OUTPUT_FORMATS = ["table", "csv", "json", "arrow", "html"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];
export const INPUT_FORMATS = [
  "auto",
  "trace-dat",
  "ftrace-text",
  "trace-cmd-report",
  "perf-script",
  "bpftrace",
  "function-graph",
  "arrow",
  "csv",
] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];
export const START_STATES = ["fresh", "unknown", "auto"] as const;
export type StartState = (typeof START_STATES)[number];

/** A behaviour flag of a policy, overridden on the command line; `replay/` checks name and value. */
export interface FlagOverride {
  readonly name: string;
  readonly value: string;
}

/** Value of each shared option as a command sees it; undefined where it is not given. */
export interface SharedValues extends StreamValues {
  policy: readonly string[] | undefined;
  "policy-file": readonly string[] | undefined;
  flag: readonly FlagOverride[] | undefined;
  cpu: readonly CpuFeature[] | undefined;
  /** In bytes. */
  "page-size": number | undefined;
  "ipa-bits": number | undefined;
  "nested-pa-bits": number | undefined;
  kernel: string | undefined;
  start: StartState | undefined;
  "input-format": InputFormat | undefined;
  /** Path of a saved probe list. */
  probes: string | undefined;
  /** Name of a tracing instance. */
  instance: string | undefined;
  /** Paths of memslot tables. */
  memslots: readonly string[] | undefined;
  /** Where the values stand in lines that a user's own program printed. */
  "line-template": string | undefined;
  /** Preset of the modelled TLB. */
  tlb: TlbPreset | typeof LIST | undefined;
  "tlb-seeds": number | undefined;
  "tlb-set": readonly ShapeOverride[] | undefined;
  "tlb-knob": ReadonlyMap<KnobName, number> | undefined;
  format: OutputFormat | undefined;
  out: string | undefined;
  /** Path of an HTML file. */
  html: string | undefined;
  quiet: boolean;
  debug: boolean;
}
export type SharedOption = keyof SharedValues;

export interface OptionSpec<Value> {
  /** Heading in the help. */
  readonly group: string;
  /** One line: what it is, in what unit, of which values. */
  readonly describe: string;
  /** What holds where it is not given, in words. */
  readonly fallback: string;
  /** Absent for switches. */
  readonly coerce?: (raw: RawValue) => NonNullable<Value>;
}

const POLICY = "Policy:";
const MACHINE = "Machine that recorded the trace:";
const INPUT = "Input:";
const OUTPUT = "Output:";
const GENERAL = "General:";

export const SHARED_OPTIONS: {
  readonly [Name in SharedOption]: OptionSpec<SharedValues[Name]>;
} = {
  policy: {
    group: POLICY,
    describe: "Policies to replay, comma-separated, such as pgtable-6.2,range-6.9,ideal",
    fallback: "chosen by the command",
    coerce: (raw) => list("policy", raw),
  },
  "policy-file": {
    group: POLICY,
    describe: "JSON file that defines a policy; may be repeated",
    fallback: "none",
    coerce: (raw) => repeated("policy-file", raw),
  },
  flag: {
    group: POLICY,
    describe: "Override one behaviour of every policy, NAME=VALUE; may be repeated",
    fallback: "none",
    coerce: parseFlags,
  },
  cpu: {
    group: MACHINE,
    describe: `CPU features, exactly these: a list of ${CPU_FEATURES.join(", ")}; or none`,
    fallback: "what was saved beside the trace",
    coerce: parseCpu,
  },
  "page-size": {
    group: MACHINE,
    describe: `Host page size: ${PAGE_SIZES.join(", ")}`,
    fallback: "what was saved beside the trace, else 4k",
    coerce: (raw) => Number.parseInt(choice("page-size", lowerCase(raw), PAGE_SIZES), 10) * 1024,
  },
  "ipa-bits": {
    group: MACHINE,
    describe: "Size of the guests' physical address space in bits, 32 to 52",
    fallback: "what the trace shows, else 40",
    coerce: (raw) => wholeNumber("ipa-bits", raw, 32, 52),
  },
  "nested-pa-bits": {
    group: MACHINE,
    describe: "Physical address bits that guest hypervisors see (size of shadow tables), 32 to 52",
    fallback: "what the trace shows, else 48",
    coerce: (raw) => wholeNumber("nested-pa-bits", raw, 32, 52),
  },
  kernel: {
    group: MACHINE,
    describe: "Kernel version, such as 6.12 or 6.12.107-arm64",
    fallback: "what was saved beside the trace",
    coerce: parseKernel,
  },
  start: {
    group: INPUT,
    describe: `Stage-2 state before the trace: ${START_STATES.join(", ")}`,
    fallback: "auto",
    coerce: (raw) => choice("start", raw, START_STATES),
  },
  "input-format": {
    group: INPUT,
    describe: `Format of the traces: ${INPUT_FORMATS.join(", ")}`,
    fallback: "auto, by content",
    coerce: (raw) => choice("input-format", raw, INPUT_FORMATS),
  },
  probes: {
    group: INPUT,
    describe: "Saved kprobe_events, for traces that print probes without their functions",
    fallback: "kprobes.txt or the like beside the trace",
    coerce: (raw) => single("probes", raw),
  },
  instance: {
    group: INPUT,
    describe: "Tracing instance whose buffer is read, of a trace.dat that holds several",
    fallback: "the top buffer",
    coerce: (raw) => single("instance", raw),
  },
  memslots: {
    group: INPUT,
    describe: "Memslots (CSV, or QEMU's info ramblock and info mtree), for traces without probes",
    fallback: "memslots.csv or memslots.txt beside the trace, else commit_region probes in it",
    coerce: (raw) => repeated("memslots", raw),
  },
  "line-template": {
    group: INPUT,
    describe:
      "Layout of lines that bpftrace or another program of yours printed, such as '{ts_ns} {cpu} {pid} {event} {args}'",
    fallback: "that of our bpftrace program",
    coerce: (raw) => single("line-template", raw),
  },
  tlb: {
    group: TLB,
    describe: "Price each policy in TLB refills of this preset; they stand below, `list` tells all",
    fallback: "no TLB is modelled",
    coerce: parsePreset,
  },
  ...STREAM_SPECS,
  "tlb-seeds": {
    group: TLB,
    describe: `Seeds of the generator, ${KNOBS.seeds.least} to ${KNOBS.seeds.most}`,
    fallback: `${KNOBS.seeds.default}`,
    coerce: (raw) => wholeNumber("tlb-seeds", raw, KNOBS.seeds.least, KNOBS.seeds.most),
  },
  "tlb-set": {
    group: TLB,
    describe: `Replace a number of the preset, such as l2=256x5; of ${SHAPE_PARTS.join(", ")}`,
    fallback: "the preset's",
    coerce: parseShapeOverrides,
  },
  "tlb-knob": {
    group: TLB,
    describe: `Replace an assumption, such as theta=0.8; of ${KNOB_NAMES.join(", ")}`,
    fallback: "printed with the result",
    coerce: parseKnobs,
  },
  format: {
    group: OUTPUT,
    describe: `Format of the result on stdout: ${OUTPUT_FORMATS.join(", ")} (Arrow file)`,
    fallback: "table",
    coerce: (raw) => choice("format", raw, OUTPUT_FORMATS),
  },
  out: {
    group: OUTPUT,
    describe: "Folder for the result files; made if needed, a set in it is replaced as a whole",
    fallback: "no files",
    coerce: parseOut,
  },
  html: {
    group: OUTPUT,
    describe: "File for the results as one self-contained HTML page",
    fallback: "none",
    coerce: (raw) => single("html", raw),
  },
  quiet: {
    group: GENERAL,
    describe: "Say nothing on stderr but warnings and errors",
    fallback: "off",
  },
  debug: {
    group: GENERAL,
    describe: "Show internal detail on stderr, and the stack of an error",
    fallback: "off",
  },
};

/** Declares the named shared options on a command. */
export function withOptions<T, Name extends SharedOption>(
  yargs: Argv<T>,
  ...names: readonly Name[]
): Argv<T & Pick<SharedValues, Name>> {
  let declared: Argv<unknown> = yargs;
  for (const name of names) declared = declared.option(name, yargsOptions(SHARED_OPTIONS[name]));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of yargs cannot follow a loop
  return declared as Argv<T & Pick<SharedValues, Name>>;
}

/** How yargs declares an option of ours. */
export function yargsOptions(spec: OptionSpec<unknown>): Options {
  if (spec.coerce === undefined) {
    return { type: "boolean", group: spec.group, describe: spec.describe };
  }
  const describe = `${spec.describe} (default: ${spec.fallback})`;
  // A string and not yargs's `array`, which would swallow the trace names that follow it.
  return { type: "string", requiresArg: true, group: spec.group, describe, coerce: spec.coerce };
}

function lowerCase(raw: RawValue): RawValue {
  return typeof raw === "string" ? raw.toLowerCase() : raw;
}

function parseCpu(raw: RawValue): readonly CpuFeature[] {
  const names = list("cpu", raw);
  if (names.length === 1 && names[0] === "none") return [];
  if (names.includes("none")) throw badOption("cpu", "names 'none' together with features");
  return choices("cpu", raw, CPU_FEATURES);
}

function parseFlags(raw: RawValue): readonly FlagOverride[] {
  const flags: FlagOverride[] = [];
  for (const text of repeated("flag", raw)) {
    const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      throw badOption("flag", `'${text}' is not of the form NAME=VALUE`);
    }
    if (flags.some((flag) => flag.name === name)) {
      throw badOption("flag", `sets '${name}' twice`);
    }
    flags.push({ name, value });
  }
  return flags;
}

function parseKernel(raw: RawValue): string {
  const version = single("kernel", raw);
  if (!/^\d+\.\d+/.test(version)) {
    throw badOption(
      "kernel",
      `'${version}' is not a kernel version`,
      "write it like uname -r does",
    );
  }
  return version;
}

function parseOut(raw: RawValue): string {
  const folder = single("out", raw);
  if (folder === "-") {
    throw badOption("out", "names a folder, not stdout", "results go to stdout with --format");
  }
  return folder;
}
