import { fieldTable, KIB, MIB, plainNumber, readField } from "../field-table.ts";
import type { MigrationFormat } from "../format.ts";
import type { ReportBuilder } from "../report-builder.ts";
import type { MigrationReport } from "../report.ts";

/** virsh domjobinfo, in the words that it prints. */
const PRINTED = fieldTable({
  "time elapsed": "totalMs",
  "setup time": "setupMs",
  "total downtime": "downtimeMs",
  "expected downtime": "expectedDowntimeMs",
  "downtime w/o network": "downtimeWithoutNetworkMs",
  "memory processed": "ramTransferredBytes",
  "memory remaining": "ramRemainingBytes",
  "memory total": "ramTotalBytes",
  "memory bandwidth": "bandwidthBytesPerS",
  "dirty rate": "dirtyRatePagesPerS",
  "page size": "pageBytes",
  iteration: "passes",
  "constant pages": "zeroPages",
  "normal pages": "normalPages",
  "auto converge throttle": ["throttleShare", 0.01],
});

/** The same with --rawstats: bytes, ms, pages/s, percent. `downtime` is an expectation until the end. */
const RAW = fieldTable({
  time_elapsed: "totalMs",
  setup_time: "setupMs",
  downtime: "downtimeMs",
  downtime_net: "downtimeWithoutNetworkMs",
  memory_processed: "ramTransferredBytes",
  memory_remaining: "ramRemainingBytes",
  memory_total: "ramTotalBytes",
  memory_bps: "bandwidthBytesPerS",
  memory_dirty_rate: "dirtyRatePagesPerS",
  memory_page_size: "pageBytes",
  memory_iteration: "passes",
  memory_constant: "zeroPages",
  memory_normal: "normalPages",
  auto_converge_throttle: ["throttleShare", 0.01],
});

const IGNORED: ReadonlySet<string> = new Set([
  "operation",
  "time elapsed w/o network",
  "time remaining",
  "data processed",
  "data remaining",
  "data total",
  "file processed",
  "file remaining",
  "file total",
  "file bandwidth",
  "normal data",
  "compression cache",
  "compressed data",
  "compressed pages",
  "compression cache misses",
  "compression overflows",
  "postcopy requests",
  "time_elapsed_net",
  "time_remaining",
  "data_total",
  "data_processed",
  "data_remaining",
  "memory_normal_bytes",
  "memory_postcopy_requests",
  "disk_total",
  "disk_processed",
  "disk_remaining",
  "disk_bps",
  "compression_cache",
  "compression_bytes",
  "compression_pages",
  "compression_cache_misses",
  "compression_overflow",
  "success",
  "errmsg",
  "error message",
  "vfio_data_transferred",
]);

/** Units of virsh, in bytes, ms and so on. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["ms", 1],
  ["s", 1000],
  ["bytes", 1],
  ["B", 1],
  ["KiB", KIB],
  ["MiB", MIB],
  ["GiB", MIB * KIB],
  ["TiB", MIB * MIB],
  ["B/s", 1],
  ["KiB/s", KIB],
  ["MiB/s", MIB],
  ["GiB/s", MIB * KIB],
  ["pages/s", 1],
]);

const LINE = /^\s*([A-Za-z][\w /-]*?):\s*(.*?)\s*$/;
const JOB_TYPE = /^\s*Job type:\s*(\S+)/m;
const OUTCOMES: ReadonlyMap<string, MigrationReport["outcome"]> = new Map([
  ["None", "unknown"],
  ["Bounded", "active"],
  ["Unbounded", "active"],
  ["Completed", "completed"],
  ["Failed", "failed"],
  ["Cancelled", "cancelled"],
]);

/** virsh domjobinfo, with --rawstats or without. */
export const domjobinfo: MigrationFormat = {
  id: "domjobinfo",
  vmm: "libvirt",
  describes: "virsh domjobinfo, also with --rawstats or --completed",
  applies: (text) =>
    /^\s*(?:memory_(?:total|processed|remaining|bps)|Memory (?:total|processed|remaining)):/m.test(
      text,
    ) ||
    (JOB_TYPE.test(text) && /^\s*(?:time_elapsed|Time elapsed):/m.test(text)),
  read(text, builder) {
    const type = JOB_TYPE.exec(text)?.[1];
    if (type !== undefined) {
      const outcome = OUTCOMES.get(type);
      if (outcome === undefined) builder.unknown(`Job type: ${type}`);
      builder.outcome = outcome ?? "unknown";
    }
    for (const line of text.split("\n")) {
      if (line.trim() === "" || JOB_TYPE.test(line)) continue;
      const [, name = "", rest = ""] = LINE.exec(line) ?? [];
      if (name === "") builder.unknown(line.trim());
      else readLine(name, rest, builder);
    }
    settle(builder);
  },
};

function readLine(name: string, rest: string, builder: ReportBuilder): void {
  if (name === "Using library" || name === "Running hypervisor") {
    builder.version = builder.version === undefined ? rest : `${builder.version}, ${rest}`;
    return;
  }
  const lower = name.toLowerCase();
  if (name.includes("_") || RAW.has(name)) {
    const value = plainNumber(rest);
    readField(builder, RAW, IGNORED, name, Number.isNaN(value) ? rest : value);
    return;
  }
  const rule = PRINTED.get(lower);
  if (rule === undefined) {
    if (!IGNORED.has(lower)) builder.unknown(name);
    return;
  }
  const [number = "", unit = ""] = rest.split(/\s+/);
  const scale = UNITS.get(unit);
  const value = plainNumber(number);
  if (scale === undefined || Number.isNaN(value)) builder.unknown(`${name}: ${rest}`);
  else builder.set(rule.field, value * scale * rule.factor, name);
}

/** While the job runs, `downtime` of --rawstats is what is expected. */
function settle(builder: ReportBuilder): void {
  const downtime = builder.value("downtimeMs");
  if (builder.outcome === "active" && downtime?.field === "downtime") {
    builder.set("expectedDowntimeMs", downtime.value, downtime.field);
    builder.demote("downtimeMs");
    builder.note("the job runs: its downtime is an expectation");
  }
  if (builder.outcome === "completed" && builder.value("dirtyRatePagesPerS")?.value === 0) {
    builder.demote("dirtyRatePagesPerS");
  }
}
