/** What the kernel's per-CPU `stats` file said when the trace was saved; counts of events. */
export interface CpuStatistics {
  /** Left in the buffer then. */
  readonly entries: number;
  /** Taken out of the buffer before. */
  readonly readEvents: number;
  /** Overwritten by later ones. */
  readonly overrun: number;
  /** Not written because a nested writer ran out of room. */
  readonly commitOverrun: number;
  /** Not written because the buffer was full. */
  readonly dropped: number;
}

/**
 * Reads one CPUSTAT text into `statistics`.
 * @param buffer name of the buffer that it belongs to.
 * @returns the buffer that the next texts belong to: a text may only announce one.
 */
export function addStatistics(
  statistics: Map<string, Map<number, CpuStatistics>>,
  text: string,
  buffer: string,
): string {
  const announced = /^\s*Buffer: (.*?)\s*$/m.exec(text)?.[1];
  if (announced !== undefined) return announced;
  const cpu = /^CPU: (\d+)$/m.exec(text)?.[1];
  if (cpu === undefined) return buffer;
  const valueOf = (key: string): number =>
    Number(new RegExp(`^${key}: (\\d+)$`, "m").exec(text)?.[1] ?? 0);
  const ofBuffer = statistics.get(buffer) ?? new Map<number, CpuStatistics>();
  statistics.set(buffer, ofBuffer);
  ofBuffer.set(Number(cpu), {
    entries: valueOf("entries"),
    readEvents: valueOf("read events"),
    overrun: valueOf("overrun"),
    commitOverrun: valueOf("commit overrun"),
    dropped: valueOf("dropped events"),
  });
  return buffer;
}
