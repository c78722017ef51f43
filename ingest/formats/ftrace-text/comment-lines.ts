import type { EventBatch } from "../../events/columns.ts";
import { UNKNOWN_CPU } from "../../events/kinds.ts";
import { addLostRow } from "../text/lost-row.ts";
import type { LineProblems } from "../text/problems.ts";

const ENTRIES = /^# entries-in-buffer\/entries-written: (\d+)\/(\d+)\b/;
/** The same in the latency format: `# latency: 0 us, #6110/6110, CPU#0 | (…)`. */
const LATENCY_ENTRIES = /^# latency: \d+ us, #(\d+)\/(\d+), CPU#/;
const BUFFER_STARTED = /^##### CPU (\d+) buffer started ####/;
const LOST = /^CPU:(\d+) \[LOST (?:(\d+) )?EVENTS\]$/;

/**
 * Header and loss lines. What they say was lost becomes a diagnostic and a row of kind `lost` at that
 * place, so that the replay knows where its view of the machine has a hole.
 */
export class CommentLines {
  entriesInBuffer: number | undefined;
  entriesWritten: number | undefined;
  readonly #batch: EventBatch;
  readonly #problems: LineProblems;

  constructor(batch: EventBatch, problems: LineProblems) {
    this.#batch = batch;
    this.#problems = problems;
  }

  /** A line that begins with `#`. */
  readHash(text: string, tsNs: number): void {
    const entries = ENTRIES.exec(text) ?? LATENCY_ENTRIES.exec(text);
    if (entries !== null) {
      this.#readEntries(Number(entries[1]), Number(entries[2]), tsNs);
      return;
    }
    const started = BUFFER_STARTED.exec(text);
    if (started === null) return;
    const cpu = Number(started[1]);
    this.#problems.note("BUFFER_STARTED_LATE", `CPU ${cpu}`);
    this.#lostRow(cpu, Number.NaN, tsNs);
  }

  /** A line that begins with `CPU:`; false where it is not one of the kernel's. */
  readCpu(text: string, tsNs: number): boolean {
    const lost = LOST.exec(text);
    if (lost === null) return false;
    const cpu = Number(lost[1]);
    const count = lost[2] === undefined ? Number.NaN : Number(lost[2]);
    if (Number.isNaN(count))
      this.#problems.note("EVENTS_LOST", `CPU ${cpu}: it is not known how many`);
    else this.#problems.note("EVENTS_LOST", `CPU ${cpu}: ${count} events`, count);
    this.#lostRow(cpu, count, tsNs);
    return true;
  }

  /** Several headers (files put together) add up. */
  #readEntries(inBuffer: number, written: number, tsNs: number): void {
    this.entriesInBuffer = (this.entriesInBuffer ?? 0) + inBuffer;
    this.entriesWritten = (this.entriesWritten ?? 0) + written;
    const overwritten = written - inBuffer;
    if (overwritten === 0) return;
    const detail = `the header says that ${inBuffer} of ${written} entries are left`;
    this.#problems.note("EVENTS_OVERWRITTEN", detail, Math.abs(overwritten));
    this.#lostRow(UNKNOWN_CPU, overwritten, tsNs);
  }

  #lostRow(cpu: number, count: number, tsNs: number): void {
    addLostRow(this.#batch, cpu, count, tsNs, this.#problems.line);
  }
}
