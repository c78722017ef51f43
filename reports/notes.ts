import type { Summary } from "./summary.ts";
import { formatCount, visible } from "./terminal.ts";

/** The part of a terminal report that says what the numbers rest on: settings, losses, assumptions. */
export function formatNotes(summary: Summary): string {
  const sections = [
    section("Settings", settingLines(summary)),
    section("Losses", lossLines(summary)),
    section("Assumed", summary.assumptions),
    section("Learned and noticed", noticeLines(summary)),
    section("Read this with it", summary.explanations),
  ];
  return sections.filter((text) => text !== "").join("");
}

function section(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  return `\n${title}\n${lines.map((line) => `  ${visible(line)}\n`).join("")}`;
}

function settingLines(summary: Summary): readonly string[] {
  return summary.configuration
    .filter(({ name, value }) => !name.startsWith("policy ") && value !== null)
    .map(({ name, value, origin }) => `${name}: ${valueText(value)} (${origin})`);
}

function valueText(value: string | number | boolean | null | readonly string[]): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
  return String(value);
}

function lossLines(summary: Summary): readonly string[] {
  return summary.inputs.flatMap((input) =>
    input.losses.map(({ count, sentence, code }) => {
      const example = input.examples.find((one) => one.code === code);
      const where =
        example === undefined ? "" : ` — ${input.path}:${example.line}: ${example.detail}`;
      return `${formatCount(count)} × ${sentence}${where}`;
    }),
  );
}

function noticeLines(summary: Summary): readonly string[] {
  return summary.inputs.flatMap((input) =>
    input.notices.map(({ count, sentence, code }) => {
      const example = input.examples.find((one) => one.code === code);
      return `${formatCount(count)} × ${sentence}${example === undefined ? "" : `: ${example.detail}`}`;
    }),
  );
}
