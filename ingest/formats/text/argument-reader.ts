import type { EventBatch } from "../../events/columns.ts";
import { APPLIED_FUNCTIONS } from "../../events/kinds.ts";
import type { PointerTable } from "../../events/pointers.ts";
import { type ArgumentPlan, Reading, Target } from "./argument-plan.ts";
import { ArgumentStore } from "./argument-store.ts";
import { CARRIAGE_RETURN, DOT, literal, matchesAt, NEWLINE, QUOTE, SPACE } from "../bytes.ts";
import { NumberScanner } from "../number-scanner.ts";
import { endOfValue, goesOn } from "./value-end.ts";
import { isLastPointer, keepDigits, POINTER_BYTES } from "./last-pointer.ts";

/** Outcome of reading a line's arguments. */
export const Outcome = {
  done: 0,
  /** The line has other arguments than the plan. */
  otherArguments: 1,
  /** A value is not a number, or does not fit; `badArgument` says whose. */
  badValue: 2,
  /** Each context pointer is NULL. */
  noContext: 3,
} as const;

const APPLIED_NAMES = APPLIED_FUNCTIONS.map(literal);
const PLUS = 43;

/** Reads ` name=value` lists by a plan, straight into the columns of a row. */
export class ArgumentReader {
  /** Index, in the plan, of the argument whose value was bad. */
  badArgument = 0;
  /** Where the list that was read last ends: at a line end, or at the `end` that was given. */
  listEnd = 0;
  /** Set where the last value of a line is text that goes on in the next line; whoever saw that takes it back. */
  isOpen = false;
  readonly #numbers = new NumberScanner();
  readonly #store: ArgumentStore;

  constructor(pointers: PointerTable) {
    this.#store = new ArgumentStore(pointers);
  }

  /**
   * Reads the arguments at `from` into row `row`, up to the line end or to `end` if that comes first;
   * the byte at `end` must be a line end, with READ_AHEAD_BYTES behind it. An outcome other than `done` leaves the row dirty.
   */
  read(
    plan: ArgumentPlan,
    bytes: Uint8Array,
    from: number,
    end: number,
    batch: EventBatch,
    row: number,
  ): number {
    const { count, labels, readings, targets } = plan;
    let at = from;
    this.#store.begin();
    for (let i = 0; i < count; i += 1) {
      // A label holds no line end, so a comparison never runs into the next line.
      at = labels.behind(i, bytes, at);
      if (at < 0) return Outcome.otherArguments;
      const reading = readings[i]!;
      if (reading === Reading.skip) {
        const skippedFrom = at;
        at = endOfValue(bytes, at, end);
        if (goesOn(bytes, skippedFrom, at)) this.isOpen = true;
        continue;
      }
      if (reading === Reading.symbol) {
        batch.arg0[row] = appliedFunction(bytes, at, end);
        at = endOfValue(bytes, at, end);
        continue;
      }
      if (reading === Reading.pointer && isLastPointer(plan, i, bytes, at, end)) {
        this.#store.pointerId(targets[i]!, plan.lastId[i]!, batch, row);
        at += POINTER_BYTES;
        continue;
      }
      const valueFrom = at;
      at = this.#numbers.scan(bytes, at, end);
      if (at < 0 || bytes[at]! > SPACE || !this.#keep(plan, i, batch, row)) {
        this.badArgument = i;
        return Outcome.badValue;
      }
      if (reading === Reading.pointer) keepDigits(plan, i, bytes, valueFrom, at);
    }
    while (bytes[at] === SPACE) at += 1;
    if (at !== end && bytes[at] === CARRIAGE_RETURN) at += 1;
    if (at !== end && bytes[at] !== NEWLINE) return Outcome.otherArguments;
    this.listEnd = at;
    if (!this.#store.finish(batch, row)) {
      this.badArgument = targets.indexOf(Target.end);
      return Outcome.badValue;
    }
    if (plan.needsContext && batch.pgt[row] === 0 && batch.mmu[row] === 0 && batch.kvm[row] === 0) {
      return Outcome.noContext;
    }
    return Outcome.done;
  }

  /** Puts the scanned number where argument `i` goes; false: it does not fit. */
  #keep(plan: ArgumentPlan, i: number, batch: EventBatch, row: number): boolean {
    const numbers = this.#numbers;
    const store = this.#store;
    const target = plan.targets[i]!;
    switch (plan.readings[i]!) {
      case Reading.pointer:
        store.pointer(plan, i, numbers.high, numbers.low, batch, row);
        return true;
      case Reading.quantity: {
        const value = numbers.quantity();
        store.number(target, value, batch, row);
        return value === value;
      }
      case Reading.bits64:
        store.bits(target, numbers.high, numbers.low, batch, row);
        return true;
      case Reading.int32:
        store.number(target, numbers.low, batch, row);
        return true;
      case Reading.uint32:
        store.number(target, numbers.low >>> 0, batch, row);
        return true;
      default: // Reading.bool
        store.number(target, (numbers.low & 0xff) === 0 ? 0 : 1, batch, row);
        return true;
    }
  }
}

/** Index of APPLIED_FUNCTIONS for the symbol at `from`; 0: another function. */
function appliedFunction(bytes: Uint8Array, start: number, end: number): number {
  // A `symstr` is in quotes.
  const from = bytes[start] === QUOTE ? start + 1 : start;
  for (let i = 1; i < APPLIED_NAMES.length; i += 1) {
    const name = APPLIED_NAMES[i]!;
    const after = from + name.length;
    if (after > end || !matchesAt(bytes, from, name)) continue;
    const next = bytes[after];
    if (after === end || next === PLUS || next === DOT || next === QUOTE || next! <= SPACE)
      return i;
  }
  return 0;
}
