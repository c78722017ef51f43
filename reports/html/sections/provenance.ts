import { formatCount } from "../../terminal.ts";
import { dataTable, foldedTable } from "../data-table.ts";
import { html, type Html } from "../markup.ts";
import type { ResultSet } from "../../result-set.ts";
import type { Section } from "../section.ts";
import { bytesText } from "../units.ts";
import { valueText } from "./overview.ts";

/** Where the numbers come from, and everything that was taken for granted. */
export const provenanceSection: Section = {
  id: "provenance",
  title: "Provenance and assumptions",
  link: "Provenance",
  missing: () => undefined,
  render,
};

function render({ summary }: ResultSet): Html {
  const { tool, refills } = summary;
  return html`<p>${tool.name} ${tool.version}, result schema ${summary.schema_version}, Node ${tool.node}.
To make these results again: <code>tlbi-replay ${summary.arguments.map(shellWord).join(" ")}</code></p>
${list("Read this with the numbers", summary.explanations)}
${list("Assumed", summary.assumptions)}
${list("Assumed by the modelled TLB", refills?.assumptions ?? [])}
${summary.inputs.map(
  (input) => html`${dataTable(
    `Input ${input.path}`,
    [{ header: "what" }, { header: "value" }],
    [
      ["SHA-256", html`<code>${input.sha256}</code>`],
      ["stored bytes", `${formatCount(input.bytes)} (${bytesText(input.bytes)})`],
      ["format", `${input.format}, ${input.layout}, compression ${input.compression}`],
      ["first and last time", `${input.first_ts_ns ?? "none"} to ${input.last_ts_ns ?? "none"} ns`],
    ],
  )}
${foldedTable(
  `Events by name (${formatCount(Object.keys(input.events_by_name).length)})`,
  [{ header: "event" }, { header: "count", align: "right" }],
  Object.entries(input.events_by_name).map(([name, count]) => [name, formatCount(count)]),
)}
${
  input.notices.length === 0
    ? undefined
    : html`<h3>Learned and noticed</h3><ul>${input.notices.map(({ count, sentence, code }) => {
        const example = input.examples.find((one) => one.code === code);
        return html`<li>${formatCount(count)} × ${sentence}${example === undefined ? "" : `: ${example.detail}`}</li>`;
      })}</ul>`
}`,
)}
${foldedTable(
  "Settings, and where each comes from",
  [{ header: "setting" }, { header: "value" }, { header: "origin" }],
  summary.configuration.map(({ name, value, origin }) => [
    name,
    html`<code>${valueText(value)}</code>`,
    origin,
  ]),
)}
${
  refills === undefined
    ? undefined
    : foldedTable(
        `Modelled TLB ${refills.tlb}: assumptions with their values`,
        [
          { header: "knob" },
          { header: "value", align: "right" },
          { header: "unit" },
          { header: "meaning" },
          { header: "origin" },
        ],
        refills.knobs.map(({ name, value, unit, meaning, origin }) => [
          name,
          String(value),
          unit,
          meaning,
          origin,
        ]),
      )
}`;
}

function list(title: string, lines: readonly string[]): Html | undefined {
  if (lines.length === 0) return undefined;
  return html`<h3>${title}</h3><ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}

/** A word as a shell takes it. */
function shellWord(word: string): string {
  return /^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
