import type { CpuStatistics } from "./cpu-statistics.ts";
import type { DatProblems } from "./dat-problems.ts";

/**
 * What the kernel lost, by CPU: flagged in the pages where it happened, and counted in the statistics
 * saved with the trace. Each loss is counted once.
 */
export class Losses {
  readonly #statistics: ReadonlyMap<number, CpuStatistics>;
  readonly #problems: DatProblems;
  /** Overwritten events of each CPU that no page has accounted for yet. */
  readonly #unplaced = new Map<number, number>();

  constructor(statistics: ReadonlyMap<number, CpuStatistics>, problems: DatProblems) {
    this.#statistics = statistics;
    this.#problems = problems;
    for (const [cpu, { overrun }] of statistics) this.#unplaced.set(cpu, overrun);
  }

  /**
   * A page says that events are missing in front of it.
   * @param count NaN: the page does not say how many; then the statistics do.
   * @returns how many; NaN where nothing tells.
   */
  atPage(cpu: number, count: number, byteOffset: number, record: number): number {
    const unplaced = this.#unplaced.get(cpu) ?? 0;
    const lost = Number.isNaN(count) && unplaced > 0 ? unplaced : count;
    if (!Number.isNaN(lost)) this.#unplaced.set(cpu, Math.max(0, unplaced - lost));
    const isUnknown = Number.isNaN(lost);
    const many = isUnknown ? "it is not known how many" : `${lost} events`;
    const code = unplaced > 0 ? "EVENTS_OVERWRITTEN" : "EVENTS_LOST";
    this.#problems.note(code, `CPU ${cpu}: ${many}`, byteOffset, record, isUnknown ? 1 : lost);
    return lost;
  }

  /**
   * At the end of a CPU's events: what the statistics count and no page showed.
   * @param events how many events of this CPU the file has.
   * @returns how many are lost at a place that is not known; 0: none.
   */
  atEnd(cpu: number, events: number, record: number): number {
    const statistics = this.#statistics.get(cpu);
    if (statistics === undefined) return 0;
    const overwritten = this.#unplaced.get(cpu) ?? 0;
    this.#unplaced.set(cpu, 0);
    this.#tell("EVENTS_OVERWRITTEN", cpu, overwritten, "overwritten, by its statistics", record);
    const dropped = statistics.dropped + statistics.commitOverrun;
    this.#tell("EVENTS_LOST", cpu, dropped, "dropped, by its statistics", record);
    // While a recording goes on the two overlap: only the larger is certain.
    const counted = Math.max(statistics.entries, statistics.readEvents);
    const missing = Math.max(0, counted - events);
    const what = `of ${counted} that its statistics count are not in the file`;
    this.#tell("EVENTS_LOST", cpu, missing, what, record);
    if (counted > 0 && events > statistics.entries + statistics.readEvents) {
      const detail = `CPU ${cpu}: ${events} events read, at most ${statistics.entries + statistics.readEvents} in its statistics`;
      this.#problems.note("HEADER_DISAGREES", detail, 0, record);
    }
    return overwritten + dropped + missing;
  }

  #tell(
    code: "EVENTS_OVERWRITTEN" | "EVENTS_LOST",
    cpu: number,
    count: number,
    what: string,
    record: number,
  ): void {
    if (count > 0)
      this.#problems.note(code, `CPU ${cpu}: ${count} events ${what}`, 0, record, count);
  }
}
