import { EVENT_KINDS } from "../../ingest/events/kinds.ts";
import type { NameTable } from "../../ingest/events/names.ts";
import { PATHS, type PathName } from "../paths.ts";
import type { TimelineRow } from "./flush-density.ts";
import type { FlushTimeline } from "./flush-timeline.ts";
import { type HeatGrid, LEVELS } from "./heat-grid.ts";
import type { OperationSizeRow, PairedRow } from "./operation-sizes.ts";
import { StallPricer } from "./stall-estimate.ts";

/** One row per kept operation and policy that issues anything in it. */
export interface StallRow {
  readonly policy: string;
  /** 1 for the most instructions of this policy; 0 for an example of its time. */
  readonly rank: number;
  /** Number of the operation, in the order of time. */
  readonly operation: number;
  /** Since the trace's first event. */
  readonly start_ns: number;
  /** From the operation's first event to its last, in the recorded run. */
  readonly recorded_ns: number;
  readonly path: PathName;
  readonly vm: number;
  /** Null where it names the whole VM. */
  readonly ipa_start_bytes: number | null;
  readonly ipa_bytes: number | null;
  readonly calls: number;
  readonly tlbi: number;
  readonly dsb: number;
  readonly unknown_calls: number;
  readonly cpu: number;
  readonly pid: number;
  readonly line: number;
  /** Estimated, idle calibration (`stall-estimate.ts`); null where a call of it has no price. */
  readonly stall_us_low: number | null;
  readonly stall_us_median: number | null;
  readonly stall_us_high: number | null;
}

/** Events of a kept operation, in order. */
export interface StallEventRow {
  readonly operation: number;
  /** 1-based line or record of the trace. */
  readonly line: number;
  /** Of the line in the unpacked trace; null where the format has no lines. */
  readonly byte_offset: number | null;
  readonly start_ns: number;
  readonly cpu: number;
  readonly pid: number;
  readonly event: string;
  readonly addr: number | null;
  readonly len: number | null;
  /** The line as recorded; empty where it was not read again. */
  readonly text: string;
}

/** One row per VM, part of its IPA space, time bin and layer, where not zero. */
export interface HeatTableRow {
  readonly vm: number;
  readonly ipa_start_bytes: number;
  readonly ipa_bytes: number;
  readonly start_ns: number;
  readonly bin_ns: number;
  /** mapped_level1, mapped_level2, mapped_level3, changed, invalidated, over_invalidated. */
  readonly layer: string;
  /** Of the last two layers, else empty. */
  readonly policy: string;
  readonly pages: number;
}

/** Everything that a FlushTimeline found, as result tables. */
export interface TimelineResult {
  readonly timeline: readonly TimelineRow[];
  readonly paired: readonly PairedRow[];
  readonly operation_sizes: readonly OperationSizeRow[];
  readonly stalls: readonly StallRow[];
  readonly stall_events: readonly StallEventRow[];
  readonly heat: readonly HeatTableRow[];
  /** VMs whose heat map is not kept. */
  readonly vmsLeftOut: number;
}

/** VMs whose grids become rows: the busiest. */
const VMS_SHOWN = 4;

/**
 * @param isRecorded the trace has the primitives' probes: without them `recorded` is not shown.
 */
export function timelineResult(
  timeline: FlushTimeline,
  names: NameTable,
  isRecorded: boolean,
): TimelineResult {
  const shown = isRecorded ? timeline.policies : timeline.policies.slice(0, -1);
  const grids = [...timeline.heat.grids()]
    .filter(({ activity }) => activity > 0)
    .sort((a, b) => b.activity - a.activity || a.vm - b.vm);
  const left = Math.max(0, grids.length - VMS_SHOWN) + timeline.heat.vmsLeftOut;
  return {
    timeline: timeline.density.rows(timeline.policies),
    paired: timeline.sizes.pairedRows(shown),
    operation_sizes: timeline.sizes.sizeRows(shown),
    stalls: stallRows(timeline, shown),
    stall_events: stallEventRows(timeline, names),
    heat: grids.slice(0, VMS_SHOWN).flatMap((grid) => heatRows(timeline, grid, shown)),
    vmsLeftOut: left,
  };
}

function stallRows(timeline: FlushTimeline, policies: readonly string[]): StallRow[] {
  const { originNs } = timeline.bins;
  const { pageBytes } = timeline;
  const rows: StallRow[] = [];
  const kept = timeline.stalls.kept();
  const pricer = new StallPricer("idle");
  for (const [at, policy] of policies.entries()) {
    for (const [number, { operation, ranks }] of kept.entries()) {
      const { calls, tlbi, dsb, unknownCalls, byPrimitive } = operation.costs[at]!;
      if (calls === 0 && unknownCalls === 0) continue;
      const { us, unpriced } = pricer.stall(timeline.calls[at]!, byPrimitive);
      const stall = unpriced.length > 0 ? undefined : us;
      rows.push({
        policy,
        rank: ranks[at]!,
        operation: number + 1,
        start_ns: Math.max(0, operation.startNs - originNs),
        recorded_ns: operation.lastNs - operation.startNs,
        path: PATHS[operation.path]!,
        vm: operation.vm,
        ipa_start_bytes: numberOrNull(operation.ipaPage * pageBytes),
        ipa_bytes: numberOrNull(operation.ipaPages * pageBytes),
        calls,
        tlbi,
        dsb,
        unknown_calls: unknownCalls,
        cpu: operation.cpu,
        pid: operation.pid,
        line: operation.line,
        stall_us_low: stall?.low ?? null,
        stall_us_median: stall?.median ?? null,
        stall_us_high: stall?.high ?? null,
      });
    }
  }
  return rows;
}

function stallEventRows(timeline: FlushTimeline, names: NameTable): StallEventRow[] {
  const { originNs } = timeline.bins;
  const rows: StallEventRow[] = [];
  for (const [number, { operation }] of timeline.stalls.kept().entries()) {
    for (const event of operation.events) {
      rows.push({
        operation: number + 1,
        line: event.line,
        byte_offset: null,
        start_ns: Math.max(0, event.tsNs - originNs),
        cpu: event.cpu,
        pid: event.pid,
        event: names.text(event.name) || EVENT_KINDS[event.kind] || "",
        addr: numberOrNull(event.addr),
        len: numberOrNull(event.len),
        text: "",
      });
    }
  }
  return rows;
}

function heatRows(
  timeline: FlushTimeline,
  grid: HeatGrid,
  policies: readonly string[],
): HeatTableRow[] {
  const { widthNs, used } = timeline.heatBins;
  const rowBytes = grid.rowPages * timeline.pageBytes;
  const rows: HeatTableRow[] = [];
  for (const [part, row] of [...grid.rows].sort(([a], [b]) => a - b)) {
    const cells = grid.cellsOf(row);
    const push = (bin: number, layer: string, policy: string, pages: number): void => {
      if (pages === 0) return;
      rows.push({
        vm: grid.vm,
        ipa_start_bytes: part * rowBytes,
        ipa_bytes: rowBytes,
        start_ns: bin * widthNs,
        bin_ns: widthNs,
        layer,
        policy,
        pages,
      });
    };
    for (let bin = 0; bin < used; bin += 1) {
      for (let level = 1; level <= LEVELS; level += 1) {
        push(bin, `mapped_level${level}`, "", cells.mapped[level - 1]![bin]!);
      }
      push(bin, "changed", "", cells.changed[bin]!);
      for (const [at, policy] of policies.entries()) {
        push(bin, "invalidated", policy, cells.invalidated[at]![bin]!);
        push(bin, "over_invalidated", policy, cells.over[at]![bin]!);
      }
    }
  }
  return rows;
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
