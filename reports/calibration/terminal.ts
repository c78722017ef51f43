import type {
  CalibrationInput,
  CalibrationResult,
  Fit,
} from "../../replay/calibrate/calibration.ts";
import {
  formatCount,
  formatTable,
  plural,
  type TableColumn,
  type TerminalOptions,
  visible,
} from "../terminal.ts";

const FITS: readonly TableColumn[] = [
  { header: "constant", align: "left", key: true },
  { header: "load", align: "left", key: true },
  { header: "value (ns)", align: "right" },
  { header: "90 % interval (ns)", align: "right" },
  { header: "points", align: "right" },
  { header: "residual", align: "right" },
];

const POINTS: readonly TableColumn[] = [
  { header: "measurement", align: "left", key: true },
  { header: "work", align: "right" },
  { header: "measured (ms)", align: "right" },
  { header: "fitted (ms)", align: "right" },
  { header: "residual", align: "right" },
];

/** Points of one fit that are listed one by one. */
const MOST_POINTS = 40;

/** What `downtime calibrate` prints: the fits with their intervals, how each was made, and what could not be. */
export function formatCalibration(
  result: CalibrationResult,
  options: TerminalOptions = {},
): string {
  const { fits, notFitted, inputs, notes } = result;
  const parts: string[] = [];
  if (fits.length === 0) parts.push("No constant could be fitted from these measurements.\n");
  else {
    parts.push(
      `${plural(fits.length, "fit")} from ${plural(inputs.length, "measurement")}; idle and loaded numbers are never mixed\n`,
      formatTable(FITS, fits.map(fitRow), options),
      "\nHow\n",
      ...fits.map(howText),
      ...fits.filter(({ points }) => points.length > 0).map((fit) => pointsText(fit, options)),
    );
  }
  parts.push(
    listText(
      "\nNot fitted",
      notFitted.map(({ constant, because }) => `${constant}: ${because}`),
    ),
  );
  parts.push(listText("\nNotes", notes));
  parts.push(listText("\nLeft out", inputs.flatMap(leftOutText)));
  return parts.join("");
}

function fitRow(fit: Fit): readonly string[] {
  const { constant, load, valueNs, lowNs, highNs, points, relativeResidual } = fit;
  const interval =
    lowNs === undefined || highNs === undefined
      ? "none (see how)"
      : `${nanoseconds(lowNs)} … ${nanoseconds(highNs)}`;
  return [
    constant,
    load,
    nanoseconds(valueNs),
    interval,
    points.length === 0 ? "" : formatCount(points.length),
    relativeResidual === undefined ? "" : percent(relativeResidual),
  ];
}

function howText({ constant, load, method, warnings }: Fit): string {
  const lines = warnings.map((warning) => `    ${visible(warning)}\n`);
  return [`  ${constant} (${load}): ${visible(method)}\n`, ...lines].join("");
}

function pointsText({ constant, load, points }: Fit, options: TerminalOptions): string {
  const shown = points
    .slice(0, MOST_POINTS)
    .map(({ label, x, yNs, fittedNs }) => [
      label,
      formatCount(Math.round(x)),
      milliseconds(yNs),
      milliseconds(fittedNs),
      yNs === 0 ? "" : signedPercent((yNs - fittedNs) / yNs),
    ]);
  const more = points.length - shown.length;
  return [
    `\nResiduals of ${constant} (${load})\n`,
    formatTable(POINTS, shown, options),
    more > 0 ? `… and ${plural(more, "point")} more\n` : "",
  ].join("");
}

function leftOutText({ name, leftOut }: CalibrationInput): readonly string[] {
  return leftOut.map((what) => `${name}: ${what}`);
}

function listText(heading: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  return [`${heading}\n`, ...lines.map((line) => `  ${visible(line)}\n`)].join("");
}

/** Three significant figures: a fit does not have more. */
function nanoseconds(ns: number): string {
  if (ns >= 1000) return formatCount(Math.round(Number(ns.toPrecision(3))));
  return String(Number(ns.toPrecision(3)));
}

function milliseconds(ns: number): string {
  return (ns / 1e6).toFixed(3);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function signedPercent(share: number): string {
  const text = percent(Math.abs(share));
  if (text === "0.0 %") return text;
  return `${share < 0 ? "−" : "+"}${text}`;
}
