import { fieldTable, MEGABIT, MIB, readField } from "../field-table.ts";
import type { MigrationFormat } from "../format.ts";
import { isRecord, jsonValues } from "../json-values.ts";
import type { ReportBuilder } from "../report-builder.ts";
import type { MigrationReport } from "../report.ts";
import { outcomeOfStatus, settlePlaceholders } from "./qemu-status.ts";

/** Top level of query-migrate. */
const MIGRATION = fieldTable({
  "total-time": "totalMs",
  "setup-time": "setupMs",
  downtime: "downtimeMs",
  "expected-downtime": "expectedDowntimeMs",
  "cpu-throttle-percentage": ["throttleShare", 0.01],
  "dirty-limit-throttle-time-per-round": ["dirtyLimitThrottleMs", 0.001],
  "dirty-limit-ring-full-time": ["dirtyLimitRingFullMs", 0.001],
  "postcopy-blocktime": "postcopyBlocktimeMs",
});

const RAM = fieldTable({
  transferred: "ramTransferredBytes",
  remaining: "ramRemainingBytes",
  total: "ramTotalBytes",
  duplicate: "zeroPages",
  normal: "normalPages",
  "dirty-pages-rate": "dirtyRatePagesPerS",
  mbps: ["bandwidthBytesPerS", MEGABIT],
  "dirty-sync-count": "passes",
  "page-size": "pageBytes",
  "precopy-bytes": "precopyBytes",
  "downtime-bytes": "downtimeBytes",
  "postcopy-bytes": "postcopyBytes",
});

const PARAMETERS = fieldTable({
  "downtime-limit": "downtimeLimitMs",
  "max-bandwidth": "maxBandwidthBytesPerS",
});

const DIRTY_RATE = fieldTable({
  "dirty-rate": ["dirtyRateBytesPerS", MIB],
  "sample-pages": "sampledPagesPerGiB",
});

/** Known, and of no use to an estimate. */
const IGNORED: ReadonlySet<string> = new Set([
  "status",
  "ram",
  "disk",
  "vfio",
  "xbzrle-cache",
  "compression",
  "blocked-reasons",
  "error-desc",
  "socket-address",
  "postcopy-vcpu-blocktime",
  "postcopy-latency",
  "postcopy-latency-dist",
  "postcopy-vcpu-latency",
  "postcopy-non-vcpu-latency",
]);
const IGNORED_RAM: ReadonlySet<string> = new Set([
  "skipped",
  "normal-bytes",
  "postcopy-requests",
  "multifd-bytes",
  "pages-per-second",
  "dirty-sync-missed-zero-copy",
]);
const IGNORED_DIRTY_RATE: ReadonlySet<string> = new Set([
  "status",
  "start-time",
  "calc-time",
  "calc-time-unit",
  "mode",
  "vcpu-dirty-rate",
]);

const KINDS: ReadonlyMap<unknown, MigrationReport["dirtyRateKind"]> = new Map([
  ["page-sampling", "sampled-content"],
  ["dirty-bitmap", "unique-pages"],
  ["dirty-ring", "ring-pushes"],
]);

/**
 * QMP: what query-migrate, query-migrate-parameters and query-dirty-rate return, alone or in a whole session
 * with its greeting. Of several answers to one query the last counts.
 */
export const qmp: MigrationFormat = {
  id: "qmp",
  vmm: "qemu",
  describes: "QMP: query-migrate, query-migrate-parameters, query-dirty-rate, as JSON",
  applies: (text) => /^\s*[[{]/.test(text) && /"(?:return|status|ram|dirty-rate|QMP)"/.test(text),
  read(text, builder) {
    const { values, broken } = jsonValues(text);
    if (broken > 0) builder.unknown(`${broken} piece${broken === 1 ? "" : "s"} of broken JSON`);
    let queries = 0;
    for (const value of values.flatMap((one) =>
      Array.isArray(one) ? (one as unknown[]) : [one],
    )) {
      if (readAnswer(value, builder)) queries += 1;
    }
    if (queries > 1) builder.note(`${queries} answers of query-migrate: the last one counts`);
    settlePlaceholders(builder);
  },
};

/** True for an answer of query-migrate. */
function readAnswer(value: unknown, builder: ReportBuilder): boolean {
  if (!isRecord(value)) return false;
  const greeting = value["QMP"];
  if (isRecord(greeting)) readVersion(greeting["version"], builder);
  const { return: returned } = value;
  if (Array.isArray(returned)) return readLimits(returned as unknown[], builder);
  const body = isRecord(returned) ? returned : value;
  if ("dirty-rate" in body || "sample-pages" in body || "calc-time" in body) {
    readDirtyRate(body, builder);
    return false;
  }
  if ("downtime-limit" in body || "max-bandwidth" in body) {
    for (const [name, one] of Object.entries(body)) {
      if (PARAMETERS.has(name)) readField(builder, PARAMETERS, IGNORED, name, one);
    }
    return false;
  }
  if ("qemu" in body && "package" in body) readVersion(body, builder);
  const isMigration =
    "ram" in body || ("status" in body && !("event" in value) && !("running" in body));
  if (isMigration) readMigration(body, builder);
  return isMigration;
}

function readMigration(body: Readonly<Record<string, unknown>>, builder: ReportBuilder): void {
  const { status, ram } = body;
  if (typeof status === "string") builder.outcome = outcomeOfStatus(status, builder);
  for (const [name, value] of Object.entries(body)) {
    readField(builder, MIGRATION, IGNORED, name, value);
  }
  if (!isRecord(ram)) return;
  for (const [name, value] of Object.entries(ram)) {
    readField(builder, RAM, IGNORED_RAM, name, value, `ram.${name}`);
  }
  const normal = ram["normal"];
  const bytes = ram["normal-bytes"];
  const page = ram["page-size"];
  if (typeof normal === "number" && typeof bytes === "number" && typeof page === "number") {
    if (normal * page !== bytes) {
      builder.contradict(
        `ram.normal-bytes is ${bytes}, and ${normal} pages of ${page} are ${normal * page}`,
      );
    }
  }
}

function readDirtyRate(body: Readonly<Record<string, unknown>>, builder: ReportBuilder): void {
  const { mode, status } = body;
  for (const [name, value] of Object.entries(body)) {
    if (name === "sample-pages" && mode !== "page-sampling" && mode !== undefined) continue;
    readField(builder, DIRTY_RATE, IGNORED_DIRTY_RATE, name, value);
  }
  const time = body["calc-time"];
  if (typeof time === "number") {
    const factor = body["calc-time-unit"] === "millisecond" ? 1 : 1000;
    builder.set("dirtyRatePeriodMs", time * factor, "calc-time");
  }
  if (KINDS.has(mode)) builder.dirtyRateKind = KINDS.get(mode);
  else if (mode !== undefined) builder.unknown(`mode = ${JSON.stringify(mode)}`);
  if (status !== undefined && status !== "measured") {
    builder.demote("dirtyRateBytesPerS");
    builder.note(`the dirty rate is not measured yet (${JSON.stringify(status)})`);
  }
  for (const one of listOf(body["vcpu-dirty-rate"])) {
    const { id, "dirty-rate": rate } = one;
    if (typeof id === "number" && typeof rate === "number") {
      builder.vcpuDirtyRates.push({ vcpu: id, bytesPerS: rate * MIB });
    } else builder.unknown("vcpu-dirty-rate without id or rate");
  }
}

/** query-vcpu-dirty-limit: rates in MB/s, which QEMU reckons as MiB. */
function readLimits(list: readonly unknown[], builder: ReportBuilder): false {
  for (const one of listOf(list)) {
    const { "cpu-index": vcpu, "current-rate": rate } = one;
    if (typeof vcpu !== "number" || typeof rate !== "number") continue;
    builder.vcpuDirtyRates.push({ vcpu, bytesPerS: rate * MIB });
  }
  return false;
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? (value as unknown[]).filter(isRecord) : [];
}

function readVersion(value: unknown, builder: ReportBuilder): void {
  if (!isRecord(value)) return;
  const { qemu, package: packaged } = value;
  if (!isRecord(qemu)) return;
  const { major, minor, micro } = qemu;
  if (typeof major !== "number" || typeof minor !== "number") return;
  const patch = typeof micro === "number" ? `.${micro}` : "";
  const suffix = typeof packaged === "string" && packaged !== "" ? ` (${packaged})` : "";
  builder.version = `${major}.${minor}${patch}${suffix}`;
}
