import type { TimelineRow } from "../../../replay/timeline/flush-density.ts";
import type { StallEventRow, StallRow } from "../../../replay/timeline/timeline-rows.ts";
import { formatCount, formatUnknown } from "../../terminal.ts";
import { bandsOf, type PhaseBand } from "./migration-phases.ts";
import { policiesOf, type ResultSet } from "../../result-set.ts";
import { durationText, rangeText, stallOfRow } from "../units.ts";

/** What the timeline's script is given; client/timeline.ts names the parts. */
export interface TimelineData {
  readonly binNs: number;
  readonly bins: number;
  readonly policies: readonly string[];
  readonly keys: readonly (readonly [path: string, primitive: string])[];
  readonly measures: readonly string[];
  readonly series: readonly (readonly (readonly (readonly number[])[])[])[];
  readonly kept: readonly KeptData[];
  /** Of one VM's migration; none where the trace shows no dirty logging. */
  readonly phases: readonly PhaseBand[];
}

interface KeptData {
  readonly number: number;
  readonly startNs: number;
  readonly title: string;
  readonly facts: readonly (readonly [string, string])[];
  readonly weights: Readonly<Record<string, number>>;
  readonly events: readonly { readonly place: string; readonly text: string }[];
}

/** Most numbers of the timeline that go into a page; beyond it, neighbouring bins are added together. */
const MOST_NUMBERS = 60_000;

export const MEASURES = ["calls", "TLBI instructions", "undecided calls"] as const;

export function timelineData(results: ResultSet): TimelineData {
  const rows = results.tables.timeline ?? [];
  const policies = policiesOf(results.summary).filter((policy) =>
    rows.some((row) => row.policy === policy),
  );
  const keys = keysOf(rows);
  let binNs = rows[0]?.bin_ns ?? 1;
  let bins = 1;
  for (const { start_ns } of rows) bins = Math.max(bins, start_ns / binNs + 1);
  bins = Math.max(bins, Math.ceil(spanNsOf(results) / binNs));
  let numbers = rows.length * 2 * MEASURES.length;
  while (numbers > MOST_NUMBERS && bins > 64) {
    binNs *= 2;
    bins = Math.ceil(bins / 2);
    numbers /= 2;
  }
  return {
    binNs,
    bins,
    policies,
    keys,
    measures: [...MEASURES],
    series: policies.map((policy) => {
      const own = rows.filter((row) => row.policy === policy);
      return keys.map(([path, primitive]) => {
        const cell = own.filter((row) => row.path === path && row.primitive === primitive);
        return [
          pairsOf(cell, binNs, ({ calls }) => calls),
          pairsOf(cell, binNs, ({ tlbi }) => tlbi),
          pairsOf(cell, binNs, ({ unknown_calls }) => unknown_calls),
        ];
      });
    }),
    kept: keptOf(results),
    phases: bandsOf(results),
  };
}

/** From the first event of the trace to the last. */
function spanNsOf({ summary }: ResultSet): number {
  const { first_ts_ns: first, last_ts_ns: last } = summary.inputs[0] ?? {};
  return typeof first === "string" && typeof last === "string"
    ? Number(BigInt(last) - BigInt(first))
    : 0;
}

function keysOf(rows: readonly TimelineRow[]): (readonly [string, string])[] {
  const keys = new Map<string, readonly [string, string]>();
  for (const { path, primitive } of rows) keys.set(`${path}/${primitive}`, [path, primitive]);
  return [...keys.values()];
}

/** Bin, number, bin, number, … where not zero. */
function pairsOf(
  rows: readonly TimelineRow[],
  binNs: number,
  valueOf: (row: TimelineRow) => number,
): number[] {
  const sums = new Map<number, number>();
  for (const row of rows) {
    const bin = Math.floor(row.start_ns / binNs);
    const value = valueOf(row);
    if (value > 0) sums.set(bin, (sums.get(bin) ?? 0) + value);
  }
  return [...sums].flat();
}

function keptOf({ tables, summary }: ResultSet): KeptData[] {
  const byNumber = new Map<number, StallRow[]>();
  for (const row of tables.stalls ?? []) {
    const rows = byNumber.get(row.operation);
    if (rows === undefined) byNumber.set(row.operation, [row]);
    else rows.push(row);
  }
  const events = new Map<number, StallEventRow[]>();
  for (const event of tables.stall_events ?? []) {
    const list = events.get(event.operation);
    if (list === undefined) events.set(event.operation, [event]);
    else list.push(event);
  }
  const file = summary.inputs[0]?.path ?? "";
  return [...byNumber]
    .sort(([a], [b]) => a - b)
    .map(([number, rows]) => keptData(number, rows, events.get(number) ?? [], file));
}

function keptData(
  number: number,
  rows: readonly StallRow[],
  events: readonly StallEventRow[],
  file: string,
): KeptData {
  const first = rows[0]!;
  const most = rows.reduce((a, b) => (b.tlbi + b.dsb > a.tlbi + a.dsb ? b : a));
  return {
    number,
    startNs: first.start_ns,
    title: `${first.path} at ${durationText(first.start_ns)}: up to ${formatCount(most.tlbi)} TLBI (${most.policy})`,
    facts: [
      ["IPA range", `${rangeText(first.ipa_start_bytes, first.ipa_bytes)}, VM ${first.vm}`],
      [
        "Recorded duration",
        `${durationText(first.recorded_ns)} (everything in it, not only flushes)`,
      ],
      ["Place", `${file}:${first.line}, thread ${first.pid}, CPU ${first.cpu}`],
      ...rows.map((row) => [row.policy, costText(row)] as const),
    ],
    weights: Object.fromEntries(rows.map(({ policy, tlbi, dsb }) => [policy, tlbi + dsb])),
    events: events.map((event) => ({ place: placeText(event), text: eventText(event) })),
  };
}

function costText(row: StallRow): string {
  const { calls, tlbi, dsb, unknown_calls } = row;
  const more = unknown_calls === 0 ? "" : ` (${formatUnknown(unknown_calls)})`;
  const stall = stallOfRow(row);
  const price = stall === undefined ? "" : `; estimated stall ${stall}`;
  return `${formatCount(calls)} calls${more}, ${formatCount(tlbi)} TLBI, ${formatCount(dsb)} DSB${price}`;
}

function placeText({ line, byte_offset }: StallEventRow): string {
  return byte_offset === null ? `record ${line}` : `line ${line}, byte ${byte_offset}`;
}

/** The line as recorded, or what the event columns hold of it. */
function eventText(event: StallEventRow): string {
  if (event.text !== "") return event.text;
  const address = event.addr === null ? "" : ` addr=0x${event.addr.toString(16)}`;
  const length = event.len === null ? "" : ` len=0x${event.len.toString(16)}`;
  return `[${String(event.cpu).padStart(3, "0")}] thread ${event.pid} +${durationText(event.start_ns)} ${event.event}${address}${length}`;
}
