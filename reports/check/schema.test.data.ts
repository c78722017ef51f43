import * as v from "valibot";
import { CHECK_SCHEMA_VERSION, type CheckReport, type UnreadableReport } from "./schema.ts";

/** `check --format json`, strictly: what each field means stands in schema.ts. */

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.string();
const time = v.nullable(v.pipe(v.string(), v.regex(/^-?\d+$/)));
const texts = v.array(text);

const LEVELS = ["complete", "usable", "predictions", "bounds", "described", "unreadable"] as const;

const verdict = v.strictObject({
  level: v.picklist(LEVELS),
  sentence: text,
});

const example = v.strictObject({
  path: text,
  line: count,
  byte_offset: count,
  ts_ns: time,
  detail: text,
});

const error = v.strictObject({
  code: text,
  severity: v.picklist(["info", "notice", "dataLoss", "error"]),
  count,
  sentence: text,
  examples: v.array(example),
});

const input = v.strictObject({
  path: text,
  format: text,
  layout: text,
  compression: text,
  bytes: count,
  sha256: text,
  lines: count,
  events: count,
});

const timing = v.strictObject({
  clock: v.nullable(text),
  clock_origin: text,
  unit: v.picklist(["ns", "tick"]),
  resolution: v.picklist(["ns", "us", "ms", "s", "tick", "unknown"]),
  first_ts_ns: time,
  last_ts_ns: time,
  span_ns: v.nullable(v.number()),
  backwards: count,
  equal_stamp_share: v.number(),
});

const events = v.strictObject({
  by_kind: v.record(text, count),
  by_name: v.array(v.strictObject({ name: text, kind: text, count })),
  names_left_out: count,
  by_cpu: v.record(text, count),
});

const losses = v.strictObject({
  events_lost: count,
  unreadable: count,
  intervals: v.array(
    v.strictObject({
      cpu: v.nullable(count),
      count: v.nullable(count),
      from_ns: time,
      to_ns: time,
      line: count,
      origin: text,
    }),
  ),
  intervals_left_out: count,
  effects: texts,
  tables_forgotten: count,
  policy: text,
  calls_certain: count,
  calls_unknown: count,
});

const PROBE_STATES = [
  "present",
  "never-hit",
  "refused",
  "absent",
  "not-asked",
  "not-recorded",
  "not-called",
  "at-el2",
  "unseen",
  "not-in-kernel",
] as const;

const probes = v.strictObject({
  list: v.nullable(text),
  functions: v.array(
    v.strictObject({
      function: text,
      role: text,
      state: v.picklist(PROBE_STATES),
      events: count,
      return_events: v.nullable(count),
    }),
  ),
  missing: v.array(
    v.strictObject({
      function: text,
      is_return: v.boolean(),
      state: v.picklist(PROBE_STATES),
      needed_for: texts,
      without: v.picklist(["no", "bounds"]),
      effect: text,
      closest: texts,
    }),
  ),
});

const machine = v.strictObject({
  architecture: v.picklist(["arm64", "x86", "unknown"]),
  architecture_origin: text,
  settings: v.array(
    v.strictObject({
      name: text,
      value: v.nullable(v.union([text, v.number(), v.boolean(), texts])),
      origin: text,
    }),
  ),
  assumptions: texts,
  contradictions: texts,
});

const invariant = v.strictObject({
  id: text,
  sentence: text,
  meaning: text,
  count,
  not_judged_for: texts,
});

const answer = v.strictObject({
  answer: text,
  question: text,
  status: v.picklist(["yes", "assumed", "bounds", "no"]),
  because: texts,
});

export const CHECKED: v.GenericSchema<CheckReport> = v.strictObject({
  schema_version: v.literal(CHECK_SCHEMA_VERSION),
  trace: text,
  verdict,
  input,
  machine,
  time: timing,
  events,
  losses,
  probes,
  invariants: v.array(invariant),
  answers: v.array(answer),
  errors: v.array(error),
  errors_left_out: count,
});

/** A file that could not be opened as a trace at all. */
export const UNREADABLE: v.GenericSchema<UnreadableReport> = v.strictObject({
  schema_version: v.literal(CHECK_SCHEMA_VERSION),
  trace: text,
  verdict,
  errors: v.array(error),
  errors_left_out: count,
});
