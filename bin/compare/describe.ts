import { visible } from "../../reports/terminal.ts";
import type { Comparison } from "./compare-events.ts";

/** The outcome of a comparison, for a person. */
export function describeComparison(
  names: readonly [string, string],
  { events, difference, limits, lostRows }: Comparison,
): string {
  const [a, b] = [visible(names[0]), visible(names[1])];
  const lines =
    difference === undefined
      ? [`equal: ${count(events)} events of ${a} and ${b}`]
      : [
          `different: ${a} and ${b}, event ${count(difference.event)}: ${difference.column}`,
          ...[a, b].map((name, i) => {
            const line = difference.lines[i]!;
            const place = line === 0 ? name : `${name}:${line}`;
            return `  ${place}: ${visible(difference.values[i]!)}`;
          }),
        ];
  for (const { sentence } of limits) lines.push(`  not compared: ${sentence}`);
  if (lostRows[0] + lostRows[1] > 0) {
    lines.push(`  places with lost events, which are not compared: ${lostRows.join(" and ")}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
