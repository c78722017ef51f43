import type { SiteCost, SiteCosts } from "../costs/site-costs.ts";
import type { CalibrationResult, Fit, Load } from "./calibration.ts";

/** Range of a fit that has no interval: so much lower and higher is thought possible. */
const ASSUMED_RANGE = 1.5;

/**
 * The fits of one load as a site's own cost table (`--costs`). Of two fits of one constant the first is taken:
 * those with an interval come first. Undefined where nothing was fitted under that load.
 * @param date of the measurements: a year, or year and month.
 */
export function siteCostsOf(
  result: CalibrationResult,
  load: Load,
  about: { readonly measuredOn: string; readonly date: string },
): SiteCosts | undefined {
  const own = result.fits.filter((fit) => fit.load === load);
  const byName = new Map<string, Fit>();
  for (const fit of [...own].sort(
    (a, b) => Number(a.lowNs === undefined) - Number(b.lowNs === undefined),
  )) {
    if (!byName.has(fit.constant)) byName.set(fit.constant, fit);
  }
  if (byName.size === 0) return undefined;
  return { calibration: load, costs: [...byName.values()].map((fit) => siteCost(fit, about)) };
}

function siteCost(
  fit: Fit,
  about: { readonly measuredOn: string; readonly date: string },
): SiteCost {
  const { valueNs, lowNs, highNs } = fit;
  const isAssumed = lowNs === undefined || highNs === undefined;
  return {
    name: fit.constant,
    unit: "ns",
    // The interval is of the slope's own: a value outside would be a mistake of the fit.
    low: Math.min(valueNs, lowNs ?? valueNs / ASSUMED_RANGE),
    mode: valueNs,
    high: Math.max(valueNs, highNs ?? valueNs * ASSUMED_RANGE),
    measuredOn: about.measuredOn,
    source: `calibrated: ${fit.method}${isAssumed ? `; range assumed (÷ and × ${ASSUMED_RANGE}): too few points for one` : ""}`,
    date: about.date,
  };
}
