import type { EventBatch } from "../../ingest/events/columns.ts";
import { EVENT_KINDS, EventKind, type EventKindName } from "../../ingest/events/kinds.ts";
import type { Task } from "../operations/task.ts";
import type { PolicyReplay } from "../policies/policy-replay.ts";
import type { SettlementListener } from "../settlement.ts";
import { type Invariant, type Observer, type ViolationExample, Violations } from "./invariant.ts";
import { INVARIANTS } from "./registry.ts";

export interface InvariantFinding {
  readonly id: string;
  readonly sentence: string;
  readonly meaning: string;
  readonly count: number;
  readonly examples: readonly ViolationExample[];
  /** Kinds of events that were missing, so that it could not be judged; empty: it was. */
  readonly notJudgedFor: readonly EventKindName[];
}

/** So many losses keep how many tables they made unknown; all are counted. */
const MAX_FORGOTTEN = 32;

/** A place where what was known of tables is not any more. */
export interface ForgottenState {
  readonly line: number;
  readonly tables: number;
}

/**
 * All invariants over one trace: give it each batch before the replay takes it, and name it as the
 * replay's listener. The replay's first policy should be that of the recorded kernel.
 */
export class InvariantSuite implements SettlementListener {
  readonly #invariants: readonly Invariant[];
  readonly #violations: readonly Violations[];
  readonly #observers: readonly Observer[];
  /** By kind code. */
  readonly #byKind: readonly (readonly Observer[])[];
  readonly forgotten: ForgottenState[] = [];
  /** Places where events are missing. */
  losses = 0;
  /** Tables that became unknown, summed over those places. */
  tablesForgotten = 0;

  constructor(pageBytes: number, invariants: readonly Invariant[] = INVARIANTS) {
    this.#invariants = invariants;
    this.#violations = invariants.map(() => new Violations());
    this.#observers = invariants.map((one, i) => one.observe(this.#violations[i]!, pageBytes));
    this.#byKind = EVENT_KINDS.map((kind) =>
      this.#observers.filter((observer, i) => {
        const { kinds } = invariants[i]!;
        return observer.event !== undefined && (kinds === "all" || kinds.includes(kind));
      }),
    );
  }

  consume(batch: EventBatch): void {
    const { kind } = batch;
    for (let row = 0; row < batch.length; row += 1) {
      const code = kind[row]!;
      if (code === EventKind.lost) {
        for (const observer of this.#observers) observer.lost?.();
        continue;
      }
      const concerned = this.#byKind[code]!;
      for (let i = 0; i < concerned.length; i += 1) concerned[i]!.event!(batch, row);
    }
  }

  settled(
    task: Task,
    policies: readonly PolicyReplay[],
    _includeConditional: boolean,
    isCut: boolean,
  ): void {
    if (isCut) return;
    for (const observer of this.#observers) observer.settled?.(task, policies[0]!, 0);
  }

  unmapFoundNothing(task: Task): void {
    for (const observer of this.#observers) observer.unmapFoundNothing?.(task);
  }

  stateForgotten(tables: number, line: number): void {
    this.losses += 1;
    this.tablesForgotten += tables;
    if (this.forgotten.length < MAX_FORGOTTEN) this.forgotten.push({ line, tables });
  }

  /** @param eventsByKind of the whole trace: which invariants could be judged. */
  finish(eventsByKind: ReadonlyMap<EventKindName, number>): readonly InvariantFinding[] {
    for (const observer of this.#observers) observer.finish?.();
    return this.#invariants.map(({ id, sentence, meaning, needs }, i) => {
      const lacking = needs.filter((group) => !group.some((kind) => eventsByKind.has(kind)));
      const { count, examples } = this.#violations[i]!;
      const isJudged = lacking.length === 0;
      return {
        id,
        sentence,
        meaning,
        count: isJudged ? count : 0,
        examples: isJudged ? examples : [],
        notJudgedFor: lacking.flat(),
      };
    });
  }
}
