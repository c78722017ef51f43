import { htmlDocument } from "../document.ts";
import { html, type Html } from "../markup.ts";
import type { ToolIdentity } from "../../tool.ts";
import { intervalText } from "./charts.ts";
import { downtimeParts } from "./sections.ts";
import type { DowntimeView } from "./view.ts";

export interface DowntimePageInput {
  readonly view: DowntimeView;
  readonly tool: ToolIdentity;
  /** What is estimated: a trace, a report of a VMM, or parameters alone. */
  readonly subject: string;
  /** Command line without node and script. */
  readonly argv: readonly string[];
  readonly settings: readonly {
    readonly name: string;
    readonly value: string;
    readonly origin: string;
  }[];
  readonly assumptions: readonly string[];
  /** Losses of the trace, in sentences; empty: none, or no trace. */
  readonly losses: readonly string[];
}

/** The page of one downtime estimate: one self-contained file. */
export async function downtimePage(input: DowntimePageInput): Promise<string> {
  const parts = await downtimeParts(input.view);
  const shown = parts.filter(({ body }) => body !== undefined);
  const missing = parts.filter(({ body }) => body === undefined);
  const body = html`${overview(input)}
${shown.map(({ id, title, body: own }) => html`<section id="${id}"><h2>${title}</h2>${own}</section>`)}
${
  missing.length === 0
    ? undefined
    : html`<section id="missing"><h2>Not shown</h2><ul>${missing.map(
        ({ title, why }) => html`<li><strong>${title}</strong>: ${why}</li>`,
      )}</ul></section>`
}`;
  return htmlDocument({
    title: `Migration downtime: ${input.subject}`,
    subtitle: `${input.tool.name} ${input.tool.version}`,
    links: [["answer", "Answer"], ...shown.map(({ id, title }) => [id, title] as const)],
    body,
    scripts: ["page"],
  });
}

/** What is asked first, of those that the estimate has. */
const FIRST = ["source_downtime", "forced_switchover", "rollback_stall"] as const;

/** One sentence, with its interval for each policy; or why there is none. */
function answers({ policies }: DowntimeView): Html {
  for (const quantity of FIRST) {
    const found = policies.flatMap(({ id, estimates }) => {
      const estimate = estimates.find((one) => one.quantity === quantity);
      return estimate?.interval === undefined
        ? []
        : [{ title: estimate.title, text: `${intervalText(estimate.interval)} under ${id}` }];
    });
    if (found.length === 0) continue;
    const sentence = `${found[0]!.title}: ${found.map(({ text }) => text).join("; ")}.`;
    return html`<p class="answer">${sentence.charAt(0).toUpperCase() + sentence.slice(1)}</p>`;
  }
  const because = policies[0]?.estimates.find(({ quantity }) => quantity === FIRST[0])?.because;
  return html`<p class="answer">No downtime can be estimated${because === undefined ? "" : `: ${because}`}.</p>`;
}

function overview({ view, argv, settings, assumptions, losses }: DowntimePageInput): Html {
  const lost =
    losses.length === 0
      ? undefined
      : html`<div class="loss"><p><strong>Data was lost: the numbers are bounds.</strong></p><ul>${losses.map(
          (line) => html`<li>${line}</li>`,
        )}</ul></div>`;
  return html`<section id="answer" aria-label="Answer">${answers(view)}<p class="answer">${view.headline}</p>
<p class="soft">Estimated, not measured.</p>${lost}
<dl class="facts">${settings.map(
    ({ name, value, origin }) => html`<div><dt>${name}</dt><dd>${value} (${origin})</dd></div>`,
  )}</dl>
${assumptions.length === 0 ? undefined : html`<h3>Assumed</h3><ul>${assumptions.map((line) => html`<li>${line}</li>`)}</ul>`}
<p class="soft">tlbi-replay <code>${argv.join(" ")}</code></p></section>`;
}
