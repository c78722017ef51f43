import type { Rollup, WorstEntry } from "../../batch/rollup.ts";
import { formatCount } from "../../terminal.ts";
import { dataTable, foldedTable } from "../data-table.ts";
import { html, type Html } from "../markup.ts";
import { type FleetPart, numberOf } from "./part.ts";

/** Failures and duplicates in the page; rollup.json has all. */
const LISTED = 500;

export function worstPart(rollup: Rollup): FleetPart {
  const { worst, worst_by } = rollup;
  return {
    id: "worst",
    title: "Worst traces",
    why: "No trace has a figure to choose by.",
    body:
      worst.length === 0
        ? undefined
        : dataTable(
            `The ${worst.length} traces with the highest ${worst_by ?? ""}`,
            [
              { header: "rank", align: "right" },
              { header: "trace" },
              { header: worst_by ?? "figure", align: "right" },
              { header: "policy" },
              { header: "host model" },
              { header: "VM type" },
              { header: "kernel" },
            ],
            worst.map((entry) => [
              String(entry.rank),
              linkOf(entry),
              `${entry.is_lossy ? "≥ " : ""}${numberOf(entry.value)}`,
              entry.policy,
              entry.host_model,
              entry.vm_type,
              entry.kernel,
            ]),
          ),
  };
}

/** A link to the trace's page, where there is one; only to where a relative path leads. */
function linkOf({ trace, report }: WorstEntry): Html | string {
  if (report === null || report === "") return trace;
  if (/^[/\\]|^[^/]*:/.test(report) || report.split(/[/\\]/).includes("..")) return trace;
  const path = report.split("/").map(encodeURIComponent).join("/");
  return html`<a href="${path}">${trace}</a>`;
}

export function lossesPart({ losses, failures, duplicates }: Rollup): FleetPart {
  const parts: Html[] = [];
  if (losses.length > 0) {
    parts.push(
      dataTable(
        "Losses and doubts, all traces together",
        [
          { header: "what" },
          { header: "severity" },
          { header: "traces", align: "right" },
          { header: "times", align: "right" },
        ],
        losses.map(({ sentence, severity, traces, count }) => [
          html`<span class="why">${sentence}</span>`,
          severity,
          formatCount(traces),
          formatCount(count),
        ]),
      ),
    );
  }
  if (failures.length > 0) {
    parts.push(
      foldedTable(
        `Traces without a result (${formatCount(failures.length)})`,
        [{ header: "trace" }, { header: "code" }, { header: "why" }],
        failures
          .slice(0, LISTED)
          .map(({ trace, code, message }) => [
            trace,
            code,
            html`<span class="why">${message}</span>`,
          ]),
      ),
    );
  }
  if (duplicates.length > 0) {
    parts.push(
      foldedTable(
        `Named twice, counted once (${formatCount(duplicates.length)})`,
        [{ header: "trace" }, { header: "same as" }],
        duplicates.slice(0, LISTED).map(({ trace, same_as }) => [trace, same_as]),
      ),
    );
  }
  return {
    id: "losses",
    title: "Losses and failures",
    why: "No trace lost anything, and none failed.",
    body: parts.length === 0 ? undefined : html`${parts}`,
  };
}

export function parametersPart({ parameters, metrics, tool }: Rollup): FleetPart {
  return {
    id: "parameters",
    title: "Parameters",
    why: "",
    body: html`<p>${tool.name} ${tool.version}, with these options of analyze:</p>
${dataTable(
  "Options of the analysis",
  [{ header: "option" }, { header: "value" }],
  Object.entries(parameters).map(([name, value]) => [name, [value].flat().join(", ")]),
)}
${foldedTable(
  "Figures and their units",
  [{ header: "figure" }, { header: "unit" }, { header: "meaning" }],
  metrics.map(({ name, unit, meaning }) => [name, unit, meaning]),
)}`,
  };
}
