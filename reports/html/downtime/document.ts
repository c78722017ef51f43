import * as v from "valibot";
import type { DowntimePageInput } from "./page.ts";
import type { IntervalView, PolicyView } from "./view.ts";

/**
 * The document of an estimate (`downtime --format json`, and summary.json of its folder) as its page draws
 * it. The page is made of the document alone, so that a finished folder gives the same one.
 */

const number = v.nullable(v.number());
const text = v.string();
const schema = v.looseObject({
  tool: v.looseObject({ name: text, version: text }),
  note: v.literal("estimated, not measured"),
  arguments: v.array(text),
  headline: text,
  seed: v.number(),
  draws: v.number(),
  settings: v.array(v.looseObject({ name: text, value: v.unknown(), origin: text })),
  warnings: v.array(text),
  quantities: v.array(v.looseObject({ id: text, title: text, unit: text, meaning: text })),
  input: v.optional(
    v.looseObject({
      path: text,
      losses: v.array(v.looseObject({ count: v.number(), sentence: text })),
    }),
  ),
  policies: v.array(
    v.looseObject({
      policy: text,
      epoch: text,
      because: text,
      outcome: v.nullable(text),
      p_converge: number,
    }),
  ),
  estimates: v.array(
    v.looseObject({
      policy: text,
      quantity: text,
      p5: number,
      p50: number,
      p95: number,
      at_modes: number,
      sampling_p5: number,
      sampling_p50: number,
      sampling_p95: number,
      bound_low: number,
      bound_high: number,
      because: v.nullable(text),
    }),
  ),
  passes: v.array(
    v.looseObject({
      policy: text,
      pass: v.number(),
      start_s: v.number(),
      duration_s: v.number(),
      sent_bytes: v.number(),
      remaining_bytes: v.number(),
      threshold_bytes: v.number(),
      throttle_share: v.number(),
    }),
  ),
  components: v.array(
    v.looseObject({ policy: text, component: text, p5_s: number, p50_s: number, p95_s: number }),
  ),
  differences: v.array(
    v.looseObject({
      policy: text,
      than: text,
      quantity: text,
      difference_p5: v.number(),
      difference_p50: v.number(),
      difference_p95: v.number(),
      verdict: text,
    }),
  ),
  structures: v.array(
    v.looseObject({
      dimension: text,
      chosen: text,
      instead: text,
      policy: text,
      quantity: text,
      chosen_p50: number,
      instead_p5: number,
      instead_p50: number,
      instead_p95: number,
      decides: text,
    }),
  ),
  tornado: v.optional(
    v.array(
      v.looseObject({
        policy: text,
        quantity: text,
        name: text,
        at_low: v.number(),
        at_high: v.number(),
        at_modes: v.number(),
      }),
    ),
    [],
  ),
  phases: v.optional(
    v.array(
      v.looseObject({
        phase: text,
        pass: number,
        start_s: v.number(),
        duration_s: v.number(),
        write_faults: v.number(),
        dirtied_pages: v.number(),
        collapses: v.number(),
        policy: text,
        flush_calls: v.number(),
      }),
    ),
    [],
  ),
  costs: v.array(
    v.looseObject({
      name: text,
      meaning: text,
      unit: text,
      low: v.number(),
      mode: v.number(),
      high: v.number(),
      evidence: text,
      source: text,
      origin: text,
    }),
  ),
});

type Document = v.InferOutput<typeof schema>;

/** What the page draws; undefined where the value is no such document. */
export function pageInputOf(document: unknown): DowntimePageInput | undefined {
  const parsed = v.safeParse(schema, document);
  if (!parsed.success) return undefined;
  const found = parsed.output;
  const title = (id: string): string => found.quantities.find((one) => one.id === id)?.title ?? id;
  return {
    tool: found.tool,
    subject: found.input?.path ?? "parameters alone",
    argv: found.arguments,
    settings: found.settings.map(({ name, value, origin }) => ({
      name,
      value: typeof value === "string" ? value : JSON.stringify(value),
      origin,
    })),
    assumptions: found.warnings,
    losses: (found.input?.losses ?? []).map(({ count, sentence }) => `${count} × ${sentence}`),
    view: {
      headline: found.headline,
      policies: found.policies.map((policy) => policyOf(found, policy)),
      differences: found.differences.map((row) => ({
        policy: row.policy,
        than: row.than,
        quantity: title(row.quantity),
        p5: row.difference_p5,
        p50: row.difference_p50,
        p95: row.difference_p95,
        verdict: row.verdict,
      })),
      tornado: found.tornado.map((row) => ({
        policy: row.policy,
        quantity: title(row.quantity),
        name: row.name,
        atLow: row.at_low,
        atHigh: row.at_high,
        atMode: row.at_modes,
      })),
      structures: found.structures.map((row) => ({
        dimension: row.dimension,
        chosen: row.chosen,
        instead: row.instead,
        policy: row.policy,
        quantity: title(row.quantity),
        chosenMedian: row.chosen_p50 ?? undefined,
        insteadInterval: intervalOf(row.instead_p5, row.instead_p50, row.instead_p95),
        decides: row.decides === "yes" || row.decides === "true",
      })),
      phases: found.phases.map((row) => ({
        phase: row.pass === null ? row.phase : `${row.phase} ${row.pass}`,
        startS: row.start_s,
        seconds: row.duration_s,
        writeFaults: row.write_faults,
        dirtiedPages: row.dirtied_pages,
        collapses: row.collapses,
        policy: row.policy,
        flushCalls: row.flush_calls,
      })),
      constants: found.costs.map(
        ({ name, meaning, unit, low, mode, high, evidence, source, origin }) => ({
          name,
          meaning,
          unit,
          low,
          mode,
          high,
          evidence,
          source,
          origin,
        }),
      ),
      draws: found.draws,
      seed: found.seed,
    },
  };
}

function policyOf(document: Document, policy: Document["policies"][number]): PolicyView {
  const own = <Row extends { readonly policy: string }>(rows: readonly Row[]): readonly Row[] =>
    rows.filter((row) => row.policy === policy.policy);
  return {
    id: policy.policy,
    epoch: policy.epoch,
    kernels: policy.because,
    outcome: policy.outcome ?? undefined,
    pConverge: policy.p_converge ?? undefined,
    passes: own(document.passes).map((row) => ({
      number: row.pass,
      startS: row.start_s,
      seconds: row.duration_s,
      sentBytes: row.sent_bytes,
      remainingBytes: row.remaining_bytes,
      thresholdBytes: row.threshold_bytes,
      throttleShare: row.throttle_share,
    })),
    parts: own(document.components).flatMap(({ component, p5_s, p50_s, p95_s }) => {
      const interval = intervalOf(p5_s, p50_s, p95_s);
      return interval === undefined ? [] : [{ part: component, ...interval }];
    }),
    estimates: own(document.estimates).map((row) => {
      const quantity = document.quantities.find(({ id }) => id === row.quantity);
      return {
        quantity: row.quantity,
        title: quantity?.title ?? row.quantity,
        unit: quantity?.unit ?? "",
        meaning: quantity?.meaning ?? "",
        point: row.at_modes ?? undefined,
        interval: intervalOf(row.p5, row.p50, row.p95),
        sampling: intervalOf(row.sampling_p5, row.sampling_p50, row.sampling_p95),
        because: row.because ?? undefined,
        bounds:
          row.bound_low === null
            ? undefined
            : { low: row.bound_low, high: row.bound_high ?? undefined },
      };
    }),
  };
}

function intervalOf(
  p5: number | null,
  p50: number | null,
  p95: number | null,
): IntervalView | undefined {
  return p5 === null || p50 === null || p95 === null ? undefined : { p5, p50, p95 };
}
