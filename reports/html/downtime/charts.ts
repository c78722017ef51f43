import type { TopLevelSpec } from "vega-lite";
import { type Chart } from "../chart.ts";
import { foldedTable } from "../data-table.ts";
import { ROW_HEADER, SERIES } from "../theme.ts";
import { bytesText, durationText, numberText } from "../units.ts";
import type { DowntimeView, IntervalView, PassView } from "./view.ts";

/** Seconds as text, with the unit that fits. */
export function secondsText(seconds: number): string {
  return seconds < 0 ? `−${durationText(-seconds * 1e9)}` : durationText(seconds * 1e9);
}

export function intervalText(interval: IntervalView | undefined): string {
  if (interval === undefined) return "—";
  const { p5, p50, p95 } = interval;
  return `${secondsText(p50)} (${secondsText(p5)} to ${secondsText(p95)})`;
}

const GIB = 2 ** 30;

function colour(name: string): object {
  return {
    datum: name,
    scale: {
      domain: ["sent", "left dirty", "threshold"],
      range: [SERIES[0]!, SERIES[1]!, SERIES[6]!],
    },
    title: null,
  };
}

/** What each pass sends and leaves, with the stop rule's threshold and the throttle. */
export function passChart(policy: string, passes: readonly PassView[]): Chart {
  const values = passes.map((pass) => ({
    start: pass.startS,
    end: pass.startS + pass.seconds,
    sent: pass.sentBytes / GIB,
    remaining: pass.remainingBytes / GIB,
    threshold: pass.thresholdBytes / GIB,
    throttle: pass.throttleShare,
  }));
  const x = {
    field: "start",
    type: "quantitative",
    title: "seconds since the migration began",
  } as const;
  const throttles = values.some(({ throttle }) => throttle > 0);
  const bytes = {
    width: 620,
    height: 220,
    layer: [
      {
        mark: { type: "rect", opacity: 0.75, stroke: "var(--card)" },
        encoding: {
          x,
          x2: { field: "end" },
          y: {
            field: "sent",
            type: "quantitative",
            title: "GiB (square-root scale)",
            scale: { type: "sqrt" },
          },
          y2: { datum: 0 },
          color: colour("sent"),
        },
      },
      {
        mark: { type: "line", point: { size: 28 }, strokeWidth: 2 },
        encoding: {
          x: { ...x, field: "end" },
          y: { field: "remaining", type: "quantitative" },
          color: colour("left dirty"),
        },
      },
      {
        mark: { type: "line", strokeDash: [5, 4], strokeWidth: 1.5 },
        encoding: {
          x: { ...x, field: "end" },
          y: { field: "threshold", type: "quantitative" },
          color: colour("threshold"),
        },
      },
    ],
  };
  const throttle = {
    width: 620,
    height: 60,
    mark: { type: "rect", color: SERIES[3] },
    encoding: {
      x,
      x2: { field: "end" },
      y: {
        field: "throttle",
        type: "quantitative",
        title: "throttle",
        scale: { domain: [0, 1] },
        axis: { format: "%", tickCount: 2 },
      },
      y2: { datum: 0 },
    },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- vega-lite checks it when it compiles
  const spec = {
    data: { values },
    vconcat: throttles ? [bytes, throttle] : [bytes],
    resolve: { scale: { x: "shared" } },
  } as unknown as TopLevelSpec;
  return {
    title: `Passes of pre-copy under ${policy}`,
    description:
      "At the most likely values: the width of a bar is its time, the height what it sends; the line is what is dirty when it ends.",
    spec,
    isWide: true,
    table: foldedTable(
      `Passes under ${policy}: numbers`,
      [
        { header: "pass", align: "right" },
        { header: "begins", align: "right" },
        { header: "takes", align: "right" },
        { header: "sends", align: "right" },
        { header: "leaves dirty", align: "right" },
        { header: "threshold", align: "right" },
        { header: "throttle", align: "right" },
      ],
      passes.map((pass) => [
        String(pass.number),
        secondsText(pass.startS),
        secondsText(pass.seconds),
        bytesText(pass.sentBytes),
        bytesText(pass.remainingBytes),
        bytesText(pass.thresholdBytes),
        `${Math.round(pass.throttleShare * 100)} %`,
      ]),
    ),
  };
}

/** Flush calls of each phase under each policy, as wide as the phase lasted. */
export function phaseChart(phases: DowntimeView["phases"], policies: readonly string[]): Chart {
  const spec: TopLevelSpec = {
    data: {
      values: phases.map((phase) => ({ ...phase, end: phase.startS + phase.seconds })),
    },
    facet: {
      row: {
        field: "policy",
        type: "nominal",
        sort: [...policies],
        title: null,
        header: ROW_HEADER,
      },
    },
    spec: {
      width: 620,
      height: 70,
      mark: { type: "rect", stroke: "var(--card)" },
      encoding: {
        x: {
          field: "startS",
          type: "quantitative",
          title: "seconds since the trace's first event",
        },
        x2: { field: "end" },
        y: {
          field: "flushCalls",
          type: "quantitative",
          title: "flush calls",
          axis: { tickCount: 3 },
        },
        y2: { datum: 0 },
        color: { field: "phase", type: "nominal", title: null, sort: null, legend: { columns: 5 } },
      },
    },
  };
  return {
    title: "Flush calls by phase",
    description: "Each phase of the recorded migration as wide as it lasted.",
    spec,
    isWide: true,
    table: foldedTable(
      "Phases: numbers",
      [
        { header: "phase" },
        { header: "policy" },
        { header: "begins", align: "right" },
        { header: "lasts", align: "right" },
        { header: "write faults", align: "right" },
        { header: "pages dirtied", align: "right" },
        { header: "collapses", align: "right" },
        { header: "flush calls", align: "right" },
      ],
      phases.map((row) => [
        row.phase,
        row.policy,
        secondsText(row.startS),
        secondsText(row.seconds),
        numberText(row.writeFaults),
        numberText(row.dirtiedPages),
        numberText(row.collapses),
        numberText(row.flushCalls),
      ]),
    ),
  };
}

/** One interval of one policy, on a row with a name. */
export interface IntervalRow extends IntervalView {
  readonly row: string;
  readonly policy: string;
}

/** Medians with whiskers from 5 to 95 %, policies beside each other in each row. */
export function intervalChart(
  title: string,
  description: string,
  rows: readonly IntervalRow[],
  policies: readonly string[],
): Chart {
  const most = rows.reduce((a, { p95 }) => Math.max(a, p95), 0);
  const [scale, unit] = scaleOf(most);
  const values = rows.map(({ row, policy, p5, p50, p95 }) => ({
    row,
    policy,
    p5: p5 * scale,
    p50: p50 * scale,
    p95: p95 * scale,
  }));
  const names = [...new Set(rows.map(({ row }) => row))];
  const shown = policies.filter((policy) => rows.some((row) => row.policy === policy));
  const y = { field: "row", type: "nominal", sort: names, title: null } as const;
  // A row that is a policy needs no places beside each other, and no legend.
  const isOneEach = rows.every(({ row, policy }) => row === policy);
  const offset = isOneEach
    ? {}
    : { yOffset: { field: "policy", type: "nominal", sort: [...shown] } as const };
  const color = {
    field: "policy",
    type: "nominal",
    title: null,
    ...(isOneEach ? { legend: null } : {}),
    scale: { domain: [...shown], range: shown.map((_, i) => SERIES[i % SERIES.length]!) },
  } as const;
  const x = { type: "quantitative", title: unit, scale: { zero: true } } as const;
  const spec: TopLevelSpec = {
    width: 540,
    height: isOneEach ? { step: 26 } : { step: Math.max(12, 20 - 2 * shown.length), for: "offset" },
    data: { values },
    layer: [
      {
        mark: { type: "bar", opacity: 0.35 },
        encoding: { y, ...offset, color, x: { ...x, field: "p50" } },
      },
      {
        mark: { type: "rule", strokeWidth: 2 },
        encoding: { y, ...offset, color, x: { ...x, field: "p5" }, x2: { field: "p95" } },
      },
      {
        mark: { type: "tick", thickness: 3, size: 10 },
        encoding: { y, ...offset, color, x: { ...x, field: "p50" } },
      },
    ],
  };
  return {
    title,
    description,
    spec,
    isWide: true,
    table: foldedTable(
      `${title}: numbers`,
      [
        { header: "what" },
        { header: "policy" },
        { header: "5 %", align: "right" },
        { header: "median", align: "right" },
        { header: "95 %", align: "right" },
      ],
      rows.map(({ row, policy, p5, p50, p95 }) => [
        row,
        policy,
        secondsText(p5),
        secondsText(p50),
        secondsText(p95),
      ]),
    ),
  };
}

/** Which constant moves a quantity how far. */
export function tornadoChart(
  quantity: string,
  policy: string,
  bars: DowntimeView["tornado"],
): Chart {
  const most = bars.reduce((a, { atLow, atHigh }) => Math.max(a, atLow, atHigh), 0);
  const [scale, unit] = scaleOf(most);
  const values = bars.flatMap(({ name, atLow, atHigh, atMode }) => [
    { name, from: atMode * scale, to: atLow * scale, end: "constant at its low end" },
    { name, from: atMode * scale, to: atHigh * scale, end: "at its high end" },
  ]);
  const spec: TopLevelSpec = {
    width: 520,
    height: { step: 22 },
    data: { values },
    mark: { type: "bar", height: 14 },
    encoding: {
      y: { field: "name", type: "nominal", sort: bars.map(({ name }) => name), title: null },
      x: {
        field: "from",
        type: "quantitative",
        title: `${quantity} (${unit})`,
        scale: { zero: false },
      },
      x2: { field: "to" },
      color: {
        field: "end",
        type: "nominal",
        title: null,
        scale: {
          domain: ["constant at its low end", "at its high end"],
          range: [SERIES[0]!, SERIES[1]!],
        },
      },
    },
  };
  return {
    title: `Tornado: ${quantity} under ${policy}`,
    description:
      "Each constant alone, moved through its range; all others at their most likely value.",
    spec,
    isWide: true,
    table: foldedTable(
      `Tornado of ${quantity} under ${policy}: numbers`,
      [
        { header: "constant" },
        { header: "at its low end", align: "right" },
        { header: "at its mode", align: "right" },
        { header: "at its high end", align: "right" },
      ],
      bars.map(({ name, atLow, atMode, atHigh }) => [
        name,
        secondsText(atLow),
        secondsText(atMode),
        secondsText(atHigh),
      ]),
    ),
  };
}

function scaleOf(mostS: number): readonly [scale: number, unit: string] {
  if (mostS >= 1) return [1, "s"];
  if (mostS >= 1e-3) return [1e3, "ms"];
  return [1e6, "µs"];
}
