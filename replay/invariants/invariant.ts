import type { EventBatch } from "../../ingest/events/columns.ts";
import type { EventKindName } from "../../ingest/events/kinds.ts";
import type { Task } from "../operations/task.ts";
import type { PolicyReplay } from "../policies/policy-replay.ts";

/** One violation; times relative to the trace's base. */
export interface ViolationExample {
  readonly line: number;
  readonly tsNs: number;
  readonly detail: string;
}

/** First violations that are kept; all are counted. */
const MAX_EXAMPLES = 5;

/** Where an invariant puts what it found. */
export class Violations {
  count = 0;
  readonly examples: ViolationExample[] = [];

  add(line: number, tsNs: number, detail: () => string): void {
    this.count += 1;
    if (this.examples.length < MAX_EXAMPLES) {
      this.examples.push({ line, tsNs, detail: detail() });
    }
  }
}

/** Looks at the events that concern it, in bounded memory. */
export interface Observer {
  /** An event of one of its kinds. */
  event?(batch: EventBatch, row: number): void;
  /** Events are missing here: what it remembers may not follow on. */
  lost?(): void;
  /** The replay has settled a thread's operation; `predicted` is the recorded kernel's policy. */
  settled?(task: Task, predicted: PolicyReplay, policyIndex: number): void;
  unmapFoundNothing?(task: Task): void;
  /** The trace is over. */
  finish?(): void;
}

export interface Invariant {
  readonly id: string;
  /** What was found, for the person who reads the report. */
  readonly sentence: string;
  /** What it may mean. */
  readonly meaning: string;
  /** Kinds of events that it looks at; `all`: every one. */
  readonly kinds: readonly EventKindName[] | "all";
  /** It can only be judged where each of these groups has left an event (any of its kinds). */
  readonly needs: readonly (readonly EventKindName[])[];
  observe(violations: Violations, pageBytes: number): Observer;
}
