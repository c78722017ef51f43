import type { TopLevelSpec } from "vega-lite";
import { type Html, html, trusted } from "./markup.ts";
import { VEGA_CONFIG } from "./theme.ts";

export interface Chart {
  /** Heading above the chart. */
  readonly title: string;
  /** What it shows, in words: the text for those who do not see it. */
  readonly description: string;
  readonly spec: TopLevelSpec;
  /** Wider than a phone: it scrolls there rather than shrinks. */
  readonly isWide?: boolean;
  /** The numbers behind it. */
  readonly table?: Html;
  readonly className?: string;
}

/**
 * A chart as a figure with an inlined SVG. vega-lite draws it here, without a browser: the page needs no
 * script for it. The libraries are loaded at the first chart.
 */
export async function renderChart(chart: Chart): Promise<Html> {
  const svg = await renderSvg(chart.spec, `${chart.title}. ${chart.description}`);
  const classes = ["chart", chart.isWide === true ? "wide" : "", chart.className ?? ""];
  return html`<figure class="${classes.filter((name) => name !== "").join(" ")}">
<figcaption><h3>${chart.title}</h3><p>${chart.description}</p></figcaption>
<div class="svg"${chart.isWide === true ? trusted(' tabindex="0" role="group"') : undefined}${
    chart.isWide === true ? html` aria-label="${chart.title}"` : undefined
  }>${svg}</div>
${chart.table}</figure>`;
}

async function renderSvg(spec: TopLevelSpec, label: string): Promise<Html> {
  const [vega, vegaLite] = await Promise.all([import("vega"), import("vega-lite")]);
  // The types of vega leave out what it documents for programs without a canvas.
  const metrics: unknown = Reflect.get(vega, "textMetrics");
  if (typeof metrics === "object" && metrics !== null) {
    Object.assign(metrics, { width: textWidth });
  }
  const compiled = vegaLite.compile(spec, { config: VEGA_CONFIG }).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: "none", logLevel: vega.Error });
  try {
    const svg = await view.toSVG();
    return trusted(labelled(svg, label));
  } finally {
    view.finalize();
  }
}

/**
 * Width of a text in the sans-serif fonts that a reader may have, in pixels: there is no canvas here to
 * measure on, and vega's own guess leaves a third too much room.
 */
function textWidth(item: { fontSize?: number; font?: string }, text: unknown): number {
  const size = item.fontSize ?? 11;
  const isMono = item.font?.includes("mono") === true;
  let ems = 0;
  const shown = typeof text === "string" || typeof text === "number" ? String(text) : "";
  for (const c of shown) {
    if (isMono) ems += 0.62;
    else if ("iljtf.,:;'|!()[] ".includes(c)) ems += 0.36;
    else if ("mwMW%".includes(c)) ems += 0.92;
    else ems += c >= "A" && c <= "Z" ? 0.72 : 0.6;
  }
  return ems * size;
}

/** One image with one name: the marks inside are not read out one by one. */
function labelled(svg: string, label: string): string {
  const { markup } = html`<svg role="img" aria-label="${label}"`;
  return svg
    .replace(/ xmlns:xlink="[^"]*"/, "")
    .replace(/ version="1.1"/, "")
    .replaceAll(/ (?:role|aria-roledescription|aria-label)="[^"]*"/g, "")
    .replaceAll(' aria-hidden="true"', "")
    .replaceAll(' pointer-events="none"', "")
    .replace("<svg", markup);
}
