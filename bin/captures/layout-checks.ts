import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";

import { TraceError } from "../../ingest/errors.ts";
import { EVENT_KINDS } from "../../ingest/events/kinds.ts";
import { openTrace } from "../../ingest/open-trace.ts";
import type { TraceInfo } from "../../ingest/reader.ts";
import type { CheckResult } from "./checks.ts";
import { readSlowly, type SlowEvent } from "./slow-lines.ts";

/** A text of a folder of layouts, held against the slow reading of it. */
export interface LayoutReading {
  /** Undefined where it is refused. */
  readonly info: TraceInfo | undefined;
  readonly refusal: TraceError | undefined;
  readonly events: readonly SlowEvent[];
  readonly lostRows: number;
  /** Codes of what was lost or doubtful, with their counts. */
  readonly counts: ReadonlyMap<string, number>;
  /** What differs from the slow reading, as sentences. */
  readonly problems: readonly string[];
}

const TEXT_NAME = /\.txt(?:\.gz)?$/;
/** What is not a trace although it lies among them. */
const NO_TRACE = /^(?:README|kprobes|kallsyms|per_cpu_stats|uname|dmesg)/;

/** Reads each text of a folder both ways; the line a file says what was detected. */
export async function checkLayouts(folder: string): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const name of readdirSync(folder).sort()) {
    const file = path.join(folder, name);
    if (!TEXT_NAME.test(name) || NO_TRACE.test(name) || !statSync(file).isFile()) continue;
    const { info, refusal, problems, counts } = await readLayout(file);
    const losses = [...counts].map(([code, count]) => `${code} ${count}`).join(", ");
    const note =
      info === undefined
        ? `refused: ${refusal?.message ?? ""}`
        : `${info.events} events, ${info.format} (${info.layout})${losses === "" ? "" : `; ${losses}`}`;
    results.push({ name: `layout ${name}`, problems, note });
  }
  return results;
}

/** Reads one text both ways. */
export async function readLayout(file: string): Promise<LayoutReading> {
  const stored = readFileSync(file);
  const text = (file.endsWith(".gz") ? gunzipSync(stored) : stored).toString("latin1");
  const slow = readSlowly(text);
  try {
    const reader = await openTrace(file);
    const events: SlowEvent[] = [];
    const relative: number[] = [];
    let lostRows = 0;
    for await (const batch of reader.batches()) {
      for (let row = 0; row < batch.length; row += 1) {
        if (EVENT_KINDS[batch.kind[row]!] === "lost") {
          lostRows += 1;
          continue;
        }
        relative.push(batch.tsNs[row]!);
        const name = reader.names.text(batch.name[row]!);
        events.push({ pid: batch.pid[row]!, cpu: batch.cpu[row]!, time: 0n, name });
      }
    }
    const info = reader.info();
    const timed = events.map((event, i) => ({
      ...event,
      time: info.baseNs + BigInt(relative[i]!),
    }));
    const problems = differences(timed, slow.events, slow.layout);
    const counts = reader.diagnostics.counts();
    if ((counts.get("EVENTS_LOST") ?? 0) === 0 && slow.lossLines > 0) {
      problems.push(`${slow.lossLines} lines of losses were not counted`);
    }
    return { info, refusal: undefined, events: timed, lostRows, counts, problems };
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    return {
      info: undefined,
      refusal: error,
      events: [],
      lostRows: 0,
      counts: new Map(),
      problems: canBeRead(slow.layout, slow.events) ? [`refused: ${error.message}`] : [],
    };
  }
}

/** Numbers in place of names are only read where other files tell the names. */
function canBeRead(layout: string, events: readonly SlowEvent[]): boolean {
  return events.length > 0 && layout !== "raw" && layout !== "hex";
}

function differences(
  found: readonly SlowEvent[],
  expected: readonly SlowEvent[],
  layout: string,
): string[] {
  const problems: string[] = [];
  if (found.length !== expected.length) {
    problems.push(`${found.length} events instead of ${expected.length} (${layout})`);
  }
  for (const [i, event] of expected.entries()) {
    const other = found[i];
    if (other === undefined || problems.length > 8) break;
    const same =
      event.pid === other.pid &&
      event.cpu === other.cpu &&
      event.time === other.time &&
      (event.name === undefined || event.name === other.name);
    if (!same) problems.push(`event ${i + 1}: ${inWords(other)} instead of ${inWords(event)}`);
  }
  return problems;
}

function inWords({ pid, cpu, time, name }: SlowEvent): string {
  return `${name ?? "?"} of ${pid} on CPU ${cpu} at ${time}`;
}
