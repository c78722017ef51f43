import type { Access } from "../access.ts";
import { type MissCurveRow, missCurveRows, PairedDepths } from "../miss-curve.ts";
import type { PageKeys } from "../page-keys.ts";
import type { Hypothesis } from "../shape.ts";
import { type Lane, MODELLED_VMS } from "./lane.ts";
import { type CurveSpec, LaneStacks } from "./lane-stacks.ts";

/** Largest fully associative TLB that is asked about, and most ways of the second level's sets. */
export const MOST_ENTRIES = 4096;
const MOST_WAYS = 16;

/**
 * Hypotheses with a curve of their own. Under the minimum combined entries die as under `combined`: every
 * primitive of KVM ends with an operation on all stage-1 information of the VM.
 */
const HAVE_CURVES: readonly Hypothesis[] = ["combined", "over-invalidating"];

/** Weighted accesses of one lane, and what separates them from the paired run. */
interface Followed {
  readonly lane: Lane;
  readonly at: number;
  readonly stacks: LaneStacks;
  readonly sizeHits: Float64Array;
  readonly wayHits: Float64Array;
  readonly sizes: PairedDepths;
  readonly ways: PairedDepths;
}

/**
 * Refills against TLB size on the visits of one world, exact for every size: arrays of combined entries,
 * one page or block each, LRU, without levels. Each visit counts for as many as its episode stands for.
 */
export class CurveRecorder {
  readonly spec: CurveSpec;
  #accesses = 0;
  readonly #keys: PageKeys;
  readonly #spanShift: number;
  readonly #exact: LaneStacks;
  readonly #followed: readonly Followed[];

  /** @param exact the lane of hardware that drops exactly what changed. */
  constructor(
    lanes: readonly Lane[],
    exact: Lane,
    keys: PageKeys,
    spanShift: number,
    sets: number,
  ) {
    this.spec = { maxSize: MOST_ENTRIES, sets, maxWays: MOST_WAYS };
    this.#keys = keys;
    this.#spanShift = spanShift;
    const stacks = (emptiesAll: boolean): LaneStacks =>
      new LaneStacks(this.spec, keys, spanShift, MODELLED_VMS, emptiesAll);
    this.#exact = stacks(false);
    exact.stacks = this.#exact;
    this.#followed = lanes.flatMap((lane, at) => {
      if (!HAVE_CURVES.includes(lane.hypothesis)) return [];
      lane.stacks = stacks(lane.hypothesis === "over-invalidating");
      return [
        {
          lane,
          at,
          stacks: lane.stacks,
          sizeHits: new Float64Array(MOST_ENTRIES + 1),
          wayHits: new Float64Array(MOST_WAYS + 1),
          sizes: new PairedDepths(MOST_ENTRIES),
          ways: new PairedDepths(MOST_WAYS),
        },
      ];
    });
  }

  /**
   * One visit, which stands for `weight`.
   * @param previous number of the page's last visit on that PE, −1 for none.
   * @param healed the lanes counted as warm behind that visit.
   */
  record(slot: number, use: Access, weight: number, previous: number, healed: number): void {
    const { vm, vaSpace, vaPage } = use;
    const size = Math.min(use.stage1Class, use.stage2Class);
    const page = size === 0 ? vaPage : Math.floor(vaPage / 2 ** (size * this.#spanShift));
    const key = this.#keys.keyOf(vaSpace, size, page);
    const exact = this.#exact;
    exact.access(slot, key, vm);
    this.#accesses += weight;
    for (const { lane, stacks, sizeHits, wayHits, sizes, ways } of this.#followed) {
      stacks.access(slot, key, vm);
      let { sizeDepth, wayDepth } = stacks;
      if (sizeDepth !== exact.sizeDepth || wayDepth !== exact.wayDepth) {
        // Lost in a time that was left out: it was refilled there.
        if (healed > previous && lane.marks(slot).pathAfter(healed, vm) < 0) {
          ({ sizeDepth, wayDepth } = exact);
        }
        sizes.add(exact.sizeDepth, sizeDepth, weight);
        ways.add(exact.wayDepth, wayDepth, weight);
      }
      sizeHits[sizeDepth]! += weight;
      wayHits[wayDepth]! += weight;
    }
  }

  /** Policies in order, then hypotheses, then sets, then entries. @param policies as the lanes have them. */
  rows(policies: readonly string[]): readonly MissCurveRow[] {
    const accesses = this.#accesses;
    return policies.flatMap((policy, index) =>
      this.#followed
        .filter(({ at }) => at % policies.length === index)
        .flatMap(({ lane: { hypothesis }, sizeHits, wayHits, sizes, ways }) => {
          const bySize = { accesses, hitsAtDepth: sizeHits };
          const byWays = { accesses, hitsAtDepth: wayHits };
          return [
            ...missCurveRows({ policy, hypothesis, sets: 1 }, bySize, sizes),
            ...(this.spec.sets === 1
              ? []
              : missCurveRows({ policy, hypothesis, sets: this.spec.sets }, byWays, ways)),
          ];
        }),
    );
  }
}
