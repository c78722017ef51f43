import { flushCosts, type FlushCosts } from "../costs/contention.ts";
import type { CostName, CostTable } from "../costs/cost-table.ts";
import type { PrimitiveCall } from "../tlbi/instructions.ts";
import { PRIMITIVES, Primitive, type PrimitiveName } from "../tlbi/primitives.ts";
import { costsOfDraw, drawAll } from "./draws.ts";

/** Draws behind one price. */
export const PRICE_DRAWS = 1000;

/** Calls of one primitive that have no price, and why. */
export interface UnpricedCalls {
  readonly primitive: PrimitiveName;
  readonly calls: number;
  readonly because: string;
}

/** What calls cost, had they been issued one after the other; refills of TLBs are not in it. */
export interface FlushPrice {
  readonly pricedCalls: number;
  readonly unpriced: readonly UnpricedCalls[];
  /** Seconds of the priced calls, draw by draw. */
  readonly seconds: Float64Array;
}

/** Constants that `flushCosts` reads. */
const USED: ReadonlySet<CostName> = new Set<CostName>([
  "t_ipa",
  "t_vmid",
  "t_rng",
  "kappa",
  "s_broadcast",
  "repeat_factor",
]);

const NO_PRICE: Readonly<Partial<Record<PrimitiveName, string>>> = {
  IPA_LOCAL: "it stays on its CPU, and no cost of that is published",
  CPU: "it stays on its CPU, and no cost of that is published",
  ALL: "no cost of a flush of all VMIDs is published",
};
const PAGE_BY_PAGE = "its ranges are flushed page by page, and no cost of that is published";

/**
 * Prices flushes with the constants of one calibration. Every pricer of the same table and seed draws the same
 * constants, so that differences between two policies are paired.
 */
export class FlushPricer {
  readonly table: CostTable;
  readonly seed: number;
  readonly #plain: readonly FlushCosts[];
  readonly #repeated: readonly FlushCosts[];

  constructor(table: CostTable, seed: number) {
    this.table = table;
    this.seed = seed;
    // Each constant has a stream of its own: without the others its draws are the same.
    const used = { ...table, costs: table.costs.filter(({ name }) => USED.has(name)) };
    const draws = drawAll(used, {}, PRICE_DRAWS, seed);
    const values: Record<string, number> = {};
    const costs = (repeats: boolean): readonly FlushCosts[] =>
      Array.from({ length: PRICE_DRAWS }, (_, i) =>
        flushCosts(costsOfDraw(draws, i, values), repeats),
      );
    this.#plain = costs(false);
    this.#repeated = costs(true);
  }

  /** Seconds of so many calls, draw by draw. */
  seconds(ipa: number, vmid: number, range: number, repeats: boolean): Float64Array {
    const costs = repeats ? this.#repeated : this.#plain;
    return Float64Array.from(
      costs,
      (one) => ipa * one.ipaS + vmid * one.vmidS + range * one.rangeS,
    );
  }

  /**
   * @param call how the policy's calls become instructions.
   * @param calls by primitive, in the order of PRIMITIVES.
   */
  price(call: PrimitiveCall, calls: ArrayLike<number>): FlushPrice {
    const unpriced: UnpricedCalls[] = [];
    let pricedCalls = 0;
    const priced = PRIMITIVES.map((primitive, code) => {
      const count = calls[code]!;
      const because =
        code === Primitive.RANGE && call.singlesOnly === true ? PAGE_BY_PAGE : NO_PRICE[primitive];
      if (because === undefined) pricedCalls += count;
      else if (count > 0) unpriced.push({ primitive, calls: count, because });
      return because === undefined ? count : 0;
    });
    const repeats = (call.repeatTlbi ?? "none") !== "none";
    const [ipa, vmid, range] = [
      priced[Primitive.IPA]!,
      priced[Primitive.VM]!,
      priced[Primitive.RANGE]!,
    ];
    return { pricedCalls, unpriced, seconds: this.seconds(ipa, vmid, range, repeats) };
  }
}
