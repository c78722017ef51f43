import fs from "node:fs";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { jsonSchemas } from "./json-schemas.ts";
import { SUMMARY_SCHEMA } from "./summary-schema.ts";

const FOLDER = fileURLToPath(new URL("schema/", import.meta.url));

/** The least of a summary. */
function summary(): Record<string, unknown> {
  return {
    tool: { name: "tlbi-replay", version: "1.2.3", node: "v20" },
    schema_version: 1,
    arguments: ["analyze", "trace.txt"],
    configuration: [{ name: "kernel", value: "6.12", origin: "--kernel" }],
    inputs: [],
    assumptions: [],
    flushes: [
      {
        policy: "range-6.9",
        path: "unmap",
        primitive: "RANGE",
        calls: 1,
        tlbi: 2,
        dsb: 3,
        pages: 4,
        unknown_calls: 0,
      },
    ],
    instructions: [],
    explanations: [],
  };
}

describe("the published JSON schemas", () => {
  it.each([...jsonSchemas()])("%s is what the code checks by", (name, text) => {
    expect(fs.readFileSync(FOLDER + name, "utf8")).toBe(text);
  });

  it("holds a summary to its columns and types", () => {
    expect(v.is(SUMMARY_SCHEMA, summary())).toBe(true);
    expect(v.is(SUMMARY_SCHEMA, { ...summary(), schema_version: 2 })).toBe(false);
    expect(v.is(SUMMARY_SCHEMA, { ...summary(), flushes: [{ policy: "x" }] })).toBe(false);
    const { explanations: _, ...without } = summary();
    expect(v.is(SUMMARY_SCHEMA, without)).toBe(false);
  });
});
