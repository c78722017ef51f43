import { Certainty, type FlushQueue } from "../../policies/flush-queue.ts";
import { Primitive } from "../../tlbi/primitives.ts";
import type { StaleOrigin } from "../stale-entries.ts";
import type { Change } from "./changes.ts";
import type { Guest } from "./guest.ts";
import type { HardBounds } from "./hard-bounds.ts";
import type { Lane } from "./lane.ts";
import type { RunningGuests } from "./running.ts";
import type { RefillWorld } from "./world.ts";

/** Steps in which the calls of one bracket are spread over its time, at most. */
const MOST_STEPS = 512;
/** So many caps of visits may be spent inside one bracket. */
const CAPS_IN_BRACKET = 4;

/** One settled bracket. */
export interface SettledBracket {
  /** By policy. */
  readonly queues: readonly FlushQueue[];
  readonly guest: Guest;
  /** PE of the thread; -1 where it is not modelled. */
  readonly slot: number;
  readonly isSampled: boolean;
  readonly includeConditional: boolean;
  /** What changed in the bracket, and what no policy may hold any more. */
  readonly changes: readonly Change[];
  readonly due: readonly Change[];
  readonly running: RunningGuests;
  readonly advance: (toNs: number) => void;
  /** Operation of the bracket. */
  readonly path: number;
  readonly startNs: number;
  readonly nowNs: number;
  /** So many caps of visits are shared evenly by the times between its flushes; absent: first come, first served. */
  readonly capsShared?: number;
}

/** Applies what a bracket changed, and what each policy did about it, to every lane of every world. */
export class QueueApplier {
  readonly #worlds: readonly RefillWorld[];
  readonly #policies: number;
  readonly #bounds: HardBounds;

  constructor(worlds: readonly RefillWorld[], policies: number, bounds: HardBounds) {
    this.#worlds = worlds;
    this.#policies = policies;
    this.#bounds = bounds;
  }

  apply(bracket: SettledBracket): void {
    const { guest, slot, changes, due, isSampled } = bracket;
    for (const world of this.#worlds) {
      for (const lane of world.exact) dropAll(lane, guest, slot, changes);
    }
    const steps = isSampled ? this.#stepsOf(bracket) : 1;
    this.#boundFlushes(bracket);
    if (!isSampled) {
      for (const world of this.#worlds) {
        for (const lane of world.lanes) {
          dropAll(lane, guest, slot, changes);
          dropAll(lane, guest, slot, due);
        }
      }
      return;
    }
    if (steps > 1 && bracket.capsShared === undefined) {
      this.#eachPe(bracket, (world, pe) => {
        world.extend(guest, pe, Math.min(steps, CAPS_IN_BRACKET));
      });
    }
    const ns = (bracket.nowNs - bracket.startNs) / steps;
    for (let step = 0; step < steps; step += 1) {
      if (steps > 1) {
        this.#share(bracket, steps);
        bracket.advance(bracket.startNs + (step + 0.5) * ns);
      }
      for (const world of this.#worlds) this.#step(world, bracket, step, steps);
    }
    if (steps > 1) this.#share(bracket, 1);
    const origins = due.map((change) =>
      bracket.queues.map((queue) => originOf(change, queue, bracket)),
    );
    for (const world of this.#worlds) this.#judge(world, bracket, origins);
  }

  /** Gives each time between two flushes as much as every other. */
  #share(bracket: SettledBracket, steps: number): void {
    const { capsShared, guest } = bracket;
    if (capsShared === undefined) return;
    const share = Math.min(1, capsShared / steps);
    this.#eachPe(bracket, (world, pe) => {
      world.renew(guest, pe, share);
    });
  }

  #eachPe({ running }: SettledBracket, visit: (world: RefillWorld, pe: number) => void): void {
    for (const pe of running.guest.keys()) {
      for (const world of this.#worlds) visit(world, pe);
    }
  }

  /** A call that every policy makes on one PE. */
  local(guest: Guest, slot: number, primitive: number, path: number, isCertain: boolean): void {
    for (let policy = 0; policy < this.#policies; policy += 1) {
      this.#bounds.flushed(guest, slot, policy, 1, 0);
    }
    const { vm, space } = guest;
    for (const world of this.#worlds) {
      if (!isCertain && !world.scenario.withPossible) continue;
      for (const lane of world.lanes) {
        lane.flush(primitive, vm, space, 0, 0, 1, 0, path, slot, world.nextVisit);
      }
    }
  }

  /** A call that takes everything of every VM from every PE, under every policy. */
  everything(guests: readonly Guest[], pes: number, path: number): void {
    for (const guest of guests) {
      for (let slot = 0; slot < pes; slot += 1) {
        for (let policy = 0; policy < this.#policies; policy += 1) {
          this.#bounds.flushed(guest, slot, policy, 1, 0);
        }
      }
    }
    for (const world of this.#worlds) {
      for (const lane of world.lanes) {
        lane.flush(Primitive.ALL, -1, -1, 0, 0, 1, 0, path, -1, world.nextVisit);
      }
    }
  }

  /** Only where the guest runs elsewhere meanwhile does it matter when which call is made. */
  #stepsOf({ queues, guest, running, startNs, nowNs }: SettledBracket): number {
    if (nowNs <= startNs || !running.guest.includes(guest)) return 1;
    const calls = queues.map((queue) => countCalls(queue, () => true));
    return Math.max(1, Math.min(MOST_STEPS, Math.max(0, ...calls)));
  }

  #boundFlushes({ queues, guest, slot, running, startNs, nowNs }: SettledBracket): void {
    for (const [policy, queue] of queues.entries()) {
      if (queue.length === 0) continue;
      let local = 0;
      let broadcast = 0;
      for (let run = 0; run < queue.length; run += 1) {
        if (queue.primitive[run] === Primitive.IPA_LOCAL) local += queue.count[run]!;
        else broadcast += queue.count[run]!;
      }
      for (let pe = 0; pe < running.pes; pe += 1) {
        const calls = broadcast + (pe === slot ? local : 0);
        const ns = running.guest[pe] === guest ? nowNs - startNs : 0;
        if (calls > 0) this.#bounds.flushed(guest, pe, policy, calls, ns);
      }
    }
  }

  /** The part of each policy's calls that falls into a step. */
  #step(world: RefillWorld, bracket: SettledBracket, step: number, steps: number): void {
    const { queues, includeConditional } = bracket;
    const issued = (certainty: number): boolean =>
      certainty === Certainty.certain ||
      world.scenario.withPossible ||
      (certainty === Certainty.ifRootIsHigher && includeConditional);
    for (const [policy, queue] of queues.entries()) {
      if (queue.length === 0) continue;
      const calls = steps === 1 ? 0 : countCalls(queue, issued);
      const from = steps === 1 ? 0 : Math.floor((step * calls) / steps);
      const to = steps === 1 ? Number.POSITIVE_INFINITY : Math.floor(((step + 1) * calls) / steps);
      for (let at = policy; at < world.lanes.length; at += this.#policies) {
        applyCalls(world.lanes[at]!, queue, from, to, issued, bracket, world.nextVisit);
      }
    }
  }

  /** What a policy left behind of translations that are gone is stale from now on. */
  #judge(
    world: RefillWorld,
    { queues, guest, slot, changes, due }: SettledBracket,
    origins: readonly (readonly StaleOrigin[])[],
  ): void {
    const unclear = changes.filter(({ kind }) => kind === "unclear");
    for (const [at, lane] of world.lanes.entries()) {
      dropAll(lane, guest, slot, unclear);
      const policy = at % this.#policies;
      const queue = queues[policy];
      // Calls that are counted and not listed one by one name the leaves that changed.
      if (queue !== undefined && hasUnlistedCalls(queue)) dropAll(lane, guest, slot, due);
      for (const [i, { page, pages, leafClass, kind }] of due.entries()) {
        const origin = origins[i]![policy];
        const writesOnly = kind === "protected";
        lane.markStale(guest.vm, guest.space, page, pages, leafClass, writesOnly, origin);
      }
    }
  }
}

/** What changed, and what the policy did about it. */
function originOf(
  { page, pages, leafClass, kind }: Change,
  queue: FlushQueue,
  { path, nowNs }: SettledBracket,
): StaleOrigin {
  const isEmpty = queue.length === 0;
  return {
    page,
    pages,
    leafClass,
    isProtected: kind === "protected",
    path,
    judgedNs: nowNs,
    calls: countCalls(queue, () => true),
    primitive: isEmpty ? -1 : queue.primitive[0]!,
    callPage: isEmpty ? 0 : queue.page[0]!,
    callPages: isEmpty ? 0 : queue.pages[0]!,
  };
}

function dropAll(lane: Lane, guest: Guest, slot: number, changes: readonly Change[]): void {
  for (const { page, pages, leafClass, kind } of changes) {
    const only = kind === "relaxed" ? slot : undefined;
    lane.drop(guest.vm, guest.space, page, pages, leafClass, only);
  }
}

function applyCalls(
  lane: Lane,
  queue: FlushQueue,
  from: number,
  to: number,
  issued: (certainty: number) => boolean,
  { guest, slot }: SettledBracket,
  visit: number,
): void {
  let passed = 0;
  for (let run = 0; run < queue.length && passed < to; run += 1) {
    if (!issued(queue.certainty[run]!)) continue;
    const count = queue.count[run]!;
    const first = Math.max(0, from - passed);
    const last = Math.min(count, to - passed);
    passed += count;
    if (last <= first) continue;
    const stride = queue.stride[run]!;
    lane.flush(
      queue.primitive[run]!,
      guest.vm,
      guest.space,
      queue.page[run]! + first * stride,
      queue.pages[run]!,
      last - first,
      stride,
      queue.path[run]!,
      slot,
      visit,
    );
  }
}

function countCalls(queue: FlushQueue, issued: (certainty: number) => boolean): number {
  let calls = 0;
  for (let run = 0; run < queue.length; run += 1) {
    if (issued(queue.certainty[run]!)) calls += queue.count[run]!;
  }
  return calls;
}

function hasUnlistedCalls(queue: FlushQueue): boolean {
  for (let run = 0; run < queue.length; run += 1) {
    if (queue.count[run]! > 1 && queue.stride[run] === 0) return true;
  }
  return false;
}
