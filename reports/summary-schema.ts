import * as v from "valibot";
import { SCHEMA_VERSION } from "./schema.ts";

/**
 * The shape of summary.json, for those who read it: the JSON schema in `reports/schema/` is made from
 * it, and a result folder is checked against it before a page is drawn or two runs are compared.
 * Objects may have further members, which later versions of the same schema version add.
 */

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const diagnostic = v.looseObject({
  code: v.string(),
  severity: v.picklist(["info", "notice", "dataLoss", "error"]),
  count,
  sentence: v.string(),
});

const setting = v.looseObject({
  name: v.string(),
  value: v.union([v.string(), v.number(), v.boolean(), v.null(), v.array(v.string())]),
  origin: v.pipe(v.string(), v.description("Where the value comes from.")),
});

const timeNs = v.pipe(
  v.union([v.pipe(v.string(), v.regex(/^-?\d+$/)), v.null()]),
  v.description("Trace clock in ns, as decimal text; null: there is no event."),
);

const input = v.looseObject({
  path: v.string(),
  bytes: v.pipe(count, v.description("As stored: compressed where compressed.")),
  sha256: v.string(),
  format: v.string(),
  layout: v.string(),
  compression: v.string(),
  lines: count,
  events: count,
  first_ts_ns: timeNs,
  last_ts_ns: timeNs,
  events_by_name: v.record(v.string(), count),
  losses: v.pipe(
    v.array(diagnostic),
    v.description("Severities dataLoss and error: they make the results bounds."),
  ),
  notices: v.array(diagnostic),
  examples: v.array(
    v.looseObject({
      code: v.string(),
      line: v.number(),
      byte_offset: v.number(),
      detail: v.string(),
    }),
  ),
});

const flush = v.looseObject({
  policy: v.string(),
  path: v.pipe(v.string(), v.description("Operation that causes the calls.")),
  primitive: v.pipe(v.string(), v.description("Invalidation primitive that is called.")),
  calls: v.pipe(count, v.description("Calls that are certain.")),
  tlbi: v.pipe(count, v.description("TLBI instructions in those calls.")),
  dsb: v.pipe(count, v.description("DSB instructions in those calls.")),
  pages: v.pipe(v.union([count, v.null()]), v.description("Pages named; null: a whole VMID.")),
  unknown_calls: v.pipe(count, v.description("At most so many more calls.")),
});

const spread = v.looseObject({
  median: v.number(),
  seed_min: v.number(),
  seed_max: v.number(),
  low: v.number(),
  high: v.number(),
});

const refills = v.looseObject({
  tlb: v.string(),
  stream: v.pipe(v.string(), v.description("`generated` accesses are assumed, not measured.")),
  is_known: v.boolean(),
  assumptions: v.array(v.string()),
  knobs: v.array(
    v.looseObject({
      name: v.string(),
      value: v.number(),
      unit: v.string(),
      meaning: v.string(),
      origin: v.string(),
    }),
  ),
  totals: v.array(
    v.looseObject({
      policy: v.string(),
      hypothesis: v.string(),
      combined_refills: spread,
      stage2_refills: v.nullable(spread),
      walk_references: spread,
      stale_hits: v.number(),
    }),
  ),
  differences: v.array(
    v.looseObject({
      hypothesis: v.string(),
      policy: v.string(),
      than: v.string(),
      combined_refills: spread,
      verdict: v.string(),
    }),
  ),
  rows: v.array(v.looseObject({ policy: v.string(), hypothesis: v.string(), path: v.string() })),
});

const range = v.looseObject({ low: v.number(), median: v.number(), high: v.number() });

const stall = v.pipe(
  v.looseObject({
    calibration: v.picklist(["idle", "loaded"]),
    seed: count,
    draws: count,
    constants: v.array(
      v.looseObject({
        name: v.string(),
        meaning: v.string(),
        unit: v.string(),
        low: v.number(),
        likely: v.number(),
        high: v.number(),
        conditions: v.string(),
        measured_on: v.string(),
        source: v.string(),
        date: v.string(),
        evidence: v.string(),
      }),
    ),
    policies: v.array(
      v.looseObject({
        policy: v.string(),
        priced_calls: count,
        unpriced: v.array(
          v.looseObject({ primitive: v.string(), calls: count, because: v.string() }),
        ),
        stall_us: v.pipe(
          v.union([range, v.null()]),
          v.description(
            "Microseconds of CPU time in flushes, one after the other, estimated; null: none of the calls has a price.",
          ),
        ),
        difference_us: v.pipe(
          v.union([range, v.null()]),
          v.description("Against the first policy, on the same draws of the constants."),
        ),
        verdict: v.union([v.string(), v.null()]),
        because: v.union([v.string(), v.null()]),
      }),
    ),
  }),
  v.description("5 and 95 % of the draws; idle and loaded constants are never mixed."),
);

export const SUMMARY_SCHEMA: v.GenericSchema = v.pipe(
  v.looseObject({
    tool: v.looseObject({ name: v.string(), version: v.string(), node: v.string() }),
    schema_version: v.literal(SCHEMA_VERSION),
    arguments: v.array(v.string()),
    configuration: v.array(setting),
    seed: v.optional(v.number()),
    inputs: v.array(input),
    assumptions: v.array(v.string()),
    inference: v.optional(
      v.pipe(v.looseObject({}), v.description("Present: inferred from stock tracepoints.")),
    ),
    flushes: v.array(flush),
    instructions: v.array(v.looseObject({ policy: v.string(), instruction: v.string(), count })),
    refills: v.optional(refills),
    stall: v.optional(v.array(stall)),
    explanations: v.array(v.string()),
  }),
  v.title("summary.json of tlbi-replay"),
  v.description("Results of one trace, with everything that they rest on."),
);
