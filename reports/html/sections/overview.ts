import { answerOf } from "../../answer.ts";
import type { InputEntry, Summary } from "../../summary.ts";
import { formatCount } from "../../terminal.ts";
import { html, type Html } from "../markup.ts";
import { policiesOf } from "../../result-set.ts";
import { bytesText, durationText } from "../units.ts";

/** The first screen: the answer, what was traced, what was lost. */
export function overview(summary: Summary): Html {
  const answer = answerOf(summary, policiesOf(summary));
  return html`<section id="answer" aria-label="Answer">
<p class="answer">${answer.sentence}</p>
${answer.refills === undefined ? undefined : html`<p class="answer">${answer.refills}</p>`}
<p class="soft">${answer.certainty} Estimated by replay, not measured.</p>
${losses(summary)}
<dl class="facts">${summary.inputs.map(inputFacts)}${settingFacts(summary)}</dl>
</section>`;
}

function inputFacts(input: InputEntry): Html {
  return html`${fact("Trace", `${input.path} (${bytesText(input.bytes)})`)}
${fact("Format", `${input.format}, ${input.layout}`)}
${fact("Events", `${formatCount(input.events)} in ${formatCount(input.lines)} lines`)}
${fact("Time span", spanText(input))}`;
}

function spanText({ first_ts_ns: first, last_ts_ns: last }: InputEntry): string {
  if (first === null || last === null) return "no event";
  return durationText(Number(BigInt(last) - BigInt(first)));
}

function settingFacts({ configuration }: Summary): readonly Html[] {
  return configuration
    .filter(({ name, value }) => !name.startsWith("policy ") && value !== null && value !== "")
    .slice(0, 6)
    .map(({ name, value, origin }) => fact(name, `${valueText(value)} (${origin})`));
}

export function valueText(value: string | number | boolean | null | readonly string[]): string {
  if (value === null) return "not known";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
  return String(value);
}

function fact(name: string, text: string): Html {
  return html`<div><dt>${name}</dt><dd>${text}</dd></div>`;
}

function losses(summary: Summary): Html {
  const entries = summary.inputs.flatMap((input) =>
    input.losses.map((loss) => {
      const example = input.examples.find(({ code }) => code === loss.code);
      const where =
        example === undefined ? "" : ` First at ${input.path}:${example.line}: ${example.detail}`;
      return html`<li>${formatCount(loss.count)} × ${loss.sentence}${where}</li>`;
    }),
  );
  if (entries.length === 0) {
    return html`<div class="good"><p><strong>Nothing was lost</strong> that the trace shows: every event was read.</p></div>`;
  }
  return html`<div class="loss"><p><strong>Data was lost: the numbers are bounds.</strong></p><ul>${entries}</ul></div>`;
}
