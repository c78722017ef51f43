import { createHash } from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type Html, html, trusted } from "./markup.ts";
import { STYLE } from "./theme.ts";

export interface DocumentParts {
  readonly title: string;
  /** Beside the title. */
  readonly subtitle: string;
  readonly links: readonly (readonly [id: string, text: string])[];
  readonly body: Html;
  /** Scripts of our own, by name; `timeline` brings uPlot with it. */
  readonly scripts: readonly ("page" | "timeline")[];
}

/**
 * A whole HTML file that needs nothing but itself: styles, drawings and scripts are inside. Its policy
 * (CSP) lets only these scripts run, by their digests, and lets nothing be fetched.
 */
export function htmlDocument(parts: DocumentParts): string {
  const hasPlot = parts.scripts.includes("timeline");
  const scripts = [
    ...(hasPlot ? [inline(uplotFile("uPlot.iife.min.js"), "text/javascript")] : []),
    ...parts.scripts.map((name) => inline(clientScript(name), "module")),
  ];
  const style = hasPlot ? `${uplotFile("uPlot.min.css")}\n${STYLE}` : STYLE;
  const digests = scripts.map(({ text }) => `'sha256-${digestOf(text)}'`).join(" ");
  const csp = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src ${digests}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>\n${
    html`<html lang="en">
<head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${csp}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${parts.title}</title>
<link rel="icon" href="data:,">
<style>${trusted(style)}</style></head>
<body>
<header class="top"><div><h1>${parts.title}</h1><p class="by">${parts.subtitle}</p></div><button type="button" id="theme" aria-pressed="false" hidden>Light / dark</button></header>
<nav aria-label="Parts of this report">${parts.links.map(([id, text]) => html`<a href="#${id}">${text}</a> `)}</nav>
<main>${parts.body}</main>
${scripts.map(({ markup }) => markup)}
</body></html>
`.markup
  }`;
}

interface InlineScript {
  readonly text: string;
  readonly markup: Html;
}

function inline(text: string, type: string): InlineScript {
  if (/<\/script|<!--/i.test(text)) throw new Error("a script of the page would end its element");
  return { text, markup: trusted(`<script type="${type}">${text}</script>`) };
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

function uplotFile(name: string): string {
  const require = createRequire(import.meta.url);
  return fs.readFileSync(require.resolve(`uplot/dist/${name}`), "utf8").trim();
}

/** The compiled script: beside this module when built, in `dist` when run from source. */
function clientScript(name: string): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const built = path.join(here, "client", `${name}.js`);
  const fromSource = path.join(here, "../../dist/reports/html/client", `${name}.js`);
  return fs.readFileSync(fs.existsSync(built) ? built : fromSource, "utf8").trim();
}
