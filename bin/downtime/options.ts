import type { Argv } from "yargs";
import { CASES } from "../../replay/migration/cases/registry.ts";
import { DIRTY_PATTERNS } from "../../replay/migration/dirty-process.ts";
import { PHASES } from "../../replay/migration/inputs.ts";
import {
  DIRTY_LOG_MODES,
  MOST_DOWNTIME_LIMIT_S,
  STOP_RULES,
  VMM_IDS,
} from "../../replay/migration/vmm.ts";
import { yargsOptions } from "../options.ts";
import {
  duration,
  durationOrZero,
  factor,
  rateRange,
  sizeBytes,
  sizeOrZero,
  sizeRange,
} from "../unit-values.ts";
import { choice, list, repeated, single, wholeNumber } from "../values.ts";
import { parseGates } from "./gates.ts";
import { MODEL_OPTIONS, type Specs } from "./model-options.ts";
import { parsePhases } from "./phase-values.ts";
import type { DowntimeValues } from "./values.ts";

const GUEST = "Guest and its writes:";
const LINK = "Migration (what-if knobs):";
const INPUT = "Input:";
const OUTPUT = "Output:";

const HOST_PAGES = ["4k", "2m", "1g"] as const;
const CASE_IDS = CASES.map(({ id }) => id);

/** Options that `downtime` alone has. */
export const DOWNTIME_OPTIONS: Specs = {
  case: {
    group: INPUT,
    describe: `A published case with its figures: ${CASE_IDS.join(", ")}`,
    fallback: "none",
    coerce: (raw) => CASES.find(({ id }) => id === choice("case", raw, CASE_IDS))!,
  },
  "vmm-report": {
    group: INPUT,
    describe: "What a VMM says of the migration: query-migrate JSON, domjobinfo, log; repeatable",
    fallback: "none",
    coerce: (raw) => repeated("vmm-report", raw),
  },
  vm: {
    group: INPUT,
    describe: "Which virtual machine of the trace, by number",
    fallback: "the first whose dirty logging the trace shows",
    coerce: (raw) => wholeNumber("vm", raw, 1, 1e6),
  },
  phase: {
    group: INPUT,
    describe: `A phase as you know it, NAME=START..END in the trace's seconds: ${PHASES.join(", ")}, pass2; repeatable`,
    fallback: "as the trace shows them",
    coerce: (raw) => parsePhases(repeated("phase", raw)),
  },
  memory: {
    group: GUEST,
    describe: "Memory of the guest, such as 192GiB",
    fallback: "what the trace or the report says",
    coerce: (raw) => sizeBytes("memory", raw),
  },
  "zero-pages": {
    group: GUEST,
    describe: "Part of the memory that is zero and not sent, such as 10GiB",
    fallback: "0",
    coerce: (raw) => sizeOrZero("zero-pages", raw),
  },
  vcpus: {
    group: GUEST,
    describe: "vCPUs, 1 to 1024",
    fallback: "what the trace says, else 1",
    coerce: (raw) => wholeNumber("vcpus", raw, 1, 1024),
  },
  "host-page": {
    group: GUEST,
    describe: `Pages of the host that back the guest: ${HOST_PAGES.join(", ")}`,
    fallback: "what the trace says, else 4k",
    coerce: (raw) => {
      const size = choice("host-page", single("host-page", raw).toLowerCase(), HOST_PAGES);
      return { "4k": 4096, "2m": 2 ** 21, "1g": 2 ** 30 }[size];
    },
  },
  slots: {
    group: GUEST,
    describe: "Sizes of the memslots, comma-separated; together the memory",
    fallback: "one",
    coerce: (raw) => list("slots", raw).map((size) => sizeBytes("slots", size)),
  },
  "dirty-rate": {
    group: GUEST,
    describe: "Unique bytes written a second, such as 500MB/s or 500..1000MB/s",
    fallback: "what the trace shows",
    coerce: (raw) => rateRange("dirty-rate", raw, true),
  },
  "hot-set": {
    group: GUEST,
    describe: "Memory that is written at all (writable working set), such as 10GiB or 5..13GiB",
    fallback: "what the trace shows; with a rate alone there are bounds only",
    coerce: (raw) => sizeRange("hot-set", raw),
  },
  "dirty-pattern": {
    group: GUEST,
    describe: `Order of the writes: ${DIRTY_PATTERNS.join(", ")}`,
    fallback: "sequential",
    coerce: (raw) => choice("dirty-pattern", raw, DIRTY_PATTERNS),
  },
  "dirty-scale": {
    group: GUEST,
    describe: "What if it wrote so many times as fast, such as 2",
    fallback: "1",
    coerce: (raw) => factor("dirty-scale", raw),
  },
  "hot-scale": {
    group: GUEST,
    describe: "What if it wrote so many times as much memory, such as 0.5",
    fallback: "1",
    coerce: (raw) => factor("hot-scale", raw),
  },
  bandwidth: {
    group: LINK,
    describe: "What the link carries, such as 500MB/s, 10Gbit/s or 400..600MB/s",
    fallback: "what the report says",
    coerce: (raw) => rateRange("bandwidth", raw, false),
  },
  "downtime-limit": {
    group: LINK,
    describe: "Downtime that the VMM aims at, such as 300ms",
    fallback: "300 ms, as QEMU and Cloud Hypervisor",
    coerce: (raw) => duration("downtime-limit", raw, MOST_DOWNTIME_LIMIT_S),
  },
  vmm: {
    group: LINK,
    describe: `VMM and version: ${VMM_IDS.join(", ")}`,
    fallback: "qemu-10.0, and the others as structure",
    coerce: (raw) => choice("vmm", raw, VMM_IDS),
  },
  "stop-rule": {
    group: LINK,
    describe: `When the guest is stopped: ${STOP_RULES.join(", ")}`,
    fallback: "the VMM's own",
    coerce: (raw) => choice("stop-rule", raw, STOP_RULES),
  },
  "dirty-log": {
    group: LINK,
    describe: `How the log is kept: ${DIRTY_LOG_MODES.join(", ")}`,
    fallback: "the VMM's own",
    coerce: (raw) => choice("dirty-log", raw, DIRTY_LOG_MODES),
  },
  "clear-shift": {
    group: LINK,
    describe: "Pages of one KVM_CLEAR_DIRTY_LOG as a power of 2, 6 to 31",
    fallback: "18 (1 GiB), as QEMU",
    coerce: (raw) => wholeNumber("clear-shift", raw, 6, 31),
  },
  "eager-chunk": {
    group: LINK,
    describe: "KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE, such as 2MiB; 0B: off",
    fallback: "0, as KVM and QEMU",
    coerce: (raw) => sizeOrZero("eager-chunk", raw),
  },
  "auto-converge": { group: LINK, describe: "Throttle the vCPUs (QEMU)", fallback: "off" },
  "throttle-timer": {
    group: LINK,
    describe: "Syncs that auto-converge forces, such as 5s; 0s: one a pass",
    fallback: "5 s, as QEMU",
    coerce: (raw) => durationOrZero("throttle-timer", raw),
  },
  overlap: {
    group: LINK,
    describe: "Sending and clearing overlap (multifd)",
    fallback: "off",
  },
  "post-copy": { group: LINK, describe: "Move after the first pass", fallback: "off" },
  "force-at": {
    group: LINK,
    describe: "The layer above stops the guest then, such as 10min",
    fallback: "never",
    coerce: (raw) => duration("force-at", raw),
  },
  "cancel-at": {
    group: LINK,
    describe: "The layer above cancels then, such as 800s",
    fallback: "never",
    coerce: (raw) => duration("cancel-at", raw),
  },
  "storage-flush": {
    group: LINK,
    describe: "Flushing block devices in the blackout, such as 50ms",
    fallback: "0",
    coerce: (raw) => durationOrZero("storage-flush", raw),
  },
  announce: {
    group: LINK,
    describe: "From the guest's first instruction until the network knows, such as 20ms",
    fallback: "not known: no network downtime",
    coerce: (raw) => durationOrZero("announce", raw),
  },
  ...MODEL_OPTIONS,
  require: {
    group: OUTPUT,
    describe:
      "Exit code 4 unless these hold, such as converges,source_downtime<300ms,rollback_stall<1s@range-6.9",
    fallback: "nothing",
    coerce: parseGates,
  },
};

/** Declares the options of `downtime` on its command. */
export function withDowntimeOptions<T>(yargs: Argv<T>): Argv<T & DowntimeValues> {
  let declared: Argv<unknown> = yargs;
  for (const [name, spec] of Object.entries(DOWNTIME_OPTIONS)) {
    declared = declared.option(name, yargsOptions(spec));
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of yargs cannot follow a loop
  return declared as Argv<T & DowntimeValues>;
}
