import type { DirtyProcess } from "../../replay/migration/dirty-process.ts";
import { middle, type Ranged } from "../../replay/migration/distribution.ts";
import { LOG_PAGE_BYTES, type MigrationInput } from "../../replay/migration/migration-input.ts";
import { AUTO_CONVERGE } from "../../replay/migration/throttle.ts";
import { type Vmm, type VmmId, VMMS } from "../../replay/migration/vmm.ts";
import { sizeText } from "../../reports/downtime/units.ts";
import { badOption } from "../values.ts";
import type { SettingList } from "./setting-list.ts";
import { firstOf, fromOption, type SourceFacts } from "./source-facts.ts";
import type { DowntimeValues } from "./values.ts";

/** What options and sources say of a migration, and what they do not. */
export interface MigrationParts {
  readonly migration: MigrationInput | undefined;
  /** Why there is none. */
  readonly because: string | undefined;
  readonly ranges: {
    readonly bandwidth: Ranged | undefined;
    readonly dirty_rate: Ranged | undefined;
    readonly hot_set: Ranged | undefined;
  };
  readonly memoryBytes: number | undefined;
  readonly vcpus: number;
  readonly blockBytes: number;
  readonly vmm: Vmm;
  /** Nothing says which VMM. */
  readonly vmmIsAssumed: boolean;
}

const DEFAULT_VMM: VmmId = "qemu-10.0";
const DEFAULT_CLEAR_SHIFT = 18;

/** Every value that goes into the estimate is written into `settings` with where it comes from. */
export function migrationOf(
  values: DowntimeValues,
  facts: SourceFacts,
  settings: SettingList,
): MigrationParts {
  const published = values.case?.parameters;
  const caseOrigin = `--case ${values.case?.id ?? ""}`;
  const ofCase = <Value>(value: Value | undefined) =>
    value === undefined ? undefined : { value, origin: caseOrigin };
  const memory = settings.size(
    "memory",
    firstOf(fromOption("memory", values.memory), ofCase(published?.memoryBytes), facts.memoryBytes),
  );
  const vcpus = settings.count(
    "vcpus",
    firstOf(fromOption("vcpus", values.vcpus), ofCase(published?.vcpus), facts.vcpus) ?? {
      value: 1,
      origin: "assumed",
    },
  );
  const blockBytes = settings.size(
    "host page",
    firstOf(
      fromOption("host-page", values["host-page"]),
      ofCase(published?.blockBytes),
      facts.blockBytes,
    ) ?? { value: LOG_PAGE_BYTES, origin: "assumed: nothing says what backs the guest" },
  )!;
  const bandwidth = settings.rate(
    "bandwidth",
    firstOf(
      fromOption("bandwidth", values.bandwidth),
      published === undefined ? undefined : ofCase(fixed(published.bandwidthBytesPerS)),
      facts.bandwidth,
    ),
  );
  const vmmGiven = firstOf(fromOption("vmm", values.vmm), facts.vmm);
  const vmm = VMMS[vmmGiven?.value ?? DEFAULT_VMM];
  settings.text("vmm", vmm.name, vmmGiven?.origin ?? "assumed");
  const process = dirtyProcessOf(values, facts, settings);
  const shared = {
    memoryBytes: memory,
    vcpus,
    blockBytes,
    vmm,
    vmmIsAssumed: vmmGiven === undefined,
  };
  const ranges = {
    bandwidth,
    dirty_rate: process?.rate,
    hot_set: process?.set,
  };
  const missing = [
    ...(memory === undefined ? ["the guest's memory (--memory)"] : []),
    ...(bandwidth === undefined ? ["the link's bandwidth (--bandwidth)"] : []),
    ...(process === undefined
      ? ["what the guest writes (--dirty-rate and --hot-set, or a trace)"]
      : []),
  ];
  if (memory === undefined || bandwidth === undefined || process === undefined) {
    return { ...shared, ranges, migration: undefined, because: `not known: ${missing.join("; ")}` };
  }
  checkAgainstMemory(memory, values, ranges.hot_set);
  const migration: MigrationInput = {
    ...knobsOf(values, facts, settings, vmm),
    memoryBytes: memory,
    zeroBytes: Math.min(memory, settings.sizeOr("zero pages", values, facts)),
    bandwidthBytesPerS: middle(bandwidth),
    dirty: process.dirty,
    vcpus,
    slotBytes: values.slots ?? [memory],
    blockBytes,
    vmm,
  };
  return { ...shared, ranges, migration, because: undefined };
}

function fixed(value: number): Ranged {
  return { low: value, high: value, law: "uniform" };
}

/** Options may contradict what a trace or a report says of the memory. */
function checkAgainstMemory(memory: number, values: DowntimeValues, hot: Ranged | undefined): void {
  if (hot !== undefined && hot.high > memory) {
    throw badOption(
      "hot-set",
      `is larger (${sizeText(hot.high)}) than the memory (${sizeText(memory)})`,
    );
  }
  const slots = values.slots?.reduce((a, b) => a + b, 0);
  if (slots !== undefined && slots !== memory) {
    throw badOption("slots", `add up to ${sizeText(slots)}, and the memory is ${sizeText(memory)}`);
  }
}

interface DirtyParts {
  readonly dirty: DirtyProcess;
  readonly rate: Ranged | undefined;
  readonly set: Ranged | undefined;
}

/** Best first: an option, what a trace shows, a rate that a report gives. */
function dirtyProcessOf(
  values: DowntimeValues,
  facts: SourceFacts,
  settings: SettingList,
): DirtyParts | undefined {
  const pace = values["dirty-scale"] ?? 1;
  const grow = values["hot-scale"] ?? 1;
  if (pace !== 1) settings.text("dirty scale", `× ${pace}`, "--dirty-scale");
  if (grow !== 1) settings.text("hot scale", `× ${grow}`, "--hot-scale");
  const published = values.case?.parameters;
  const givenRate = values["dirty-rate"] ?? published?.dirtyBytesPerS;
  checkRate(values, givenRate, facts);
  if (givenRate === undefined && facts.curve !== undefined) {
    const { windowS, bytes } = facts.curve.value;
    settings.text("dirty pages", "unique pages over time", facts.curve.origin);
    const curve = { windowS, bytes: bytes.map((one) => one * grow) };
    return { dirty: { kind: "curve", curve, scale: pace * grow }, rate: undefined, set: undefined };
  }
  const origin =
    values["dirty-rate"] === undefined ? `--case ${values.case?.id ?? ""}` : "--dirty-rate";
  const reported = facts.dirtyRate;
  const rate =
    givenRate === undefined
      ? reported === undefined
        ? undefined
        : settings.rate("dirty rate", { value: fixed(reported.value), origin: reported.origin })
      : settings.rate("dirty rate", { value: givenRate, origin });
  if (rate === undefined) return undefined;
  const scaledRate = scaled(rate, pace);
  const givenSet = values["hot-set"] ?? published?.hotSetBytes;
  const bytesPerS = middle(scaledRate);
  if (givenSet === undefined) {
    settings.text("hot set", "not known: bounds only", "not given (--hot-set)");
    return { dirty: { kind: "rate-only", bytesPerS }, rate: scaledRate, set: undefined };
  }
  const setOrigin =
    values["hot-set"] === undefined
      ? `--case ${values.case?.id ?? ""}: inferred from its result`
      : "--hot-set";
  const set = scaled(givenSet, grow);
  settings.sizes("hot set", { value: set, origin: setOrigin });
  const pattern = values["dirty-pattern"] ?? "sequential";
  settings.text(
    "dirty pattern",
    pattern,
    values["dirty-pattern"] === undefined ? "assumed" : "--dirty-pattern",
  );
  return {
    dirty: { kind: "rate-and-set", bytesPerS, setBytes: middle(set), pattern },
    rate: scaledRate,
    set,
  };
}

/** How much is written, and in which order, says something beside a rate only. */
function checkRate(values: DowntimeValues, rate: Ranged | undefined, facts: SourceFacts): void {
  if (rate !== undefined) return;
  for (const name of ["hot-set", "dirty-pattern"] as const) {
    if (values[name] === undefined) continue;
    if (facts.curve !== undefined) {
      const why = "says what is written, and so does the trace";
      throw badOption(name, why, "give --dirty-rate too, and both replace what the trace shows");
    }
    if (facts.dirtyRate === undefined) {
      throw badOption(name, "needs a rate that writes it", "give --dirty-rate");
    }
  }
}

function scaled({ low, high, law }: Ranged, by: number): Ranged {
  return { low: low * by, high: high * by, law };
}

type Knobs = Omit<
  MigrationInput,
  | "memoryBytes"
  | "zeroBytes"
  | "bandwidthBytesPerS"
  | "dirty"
  | "vcpus"
  | "slotBytes"
  | "blockBytes"
  | "vmm"
>;

function knobsOf(
  values: DowntimeValues,
  facts: SourceFacts,
  settings: SettingList,
  vmm: Vmm,
): Knobs {
  const limit = firstOf(
    fromOption("downtime-limit", values["downtime-limit"]),
    facts.downtimeLimitS,
  ) ?? { value: vmm.downtimeLimitS, origin: `default of ${vmm.name}` };
  const dirtyLog = firstOf(fromOption("dirty-log", values["dirty-log"]), facts.dirtyLog) ?? {
    value: vmm.dirtyLog,
    origin: `default of ${vmm.name}`,
  };
  const stopRule = values["stop-rule"] ?? vmm.stopRule;
  const shift = values["clear-shift"] ?? DEFAULT_CLEAR_SHIFT;
  settings.time("downtime limit", limit);
  settings.text("dirty log", dirtyLog.value, dirtyLog.origin);
  settings.text(
    "stop rule",
    stopRule,
    values["stop-rule"] === undefined ? `of ${vmm.name}` : "--stop-rule",
  );
  settings.text(
    "clear of the log",
    `2^${shift} pages at once`,
    values["clear-shift"] === undefined ? "default of QEMU" : "--clear-shift",
  );
  for (const name of ["auto-converge", "overlap", "post-copy"] as const) {
    if (values[name]) settings.text(name, "on", `--${name}`);
  }
  for (const name of [
    "force-at",
    "cancel-at",
    "storage-flush",
    "announce",
    "throttle-timer",
  ] as const) {
    settings.time(name, fromOption(name, values[name]));
  }
  settings.size("eager chunk", fromOption("eager-chunk", values["eager-chunk"]));
  const periodS = values["throttle-timer"] ?? AUTO_CONVERGE.periodS;
  return {
    downtimeLimitS: limit.value,
    clearBytes: 2 ** shift * LOG_PAGE_BYTES,
    eagerChunkBytes: values["eager-chunk"] ?? 0,
    dirtyLog: dirtyLog.value,
    stopRule,
    clearsInBlackout: vmm.clearsInBlackout,
    overlapsSending: values.overlap,
    throttle: values["auto-converge"] ? { ...AUTO_CONVERGE, periodS } : undefined,
    forceAtS: values["force-at"],
    cancelAtS: values["cancel-at"],
    postCopy: values["post-copy"],
    storageFlushS: values["storage-flush"] ?? 0,
    announceS: values.announce,
  };
}
