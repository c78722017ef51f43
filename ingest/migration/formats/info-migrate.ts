import { fieldTable, KIB, MEGABIT, plainNumber } from "../field-table.ts";
import type { MigrationFormat } from "../format.ts";
import type { ReportBuilder } from "../report-builder.ts";
import { outcomeOfStatus, settlePlaceholders } from "./qemu-status.ts";

const FIELDS = fieldTable({
  "total time": "totalMs",
  setup: "setupMs",
  downtime: "downtimeMs",
  "expected downtime": "expectedDowntimeMs",
  "transferred ram": "ramTransferredBytes",
  "remaining ram": "ramRemainingBytes",
  "total ram": "ramTotalBytes",
  throughput: "bandwidthBytesPerS",
  duplicate: "zeroPages",
  normal: "normalPages",
  "dirty sync count": "passes",
  "page size": "pageBytes",
  "dirty pages rate": "dirtyRatePagesPerS",
  "precopy ram": "precopyBytes",
  "downtime ram": "downtimeBytes",
  "postcopy ram": "postcopyBytes",
  "cpu throttle percentage": ["throttleShare", 0.01],
  "postcopy blocktime": "postcopyBlocktimeMs",
});

/** Unit as it is printed, in ours. `kbytes` are KiB. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["ms", 1],
  ["kbytes", KIB],
  ["mbps", MEGABIT],
  ["pages", 1],
  ["pages/s", 1],
]);

const IGNORED: ReadonlySet<string> = new Set([
  "globals",
  "store-global-state",
  "only-migratable",
  "send-configuration",
  "send-section-footer",
  "send-switchover-start",
  "clear-bitmap-shift",
  "decompress-error-check",
  "skipped",
  "normal bytes",
  "multifd bytes",
  "pages-per-second",
  "postcopy request count",
  "vm status",
]);

const LINE = /^\s*([a-z][a-z /-]*): *(.*?)\s*$/i;
const STATUS = /^\s*(?:migration )?status: *(\S+)/im;

/** `info migrate` of QEMU's human monitor. Of several in one text the last counts. */
export const infoMigrate: MigrationFormat = {
  id: "info-migrate",
  vmm: "qemu",
  describes: "QEMU's `info migrate` (human monitor)",
  applies: (text) =>
    STATUS.test(text) && /^\s*(?:total time|transferred ram|total ram):/im.test(text),
  read(text, builder) {
    const starts = [...text.matchAll(/^\s*(?:migration )?status:/gim)].map(({ index }) => index);
    if (starts.length > 1)
      builder.note(`${starts.length} answers of info migrate: the last one with numbers counts`);
    // A cancelled migration leaves nothing but its status: its numbers stand in the answer before.
    for (const [at, start] of starts.entries())
      readAnswer(text.slice(start, starts[at + 1]), builder);
    settlePlaceholders(builder);
  },
};

function readAnswer(text: string, builder: ReportBuilder): void {
  const status = STATUS.exec(text)?.[1];
  if (status !== undefined) builder.outcome = outcomeOfStatus(status, builder);
  for (const line of text.split("\n")) {
    const [, name = "", rest = ""] = LINE.exec(line) ?? [];
    if (name !== "") readLine(name.toLowerCase(), rest, builder);
  }
}

function readLine(name: string, rest: string, builder: ReportBuilder): void {
  if (name === "status" || name === "migration status" || IGNORED.has(name)) return;
  const rule = FIELDS.get(name);
  if (rule === undefined) {
    builder.unknown(name);
    return;
  }
  const [number = "", unit = ""] = rest.split(/\s+/);
  const scale = UNITS.get(unit);
  const value = plainNumber(number);
  // `total time: 0 ms` of a migration that was cancelled is no measurement.
  if (name === "total time" && value === 0) return;
  if (scale === undefined || Number.isNaN(value)) builder.unknown(`${name}: ${rest}`);
  else builder.set(rule.field, value * scale * rule.factor, name);
}
