import { HOLD_KINDS, type Hold, type HoldKind, type PhaseFacts } from "../migration/inputs.ts";
import type { FlushQueue } from "../policies/flush-queue.ts";
import { type RootResolution, Tally } from "../tally.ts";
import type { PrimitiveCall } from "../tlbi/instructions.ts";
import { HoldTimes } from "./hold-times.ts";

/** A policy whose calls are counted phase by phase, and how its calls become instructions. */
export interface CountedPolicy {
  readonly id: string;
  readonly call: PrimitiveCall;
}

/** Which lock a call of each kind holds; by the kernel's version, so a function. */
export type LockOf = (kind: HoldKind) => Hold["lock"];

type Counter = Exclude<keyof PhaseFacts, "flushes" | "holds">;
const COUNTERS: readonly Counter[] = [
  "writeFaults",
  "dirtiedPages",
  "newlyDirtiedPages",
  "otherFaults",
  "blocksBroken",
  "blocksSplit",
  "collapses",
  "unmaps",
  "unmappedLeaves",
  "clears",
  "clearedPages",
  "faultNs",
  "faults",
];

/**
 * What happened to one VM in a stretch of time between two boundaries. Boundaries that turn out to be none are
 * taken back by letting the stretch before absorb the one behind.
 */
export class Segment {
  startNs: number;
  readonly counts: Record<Counter, number>;
  readonly #policies: readonly CountedPolicy[];
  readonly #tallies: (Tally | undefined)[] = [];
  readonly #holds = new Map<HoldKind, HoldTimes>();

  /** `policies`: those of the replay in its order, and last `recorded`. */
  constructor(startNs: number, policies: readonly CountedPolicy[]) {
    this.startNs = startNs;
    this.#policies = policies;
    this.counts = zeroes();
  }

  addQueue(policy: number, queue: FlushQueue, root: RootResolution): void {
    if (queue.length > 0) this.#tally(policy).addQueue(queue, root);
  }

  addCall(policy: number, primitive: number, path: number, page: number, pages: number): void {
    this.#tally(policy).add(path, primitive, page, pages, 1);
  }

  addUnknownCall(policy: number, primitive: number, path: number): void {
    this.#tally(policy).addUnknown(path, primitive, 1);
  }

  hold(kind: HoldKind, ns: number, line: number): void {
    let times = this.#holds.get(kind);
    if (times === undefined) {
      times = new HoldTimes();
      this.#holds.set(kind, times);
    }
    times.add(ns, line);
  }

  absorb(other: Segment): void {
    this.startNs = Math.min(this.startNs, other.startNs);
    for (const name of COUNTERS) this.counts[name] += other.counts[name];
    for (const [at, tally] of other.#tallies.entries()) {
      if (tally !== undefined) this.#tally(at).absorb(tally);
    }
    for (const [kind, times] of other.#holds) {
      const own = this.#holds.get(kind);
      if (own === undefined) this.#holds.set(kind, times);
      else own.absorb(times);
    }
  }

  facts(lockOf: LockOf, showsFaultTimes: boolean): PhaseFacts {
    const holds: Partial<Record<HoldKind, Hold>> = {};
    for (const kind of HOLD_KINDS) {
      const times = this.#holds.get(kind);
      if (times !== undefined) holds[kind] = times.summary(lockOf(kind));
    }
    const flushes = this.#tallies.flatMap((tally) => tally?.flushRows() ?? []);
    const faultNs = showsFaultTimes ? this.counts.faultNs : Number.NaN;
    return { ...this.counts, faultNs, flushes, holds };
  }

  #tally(policy: number): Tally {
    const found = this.#tallies[policy];
    if (found !== undefined) return found;
    const { id, call } = this.#policies[policy]!;
    const made = new Tally(id, { ...call });
    // Places before it that nothing was counted in stay undefined.
    while (this.#tallies.length < policy) this.#tallies.push(undefined);
    this.#tallies[policy] = made;
    return made;
  }
}

function zeroes(): Record<Counter, number> {
  return {
    writeFaults: 0,
    dirtiedPages: 0,
    newlyDirtiedPages: 0,
    otherFaults: 0,
    blocksBroken: 0,
    blocksSplit: 0,
    collapses: 0,
    unmaps: 0,
    unmappedLeaves: 0,
    clears: 0,
    clearedPages: 0,
    faultNs: 0,
    faults: 0,
  };
}
