import type { DowntimeEstimate, PolicyEstimate } from "../../../replay/migration/estimate-types.ts";
import type { Interval } from "../../../replay/migration/intervals.ts";
import { QUANTITIES } from "../../../replay/migration/quantities.ts";
import type { TornadoBar } from "../../../replay/migration/tornado.ts";
import type { DowntimeView, IntervalView, PolicyView } from "./view.ts";

/** The estimate as its page draws it. `tornado` as `tornadoOf` gives it. */
export function viewOfEstimate(
  { request, policies, differences, structures, headline }: DowntimeEstimate,
  tornado: readonly TornadoBar[],
): DowntimeView {
  return {
    headline,
    policies: policies.map(policyView),
    differences: differences.map(({ policy, than, quantity, difference, verdict }) => ({
      policy,
      than,
      quantity: QUANTITIES[quantity].title,
      ...intervalView(difference),
      verdict,
    })),
    tornado: tornado.map((bar) => ({ ...bar, quantity: QUANTITIES[bar.quantity].title })),
    structures: structures.map((row) => ({
      dimension: row.dimension,
      chosen: row.chosen,
      instead: row.instead,
      policy: row.policy,
      quantity: QUANTITIES[row.quantity].title,
      chosenInterval: maybe(row.chosenInterval),
      insteadInterval: maybe(row.insteadInterval),
      decides: row.decides,
    })),
    constants: request.table.costs.map(
      ({ name, meaning, unit, per, low, mode, high, evidence, source, date, origin }) => ({
        name,
        meaning,
        unit: per === "" ? unit : `${unit} per ${per}`,
        low,
        mode,
        high,
        evidence,
        source: `${source} (${date})`,
        origin,
      }),
    ),
    draws: request.draws,
    seed: request.seed,
  };
}

function policyView({
  id,
  mechanics,
  atModes,
  parts,
  estimates,
  pConverge,
}: PolicyEstimate): PolicyView {
  return {
    id,
    epoch: mechanics.epoch.id,
    kernels: mechanics.epoch.kernels,
    outcome: atModes.precopy?.outcome,
    pConverge,
    passes: (atModes.precopy?.passes ?? []).map((pass) => ({
      number: pass.number,
      startS: pass.startS,
      seconds: pass.seconds,
      sentBytes: pass.sentBytes,
      remainingBytes: pass.remainingBytes,
      thresholdBytes: pass.thresholdBytes,
      throttleShare: pass.throttleShare,
    })),
    parts: parts.map(({ part, interval }) => ({ part, ...intervalView(interval) })),
    estimates: estimates.map(({ quantity, point, interval, sampling, because, bounds }) => {
      const { title, unit, meaning } = QUANTITIES[quantity];
      return {
        quantity,
        title,
        unit,
        meaning,
        point,
        interval: maybe(interval),
        sampling: maybe(sampling),
        because,
        bounds,
      };
    }),
  };
}

function maybe(interval: Interval | undefined): IntervalView | undefined {
  return interval === undefined ? undefined : intervalView(interval);
}

function intervalView({ p5, p50, p95 }: Interval): IntervalView {
  return { p5, p50, p95 };
}
