import type { Estimate } from "../../replay/migration/estimate-types.ts";
import type { Interval } from "../../replay/migration/intervals.ts";
import { QUANTITIES, type QuantityId } from "../../replay/migration/quantities.ts";
import { durationRangeText, durationText, twoFigures } from "../../replay/migration/significant.ts";

/** A value of a quantity with its unit, two figures. */
export function valueText(quantity: QuantityId, value: number): string {
  if (QUANTITIES[quantity].unit === "s") return durationText(value);
  return `${twoFigures(value)} vCPU·s`;
}

/** `290 ms [260 to 610]`: median, 5 % and 95 %. */
export function intervalText(quantity: QuantityId, interval: Interval): string {
  if (QUANTITIES[quantity].unit === "s") return durationRangeText(interval);
  const [low, middle, high] = [interval.p5, interval.p50, interval.p95].map(twoFigures);
  return `${middle} vCPU·s [${low} to ${high}]`;
}

/** Never a bare number: an interval, bounds, or a dash whose reason stands below the table. */
export function estimateText({ quantity, interval, bounds }: Estimate): string {
  if (interval !== undefined) {
    const some = interval.values < interval.of ? ` in ${shareText(interval)} of draws` : "";
    return intervalText(quantity, interval) + some;
  }
  if (bounds === undefined) return "–";
  const low = valueText(quantity, bounds.low);
  return bounds.high === undefined
    ? `at least ${low}`
    : `${low} to ${valueText(quantity, bounds.high)} (bounds)`;
}

export function shareText({ values, of }: Interval): string {
  return percentText(values / of);
}

/** Whole percents, and `<1 %` or `>99 %` rather than a 0 or 100 that is not one. */
export function percentText(share: number): string {
  const percent = Math.round(share * 100);
  if (percent === 0 && share > 0) return "<1 %";
  if (percent === 100 && share < 1) return ">99 %";
  return `${percent} %`;
}

/** `206 GB`: what links carry is counted in decimal units. */
export function bytesText(bytes: number): string {
  const steps = [
    [1e12, "TB"],
    [1e9, "GB"],
    [1e6, "MB"],
    [1e3, "kB"],
  ] as const;
  const [step, unit] = steps.find(([least]) => bytes >= least) ?? [1, "B"];
  return `${Number((bytes / step).toPrecision(3))} ${unit}`;
}
