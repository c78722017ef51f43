import type { CalibrationResult } from "../../replay/calibrate/calibration.ts";
import type { ToolIdentity } from "../tool.ts";

/** `downtime calibrate --format json`: fits with their points and residuals, and what was not fitted. */
export function calibrationJson(result: CalibrationResult, tool: ToolIdentity): string {
  const fits = result.fits.map((fit) => ({
    constant: fit.constant,
    load: fit.load,
    unit: "ns",
    value: fit.valueNs,
    p5: fit.lowNs ?? null,
    p95: fit.highNs ?? null,
    method: fit.method,
    relative_residual: fit.relativeResidual ?? null,
    points: fit.points.map(({ label, x, yNs, fittedNs }) => ({
      label,
      x,
      measured_ns: yNs,
      fitted_ns: fittedNs,
    })),
    warnings: fit.warnings,
  }));
  const { notFitted, inputs, notes } = result;
  return `${JSON.stringify({ tool, schema_version: 1, fits, not_fitted: notFitted, inputs, notes }, null, 2)}\n`;
}
