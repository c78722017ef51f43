import {
  formatCount,
  formatTable,
  paint,
  plural,
  type Style,
  type TerminalOptions,
  visible,
} from "../terminal.ts";
import type { CheckAnswer, CheckLevel, CheckReport, UnreadableReport } from "./schema.ts";
import { HARMLESS, STATUS_STYLE } from "./verdict.ts";

const SHOWN_NAMES = 12;
const SHOWN_LOSSES = 12;

const LEVEL_STYLE: Readonly<Record<CheckLevel, Style>> = {
  complete: "green",
  usable: "green",
  predictions: "yellow",
  bounds: "yellow",
  described: "red",
  unreadable: "red",
};

/** The terminal report of `check`: the verdict first, then what it rests on; an empty section is left out. */
export function formatCheck(report: CheckReport, options: TerminalOptions = {}): string {
  return [
    heading(report, options),
    section("Answers", [answersTable(report.answers, options)]),
    section("Trace", traceLines(report)),
    section("Machine", machineLines(report)),
    section("Events", eventLines(report)),
    section("Losses", lossLines(report)),
    section("Missing probes", probeLines(report)),
    section("Invariants", invariantLines(report)),
    section("Noticed", errorLines(report)),
  ].join("");
}

export function formatUnreadable(report: UnreadableReport, options: TerminalOptions = {}): string {
  const details = report.errors.flatMap(({ examples }) => examples.map(({ detail }) => detail));
  return heading(report, options) + section("Why", details);
}

function heading(
  { trace, verdict }: Pick<CheckReport, "trace" | "verdict">,
  options: TerminalOptions,
): string {
  const text = paint(visible(verdict.sentence), LEVEL_STYLE[verdict.level], options);
  return `${visible(trace)}: ${text}\n`;
}

/** Lines are made harmless here; a table has done so itself and ends its lines. */
function section(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  const body = lines.map((line) => (line.endsWith("\n") ? line : `  ${visible(line)}\n`));
  return `\n${title}\n${body.join("")}`;
}

function answersTable(answers: readonly CheckAnswer[], options: TerminalOptions): string {
  const told = new Map<string, string>();
  return answers
    .map(({ answer, question, status, because }) => {
      const name = paint(status.padEnd(8), STATUS_STYLE[status], options);
      const before = told.get(because.join("\n"));
      if (before === undefined) told.set(because.join("\n"), answer);
      const isRepeated = before !== undefined && because.length > 0;
      const lines = isRepeated ? [`as ${before}`] : because.map(visible);
      const head = `  ${answer.padEnd(13)}${name}${question}\n`;
      return head + lines.map((line) => `  ${"".padEnd(21)}- ${line}\n`).join("");
    })
    .join("");
}

function traceLines({ input, time }: CheckReport): readonly string[] {
  const packed = input.compression === "none" ? "" : `, ${input.compression}`;
  const lines = [
    `${input.format}: ${input.layout}${packed}`,
    `${input.path}: ${plural(input.bytes, "byte")}, ${plural(input.lines, "line")}, ${plural(input.events, "event")}`,
    `sha256 ${input.sha256}`,
    `clock ${time.clock ?? "unknown"} (${time.clock_origin}), resolution ${time.resolution}`,
  ];
  if (time.first_ts_ns !== null && time.last_ts_ns !== null) {
    const span = time.span_ns ?? 0;
    const length = time.unit === "ns" ? `${(span / 1e9).toFixed(6)} s` : plural(span, "tick");
    lines.push(`from ${time.first_ts_ns} to ${time.last_ts_ns} ${time.unit}: ${length}`);
  }
  if (time.backwards > 0) lines.push(`time runs backwards ${plural(time.backwards, "time")}`);
  if (time.equal_stamp_share > 0) {
    const share = (time.equal_stamp_share * 100).toFixed(2);
    lines.push(`${share} % of neighbouring events have equal times: the file's order is taken`);
  }
  return lines;
}

function machineLines({ machine }: CheckReport): readonly string[] {
  const settings = machine.settings
    .filter(({ value }) => value !== null)
    .map(({ name, value, origin }) => {
      const text = Array.isArray(value) ? value.join(", ") || "none" : String(value);
      return `${name}: ${text} (${origin})`;
    });
  return [
    `architecture: ${machine.architecture} (${machine.architecture_origin})`,
    ...settings,
    ...machine.assumptions.map((text) => `assumed: ${text}`),
    ...machine.contradictions.map((text) => `CONTRADICTION: ${text}`),
  ];
}

function eventLines({ events, probes }: CheckReport): readonly string[] {
  const names = events.by_name.slice(0, SHOWN_NAMES);
  if (names.length === 0) return ["none"];
  const rows = names.map(({ name, kind, count }) => [name, kind, formatCount(count)]);
  const table = formatTable(
    [
      { header: "  event", align: "left", key: true },
      { header: "kind", align: "left" },
      { header: "events", align: "right" },
    ],
    rows.map(([name, ...rest]) => [`  ${name!}`, ...rest]),
  );
  const others = events.by_name.length - names.length + events.names_left_out;
  const byCpu = Object.entries(events.by_cpu).map(([cpu, n]) => `${cpu}: ${formatCount(n)}`);
  const neverHit = probes.functions
    .filter(({ state }) => state === "never-hit")
    .map((one) => one.function);
  return [
    table,
    ...(others > 0 ? [`and ${plural(others, "name")} more (--format json lists them)`] : []),
    `by CPU: ${byCpu.join(", ")}`,
    ...(neverHit.length === 0 ? [] : [`probed and never hit: ${neverHit.join(", ")}`]),
  ];
}

function lossLines({ losses }: CheckReport): readonly string[] {
  const shown = losses.intervals.slice(0, SHOWN_LOSSES).map((interval) => {
    const of = interval.cpu === null ? "CPU not named" : `CPU ${interval.cpu}`;
    const many = interval.count === null ? "not known how many" : formatCount(interval.count);
    const from = interval.from_ns === null ? "the beginning" : interval.from_ns;
    const to = interval.to_ns === null ? "the end" : interval.to_ns;
    const when = interval.line === 0 ? "" : `, between ${from} and ${to} (line ${interval.line})`;
    return `${of}: ${many} events${when} [${interval.origin}]`;
  });
  const left = losses.intervals.length - shown.length + losses.intervals_left_out;
  const more = left > 0 ? [`and ${plural(left, "interval")} more`] : [];
  return [...shown, ...more, ...losses.effects];
}

function probeLines({ probes, machine }: CheckReport): readonly string[] {
  if (machine.architecture === "x86") return [];
  const list = probes.list === null ? "no probe list was saved" : `probe list: ${probes.list}`;
  const lines = probes.missing.map((one) => {
    const what = one.is_return ? `return of ${one.function}` : one.function;
    const closest = one.closest.length === 0 ? "" : `; closest: ${one.closest.join(", ")}`;
    return `${what} (${one.state}), for ${one.needed_for.join(", ")}: ${one.effect}${closest}`;
  });
  return lines.length === 0 ? [] : [...lines, list];
}

function invariantLines({ invariants, errors }: CheckReport): readonly string[] {
  const broken = invariants.filter(({ count }) => count > 0);
  const unjudged = invariants.filter((one) => one.not_judged_for.length > 0);
  const held = invariants.length - broken.length - unjudged.length;
  const lines = broken.flatMap(({ id, count, sentence, meaning }) => {
    const at = errors
      .find(({ code }) => code === id)
      ?.examples.slice(0, 2)
      .map(({ line, detail }) => `line ${line}: ${detail}`);
    const mark = HARMLESS.has(id) ? "" : "! ";
    return [
      `${mark}${id} × ${formatCount(count)}: ${sentence} (${at?.join("; ") ?? ""})`,
      `  ${meaning}`,
    ];
  });
  const notJudged =
    unjudged.length === 0 ? "" : `; not judged: ${unjudged.map(({ id }) => id).join(", ")}`;
  return [...lines, `${held} of ${invariants.length} hold${notJudged}`];
}

/** Codes that have a section of their own. */
const ELSEWHERE: ReadonlySet<string> = new Set(["MISSING_PROBE", "CONTRADICTING_SOURCES"]);

function errorLines({ errors, invariants, errors_left_out: left }: CheckReport): readonly string[] {
  const ids = new Set(invariants.map(({ id }) => id));
  const own = errors.filter(({ code }) => !ids.has(code) && !ELSEWHERE.has(code));
  const lines = own.map(({ severity, count, sentence, examples }) => {
    const example = examples[0];
    const where = example === undefined || example.line === 0 ? "" : `line ${example.line}: `;
    const detail = example === undefined ? "" : ` — ${where}${example.detail}`;
    return `${severity}: ${formatCount(count)} × ${sentence}${detail}`;
  });
  return left > 0 ? [...lines, `and ${plural(left, "kind")} more`] : lines;
}
