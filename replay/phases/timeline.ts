import type { Evidence, Phase, PhaseName } from "../migration/inputs.ts";
import type { GivenPhase } from "./given-phases.ts";
import { type CountedPolicy, type LockOf, Segment } from "./segment.ts";

interface Mark {
  name: PhaseName;
  pass: number | undefined;
  readonly start: Evidence;
  readonly segment: Segment;
}

/** More phases than these are not told apart: a migration that does not converge has thousands of passes. */
const MAX_SEGMENTS = 512;

/**
 * The phases of one VM as they come, with what happened in each. A stop may turn out to be none, and roll-back
 * ends at its last collapse, so what is open can be taken back or drawn out.
 */
export class Timeline {
  readonly #marks: Mark[] = [];
  readonly #policies: readonly CountedPolicy[];
  /** Of given phases that were not reached: they decide alone. */
  readonly #given: readonly GivenPhase[];
  #nextGiven = 0;
  /** What followed the last collapse of the roll-back that is open. */
  #tail: Segment | undefined;
  #tailEvidence: Evidence | undefined;
  /** Phases that were not opened because there are too many. */
  joined = 0;

  constructor(startNs: number, policies: readonly CountedPolicy[], given: readonly GivenPhase[]) {
    this.#policies = policies;
    this.#given = given;
    const start: Evidence = {
      what: "the trace first shows the VM",
      line: undefined,
      confidence: "recorded",
    };
    this.#marks.push({ name: "run", pass: undefined, start, segment: this.#segment(startNs) });
  }

  /** Given phases that lie behind the last event; `run` behind them does not count. */
  get notReached(): number {
    return this.#given.slice(this.#nextGiven).filter(({ name }) => name !== "run").length;
  }

  get isGiven(): boolean {
    return this.#given.length > 0;
  }

  /** Where what happens now is counted. */
  get current(): Segment {
    return this.#tail ?? this.#marks.at(-1)!.segment;
  }

  /** What was going on at a time; a request is settled when its thread goes on, which may be later. */
  at(tsNs: number): Segment {
    if (this.#tail !== undefined && tsNs >= this.#tail.startNs) return this.#tail;
    let place = this.#marks.length - 1;
    while (place > 0 && tsNs < this.#marks[place]!.segment.startNs) place -= 1;
    return this.#marks[place]!.segment;
  }

  get phaseName(): PhaseName {
    return this.#tail === undefined ? this.#marks.at(-1)!.name : "run";
  }

  get pass(): number | undefined {
    return this.#marks.at(-1)!.pass;
  }

  get startNs(): number {
    return this.#marks[0]!.segment.startNs;
  }

  /** Number of the phase that is open, for `dissolve`. */
  get place(): number {
    return this.#marks.length - 1;
  }

  /** A phase begins. Given phases decide alone, where there are some. */
  open(name: PhaseName, pass: number | undefined, tsNs: number, start: Evidence): void {
    if (this.isGiven) return;
    this.#open(name, pass, tsNs, start);
  }

  /** Time goes on: opens the given phases that begin until then. */
  advance(tsNs: number): void {
    for (let next = this.#given[this.#nextGiven]; next !== undefined; ) {
      if (tsNs < next.startNs) return;
      this.#nextGiven += 1;
      const start: Evidence = { what: "given", line: undefined, confidence: "given" };
      this.#open(next.name, next.pass, next.startNs, start);
      next = this.#given[this.#nextGiven];
    }
  }

  /** The phases from a place on are none: what happened in them belongs to the one before, new passes apart. */
  dissolve(place: number): void {
    if (this.isGiven || place <= 0) return;
    const taken = this.#marks.splice(place);
    for (const mark of taken) {
      const last = this.#marks.at(-1)!;
      const isOwn = mark.pass !== undefined && mark.pass !== last.pass;
      if (isOwn && this.#marks.length < MAX_SEGMENTS) this.#marks.push({ ...mark, name: "pass" });
      else {
        if (isOwn) this.joined += 1;
        last.segment.absorb(mark.segment);
      }
    }
  }

  /** What looked like the end of the phase at a place was none: it lasted until now. */
  rejoin(place: number): void {
    while (this.#marks.length - 1 > place && this.#marks.at(-1)!.name === "after") {
      const { segment } = this.#marks.pop()!;
      this.#marks.at(-1)!.segment.absorb(segment);
    }
  }

  /** A collapse after logging was switched off: roll-back lasts until its end, at least. */
  collapsed(tsNs: number, after: Evidence): void {
    if (this.isGiven) return;
    const mark = this.#marks.at(-1)!;
    if (mark.name !== "run" && mark.name !== "rollback") return;
    mark.name = "rollback";
    if (this.#tail !== undefined) mark.segment.absorb(this.#tail);
    this.#tail = this.#segment(tsNs);
    this.#tailEvidence = after;
  }

  /** Where a collapse of a roll-back is counted: not behind it. */
  get ofCollapse(): Segment {
    return this.#marks.at(-1)!.segment;
  }

  /** Counted before the VM of a table was known: it came first. */
  absorbEarlier(earlier: Timeline): void {
    for (const { segment } of earlier.#marks) this.#marks[0]!.segment.absorb(segment);
    if (earlier.#tail !== undefined) this.#marks[0]!.segment.absorb(earlier.#tail);
  }

  phases(endNs: number, lockOf: LockOf, showsFaultTimes: boolean): readonly Phase[] {
    this.#closeTail();
    const last: Evidence = { what: "the trace ends", line: undefined, confidence: "recorded" };
    const marks = joinBlackout(this.#marks);
    return marks.map(({ name, pass, start, segment }, at) => {
      const next = marks[at + 1];
      const until = Math.max(segment.startNs, next?.segment.startNs ?? endNs);
      const facts = segment.facts(lockOf, showsFaultTimes);
      const end = next?.start ?? last;
      return { name, pass, startNs: segment.startNs, endNs: until, start, end, facts };
    });
  }

  #open(name: PhaseName, pass: number | undefined, tsNs: number, start: Evidence): void {
    this.#closeTail();
    const last = this.#marks.at(-1)!;
    if (this.#marks.length >= MAX_SEGMENTS && name === last.name) {
      this.joined += 1;
      return;
    }
    // A stop may have begun before it was noticed, but not before the phase that it ends.
    const startNs = Math.max(tsNs, last.segment.startNs);
    this.#marks.push({ name, pass, start, segment: this.#segment(startNs) });
  }

  /** What followed roll-back is a phase of its own. */
  #closeTail(): void {
    if (this.#tail === undefined) return;
    const start = this.#tailEvidence!;
    this.#marks.push({ name: "run", pass: undefined, start, segment: this.#tail });
    this.#tail = undefined;
  }

  #segment(startNs: number): Segment {
    return new Segment(startNs, this.#policies);
  }
}

/** A blackout is kept in parts, one a pass, as long as it may turn out to be none; told, it is one. */
function joinBlackout(marks: readonly Mark[]): readonly Mark[] {
  const joined: Mark[] = [];
  for (const mark of marks) {
    const last = joined.at(-1);
    if (mark.name === "blackout" && last?.name === "blackout" && mark.pass !== undefined) {
      last.segment.absorb(mark.segment);
    } else joined.push(mark);
  }
  return joined;
}
