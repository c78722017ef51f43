import type { KeptEvent } from "./event-ring.ts";
import type { CallsByPrimitive } from "./stall-estimate.ts";
import { type TimeBins } from "./time-bins.ts";

/** What one policy issues in one operation. */
export interface OperationCost {
  readonly calls: number;
  readonly tlbi: number;
  readonly dsb: number;
  readonly unknownCalls: number;
  readonly byPrimitive: CallsByPrimitive;
}

/** One operation of the trace, kept because few take as many invalidations, in the trace or near it. */
export interface KeptOperation {
  readonly startNs: number;
  /** From the first event of its bracket to the last, as recorded. */
  readonly lastNs: number;
  readonly line: number;
  readonly cpu: number;
  readonly pid: number;
  readonly vm: number;
  readonly path: number;
  /** NaN where it names the whole VM. */
  readonly ipaPage: number;
  readonly ipaPages: number;
  readonly costs: readonly OperationCost[];
  readonly events: readonly KeptEvent[];
  readonly eventsLeft: number;
}

/** Operations kept for each policy, and for each part of the trace's time. */
export const KEPT_PER_POLICY = 20;
const KEPT_PER_PART = 2;
export const PARTS = 64;

/**
 * The operations with the most invalidations: of each policy, and of each of 64 parts of the trace, so
 * that wherever one looks there is an example. Most operations are turned down by two comparisons.
 */
export class Stalls {
  readonly #bins: TimeBins;
  readonly #tops: KeptOperation[][];
  /** By policy: what an operation must exceed. */
  readonly #thresholds: Float64Array;
  #parts: KeptOperation[][] = Array.from({ length: PARTS }, () => []);
  readonly #partThresholds = new Float64Array(PARTS);

  constructor(bins: TimeBins, policies: number) {
    this.#bins = bins;
    this.#tops = Array.from({ length: policies }, () => []);
    this.#thresholds = new Float64Array(policies);
    bins.onFold(() => this.#fold());
  }

  /** Is an operation with so many instructions (TLBI and DSB, by policy) worth keeping? */
  wants(weights: Float64Array, bin: number): boolean {
    const part = this.#partThresholds[this.#partOf(bin)]!;
    for (let policy = 0; policy < this.#thresholds.length; policy += 1) {
      const weight = weights[policy]!;
      if (weight > part || weight > this.#thresholds[policy]!) return true;
    }
    return false;
  }

  add(operation: KeptOperation, bin: number): void {
    for (const [policy, top] of this.#tops.entries()) {
      if (weightOf(operation.costs[policy]!) <= this.#thresholds[policy]!) continue;
      keep(top, operation, KEPT_PER_POLICY, (one) => weightOf(one.costs[policy]!));
      this.#thresholds[policy] =
        top.length < KEPT_PER_POLICY ? 0 : weightOf(top.at(-1)!.costs[policy]!);
    }
    const part = this.#partOf(bin);
    keep(this.#parts[part]!, operation, KEPT_PER_PART, heaviest);
    this.#noteThreshold(part);
  }

  /** Operations in the order of their time; `ranks` by policy, 0 for one that is only an example. */
  kept(): readonly { readonly operation: KeptOperation; readonly ranks: readonly number[] }[] {
    const all = new Set([...this.#tops.flat(), ...this.#parts.flat()]);
    return [...all]
      .sort((a, b) => a.startNs - b.startNs || a.line - b.line)
      .map((operation) => ({
        operation,
        ranks: this.#tops.map((top) => top.indexOf(operation) + 1),
      }));
  }

  #partOf(bin: number): number {
    return Math.floor((bin * PARTS) / this.#bins.count);
  }

  #noteThreshold(part: number): void {
    const operations = this.#parts[part]!;
    this.#partThresholds[part] =
      operations.length < KEPT_PER_PART ? 0 : heaviest(operations.at(-1)!);
  }

  #fold(): void {
    const old = this.#parts;
    this.#parts = old.map((_, part) => {
      const operations: KeptOperation[] = [];
      for (const one of [...(old[2 * part] ?? []), ...(old[2 * part + 1] ?? [])]) {
        keep(operations, one, KEPT_PER_PART, heaviest);
      }
      return operations;
    });
    for (let part = 0; part < PARTS; part += 1) this.#noteThreshold(part);
  }
}

/** Instructions that a CPU spends: TLBI and DSB. */
function weightOf({ tlbi, dsb }: OperationCost): number {
  return tlbi + dsb;
}

function heaviest({ costs }: KeptOperation): number {
  return costs.reduce((most, cost) => Math.max(most, weightOf(cost)), 0);
}

/** Into a list that is sorted with the heaviest first; of equals the earlier stays in front. */
function keep(
  list: KeptOperation[],
  one: KeptOperation,
  most: number,
  weight: (operation: KeptOperation) => number,
): void {
  const own = weight(one);
  let at = list.length;
  while (at > 0 && weight(list[at - 1]!) < own) at -= 1;
  list.splice(at, 0, one);
  if (list.length > most) list.pop();
}
