import type { CalibratedConstant, Fit, FitPoint, Load } from "./calibration.ts";
import { medianRatio, type Point, relativeResidual, theilSenLine } from "./robust-line.ts";

export interface LabelledPoint extends Point {
  readonly label: string;
}

/**
 * Cost of one unit of work, from times of different amounts of it: the slope where the amounts differ, which
 * leaves what every run pays out; else the median of time over work, which has that in it. Undefined without
 * a point, or where more work took less time.
 * @param points x: amount, y: ns. @param unit of x, in words.
 */
export function fitOf(
  constant: CalibratedConstant,
  load: Load,
  points: readonly LabelledPoint[],
  unit: string,
  warnings: readonly string[] = [],
): Fit | undefined {
  const line = theilSenLine(points);
  if (line !== undefined) {
    if (!(line.slope > 0)) return undefined;
    const fitted = points.map(({ x }) => line.offset + line.slope * x);
    const few = line.low === undefined ? [`${points.length} points: too few for an interval`] : [];
    return {
      constant,
      load,
      valueNs: line.slope,
      // Noise may bend the interval below nothing: no cost is negative.
      lowNs: line.low === undefined ? undefined : Math.max(0, line.low),
      highNs: line.high,
      method: `Theil–Sen line: time = offset + value · ${unit}`,
      points: fitPoints(points, fitted),
      relativeResidual: points.length > 2 ? relativeResidual(points, fitted) : undefined,
      warnings: [...warnings, ...few],
    };
  }
  const ratio = medianRatio(points);
  if (ratio === undefined || !(ratio.ratio > 0)) return undefined;
  const fitted = points.map(({ x }) => ratio.ratio * x);
  return {
    constant,
    load,
    valueNs: ratio.ratio,
    lowNs: undefined,
    highNs: undefined,
    method: `median of time / ${unit}`,
    points: fitPoints(points, fitted),
    relativeResidual: points.length > 1 ? relativeResidual(points, fitted) : undefined,
    warnings: [
      ...warnings,
      `all runs are of one size: what every run pays is in the value (runs of other sizes would take it out)`,
    ],
  };
}

export function fitPoints(
  points: readonly LabelledPoint[],
  fitted: readonly number[],
): readonly FitPoint[] {
  return points.map(({ label, x, y }, at) => ({ label, x, yNs: y, fittedNs: fitted[at]! }));
}
