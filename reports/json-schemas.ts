import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { SUMMARY_SCHEMA } from "./summary-schema.ts";

/** `diff --format json`. */
export const DIFF_SCHEMA: v.GenericSchema = v.pipe(
  v.object({
    tool: v.object({ name: v.string(), version: v.string() }),
    schema_version: v.number(),
    before: v.pipe(v.string(), v.description("Folder of the first run, as given.")),
    after: v.string(),
    is_equal: v.boolean(),
    differences: v.array(
      v.object({
        kind: v.picklist(["configuration", "input", "loss", "flushes", "refills", "downtime"]),
        name: v.string(),
        before: v.pipe(v.string(), v.description("Empty: the first run does not have it.")),
        after: v.string(),
        difference: v.pipe(v.union([v.number(), v.null()]), v.description("Second minus first.")),
        unit: v.string(),
      }),
    ),
  }),
  v.title("diff --format json of tlbi-replay"),
);

function text(schema: v.GenericSchema): string {
  return `${JSON.stringify(toJsonSchema(schema, { errorMode: "ignore" }), null, 2)}\n`;
}

/** The published JSON schemas by file name, as they stand in `reports/schema/`. */
export function jsonSchemas(): ReadonlyMap<string, string> {
  return new Map([
    ["summary.schema.json", text(SUMMARY_SCHEMA)],
    ["diff.schema.json", text(DIFF_SCHEMA)],
  ]);
}
