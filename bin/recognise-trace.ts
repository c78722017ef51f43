import type { HostFacts } from "../ingest/beside/host-facts.ts";
import { createEventBatch, type EventBatch } from "../ingest/events/columns.ts";
import { EVENT_KINDS, type EventKindName } from "../ingest/events/kinds.ts";
import type { TraceReader } from "../ingest/reader.ts";
import type { Architecture } from "../replay/architectures/architecture.ts";
import { type ArchitectureFound, detectArchitecture } from "../replay/architectures/detect.ts";

/** Batches that are kept while nothing tells whose trace it is: 1 Mi events, 100 MB. */
const MAX_HELD = 64;

export interface RecognisedTrace {
  /** As far as the beginning of the trace tells it. */
  readonly found: ArchitectureFound;
  /** All batches of the trace, those that were looked at too. */
  batches(): AsyncIterable<EventBatch>;
  /** What the whole trace tells; after its end. */
  finish(): ArchitectureFound;
}

/** Reads as much of a trace as tells whose KVM recorded it. */
export async function recogniseTrace(
  reader: TraceReader,
  architectures: readonly Architecture[],
  facts: HostFacts,
  policies: readonly string[],
): Promise<RecognisedTrace> {
  const kinds = new KindsSeen();
  const version = facts.kernelVersionText;
  const look = (): ArchitectureFound => {
    const names = Array.from({ length: reader.names.count }, (_, i) => reader.names.text(i + 1));
    return detectArchitecture(architectures, { names, kinds: kinds.counts(), version, policies });
  };
  const source = reader.batches()[Symbol.asyncIterator]();
  const held: EventBatch[] = [];
  let found = look();
  let isAtEnd = false;
  while (!found.isSure && held.length < MAX_HELD && !isAtEnd) {
    const next = await source.next();
    isAtEnd = next.done === true;
    if (next.done === true) break;
    kinds.add(next.value);
    held.push(copyOf(next.value));
    found = look();
  }
  return {
    found,
    async *batches() {
      for (const batch of held.splice(0)) yield batch;
      while (!isAtEnd) {
        const next = await source.next();
        isAtEnd = next.done === true;
        if (next.done === true) return;
        kinds.add(next.value);
        yield next.value;
      }
    },
    finish: look,
  };
}

/** Which kinds of events a trace has, and how many. */
class KindsSeen {
  readonly #counts = new Float64Array(EVENT_KINDS.length);

  add(batch: EventBatch): void {
    for (let row = 0; row < batch.length; row += 1) this.#counts[batch.kind[row]!]! += 1;
  }

  counts(): ReadonlyMap<EventKindName, number> {
    return new Map(EVENT_KINDS.map((kind, i) => [kind, this.#counts[i]!]));
  }
}

/** The reader uses its batch again. */
function copyOf(batch: EventBatch): EventBatch {
  const { length } = batch;
  const copy = createEventBatch(length);
  copy.kind.set(batch.kind.subarray(0, length));
  copy.cpu.set(batch.cpu.subarray(0, length));
  copy.pid.set(batch.pid.subarray(0, length));
  for (const column of ["name", "line", "pgt", "mmu", "kvm", "prot", "protHigh"] as const) {
    copy[column].set(batch[column].subarray(0, length));
  }
  for (const column of ["tsNs", "addr", "len", "phys", "arg0", "arg1", "arg2", "arg3"] as const) {
    copy[column].set(batch[column].subarray(0, length));
  }
  copy.length = length;
  return copy;
}
