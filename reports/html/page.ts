import path from "node:path";
import { htmlDocument } from "./document.ts";
import { html, type Html } from "./markup.ts";
import type { ResultSet } from "../result-set.ts";
import { SECTIONS } from "./sections/index.ts";
import { overview } from "./sections/overview.ts";
import type { Section } from "./section.ts";

/** The page of one trace's results: one self-contained HTML file, the same bytes for the same results. */
export async function resultPage(results: ResultSet): Promise<string> {
  const { summary } = results;
  const parts: Html[] = [overview(summary)];
  const shown: Section[] = [];
  const missing: { section: Section; why: string }[] = [];
  for (const section of SECTIONS) {
    const why = section.missing(results);
    if (why !== undefined) {
      missing.push({ section, why });
      continue;
    }
    shown.push(section);
    const body = await section.render(results);
    parts.push(html`<section id="${section.id}"><h2>${section.title}</h2>${body}</section>`);
  }
  if (missing.length > 0) parts.push(notShown(missing));
  const names = summary.inputs.map((input) => nameOf(input.path));
  return htmlDocument({
    title: `Stage-2 TLB maintenance: ${names.join(", ")}`,
    subtitle: `${summary.tool.name} ${summary.tool.version}`,
    links: [
      ["answer", "Answer"],
      ...shown.map(({ id, link }) => [id, link] as const),
      ...(missing.length > 0 ? [["missing", "Not shown"] as const] : []),
    ],
    body: html`${parts}`,
    scripts: shown.some(({ id }) => id === "timeline") ? ["timeline", "page"] : ["page"],
  });
}

/** What the results do not hold, and why. */
function notShown(missing: readonly { section: Section; why: string }[]): Html {
  return html`<section id="missing"><h2>Not shown</h2><ul>${missing.map(
    ({ section, why }) => html`<li><strong>${section.title}</strong>: ${why}</li>`,
  )}</ul></section>`;
}

/** `capture/trace.txt.gz` is named after its folder, any other file after itself. */
function nameOf(file: string): string {
  const base = path.basename(file);
  return /^trace\b/.test(base) ? `${path.basename(path.dirname(file))}/${base}` : base;
}
