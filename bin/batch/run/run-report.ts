import { plural, visible } from "../../../reports/terminal.ts";
import type { RunReport } from "./run-batch.ts";

/** Failures that a terminal shows; the JSON has all. */
const SHOWN = 20;

export function runJson(report: RunReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

export function formatRun(report: RunReport): string {
  const { planned, computed, skipped, lossy, failed, untried, stopped } = report;
  const lines = [
    `${plural(planned, "trace")}: ${computed} computed, ${skipped} done before, ${failed.length} failed` +
      (untried > 0 ? `, ${untried} not tried` : ""),
  ];
  if (lossy > 0) lines.push(`${plural(lossy, "trace")} lost data: their results are bounds`);
  for (const { trace, code, message, attempts, isEarlier } of failed.slice(0, SHOWN)) {
    const when = isEarlier ? "in an earlier run" : plural(attempts, "attempt");
    lines.push(visible(`  ${trace}: ${message} [${code}, ${when}]`));
  }
  if (failed.length > SHOWN) lines.push(`  and ${failed.length - SHOWN} more: --format json`);
  if (failed.some(({ isEarlier }) => isEarlier)) {
    lines.push("--retry-failed tries again what failed in an earlier run");
  }
  if (stopped !== undefined) lines.push(visible(`stopped before its end: ${stopped}`));
  return `${lines.join("\n")}\n`;
}
