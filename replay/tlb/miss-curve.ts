import type { Hypothesis } from "./shape.ts";

/**
 * What separates two runs on the same accesses, for every size at once. A run says of each access the
 * smallest size that holds it (`AllSizes.access`, `AllWays.access`; 0: none). A size holds what any
 * smaller one holds, so an access is a refill at just those sizes that hold it in the run without the
 * policy's flushes and not in the one with them: one step up and one down.
 */
export class PairedDepths {
  private readonly refillSteps: Float64Array;
  private readonly avoidedSteps: Float64Array;
  private readonly max: number;

  /** @param max largest size, or number of ways. */
  constructor(max: number) {
    this.max = max;
    this.refillSteps = new Float64Array(max + 2);
    this.avoidedSteps = new Float64Array(max + 2);
  }

  /** One access, or `weight` alike: the smallest size that holds it in the paired run, and under the policy. */
  add(paired: number, policy: number, weight = 1): void {
    const least = paired === 0 ? this.max + 1 : paired;
    const needed = policy === 0 ? this.max + 1 : policy;
    if (least === needed) return;
    const steps = least < needed ? this.refillSteps : this.avoidedSteps;
    steps[Math.min(least, needed)]! += weight;
    steps[Math.max(least, needed)]! -= weight;
  }

  /** Accesses that hit in the paired run and miss under the policy; index: the size. */
  refillsBySize(): Float64Array {
    return runningSums(this.refillSteps);
  }

  /**
   * Accesses that miss in the paired run and hit under the policy: what a flush frees takes in a
   * translation without putting out another, which is there when it is used again. Index: the size.
   */
  avoidedBySize(): Float64Array {
    return runningSums(this.avoidedSteps);
  }
}

/** One size of one policy's curve. misses = misses of the paired run + refills − avoided. */
export interface MissCurveRow {
  readonly policy: string;
  readonly hypothesis: Hypothesis;
  /** 1: fully associative. */
  readonly sets: number;
  readonly entries: number;
  readonly accesses: number;
  readonly misses: number;
  readonly refills: number;
  readonly avoided: number;
}

/** One run over all sizes: an `AllSizes`, or an `AllWays`. */
export interface Curve {
  readonly accesses: number;
  /** Index: the smallest size, or number of ways, that holds an access; 0: none. */
  readonly hitsAtDepth: Float64Array;
}

/** Rows for the sizes 1…max of a run, smallest first. `sets` is 1 for `AllSizes`. */
export function missCurveRows(
  of: { readonly policy: string; readonly hypothesis: Hypothesis; readonly sets: number },
  curve: Curve,
  pairs: PairedDepths,
): readonly MissCurveRow[] {
  const rows: MissCurveRow[] = [];
  const refills = pairs.refillsBySize();
  const avoided = pairs.avoidedBySize();
  let misses = curve.accesses;
  for (let depth = 1; depth < curve.hitsAtDepth.length; depth += 1) {
    misses -= curve.hitsAtDepth[depth]!;
    rows.push({
      policy: of.policy,
      hypothesis: of.hypothesis,
      sets: of.sets,
      entries: of.sets * depth,
      accesses: curve.accesses,
      misses,
      refills: refills[depth]!,
      avoided: avoided[depth]!,
    });
  }
  return rows;
}

function runningSums(steps: Float64Array): Float64Array {
  let sum = 0;
  return steps.map((step) => {
    sum += step;
    return sum;
  });
}
