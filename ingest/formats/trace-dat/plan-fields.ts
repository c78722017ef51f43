import type { EventBatch } from "../../events/columns.ts";
import { APPLIED_FUNCTIONS } from "../../events/kinds.ts";
import type { PointerTable } from "../../events/pointers.ts";
import { type ArgumentPlan, Reading, Target } from "../text/argument-plan.ts";
import type { FieldValues } from "./field-values.ts";
import type { ProbeSite, ProbeSites } from "./probe-sites.ts";

/** Outcome of reading a record's arguments. */
export const Outcome = {
  done: 0,
  /** A value is not a number, or does not fit; `badArgument` says whose. */
  badValue: 1,
  /** Each context pointer is NULL. */
  noContext: 2,
} as const;

const ABSENT = -1;

/** Reads the arguments of a probe's record by its plan, straight into the columns of a row. */
export class PlanFields {
  /** Index, in the plan, of the argument whose value was bad. */
  badArgument = 0;
  readonly #values: FieldValues;
  readonly #pointers: PointerTable;
  readonly #sites: ProbeSites;
  #end = ABSENT;
  /** The last `fn=` pointer and which of APPLIED_FUNCTIONS it is. */
  #appliedHigh = 0;
  #appliedLow = 0;
  #applied = 0;

  constructor(values: FieldValues, pointers: PointerTable, sites: ProbeSites) {
    this.#values = values;
    this.#pointers = pointers;
    this.#sites = sites;
  }

  /** Reads the record whose payload begins at `at`; an outcome other than `done` leaves the row dirty. */
  read(
    site: ProbeSite,
    plan: ArgumentPlan,
    view: DataView,
    at: number,
    batch: EventBatch,
    row: number,
  ): number {
    const { count, readings } = plan;
    const { offsets, sizes, signed } = site;
    const values = this.#values;
    this.#end = ABSENT;
    for (let i = 0; i < count; i += 1) {
      const reading = readings[i]!;
      if (reading === Reading.skip) continue;
      const size = sizes[i]!;
      if (size === 0) return this.#bad(i);
      values.read(view, at + offsets[i]!, size, signed[i] === 1);
      if (reading === Reading.pointer) this.#storePointer(plan, i, batch, row);
      else if (!this.#store(reading, plan.targets[i]!, batch, row)) return this.#bad(i);
    }
    if (this.#end !== ABSENT) {
      const length = this.#end - batch.addr[row]!;
      batch.len[row] = length;
      if (!(length >= 0)) return this.#bad(plan.targets.indexOf(Target.end));
    }
    if (plan.needsContext && batch.pgt[row] === 0 && batch.mmu[row] === 0 && batch.kvm[row] === 0) {
      return Outcome.noContext;
    }
    return Outcome.done;
  }

  #bad(argument: number): number {
    this.badArgument = argument;
    return Outcome.badValue;
  }

  /** Puts the value where it goes; false: it does not fit. */
  #store(reading: number, target: number, batch: EventBatch, row: number): boolean {
    const values = this.#values;
    switch (reading) {
      case Reading.quantity: {
        const value = values.quantity();
        this.#storeNumber(target, value, batch, row);
        return value === value;
      }
      case Reading.bits64:
        if (target === Target.prot) {
          batch.prot[row] = values.low;
          batch.protHigh[row] = values.high;
        } else {
          batch.arg1[row] = values.low >>> 0;
          batch.arg2[row] = values.high >>> 0;
        }
        return true;
      case Reading.int32:
        this.#storeNumber(target, values.low, batch, row);
        return true;
      case Reading.uint32:
        this.#storeNumber(target, values.low >>> 0, batch, row);
        return true;
      case Reading.symbol:
        batch.arg0[row] = this.#appliedFunction(values.high, values.low);
        return true;
      default: // Reading.bool
        this.#storeNumber(target, (values.low & 0xff) === 0 ? 0 : 1, batch, row);
        return true;
    }
  }

  #storePointer(plan: ArgumentPlan, i: number, batch: EventBatch, row: number): void {
    const { high, low } = this.#values;
    if (plan.lastHigh[i] !== high || plan.lastLow[i] !== low) {
      plan.lastHigh[i] = high;
      plan.lastLow[i] = low;
      plan.lastId[i] = this.#pointers.intern(high >>> 0, low >>> 0);
    }
    const id = plan.lastId[i]!;
    const target = plan.targets[i]!;
    if (target === Target.pgt) batch.pgt[row] = id;
    else if (target === Target.mmu) batch.mmu[row] = id;
    else if (target === Target.kvm) batch.kvm[row] = id;
    else {
      batch.mmu[row] = id;
      batch.kvm[row] = id;
    }
  }

  #storeNumber(target: number, value: number, batch: EventBatch, row: number): void {
    switch (target) {
      case Target.addr:
        batch.addr[row] = value;
        break;
      case Target.len:
        batch.len[row] = value;
        break;
      case Target.end:
        this.#end = value;
        break;
      case Target.phys:
        batch.phys[row] = value;
        break;
      case Target.arg0:
        batch.arg0[row] = value;
        break;
      case Target.arg1:
        batch.arg1[row] = value;
        break;
      case Target.arg2:
        batch.arg2[row] = value;
        break;
      default: // Target.arg3
        batch.arg3[row] = value;
        break;
    }
  }

  /** Index of APPLIED_FUNCTIONS for a function pointer; 0: another function. */
  #appliedFunction(high: number, low: number): number {
    if (this.#appliedHigh !== high || this.#appliedLow !== low) {
      this.#appliedHigh = high;
      this.#appliedLow = low;
      const symbol = this.#sites.symbolAt(high, low)?.replace(/\..*$/, "");
      this.#applied = Math.max(
        0,
        APPLIED_FUNCTIONS.findIndex((name) => name === symbol),
      );
    }
    return this.#applied;
  }
}
