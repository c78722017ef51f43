import type { ReportBuilder } from "../report-builder.ts";
import type { MigrationReport } from "../report.ts";

/** QEMU's default downtime limit. */
const DEFAULT_LIMIT_MS = 300;

const OUTCOMES: ReadonlyMap<string, MigrationReport["outcome"]> = new Map([
  ["none", "unknown"],
  ["setup", "active"],
  ["active", "active"],
  ["pre-switchover", "active"],
  ["device", "active"],
  ["wait-unplug", "active"],
  ["colo", "active"],
  ["postcopy-device", "active"],
  ["postcopy-active", "active"],
  ["postcopy-paused", "active"],
  ["postcopy-recover-setup", "active"],
  ["postcopy-recover", "active"],
  ["completed", "completed"],
  ["cancelling", "cancelled"],
  ["cancelled", "cancelled"],
  ["failing", "failed"],
  ["failed", "failed"],
]);

export function outcomeOfStatus(
  status: string,
  builder: ReportBuilder,
): MigrationReport["outcome"] {
  const outcome = OUTCOMES.get(status);
  if (outcome === undefined) builder.unknown(`status = ${status}`);
  if (status.startsWith("postcopy")) {
    builder.note("post-copy: the source cannot be rolled back to, and pages are fetched on demand");
  }
  return outcome ?? "unknown";
}

/**
 * Marks what QEMU shows without having measured it: rates are left at 0 after the end, and the expected downtime
 * is the limit until a dirty rate was seen.
 */
export function settlePlaceholders(builder: ReportBuilder): void {
  const hasEnded = builder.outcome !== "active" && builder.outcome !== "unknown";
  if (hasEnded) {
    if (builder.value("dirtyRatePagesPerS")?.value === 0) builder.demote("dirtyRatePagesPerS");
    if (builder.outcome !== "completed" || builder.value("ramRemainingBytes")?.value === 0) {
      builder.demote("ramRemainingBytes");
    }
  }
  const expected = builder.value("expectedDowntimeMs");
  const limitMs = builder.value("downtimeLimitMs")?.value ?? DEFAULT_LIMIT_MS;
  const isUnmeasured = (builder.value("dirtyRatePagesPerS")?.value ?? 0) === 0;
  if (expected !== undefined && expected.value === limitMs && isUnmeasured) {
    builder.demote("expectedDowntimeMs");
    builder.note("the expected downtime is the limit, not an estimate: no dirty rate was seen yet");
  }
}
