import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type RateRegion, rateTable } from "../../ingest/accesses/statistics/rate-table.ts";
import { characteristicOf } from "../tlb/closed-form.ts";
import { RateSampler, ratesOfPages } from "./rate-sampler.ts";
import { deviationOf } from "./testing/chi-square.ts";

const ABOUT = { unit: "accesses/s", address: "va", spaces: ["a", "b"], notes: [] } as const;

describe("a sampler of rates", () => {
  it("holds exactly the probabilities of its regions", () => {
    const rate = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    const region = fc.record({ lenPages: fc.integer({ min: 1, max: 1000 }), ratePerPage: rate });
    fc.assert(
      fc.property(fc.array(region, { minLength: 1, maxLength: 40 }), (list) => {
        const regions = list.map(
          (own, i): RateRegion => ({ space: 0, firstPage: i * 1000, ...own }),
        );
        const sampler = new RateSampler(rateTable(regions, ABOUT), 1);
        const total = regions.reduce((sum, own) => sum + own.lenPages * own.ratePerPage, 0);
        for (const [i, own] of regions.entries()) {
          const expected = (own.lenPages * own.ratePerPage) / total;
          expect(Math.abs(sampler.probabilityOf(i) - expected)).toBeLessThan(1e-12);
        }
      }),
    );
  });

  it("gives pages by their rates, in their spaces", () => {
    const table = rateTable(
      [
        { space: 1, firstPage: 100, lenPages: 1, ratePerPage: 5 },
        { space: 0, firstPage: 10, lenPages: 4, ratePerPage: 1 },
        { space: 0, firstPage: 20, lenPages: 1, ratePerPage: 0 },
        { space: 0, firstPage: 30, lenPages: 2, ratePerPage: 3 },
      ],
      ABOUT,
    );
    const sampler = new RateSampler(table, 7);
    expect(sampler.totalRate).toBe(15);
    const names = ["0:10", "0:11", "0:12", "0:13", "0:30", "0:31", "1:100"];
    const rates = [1, 1, 1, 1, 3, 3, 5];
    const counts = new Float64Array(names.length);
    const draws = 150_000;
    for (let i = 0; i < draws; i += 1) {
      const page = sampler.nextPage();
      counts[names.indexOf(`${sampler.space}:${page}`)]! += 1;
    }
    expect(
      deviationOf(
        counts,
        rates.map((rate) => (rate / 15) * draws),
      ),
    ).toBeLessThan(4);
    expect(ratesOfPages(table)).toEqual(Float64Array.of(1, 1, 1, 1, 3, 3, 5));
    const pages = (seed: number): readonly number[] => {
      const own = new RateSampler(table, seed);
      return Array.from({ length: 20 }, () => own.nextPage());
    };
    expect(pages(3)).toEqual(pages(3));
    expect(pages(3)).not.toEqual(pages(4));
  });

  it("makes a stream whose misses the closed form foretells", () => {
    const regions = Array.from({ length: 64 }, (_, i): RateRegion => {
      return { space: 0, firstPage: i * 64, lenPages: 64, ratePerPage: 1 / (i + 1) };
    });
    const table = rateTable(regions, ABOUT);
    const sampler = new RateSampler(table, 5);
    const entries = 1024;
    const order = new Map<number, true>();
    const draws = 300_000;
    let misses = 0;
    for (let i = 0; i < draws; i += 1) {
      const page = sampler.nextPage();
      if (!order.delete(page) && i > draws / 2) misses += 1;
      order.set(page, true);
      if (order.size > entries) order.delete(order.keys().next().value!);
    }
    const { missRatio } = characteristicOf(ratesOfPages(table), entries);
    expect(Math.abs(misses / (draws / 2) / missRatio - 1)).toBeLessThan(0.03);
  });

  it("refuses tables that say nothing or too much", () => {
    expect(() => new RateSampler(rateTable([], ABOUT), 1)).toThrow(RangeError);
    const huge = { space: 0, firstPage: 0, lenPages: 2 ** 25, ratePerPage: 1 };
    expect(() => ratesOfPages(rateTable([huge], ABOUT))).toThrow(RangeError);
    expect(new RateSampler(rateTable([huge], ABOUT), 1).nextPage()).toBeLessThan(2 ** 25);
  });
});
