import { MIB, plainNumber } from "../field-table.ts";
import type { MigrationFormat } from "../format.ts";
import type { ReportBuilder } from "../report-builder.ts";

/** One line a pass: `iter=1 curr=1MiB total=2MiB bw=0.50MiB/s transfer=1.00s overhead=8000ms …`. */
const PASS = /\biter=(\d+)((?: [a-z_]+=\S+)+)/;
/** `105ms (final_iter:40ms state:20ms send_state:30ms complete:15ms)`. */
const DOWNTIME = /\b(\d+)ms \(((?:[a-z_]+:\d+ms ?)+)\)/;
/** With its v: log lines begin with the program and a time. */
const VERSION = /\bcloud[- ]hypervisor(?: version)?[ :=]+v(\d+(?:\.\d+)+[\w.+-]*)/i;
const QUANTITY = /^(\d+(?:\.\d+)?)(MiB\/s|MiB|ms|s)$/;

const PASS_FIELDS: ReadonlySet<string> = new Set([
  "curr",
  "total",
  "bw",
  "transfer",
  "overhead",
  "est_downtime",
  "elapsed",
  "avg_bw",
]);

/** Names of the parts of the downtime, as they are told. */
const PARTS: ReadonlyMap<string, string> = new Map([
  ["final_iter", "last pass"],
  ["state", "device state"],
  ["send_state", "sending the state"],
  ["complete", "completion and resume"],
]);

/** Cloud Hypervisor's log: a line a pass, and the downtime with its parts. */
export const cloudHypervisor: MigrationFormat = {
  id: "cloud-hypervisor-log",
  vmm: "cloud-hypervisor",
  describes: "Cloud Hypervisor's log with its per-pass lines (`iter=0 curr=…`)",
  applies: (text) => PASS.test(text) || /\bfinal_iter:\d+ms\b/.test(text),
  read(text, builder) {
    for (const line of text.split("\n")) {
      const version = VERSION.exec(line)?.[1];
      if (version !== undefined) builder.version ??= version;
      const pass = PASS.exec(line);
      if (pass !== null) readPass(Number(pass[1]), pass[2]!, builder);
      const downtime = DOWNTIME.exec(line);
      if (downtime !== null && downtime[2]!.includes("final_iter")) {
        readDowntime(Number(downtime[1]), downtime[2]!, builder);
      }
    }
    if (builder.passes.length > 0) builder.set("passes", builder.passes.length, "iter");
    if (builder.outcome === "unknown" && builder.passes.length > 0) builder.outcome = "active";
    builder.note("sizes are rounded up to MiB, and times to hundredths of a second, by the log");
  },
};

function readPass(iteration: number, fields: string, builder: ReportBuilder): void {
  const values = new Map<string, number>();
  for (const field of fields.trim().split(" ")) {
    const at = field.indexOf("=");
    const name = field.slice(0, at);
    const value = quantity(field.slice(at + 1));
    if (!PASS_FIELDS.has(name)) builder.unknown(name);
    else if (Number.isNaN(value)) builder.unknown(field);
    else values.set(name, value);
  }
  const { passes } = builder;
  const bytes = values.get("curr");
  const transferMs = values.get("transfer");
  const elapsedMs = values.get("elapsed");
  const durationMs =
    transferMs === undefined ? undefined : transferMs + (values.get("overhead") ?? 0);
  // Of two lines of one pass the later one holds: the first is written while it runs.
  if (passes.at(-1)?.number === iteration + 1) passes.pop();
  const before = passes.at(-1)?.number ?? 0;
  if (iteration + 1 !== before + 1) {
    builder.contradict(
      `pass ${iteration + 1} follows pass ${before}: lines are missing, or of another migration`,
    );
  }
  passes.push({
    number: iteration + 1,
    bytes,
    dirtyPages: undefined,
    startMs:
      elapsedMs === undefined || durationMs === undefined
        ? undefined
        : Math.max(0, elapsedMs - durationMs),
    durationMs,
    bandwidthBytesPerS: values.get("bw"),
    // Before the first bandwidth is known it prints 0.
    estimatedDowntimeMs: iteration === 0 ? undefined : values.get("est_downtime"),
  });
  const total = values.get("total");
  if (total !== undefined) builder.set("ramTransferredBytes", total, "total");
  if (iteration === 0 && bytes !== undefined) builder.set("ramTotalBytes", bytes, "curr of iter=0");
  const average = values.get("avg_bw");
  if (average !== undefined) builder.set("bandwidthBytesPerS", average, "avg_bw");
  const estimate = values.get("est_downtime");
  if (estimate !== undefined) {
    builder.set(
      "expectedDowntimeMs",
      estimate,
      "est_downtime",
      iteration === 0 ? "placeholder" : "measured",
    );
  }
}

function readDowntime(wholeMs: number, parts: string, builder: ReportBuilder): void {
  builder.outcome = "completed";
  builder.set("downtimeMs", wholeMs, "downtime");
  builder.downtimeParts.length = 0;
  for (const part of parts.trim().split(/\s+/)) {
    const [name = "", text = ""] = part.split(":");
    const told = PARTS.get(name);
    if (told === undefined) builder.unknown(name);
    else builder.downtimeParts.push({ name: told, ms: quantity(text) });
  }
  builder.note("this downtime ends when the destination has resumed, as QEMU's does not");
}

/** In bytes, bytes a second, or ms. */
function quantity(text: string): number {
  const [, number = "", unit = ""] = QUANTITY.exec(text) ?? [];
  const value = plainNumber(number);
  if (unit === "MiB" || unit === "MiB/s") return value * MIB;
  return unit === "s" ? value * 1000 : value;
}
