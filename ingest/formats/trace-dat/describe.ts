import type { OpenedDat } from "./open-dat.ts";
import type { Preamble } from "./preamble.ts";

/** Clocks whose values are no ns. */
const TICK_CLOCKS: ReadonlySet<string> = new Set(["counter", "uptime", "x86-tsc", "ppc-tb"]);

/** Whether a trace clock counts something else than ns. */
export function isTickClock(clock: string | undefined): boolean {
  return clock !== undefined && TICK_CLOCKS.has(clock);
}

/** What is done with the times of the pages because the file says so. */
function correctionsOf(opened: OpenedDat | undefined): readonly string[] {
  if (opened === undefined) return [];
  const { shift, ticks, offsetNs } = opened.contents.times;
  return [
    ...(shift === undefined ? [] : ["times shifted to another trace's"]),
    ...(ticks === undefined ? [] : ["ticks turned into ns"]),
    ...(offsetNs === 0n ? [] : [`${offsetNs} ns added to times`]),
  ];
}

/** A file's layout in words, for a report. */
export function describeDat(preamble: Preamble, opened: OpenedDat | undefined): string {
  const buffer = opened?.buffer;
  const parts = [
    `trace.dat version ${preamble.version}`,
    ...(preamble.compression === "none" ? [] : [preamble.compression]),
    ...(preamble.littleEndian ? [] : ["big-endian"]),
    ...(preamble.longBytes === 8 ? [] : ["32-bit"]),
    ...(buffer === undefined ? [] : [`${buffer.regions.length} CPUs with events`]),
    ...(buffer?.clock === undefined ? [] : [`clock ${buffer.clock}`]),
    ...(buffer === undefined || buffer.name === "" ? [] : [`buffer ${buffer.name}`]),
    ...correctionsOf(opened),
  ];
  return parts.join(", ");
}
