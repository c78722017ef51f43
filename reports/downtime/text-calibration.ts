import type { CalibrationResult, Fit } from "../../replay/calibrate/calibration.ts";
import { durationText } from "../../replay/migration/significant.ts";
import { formatTable, type TableColumn, type TerminalOptions, visible } from "../terminal.ts";

/** Fitted constants, each with its points and residuals; then those that the measurements do not determine. */
export function formatCalibration(result: CalibrationResult, options: TerminalOptions): string {
  const columns: readonly TableColumn[] = [
    { header: "constant", align: "left", key: true },
    { header: "load", align: "left" },
    { header: "value", align: "right" },
    { header: "90 %", align: "left" },
    { header: "residual", align: "right" },
    { header: "points", align: "right" },
    { header: "method", align: "left" },
  ];
  const rows = result.fits.map((fit) => [
    fit.constant,
    fit.load,
    ns(fit.valueNs),
    fit.lowNs === undefined || fit.highNs === undefined
      ? "too few points"
      : `${ns(fit.lowNs)} to ${ns(fit.highNs)}`,
    fit.relativeResidual === undefined ? "–" : `${(fit.relativeResidual * 100).toFixed(1)} %`,
    String(fit.points.length),
    fit.method,
  ]);
  const none = result.notFitted.map(
    ({ constant, because }) => `  ${constant}: ${visible(because)}\n`,
  );
  const read = result.inputs.map(({ name, kind, vcpus, leftOut }) => {
    const known = vcpus === undefined ? "" : `, ${vcpus} vCPUs`;
    const left = leftOut.length === 0 ? "" : `; left out: ${visible(leftOut.join("; "))}`;
    return `  ${visible(name)}: ${kind}${known}${left}\n`;
  });
  return [
    result.fits.length === 0
      ? "Nothing could be fitted\n"
      : `Fitted constants\n${formatTable(columns, rows, options)}`,
    ...result.fits.map((fit) => pointsOf(fit, options)),
    none.length === 0 ? "" : `\nNot fitted\n${none.join("")}`,
    result.notes.length === 0
      ? ""
      : `\nNotes\n${result.notes.map((note) => `  ${visible(note)}\n`).join("")}`,
    `\nRead\n${read.join("")}`,
  ].join("");
}

function pointsOf({ constant, load, points, warnings }: Fit, options: TerminalOptions): string {
  const columns: readonly TableColumn[] = [
    { header: "point", align: "left", key: true },
    { header: "work", align: "right" },
    { header: "measured", align: "right" },
    { header: "fitted", align: "right" },
    { header: "residual", align: "right" },
  ];
  const rows = points.map(({ label, x, yNs, fittedNs }) => [
    label,
    String(Number(x.toPrecision(6))),
    ns(yNs),
    ns(fittedNs),
    yNs === 0 ? "–" : `${(((yNs - fittedNs) / yNs) * 100).toFixed(1)} %`,
  ]);
  const warned = warnings.map((warning) => `  ${visible(warning)}\n`).join("");
  return `\n${constant}, ${load}\n${formatTable(columns, rows, options)}${warned}`;
}

function ns(value: number): string {
  return durationText(value / 1e9);
}
