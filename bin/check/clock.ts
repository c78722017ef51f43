import type { Fact } from "../../ingest/beside/host-facts.ts";
import { isTickClock } from "../../ingest/formats/trace-dat/describe.ts";
import type { TraceInfo } from "../../ingest/reader.ts";

export interface ClockFound {
  readonly clock: { readonly value: string | undefined; readonly origin: string };
  readonly isTicks: boolean;
  readonly contradictions: readonly string[];
}

/** The trace's clock: what the file names, else what was saved beside it, else what its times look like. */
export function clockOfTrace(
  info: Pick<TraceInfo, "clock" | "isTicks">,
  saved: Fact<string> | undefined,
): ClockFound {
  const value = info.clock ?? saved?.value;
  // Some clocks in ns are printed as bare integers.
  const isTicks = info.isTicks === true && (value === undefined || isTickClock(value));
  const contradictions =
    info.clock !== undefined && saved !== undefined && saved.value !== info.clock
      ? [`the trace clock: the file says ${info.clock}, ${saved.origin} ${saved.value}`]
      : [];
  if (info.clock !== undefined) {
    return { clock: { value, origin: "the file itself" }, isTicks, contradictions };
  }
  if (saved !== undefined)
    return { clock: { value, origin: saved.origin }, isTicks, contradictions };
  const origin =
    info.isTicks === true
      ? "its times are bare integers: counter, uptime, x86-tsc, or another that was printed so"
      : "nothing names it; its times are seconds";
  return { clock: { value, origin }, isTicks, contradictions };
}
