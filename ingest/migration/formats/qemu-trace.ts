import type { MigrationFormat } from "../format.ts";
import type { ReportBuilder } from "../report-builder.ts";
import { outcomeOfStatus } from "./qemu-status.ts";

/** `1234@1700000000.123456:migrate_transferred transferred 1 …`; the front is missing where it is switched off. */
const LINE = /^(?:\d+@(\d+)\.(\d{6}):)?([a-z][a-z0-9_]+)(?: (.*))?$/;

const CHECKPOINTS: ReadonlyMap<string, string> = new Map([
  ["src-vm-stopped", "stopping the vCPUs"],
  ["src-iterable-saved", "last pass"],
  ["src-non-iterable-saved", "device state"],
  ["src-downtime-end", "end on the source"],
]);

const EVENTS: ReadonlySet<string> = new Set([
  "migrate_transferred",
  "migrate_pending_exact",
  "migrate_pending_estimate",
  "migration_bitmap_sync_start",
  "migration_bitmap_sync_end",
  "kvm_clear_dirty_log",
  "vmstate_downtime_checkpoint",
  "vmstate_downtime_save",
  "migrate_set_state",
]);
const OF_INTEREST = new RegExp(`^(?:\\d+@\\d+\\.\\d{6}:)?(?:${[...EVENTS].join("|")})\\b`, "m");

interface State {
  readonly builder: ReportBuilder;
  /** First time that the text shows, in ns. */
  baseNs: number;
  syncStartNs: number;
  lastCheckpointNs: number;
  downtimeStartNs: number;
  devices: number;
  devicesUs: number;
  slowest: string;
  slowestUs: number;
}

/** QEMU's trace events of a migration, as its `log` back end writes them. */
export const qemuTrace: MigrationFormat = {
  id: "qemu-trace",
  vmm: "qemu",
  describes:
    "QEMU trace events (`-trace 'migrat*'`, `vmstate_downtime_*`, `kvm_clear_dirty_log`; log back end)",
  applies: (text) => OF_INTEREST.test(text),
  read(text, builder) {
    const state: State = {
      builder,
      baseNs: Number.NaN,
      syncStartNs: Number.NaN,
      lastCheckpointNs: Number.NaN,
      downtimeStartNs: Number.NaN,
      devices: 0,
      devicesUs: 0,
      slowest: "",
      slowestUs: 0,
    };
    for (const line of text.split("\n")) readLine(line.trimEnd(), state);
    if (builder.passes.length > 0)
      builder.set("passes", builder.passes.length, "migration_bitmap_sync_end");
    if (state.devices > 0) {
      builder.note(
        `${state.devices} devices were saved in ${(state.devicesUs / 1000).toFixed(1)} ms, ${state.slowest} in ${(state.slowestUs / 1000).toFixed(1)} ms`,
      );
    }
  },
};

function readLine(line: string, state: State): void {
  const match = LINE.exec(line);
  if (match === null) return;
  const [, seconds, micros, name = "", rest = ""] = match;
  if (!EVENTS.has(name)) return;
  // Whole seconds since 1970 in ns do not fit a double: only differences are kept.
  const wholeNs = seconds === undefined ? Number.NaN : Number(seconds) * 1e9;
  const tsNs = Number.isNaN(wholeNs) ? Number.NaN : wholeNs + Number(micros) * 1000;
  if (Number.isNaN(state.baseNs)) state.baseNs = tsNs;
  const sinceNs = Math.round((tsNs - state.baseNs) / 1000) * 1000;
  readEvent(name, rest, sinceNs, state);
}

function readEvent(name: string, rest: string, tsNs: number, state: State): void {
  const { builder } = state;
  switch (name) {
    case "migrate_transferred":
      readTransferred(rest, builder);
      break;
    case "migrate_pending_exact":
    case "migrate_pending_estimate": {
      const bytes = numberAfter(rest, "size");
      if (bytes === undefined) builder.unknown(`${name} ${rest}`);
      else builder.set("ramRemainingBytes", bytes, name);
      break;
    }
    case "migration_bitmap_sync_start":
      state.syncStartNs = tsNs;
      break;
    case "migration_bitmap_sync_end":
      readSync(rest, tsNs, state);
      break;
    case "kvm_clear_dirty_log":
      readClear(rest, tsNs, builder);
      break;
    case "vmstate_downtime_checkpoint":
      readCheckpoint(rest.trim(), tsNs, state);
      break;
    case "vmstate_downtime_save":
      readDevice(rest, state);
      break;
    case "migrate_set_state":
      builder.outcome = outcomeOfStatus(rest.replace(/^new state /, "").trim(), builder);
      break;
    default:
      break;
  }
}

/** Bandwidth in bytes a ms; max_size is what fits in the downtime limit. */
function readTransferred(rest: string, builder: ReportBuilder): void {
  const bandwidth = numberAfter(rest, "bandwidth");
  const threshold = numberAfter(rest, "max_size");
  if (bandwidth === undefined) {
    builder.unknown(`migrate_transferred ${rest}`);
    return;
  }
  builder.set("bandwidthBytesPerS", bandwidth * 1000, "migrate_transferred bandwidth");
  const switchover = numberAfter(rest, "switchover_bw") ?? bandwidth;
  const used = switchover > 0 ? switchover : bandwidth;
  if (threshold !== undefined && used > 0) {
    builder.set("downtimeLimitMs", Math.round(threshold / used), "max_size / bandwidth");
  }
}

function readSync(rest: string, tsNs: number, { builder, syncStartNs }: State): void {
  const dirtyPages = numberAfter(rest, "dirty_pages");
  if (dirtyPages === undefined) builder.unknown(`migration_bitmap_sync_end ${rest}`);
  const last = builder.passes.at(-1);
  if (last?.startMs !== undefined && !Number.isNaN(tsNs))
    last.durationMs = tsNs / 1e6 - last.startMs;
  builder.passes.push({
    number: (last?.number ?? 0) + 1,
    bytes: undefined,
    dirtyPages,
    startMs: Number.isNaN(tsNs) ? undefined : tsNs / 1e6,
    durationMs: undefined,
    bandwidthBytesPerS: undefined,
    estimatedDowntimeMs: undefined,
  });
  if (tsNs < syncStartNs) builder.contradict("a bitmap sync ends before it begins");
}

/** `slot#2 start 0x0 size 0x40000`: both in pages. */
function readClear(rest: string, tsNs: number, builder: ReportBuilder): void {
  const match = /slot#?\s*(-?\d+)\D.*?start (0x[0-9a-f]+|\d+) size (0x[0-9a-f]+|\d+)/.exec(rest);
  if (match === null) {
    builder.unknown(`kvm_clear_dirty_log ${rest}`);
    return;
  }
  builder.clear({
    slot: Number(match[1]),
    firstPage: Number(match[2]),
    pages: Number(match[3]),
    tsNs: Number.isNaN(tsNs) ? undefined : tsNs,
  });
}

function readCheckpoint(name: string, tsNs: number, state: State): void {
  const { builder } = state;
  if (Number.isNaN(tsNs)) {
    builder.note("checkpoints of the downtime without times: not used");
    return;
  }
  if (name === "src-downtime-start") {
    state.downtimeStartNs = tsNs;
    state.lastCheckpointNs = tsNs;
    builder.downtimeParts.length = 0;
    return;
  }
  const part = CHECKPOINTS.get(name);
  if (part === undefined) {
    if (!name.startsWith("dst-") && !name.startsWith("src-postcopy"))
      builder.unknown(`checkpoint ${name}`);
    return;
  }
  if (Number.isNaN(state.lastCheckpointNs)) {
    builder.unknown(`checkpoint ${name} without src-downtime-start`);
    return;
  }
  builder.downtimeParts.push({ name: part, ms: (tsNs - state.lastCheckpointNs) / 1e6 });
  state.lastCheckpointNs = tsNs;
  if (name === "src-downtime-end") {
    builder.set(
      "downtimeMs",
      (tsNs - state.downtimeStartNs) / 1e6,
      "src-downtime-start … src-downtime-end",
    );
  }
}

/** `type=non-iterable idstr=cpu_common instance_id=0 downtime=123`, in µs. */
function readDevice(rest: string, state: State): void {
  const us = Number(/\bdowntime=(\d+)/.exec(rest)?.[1] ?? Number.NaN);
  if (Number.isNaN(us)) {
    state.builder.unknown(`vmstate_downtime_save ${rest}`);
    return;
  }
  state.devices += 1;
  state.devicesUs += us;
  if (us < state.slowestUs) return;
  state.slowestUs = us;
  state.slowest = /\bidstr=(\S+)/.exec(rest)?.[1] ?? "one";
}

function numberAfter(text: string, name: string): number | undefined {
  const found = new RegExp(`\\b${name} (\\d+)\\b`).exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
