import type { ReportBuilder } from "./report-builder.ts";
import type { ReportedField } from "./report.ts";

/** Rates are averages of other windows: so much may two of them differ. */
const RATE_TOLERANCE = 0.1;
/** Bytes of headers between counters that are read one after the other. */
const COUNTER_TOLERANCE = 0.01;
/** Times are cut to whole milliseconds. */
const TIME_TOLERANCE_MS = 2;

/** Compares what a report says with itself, whatever it was read from. */
export function findContradictions(builder: ReportBuilder): void {
  atMost(builder, "ramRemainingBytes", "ramTotalBytes", 0);
  atMost(builder, "downtimeMs", "totalMs", TIME_TOLERANCE_MS);
  atMost(builder, "setupMs", "totalMs", TIME_TOLERANCE_MS);
  atMost(builder, "downtimeWithoutNetworkMs", "downtimeMs", TIME_TOLERANCE_MS);
  sentInParts(builder);
  pagesAndBytes(builder);
  throughput(builder);
  downtimeParts(builder);
  const hasFailed = builder.outcome === "failed" || builder.outcome === "cancelled";
  if (hasFailed && builder.measured("downtimeMs") !== undefined) {
    builder.contradict(
      `the migration ${builder.outcome === "failed" ? "failed" : "was cancelled"}, and still a downtime is reported`,
    );
  }
  const share = builder.measured("throttleShare");
  if (share !== undefined && share > 1) {
    builder.contradict(`vCPUs throttled by ${(share * 100).toFixed(0)} %`);
  }
}

function atMost(
  builder: ReportBuilder,
  small: ReportedField,
  large: ReportedField,
  tolerance: number,
): void {
  const a = builder.value(small);
  const b = builder.value(large);
  if (a === undefined || b === undefined || a.kind !== "measured" || b.kind !== "measured") return;
  if (a.value <= b.value + tolerance) return;
  builder.contradict(`${a.field} (${a.value}) is more than ${b.field} (${b.value})`);
}

function sentInParts(builder: ReportBuilder): void {
  const total = builder.measured("ramTransferredBytes");
  const parts = (["precopyBytes", "downtimeBytes", "postcopyBytes"] as const).map(
    (field) => builder.measured(field) ?? 0,
  );
  const sum = parts.reduce((a, b) => a + b, 0);
  if (total === undefined || sum <= total * (1 + COUNTER_TOLERANCE) + 65_536) return;
  builder.contradict(`pre-copy, downtime and post-copy sent ${sum} bytes, of ${total} in all`);
}

function pagesAndBytes(builder: ReportBuilder): void {
  const pages = builder.measured("dirtyRatePagesPerS");
  const bytes = builder.measured("dirtyRateBytesPerS");
  const page = builder.measured("pageBytes");
  if (pages === undefined || bytes === undefined || page === undefined) return;
  if (bytes === 0 && pages === 0) return;
  if (Math.abs(pages * page - bytes) <= RATE_TOLERANCE * Math.max(pages * page, bytes)) return;
  builder.contradict(`${pages} pages/s of ${page} bytes are not ${bytes} bytes/s`);
}

/** After the end the bandwidth is the average over all but the set-up. */
function throughput(builder: ReportBuilder): void {
  if (builder.outcome !== "completed") return;
  const bytes = builder.measured("ramTransferredBytes");
  const totalMs = builder.measured("totalMs");
  const bandwidth = builder.measured("bandwidthBytesPerS");
  if (bytes === undefined || totalMs === undefined || bandwidth === undefined) return;
  const ms = totalMs - (builder.measured("setupMs") ?? 0);
  if (ms <= 0 || bandwidth === 0) return;
  const average = (bytes / ms) * 1000;
  if (Math.abs(average - bandwidth) <= RATE_TOLERANCE * Math.max(average, bandwidth)) return;
  builder.contradict(
    `${bytes} bytes in ${ms} ms are ${Math.round(average)} bytes/s, and ${Math.round(bandwidth)} are reported`,
  );
}

function downtimeParts(builder: ReportBuilder): void {
  const whole = builder.measured("downtimeMs");
  if (whole === undefined || builder.downtimeParts.length === 0) return;
  const sum = builder.downtimeParts.reduce((total, { ms }) => total + ms, 0);
  // Parts are cut to milliseconds each, and time between them belongs to none.
  const tolerance = Math.max(
    builder.downtimeParts.length + TIME_TOLERANCE_MS,
    whole * RATE_TOLERANCE,
  );
  if (Math.abs(sum - whole) <= tolerance) return;
  builder.contradict(`the parts of the downtime add up to ${sum} ms, not to ${whole} ms`);
}
