import type { RecordedCalls } from "../operations/recorded-calls.ts";
import { Certainty, type FlushQueue, UNKNOWN_LEVEL } from "../policies/flush-queue.ts";
import { PRIMITIVES, Primitive } from "../tlbi/primitives.ts";

/**
 * Pairs the calls that a policy predicts inside one operation with those recorded in it, in order. A
 * pair agrees in primitive, stage-2 context and range (of an IPA: its page). Level hints are compared
 * apart, because they change an operand but not what is called.
 *
 * Where order is broken, the prediction is searched a little ahead; what is skipped is spurious, what
 * is found nowhere is missed. Calls that were predicted "at most n times" absorb recorded ones of
 * their primitive as unknown.
 */
export interface AlignmentReport {
  /** By primitive code. */
  readonly matched: Float64Array;
  readonly missed: Float64Array;
  readonly spurious: Float64Array;
  readonly unknown: Float64Array;
  /** Pairs that agree but for the level hint. */
  hintMismatches: number;
  /** Of the calls that count only if the root is higher than assumed: how many were recorded. */
  conditionalMatched: number;
}

/** Told of each call that found no partner. */
export interface MismatchListener {
  missed(primitive: number, page: number, pages: number, level: number, line: number): void;
  spurious(primitive: number, page: number, pages: number, level: number, count: number): void;
}

/** How many predicted runs are searched for a recorded call before it counts as missed. */
const LOOK_AHEAD_RUNS = 256;

export class Aligner {
  readonly report: AlignmentReport = {
    matched: new Float64Array(PRIMITIVES.length),
    missed: new Float64Array(PRIMITIVES.length),
    spurious: new Float64Array(PRIMITIVES.length),
    unknown: new Float64Array(PRIMITIVES.length),
    hintMismatches: 0,
    conditionalMatched: 0,
  };
  readonly #allowance = new Float64Array(PRIMITIVES.length);
  /** Position in the prediction: run and call inside it. */
  #run = 0;
  #call = 0;

  /**
   * Compares and fills `report`. `isOwn(mmu)`: does the recorded pointer name the operation's context?
   * `includeConditional`: take the calls marked ifRootIsHigher as issued.
   */
  align(
    predicted: FlushQueue,
    recorded: RecordedCalls,
    contextMmu: number,
    includeConditional: boolean,
    listener: MismatchListener | undefined,
  ): void {
    this.#reset(predicted);
    for (let at = 0; at < recorded.length; at += 1) {
      this.#skipUncounted(predicted, includeConditional);
      const primitive = recorded.primitive[at]!;
      const inContext =
        recorded.mmu[at] === 0 || contextMmu === 0 || recorded.mmu[at] === contextMmu;
      if (inContext && this.#isNext(predicted, recorded, at)) {
        this.#take(predicted, recorded, at);
      } else if (this.#allowance[primitive]! > 0) {
        this.#allowance[primitive]! -= 1;
        this.report.unknown[primitive]! += 1;
      } else if (inContext && this.#seek(predicted, recorded, at, includeConditional, listener)) {
        this.#take(predicted, recorded, at);
      } else {
        this.report.missed[primitive]! += 1;
        listener?.missed(
          primitive,
          recorded.page[at]!,
          recorded.pages[at]!,
          recorded.level[at]!,
          recorded.line[at]!,
        );
      }
    }
    this.#skipTo(predicted, predicted.length, 0, includeConditional, listener);
  }

  /** Does the prediction agree with what was recorded, call by call? */
  get isPerfect(): boolean {
    return this.report.missed.every((n) => n === 0) && this.report.spurious.every((n) => n === 0);
  }

  #reset(predicted: FlushQueue): void {
    const { report } = this;
    for (const counts of [report.matched, report.missed, report.spurious, report.unknown]) {
      counts.fill(0);
    }
    report.hintMismatches = 0;
    report.conditionalMatched = 0;
    this.#allowance.fill(0);
    this.#run = 0;
    this.#call = 0;
    for (let run = 0; run < predicted.length; run += 1) {
      if (predicted.certainty[run] === Certainty.atMost) {
        this.#allowance[predicted.primitive[run]!]! += predicted.count[run]!;
      }
    }
  }

  #isCounted(predicted: FlushQueue, run: number, includeConditional: boolean): boolean {
    const certainty = predicted.certainty[run];
    if (certainty === Certainty.ifRootIsHigher) return includeConditional;
    return certainty === Certainty.certain;
  }

  #skipUncounted(predicted: FlushQueue, includeConditional: boolean): void {
    while (
      this.#run < predicted.length &&
      !this.#isCounted(predicted, this.#run, includeConditional)
    ) {
      this.#run += 1;
      this.#call = 0;
    }
  }

  #isNext(predicted: FlushQueue, recorded: RecordedCalls, at: number): boolean {
    return this.#agrees(predicted, recorded, at, this.#run, this.#call) === this.#call;
  }

  /** Index of the call of a run, from `firstCall` on, that a recorded one agrees with; -1: none. */
  #agrees(
    predicted: FlushQueue,
    recorded: RecordedCalls,
    at: number,
    run: number,
    firstCall: number,
  ): number {
    if (run >= predicted.length || predicted.primitive[run] !== recorded.primitive[at]) return -1;
    const primitive = recorded.primitive[at];
    if (primitive === Primitive.VM)
      return namesAgree(predicted, recorded, at, run) ? firstCall : -1;
    if (primitive === Primitive.RANGE && predicted.pages[run] !== recorded.pages[at]) return -1;
    const distance = recorded.page[at]! - predicted.page[run]!;
    const stride = predicted.stride[run]!;
    if (stride === 0) return distance === 0 || predicted.count[run]! > 1 ? firstCall : -1;
    // Only a run's first call may lie inside its entry; the others are aligned to the stride.
    const call = distance === 0 ? 0 : Math.ceil(distance / stride);
    if (call < firstCall || call >= predicted.count[run]!) return -1;
    const page = call === 0 ? predicted.page[run]! : alignedPage(predicted, run, call);
    return page === recorded.page[at] ? call : -1;
  }

  #take(predicted: FlushQueue, recorded: RecordedCalls, at: number): void {
    const primitive = recorded.primitive[at]!;
    this.report.matched[primitive]! += 1;
    if (predicted.certainty[this.#run] === Certainty.ifRootIsHigher) {
      this.report.conditionalMatched += 1;
    }
    const level = predicted.level[this.#run]!;
    const hasHint = primitive === Primitive.IPA || primitive === Primitive.IPA_LOCAL;
    if (hasHint && level !== UNKNOWN_LEVEL && level !== recorded.level[at]) {
      this.report.hintMismatches += 1;
    }
    this.#call += 1;
    if (this.#call >= predicted.count[this.#run]!) {
      this.#run += 1;
      this.#call = 0;
    }
  }

  /** Moves to a later predicted call that agrees with the recorded one, if there is one near. */
  #seek(
    predicted: FlushQueue,
    recorded: RecordedCalls,
    at: number,
    includeConditional: boolean,
    listener: MismatchListener | undefined,
  ): boolean {
    const lastRun = Math.min(predicted.length, this.#run + LOOK_AHEAD_RUNS);
    for (let run = this.#run; run < lastRun; run += 1) {
      if (!this.#isCounted(predicted, run, includeConditional)) continue;
      const call = this.#agrees(predicted, recorded, at, run, run === this.#run ? this.#call : 0);
      if (call < 0) continue;
      this.#skipTo(predicted, run, call, includeConditional, listener);
      return true;
    }
    return false;
  }

  #skipTo(
    predicted: FlushQueue,
    run: number,
    call: number,
    includeConditional: boolean,
    listener: MismatchListener | undefined,
  ): void {
    while (this.#run < run || (this.#run === run && this.#call < call)) {
      const end = this.#run < run ? predicted.count[this.#run]! : call;
      const skipped = end - this.#call;
      if (skipped > 0 && this.#isCounted(predicted, this.#run, includeConditional)) {
        const primitive = predicted.primitive[this.#run]!;
        this.report.spurious[primitive]! += skipped;
        listener?.spurious(
          primitive,
          this.#call === 0
            ? predicted.page[this.#run]!
            : alignedPage(predicted, this.#run, this.#call),
          predicted.pages[this.#run]!,
          predicted.level[this.#run]!,
          skipped,
        );
      }
      if (this.#run < run) {
        this.#run += 1;
        this.#call = 0;
      } else {
        this.#call = call;
      }
    }
  }
}

/** On x86 a flush of the whole VM may have been asked for by a range: two that name one name the same. */
function namesAgree(
  predicted: FlushQueue,
  recorded: RecordedCalls,
  at: number,
  run: number,
): boolean {
  if (predicted.pages[run] === 0 || recorded.pages[at] === 0) return true;
  return predicted.pages[run] === recorded.pages[at] && predicted.page[run] === recorded.page[at];
}

/** Page of a later call of a run: entries of the level, the first of which may be entered in its middle. */
export function alignedPage(queue: FlushQueue, run: number, call: number): number {
  const stride = queue.stride[run]!;
  const first = queue.page[run]!;
  return stride === 0 ? first : first - (first % stride) + call * stride;
}
