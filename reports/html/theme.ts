import type { Config } from "vega-lite";

/**
 * Colours are custom properties, so that one drawing serves light, dark and paper. The series colours are
 * told apart by the colour-blind in this order; a series keeps its colour through the page.
 */
export const SERIES: readonly string[] = Array.from({ length: 8 }, (_, i) => `var(--s${i + 1})`);

/** From little to much. */
export const STEPS: readonly string[] = Array.from({ length: 6 }, (_, i) => `var(--h${i + 1})`);

export const VEGA_CONFIG: Config = {
  background: "transparent",
  font: "system-ui, sans-serif",
  view: { stroke: "transparent" },
  aria: false,
  axis: {
    labelColor: "var(--soft)",
    titleColor: "var(--soft)",
    titleFontWeight: "normal",
    titleFontSize: 12,
    labelFontSize: 12,
    domainColor: "var(--line)",
    tickColor: "var(--line)",
    gridColor: "var(--grid)",
    labelLimit: 0,
  },
  axisY: { domain: false, ticks: false, labelPadding: 6 },
  legend: {
    labelColor: "var(--ink)",
    titleColor: "var(--soft)",
    titleFontWeight: "normal",
    labelFontSize: 12,
    titleFontSize: 12,
    orient: "top",
    direction: "horizontal",
    symbolType: "square",
    labelLimit: 0,
  },
  header: { labelColor: "var(--ink)", titleColor: "var(--soft)", labelFontSize: 12 },
  text: { color: "var(--ink)", fontSize: 12 },
  rule: { color: "var(--ink)" },
  bar: { color: "var(--s1)" },
  range: { category: [...SERIES], ordinal: [...STEPS], heatmap: [...STEPS] },
};

/** Names of small multiples: above each, to be read as they stand. */
export const ROW_HEADER = {
  labelOrient: "top",
  labelAnchor: "start",
  labelAngle: 0,
  labelPadding: 2,
} as const;

const LIGHT = `color-scheme:light;--page:#fbfbfa;--card:#fff;--ink:#1b1d21;--soft:#565c66;--line:#b9bec7;--grid:#e7e9ed;--accent:#1c5fb8;--warn-bg:#fff4dc;--warn:#7a4b00;--bad-bg:#fdeaea;--bad:#9c1c1c;--ok-bg:#e8f5ec;--ok:#1d6b3a;--s1:#2a6fc9;--s2:#d9731a;--s3:#12876a;--s4:#a8458f;--s5:#8a7112;--s6:#5b4fb0;--s7:#b23a3a;--s8:#5f6772;--h1:#dbe8f7;--h2:#afcdee;--h3:#78a8df;--h4:#3973bb;--h5:#2460a7;--h6:#123e78`;
const DARK = `color-scheme:dark;--page:#15171b;--card:#1d2025;--ink:#e8eaee;--soft:#a6adb8;--line:#4a515c;--grid:#2c3138;--accent:#7fb2f5;--warn-bg:#3a2e12;--warn:#f3cf85;--bad-bg:#42201f;--bad:#f4a9a5;--ok-bg:#17351f;--ok:#93d8a8;--s1:#6aa5f0;--s2:#f0974a;--s3:#3dbd9b;--s4:#d983c2;--s5:#cdb04a;--s6:#a196ee;--s7:#ea7d78;--s8:#9aa3b0;--h1:#1d3048;--h2:#234a75;--h3:#2f69a6;--h4:#4b8cd4;--h5:#83b4ec;--h6:#cbe1fa`;

/** The page's style sheet: `color-scheme` follows the system unless the reader chose. */
export const STYLE: string = `
:root{${LIGHT}}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){${DARK}}}
:root[data-theme=dark]{${DARK}}
*{box-sizing:border-box}
html{background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:1180px;padding:0 20px 48px}
h1{font-size:1.5rem;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:0 0 .5rem}
h3{font-size:1rem;margin:0}
p{margin:.4rem 0;max-width:75ch}
a{color:var(--accent)}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.87em;overflow-wrap:anywhere}
header.top{padding:22px 0 6px;display:flex;gap:16px;justify-content:space-between;align-items:flex-start}
.by{color:var(--soft);margin:0}
nav{position:sticky;top:0;background:var(--page);border-bottom:1px solid var(--grid);padding:8px 0;z-index:2;overflow-x:auto;white-space:nowrap}
nav a{margin-right:16px;text-decoration:none}
nav a:hover{text-decoration:underline}
section{background:var(--card);border:1px solid var(--grid);border-radius:10px;padding:18px 20px;margin:16px 0;scroll-margin-top:52px}
.answer{font-size:1.22rem;line-height:1.4;max-width:none;margin:.2rem 0 .8rem}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,250px),1fr));gap:10px 22px;margin:12px 0 0}
.facts>div{border-left:3px solid var(--grid);padding-left:10px;min-width:0}
dl.facts dt{color:var(--soft);font-size:.85rem}
dl.facts dd{margin:0;overflow-wrap:anywhere}
.note,.loss,.good{border-radius:8px;padding:10px 12px;margin:10px 0}
.note{background:var(--warn-bg);color:var(--warn)}
.loss{background:var(--bad-bg);color:var(--bad)}
.good{background:var(--ok-bg);color:var(--ok)}
.note>*,.loss>*,.good>*{margin:0;max-width:none}
.note ul,.loss ul{padding-left:1.2em}
.soft{color:var(--soft)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));gap:18px}
figure{margin:12px 0;min-width:0}
figcaption p{color:var(--soft);margin:.1rem 0 .5rem}
.svg svg{display:block;max-width:100%;height:auto}
.wide>.svg{overflow-x:auto}
.wide>.svg svg{max-width:none}
.scroll{overflow-x:auto;margin:.4rem 0}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);padding-bottom:4px}
th,td{text-align:left;padding:4px 14px 4px 0;border-bottom:1px solid var(--grid);vertical-align:top;font-weight:normal;white-space:nowrap}
thead th{color:var(--soft);white-space:normal;vertical-align:bottom}
.n{text-align:right}
td .why{display:inline-block;white-space:normal;min-width:26ch;max-width:40ch}
td.q1{background:var(--h1);color:var(--ink)}td.q2{background:var(--h2);color:var(--ink)}td.q3{background:var(--h3);color:var(--ink)}td.q4{background:var(--h4);color:var(--card)}td.q5{background:var(--h5);color:var(--card)}td.q6{background:var(--h6);color:var(--card)}
td.q1,td.q2,td.q3,td.q4,td.q5,td.q6{text-align:right;padding:4px 10px;print-color-adjust:exact;-webkit-print-color-adjust:exact}
details{margin:.5rem 0}
summary{cursor:pointer;color:var(--accent)}
button,select{font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:6px;padding:3px 9px;max-width:100%}
button{cursor:pointer}
button:hover{border-color:var(--accent)}
button[aria-pressed=true]{border-color:var(--accent);color:var(--accent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.controls{display:flex;flex-wrap:wrap;gap:8px 14px;align-items:center;margin:8px 0}
.controls label{display:inline-flex;gap:6px;align-items:center;max-width:100%;min-width:0}
.controls select{min-width:0;flex:0 1 auto}
.plot{width:100%;min-height:300px}
.plot .u-legend{font-size:.82rem;color:var(--ink);text-align:left}
.plot .u-legend th,.plot .u-legend td{border:0;padding:1px 6px}
.detail{border:1px solid var(--grid);border-radius:8px;padding:10px 14px;margin-top:10px}
pre{overflow-x:auto;font-size:.8rem;line-height:1.45;margin:.3rem 0;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.swatch{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em;vertical-align:-.05em;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.paper{display:none}
[hidden]{display:none!important}
footer{color:var(--soft);font-size:.85rem}
@media (max-width:620px){body{padding:0 12px 32px}section{padding:14px 12px}header.top{display:block}.answer{font-size:1.08rem}}
@media print{
:root,:root[data-theme=dark],:root:not([data-theme=light]){${LIGHT};--page:#fff}
html{font-size:11px}body{max-width:none;padding:0}
nav,.controls,.screen,#theme{display:none!important}
th button{border:0;padding:0;background:none}
.paper{display:block}
section{border:0;padding:0;break-inside:auto}
figure,tr{break-inside:avoid}
.scroll,.wide>.svg,pre{overflow:visible}
pre{white-space:pre-wrap}
.wide>.svg svg{max-width:100%}
details:not([open])>summary{display:none}
}
`;
