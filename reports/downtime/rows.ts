import { BLACKOUT_PARTS } from "../../replay/migration/blackout.ts";
import type { DowntimeEstimate } from "../../replay/migration/estimate-types.ts";
import type { Interval } from "../../replay/migration/intervals.ts";
import { tornadoOf } from "../../replay/migration/tornado.ts";
import { QUANTITIES } from "../../replay/migration/quantities.ts";
import { unitText } from "../../replay/costs/cost.ts";
import type { TraceView } from "./view.ts";

/** Rows of the result tables; `schema.ts` says what each column means. */
export interface EstimateRow {
  readonly policy: string;
  readonly quantity: string;
  readonly unit: string;
  readonly p5: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly at_modes: number | null;
  readonly sampling_p5: number | null;
  readonly sampling_p50: number | null;
  readonly sampling_p95: number | null;
  readonly share_of_draws: number | null;
  readonly bound_low: number | null;
  readonly bound_high: number | null;
  readonly because: string | null;
}

export function estimateRows({ policies }: DowntimeEstimate): readonly EstimateRow[] {
  return policies.flatMap(({ id, estimates }) =>
    estimates.map(({ quantity, interval, point, sampling, bounds, because }) => ({
      policy: id,
      quantity,
      unit: QUANTITIES[quantity].unit,
      ...ends(interval),
      at_modes: point ?? null,
      sampling_p5: sampling?.p5 ?? null,
      sampling_p50: sampling?.p50 ?? null,
      sampling_p95: sampling?.p95 ?? null,
      share_of_draws: interval === undefined ? null : interval.values / interval.of,
      bound_low: bounds?.low ?? null,
      bound_high: bounds?.high ?? null,
      because: because ?? null,
    })),
  );
}

function ends(interval: Interval | undefined): Pick<EstimateRow, "p5" | "p50" | "p95"> {
  return { p5: interval?.p5 ?? null, p50: interval?.p50 ?? null, p95: interval?.p95 ?? null };
}

export interface PassRow {
  readonly policy: string;
  readonly pass: number;
  readonly start_s: number;
  readonly duration_s: number;
  readonly sent_bytes: number;
  readonly dirtied_bytes: number;
  readonly remaining_bytes: number;
  readonly threshold_bytes: number;
  readonly copy_s: number;
  readonly sync_s: number;
  readonly clear_s: number;
  readonly clears: number;
  readonly flush_calls: number;
  readonly throttle_share: number;
  readonly fault_share: number;
}

export function passRows({ policies }: DowntimeEstimate): readonly PassRow[] {
  return policies.flatMap(({ id, atModes }) =>
    (atModes.precopy?.passes ?? []).map((pass) => ({
      policy: id,
      pass: pass.number,
      start_s: pass.startS,
      duration_s: pass.seconds,
      sent_bytes: pass.sentBytes,
      dirtied_bytes: pass.dirtiedBytes,
      remaining_bytes: pass.remainingBytes,
      threshold_bytes: pass.thresholdBytes,
      copy_s: pass.copyS,
      sync_s: pass.syncS,
      clear_s: pass.clearS,
      clears: pass.clears,
      flush_calls: pass.flushCalls,
      throttle_share: pass.throttleShare,
      fault_share: pass.faultShare,
    })),
  );
}

export interface ComponentRow {
  readonly policy: string;
  readonly component: string;
  readonly p5_s: number | null;
  readonly p50_s: number | null;
  readonly p95_s: number | null;
  readonly at_modes_s: number | null;
}

/** Without a blackout there are none. */
export function componentRows({ policies }: DowntimeEstimate): readonly ComponentRow[] {
  return policies.flatMap(({ id, parts, atModes }) =>
    BLACKOUT_PARTS.flatMap((component) => {
      const found = parts.find(({ part }) => part === component);
      if (found === undefined) return [];
      const { p5, p50, p95 } = found.interval;
      const at_modes_s = Number.isNaN(atModes.values.source_downtime)
        ? null
        : (atModes.blackout?.parts[component] ?? null);
      return [{ policy: id, component, p5_s: p5, p50_s: p50, p95_s: p95, at_modes_s }];
    }),
  );
}

export interface DifferenceRow {
  readonly policy: string;
  readonly than: string;
  readonly quantity: string;
  readonly unit: string;
  readonly difference_p5: number;
  readonly difference_p50: number;
  readonly difference_p95: number;
  readonly ratio_p5: number | null;
  readonly ratio_p50: number | null;
  readonly ratio_p95: number | null;
  readonly verdict: string;
  readonly because: string | null;
}

export function differenceRows({ differences }: DowntimeEstimate): readonly DifferenceRow[] {
  return differences.map(({ policy, than, quantity, difference, ratio, verdict, because }) => ({
    policy,
    than,
    quantity,
    unit: QUANTITIES[quantity].unit,
    difference_p5: difference.p5,
    difference_p50: difference.p50,
    difference_p95: difference.p95,
    ratio_p5: ratio?.p5 ?? null,
    ratio_p50: ratio?.p50 ?? null,
    ratio_p95: ratio?.p95 ?? null,
    verdict,
    because: because ?? null,
  }));
}

export interface StructureCsvRow {
  readonly dimension: string;
  readonly chosen: string;
  readonly instead: string;
  readonly policy: string;
  readonly quantity: string;
  readonly unit: string;
  readonly chosen_p50: number | null;
  readonly instead_p5: number | null;
  readonly instead_p50: number | null;
  readonly instead_p95: number | null;
  readonly decides: string;
}

export function structureRows({ structures }: DowntimeEstimate): readonly StructureCsvRow[] {
  return structures.map((row) => ({
    dimension: row.dimension,
    chosen: row.chosen,
    instead: row.instead,
    policy: row.policy,
    quantity: row.quantity,
    unit: QUANTITIES[row.quantity].unit,
    chosen_p50: row.chosenInterval?.p50 ?? null,
    instead_p5: row.insteadInterval?.p5 ?? null,
    instead_p50: row.insteadInterval?.p50 ?? null,
    instead_p95: row.insteadInterval?.p95 ?? null,
    decides: row.decides ? "yes" : "no",
  }));
}

export interface SensitivityRow {
  readonly policy: string;
  readonly quantity: string;
  readonly name: string;
  readonly rank_correlation: number;
}

export function sensitivityRows({ policies }: DowntimeEstimate): readonly SensitivityRow[] {
  return policies.flatMap(({ id, sensitivities }) =>
    sensitivities.map(({ quantity, name, correlation }) => ({
      policy: id,
      quantity,
      name,
      rank_correlation: correlation,
    })),
  );
}

export interface CostRow {
  readonly name: string;
  readonly meaning: string;
  readonly unit: string;
  readonly low: number;
  readonly mode: number;
  readonly high: number;
  readonly conditions: string;
  readonly measured_on: string;
  readonly source: string;
  readonly date: string;
  readonly evidence: string;
  readonly origin: string;
}

export function costRows({ request }: DowntimeEstimate): readonly CostRow[] {
  return request.table.costs.map((cost) => ({
    name: cost.name,
    meaning: cost.meaning,
    unit: unitText(cost),
    low: cost.low,
    mode: cost.mode,
    high: cost.high,
    conditions: cost.conditions,
    measured_on: cost.measuredOn,
    source: cost.source,
    date: cost.date,
    evidence: cost.evidence,
    origin: cost.origin,
  }));
}

export interface PhaseRow {
  readonly vm: number;
  readonly phase: string;
  readonly pass: number | null;
  readonly start_s: number;
  readonly duration_s: number;
  readonly write_faults: number;
  readonly dirtied_pages: number;
  readonly clears: number;
  readonly cleared_pages: number;
  readonly blocks_broken: number;
  readonly collapses: number;
  readonly policy: string;
  readonly flush_calls: number;
  readonly local_calls: number;
  readonly unknown_calls: number;
  readonly flush_p5_s: number | null;
  readonly flush_p50_s: number | null;
  readonly flush_p95_s: number | null;
}

export function phaseRows({ vm, inputs, prices }: TraceView): readonly PhaseRow[] {
  return vm.phases.flatMap(({ name, pass, startNs, endNs, facts }) =>
    prices
      .filter((price) => price.phase === name && price.pass === pass)
      .filter((price) => price.startNs === startNs)
      .map((price) => ({
        vm: vm.vm,
        phase: name,
        pass: pass ?? null,
        start_s: (startNs - inputs.firstNs) / 1e9,
        duration_s: (endNs - startNs) / 1e9,
        write_faults: facts.writeFaults,
        dirtied_pages: facts.dirtiedPages,
        clears: facts.clears,
        cleared_pages: facts.clearedPages,
        blocks_broken: facts.blocksBroken,
        collapses: facts.collapses,
        policy: price.policy,
        flush_calls: price.calls,
        local_calls: price.localCalls,
        unknown_calls: price.unknownCalls,
        flush_p5_s: price.interval?.p5 ?? null,
        flush_p50_s: price.interval?.p50 ?? null,
        flush_p95_s: price.interval?.p95 ?? null,
      })),
  );
}

/** What one constant alone does to a quantity, from the low to the high end of its range. */
export interface TornadoRow {
  readonly policy: string;
  readonly quantity: string;
  readonly unit: string;
  readonly name: string;
  readonly at_low: number;
  readonly at_modes: number;
  readonly at_high: number;
}

export function tornadoRows({ request, policies }: DowntimeEstimate): readonly TornadoRow[] {
  return tornadoOf(request, policies).map((bar) => ({
    policy: bar.policy,
    quantity: bar.quantity,
    unit: QUANTITIES[bar.quantity].unit,
    name: bar.name,
    at_low: bar.atLow,
    at_modes: bar.atMode,
    at_high: bar.atHigh,
  }));
}
