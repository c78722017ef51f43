import * as v from "valibot";
import { type Rollup, ROLLUP_FORMAT, ROLLUP_VERSION } from "./rollup.ts";

/**
 * The shape of rollup.json, for reading an earlier one and for whoever reads ours: `batch merge` writes it
 * beside the roll-up as a JSON Schema.
 */

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const share = v.nullable(v.strictObject({ traces: count, of: count }));
const tool = v.strictObject({ name: v.string(), version: v.string() });
const groupKey = {
  host_model: v.string(),
  vm_type: v.string(),
  kernel: v.string(),
  policy: v.string(),
};
const traceCounts = v.strictObject({
  planned: count,
  done: count,
  failed: count,
  missing: count,
  refused: count,
  duplicates: count,
  lossy: count,
  inferred: count,
});
const distribution = v.strictObject({
  n: count,
  min: v.number(),
  p50: v.number(),
  p95: v.number(),
  p99: v.number(),
  max: v.number(),
  mean: v.number(),
});

const drift = v.strictObject({
  tool_before: tool,
  parameters_changed: v.boolean(),
  traces_before: traceCounts,
  changes: v.array(
    v.strictObject({
      ...groupKey,
      metric: v.string(),
      statistic: v.picklist(["p50", "p95", "p99"]),
      before: v.number(),
      after: v.number(),
      relative: v.nullable(v.number()),
      n_before: count,
      n_after: count,
    }),
  ),
  groups_appeared: v.array(v.strictObject(groupKey)),
  groups_vanished: v.array(v.strictObject(groupKey)),
});

const schema = v.strictObject({
  format: v.literal(ROLLUP_FORMAT),
  version: v.literal(ROLLUP_VERSION),
  tool,
  parameters: v.record(v.string(), v.union([v.string(), v.array(v.string())])),
  traces: traceCounts,
  failures: v.array(
    v.strictObject({
      trace: v.string(),
      key: v.nullable(v.string()),
      code: v.string(),
      message: v.string(),
    }),
  ),
  duplicates: v.array(v.strictObject({ trace: v.string(), same_as: v.string() })),
  losses: v.array(
    v.strictObject({
      code: v.string(),
      severity: v.string(),
      sentence: v.string(),
      traces: count,
      count,
    }),
  ),
  metrics: v.array(v.strictObject({ name: v.string(), unit: v.string(), meaning: v.string() })),
  groups: v.array(
    v.strictObject({
      ...groupKey,
      traces: count,
      lossy: count,
      not_converging: share,
      above_slo: share,
      metrics: v.record(v.string(), distribution),
    }),
  ),
  slo_ms: v.nullable(v.number()),
  worst_by: v.nullable(v.string()),
  worst: v.array(
    v.strictObject({
      rank: count,
      ...groupKey,
      trace: v.string(),
      key: v.string(),
      is_lossy: v.boolean(),
      result: v.string(),
      report: v.nullable(v.string()),
      value: v.number(),
    }),
  ),
  drift: v.nullable(drift),
});

/** The roll-up in a text, or why it is none. */
export function parseRollup(
  json: string,
): { readonly rollup: Rollup } | { readonly problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { problem: "it is not JSON" };
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return { rollup: parsed.output };
  const [issue] = parsed.issues;
  return { problem: `${v.getDotPath(issue) ?? "it"}: ${issue.message}` };
}

/** JSON Schema (draft 7) of rollup.json. The library is loaded here only. */
export async function rollupJsonSchema(): Promise<string> {
  const { toJsonSchema } = await import("@valibot/to-json-schema");
  const document = {
    title: `${ROLLUP_FORMAT} ${ROLLUP_VERSION}`,
    // The check on safe integers is the one thing that JSON Schema has no word for.
    ...toJsonSchema(schema, { errorMode: "ignore", target: "draft-07" }),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
