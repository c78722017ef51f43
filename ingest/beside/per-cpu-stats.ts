import type { Diagnostics } from "../diagnostics.ts";
import type { TraceInfo } from "../reader.ts";

/** What a ring buffer's own statistics say that one CPU lost. */
export interface PerCpuLoss {
  /** Undefined where the statistics do not say whose they are. */
  readonly cpu: number | undefined;
  /** Events that found the buffer full (mode without overwriting): a trace's header never tells. */
  readonly dropped: number;
  /** Events that later ones overwrote. */
  readonly overrun: number;
}

/** `== cpu0`, `==> per_cpu/cpu0/stats <==`, `CPU: 0`, or before each line `per_cpu/cpu0/stats:`. */
const CPU = /\bcpu:? ?(\d+)\b/i;
const STATISTIC = /(?:^|[:\s])(overrun|commit overrun|dropped events): *(\d+)\s*$/;

/**
 * Reads `per_cpu/cpuN/stats`, of one CPU or of several put together. Undefined: it is not one.
 * @param ofCpu whose they are, where the text itself does not say.
 */
export function perCpuLossesOf(text: string, ofCpu?: number): readonly PerCpuLoss[] | undefined {
  const losses = new Map<number | undefined, { dropped: number; overrun: number }>();
  let cpu = ofCpu;
  let known = false;
  for (const line of text.split("\n")) {
    const named = CPU.exec(line)?.[1];
    if (named !== undefined) cpu = Number(named);
    const [, statistic, count] = STATISTIC.exec(line) ?? [];
    if (statistic === undefined) continue;
    known = true;
    const loss = losses.get(cpu) ?? { dropped: 0, overrun: 0 };
    losses.set(cpu, loss);
    // A commit overrun is an event given up because its writer was interrupted too deeply.
    if (statistic === "overrun") loss.overrun += Number(count);
    else loss.dropped += Number(count);
  }
  if (!known) return undefined;
  const found = [...losses].map(([of, { dropped, overrun }]) => ({ cpu: of, dropped, overrun }));
  return found.filter(({ dropped, overrun }) => dropped + overrun > 0);
}

/**
 * Makes losses that only the statistics know diagnostics. What later events overwrote has been counted already
 * as far as the trace tells it: in its header, or between its events (`CPU:0 [LOST 5 EVENTS]`).
 */
export function reportPerCpuLosses(
  losses: readonly PerCpuLoss[],
  origin: string,
  info: Pick<TraceInfo, "format" | "entriesInBuffer" | "entriesWritten">,
  diagnostics: Diagnostics,
): void {
  // A trace.dat holds these statistics itself, and perf has ring buffers of its own.
  if (info.format === "trace-dat" || info.format === "perf-script") return;
  const inHeader = Math.max(0, (info.entriesWritten ?? 0) - (info.entriesInBuffer ?? 0));
  let counted = inHeader + diagnostics.count("EVENTS_LOST");
  for (const { cpu, dropped, overrun } of losses) {
    const of = cpu === undefined ? "a CPU" : `CPU ${cpu}`;
    if (dropped > 0) {
      const detail = `${of}: ${dropped} events found the buffer full (${origin})`;
      diagnostics.add("EVENTS_LOST", detail, 0, 0, dropped);
    }
    const uncounted = Math.max(0, overrun - counted);
    counted = Math.max(0, counted - overrun);
    if (uncounted > 0) {
      const detail = `${of}: ${overrun} events were overwritten (${origin})`;
      diagnostics.add("EVENTS_OVERWRITTEN", detail, 0, 0, uncounted);
    }
  }
}
