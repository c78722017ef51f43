import { UNKNOWN_LEVEL } from "../policies/flush-queue.ts";
import type { Agreement } from "../results.ts";
import { PRIMITIVES, type PrimitiveName, Primitive } from "../tlbi/primitives.ts";
import type { AlignmentReport, MismatchListener } from "./alignment.ts";

/** One call that found no partner; the first of a trace are kept. */
export interface Mismatch {
  readonly kind: "missed" | "spurious";
  readonly primitive: PrimitiveName;
  /** Line of the recorded call, or of the operation that should have issued it. */
  readonly line: number;
  readonly detail: string;
}

const MAX_MISMATCHES = 64;

/** Where an operation begins. */
export interface AtLine {
  readonly line: number;
}

/** Agreement of one policy with the recorded calls, summed over a trace. */
export class AgreementTally implements MismatchListener {
  readonly policy: string;
  readonly mismatches: Mismatch[] = [];
  hintMismatches = 0;
  readonly #matched = new Float64Array(PRIMITIVES.length);
  readonly #missed = new Float64Array(PRIMITIVES.length);
  readonly #spurious = new Float64Array(PRIMITIVES.length);
  readonly #unknown = new Float64Array(PRIMITIVES.length);
  #task: AtLine | undefined;
  #isCut = false;
  #isBegunBefore = false;

  constructor(policy: string) {
    this.policy = policy;
  }

  /**
   * This tally, told which operation the next mismatches belong to.
   * @param isCut the operation's end is not in the trace, so nothing counts as spurious.
   * @param isBegunBefore its beginning is not, so nothing that was recorded counts as missed, either.
   */
  listenFor(task: AtLine, isCut = false, isBegunBefore = false): MismatchListener {
    this.#task = task;
    this.#isCut = isCut || isBegunBefore;
    this.#isBegunBefore = isBegunBefore;
    return this;
  }

  /** What the operation came to that `listenFor` was told of. */
  add(report: AlignmentReport): void {
    this.hintMismatches += report.hintMismatches;
    for (let p = 0; p < PRIMITIVES.length; p += 1) {
      this.#matched[p]! += report.matched[p]!;
      if (this.#isBegunBefore) this.#unknown[p]! += report.missed[p]!;
      else this.#missed[p]! += report.missed[p]!;
      if (!this.#isCut) this.#spurious[p]! += report.spurious[p]!;
      this.#unknown[p]! += report.unknown[p]!;
    }
  }

  /** A recorded call that no operation in the trace explains. */
  addLoose(
    primitive: number,
    page: number,
    pages: number,
    line: number,
    outcome: "matched" | "missed" | "spurious" | "unknown",
  ): void {
    if (outcome === "matched") this.#matched[primitive]! += 1;
    else if (outcome === "unknown") this.#unknown[primitive]! += 1;
    else if (outcome === "spurious") {
      this.#spurious[primitive]! += 1;
      this.#keep("spurious", primitive, line, `no ${PRIMITIVES[primitive]!} was recorded here`);
    } else {
      this.#missed[primitive]! += 1;
      this.#keep("missed", primitive, line, describe(primitive, page, pages, UNKNOWN_LEVEL));
    }
  }

  missed(primitive: number, page: number, pages: number, level: number, line: number): void {
    if (this.#isBegunBefore) return;
    this.#keep("missed", primitive, line, describe(primitive, page, pages, level));
  }

  spurious(primitive: number, page: number, pages: number, level: number, count: number): void {
    if (this.#isCut) return;
    const times = count > 1 ? `${count} × ` : "";
    const detail = times + describe(primitive, page, pages, level);
    this.#keep("spurious", primitive, this.#task?.line ?? 0, detail);
  }

  /** Sums over VM, IPA, IPA_LOCAL and RANGE: what the page-table paths issue. */
  totals(): { matched: number; missed: number; spurious: number; unknown: number } {
    return {
      matched: sumOfPaths(this.#matched),
      missed: sumOfPaths(this.#missed),
      spurious: sumOfPaths(this.#spurious),
      unknown: sumOfPaths(this.#unknown),
    };
  }

  /**
   * Agreement for one primitive. Without probes (`recorded` false) nothing was compared: what was
   * predicted is neither confirmed nor refuted.
   */
  agreement(primitive: number, predicted: number, recorded: boolean): Agreement {
    if (!recorded) {
      return { predicted, recorded: null, matched: 0, missed: 0, spurious: 0, unknown: predicted };
    }
    const matched = this.#matched[primitive]!;
    const missed = this.#missed[primitive]!;
    const unknown = this.#unknown[primitive]!;
    return {
      predicted,
      recorded: matched + missed + unknown,
      matched,
      missed,
      spurious: this.#spurious[primitive]!,
      unknown,
    };
  }

  #keep(kind: "missed" | "spurious", primitive: number, line: number, detail: string): void {
    if (this.mismatches.length >= MAX_MISMATCHES) return;
    this.mismatches.push({ kind, primitive: PRIMITIVES[primitive]!, line, detail });
  }
}

function sumOfPaths(counts: Float64Array): number {
  let total = 0;
  for (let p = 0; p <= Primitive.RANGE; p += 1) total += counts[p]!;
  return total;
}

function describe(primitive: number, page: number, pages: number, level: number): string {
  const name = PRIMITIVES[primitive]!;
  if (name === "RANGE") return `RANGE of ${pages} pages from page 0x${page.toString(16)}`;
  if (name === "IPA" || name === "IPA_LOCAL") {
    const hint = level === UNKNOWN_LEVEL ? "" : `, level argument ${level}`;
    return `${name} at page 0x${page.toString(16)}${hint}`;
  }
  return pages > 0 ? `${name}, asked for ${pages} pages from page 0x${page.toString(16)}` : name;
}
