import type { EventBatch } from "../../events/columns.ts";
import type { PointerTable } from "../../events/pointers.ts";
import { type ArgumentPlan, Target } from "./argument-plan.ts";

const ABSENT = -1;

/** Puts the values of a probe's arguments into the columns of a row; how they are read differs by format. */
export class ArgumentStore {
  readonly #pointers: PointerTable;
  #end = ABSENT;

  constructor(pointers: PointerTable) {
    this.#pointers = pointers;
  }

  /** A new row begins. */
  begin(): void {
    this.#end = ABSENT;
  }

  /** Interns the pointer of argument `i`, unless it is that of the last row, and stores its id. */
  pointer(
    plan: ArgumentPlan,
    i: number,
    high: number,
    low: number,
    batch: EventBatch,
    row: number,
  ): void {
    if (plan.lastHigh[i] !== high || plan.lastLow[i] !== low) {
      plan.lastHigh[i] = high;
      plan.lastLow[i] = low;
      plan.lastId[i] = this.#pointers.intern(high >>> 0, low >>> 0);
    }
    this.pointerId(plan.targets[i]!, plan.lastId[i]!, batch, row);
  }

  pointerId(target: number, id: number, batch: EventBatch, row: number): void {
    if (target === Target.pgt) batch.pgt[row] = id;
    else if (target === Target.mmu) batch.mmu[row] = id;
    else if (target === Target.kvm) batch.kvm[row] = id;
    else {
      batch.mmu[row] = id;
      batch.kvm[row] = id;
    }
  }

  number(target: number, value: number, batch: EventBatch, row: number): void {
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

  /** All 64 bits of a value that is no quantity. */
  bits(target: number, high: number, low: number, batch: EventBatch, row: number): void {
    if (target === Target.prot) {
      batch.prot[row] = low;
      batch.protHigh[row] = high;
    } else {
      batch.arg1[row] = low >>> 0;
      batch.arg2[row] = high >>> 0;
    }
  }

  /** An exclusive end, if the row has one, becomes a length; false where it lies before the start. */
  finish(batch: EventBatch, row: number): boolean {
    if (this.#end === ABSENT) return true;
    const length = this.#end - batch.addr[row]!;
    batch.len[row] = length;
    return length >= 0;
  }
}
