import type { EventBatch } from "../../events/columns.ts";
import type { PointerTable } from "../../events/pointers.ts";
import { type ArgumentPlan, Reading, Target } from "../text/argument-plan.ts";
import { ArgumentStore } from "../text/argument-store.ts";
import { AppliedFunctions } from "./applied-functions.ts";
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

/** Reads the arguments of a probe's record by its plan, straight into the columns of a row. */
export class PlanFields {
  /** Index, in the plan, of the argument whose value was bad. */
  badArgument = 0;
  readonly #values: FieldValues;
  readonly #store: ArgumentStore;
  readonly #applied: AppliedFunctions;

  constructor(values: FieldValues, pointers: PointerTable, sites: ProbeSites) {
    this.#values = values;
    this.#store = new ArgumentStore(pointers);
    this.#applied = new AppliedFunctions(sites);
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
    this.#store.begin();
    for (let i = 0; i < count; i += 1) {
      const reading = readings[i]!;
      if (reading === Reading.skip) continue;
      const size = sizes[i]!;
      if (size === 0) return this.#bad(i);
      values.read(view, at + offsets[i]!, size, signed[i] === 1);
      if (reading === Reading.pointer) {
        this.#store.pointer(plan, i, values.high, values.low, batch, row);
      } else if (!this.#keep(reading, plan.targets[i]!, batch, row)) return this.#bad(i);
    }
    if (!this.#store.finish(batch, row)) return this.#bad(plan.targets.indexOf(Target.end));
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
  #keep(reading: number, target: number, batch: EventBatch, row: number): boolean {
    const values = this.#values;
    const store = this.#store;
    switch (reading) {
      case Reading.quantity: {
        const value = values.quantity();
        store.number(target, value, batch, row);
        return value === value;
      }
      case Reading.bits64:
        store.bits(target, values.high, values.low, batch, row);
        return true;
      case Reading.int32:
        store.number(target, values.low, batch, row);
        return true;
      case Reading.uint32:
        store.number(target, values.low >>> 0, batch, row);
        return true;
      case Reading.symbol:
        batch.arg0[row] = this.#applied.indexOf(values.high, values.low);
        return true;
      default: // Reading.bool
        store.number(target, (values.low & 0xff) === 0 ? 0 : 1, batch, row);
        return true;
    }
  }
}
