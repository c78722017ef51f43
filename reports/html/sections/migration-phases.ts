import type { TimelinePhaseRow } from "../../../replay/timeline/phase-rows.ts";
import type { ResultSet } from "../../result-set.ts";
import { formatCount, formatUnknown } from "../../terminal.ts";
import { dataTable, foldedTable, type HtmlColumn } from "../data-table.ts";
import { html, type Html, type HtmlPart } from "../markup.ts";
import { durationText, numberText } from "../units.ts";

/** A stretch of the time axis with the name of its phase. */
export interface PhaseBand {
  readonly name: string;
  /** Without the number of a pass: what is coloured alike. */
  readonly kind: string;
  readonly startNs: number;
  readonly endNs: number;
}

/** More rows than these are folded away. */
const OPEN_ROWS = 12;

/** Of the first VM whose dirty logging the trace shows: bands of several VMs would lie over each other. */
export function bandsOf({ tables }: ResultSet): readonly PhaseBand[] {
  return phasesOf(tables.timeline_phases ?? [])
    .filter(({ row }, _, all) => row.vm === all[0]!.row.vm)
    .map(({ row }) => ({
      name: nameOf(row),
      kind: row.phase,
      startNs: row.start_ns,
      endNs: row.end_ns,
    }));
}

/** How dense invalidations are in each phase, exactly; nothing where no VM logs. */
export function phaseTable({ tables }: ResultSet): Html | undefined {
  const rows = tables.timeline_phases ?? [];
  if (rows.length === 0) return undefined;
  const phases = phasesOf(rows);
  const vms = new Set(rows.map(({ vm }) => vm));
  const policies = [...new Set(rows.map(({ policy }) => policy))];
  const columns: readonly HtmlColumn[] = [
    { header: "phase" },
    { header: "from", align: "right" },
    { header: "length", align: "right" },
    ...policies.flatMap((policy): HtmlColumn[] => [
      { header: `${policy}: calls`, align: "right" },
      { header: "calls/s", align: "right" },
    ]),
    { header: "begins because" },
  ];
  const cells = phases.map(({ row, own }): HtmlPart[] => {
    const lengthNs = row.end_ns - row.start_ns;
    return [
      `${vms.size === 1 ? "" : `VM ${row.vm}: `}${nameOf(row)}`,
      durationText(row.start_ns),
      durationText(lengthNs),
      ...policies.flatMap((policy) => densityCells(own, policy, lengthNs)),
      `${row.because} (${row.confidence}${row.line === null ? "" : `, line ${row.line}`})`,
    ];
  });
  const caption = "Calls by phase of the migration";
  const table = phases.length > OPEN_ROWS ? foldedTable : dataTable;
  const first = rows[0]!.vm;
  const others =
    vms.size === 1
      ? ""
      : ` Bands and colours are VM ${first}'s phases by time, whichever VM causes a call: ${vms.size - 1} more VM${vms.size === 2 ? " has its" : "s have their"} own phases in the table.`;
  return html`<p>The trace shows dirty logging, so the timeline has a band for each phase of the migration; the table counts each VM's own calls, in the phase in which their operation began. Recorded calls outside of any operation are of no VM, and not in it.${others}</p>${table(caption, columns, cells)}`;
}

function densityCells(
  rows: readonly TimelinePhaseRow[],
  policy: string,
  lengthNs: number,
): HtmlPart[] {
  const row = rows.find((one) => one.policy === policy);
  if (row === undefined) return ["", ""];
  const more = row.unknown_calls === 0 ? "" : ` ${formatUnknown(row.unknown_calls)}`;
  const rate =
    lengthNs > 0 ? numberText(Number((row.calls / (lengthNs * 1e-9)).toPrecision(2))) : "–";
  return [`${formatCount(row.calls)}${more}`, rate];
}

/** Each phase once, with the rows of its policies. */
function phasesOf(
  rows: readonly TimelinePhaseRow[],
): readonly { readonly row: TimelinePhaseRow; readonly own: readonly TimelinePhaseRow[] }[] {
  const phases = new Map<string, TimelinePhaseRow[]>();
  for (const row of rows) {
    const key = `${row.vm}/${row.number}`;
    const own = phases.get(key);
    if (own === undefined) phases.set(key, [row]);
    else own.push(row);
  }
  return [...phases.values()].map((own) => ({ row: own[0]!, own }));
}

function nameOf({ phase, pass }: TimelinePhaseRow): string {
  return pass === null ? phase : `${phase} ${pass}`;
}
