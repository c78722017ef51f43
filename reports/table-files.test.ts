import { tableFromIPC } from "apache-arrow";
import { expect, it } from "vitest";
import { FLUSH_ROWS, TOOL } from "./sample-rows.test.data.ts";
import { FLUSHES } from "./schema.ts";
import { tableFiles } from "./table-files.ts";

it("gives a CSV and an Arrow file with the same columns and rows", async () => {
  const [csv, arrow] = await tableFiles(FLUSHES, FLUSH_ROWS, TOOL);
  expect([csv?.name, arrow?.name]).toEqual(["flushes.csv", "flushes.arrow"]);
  const table = tableFromIPC(Buffer.from(arrow?.bytes ?? ""));
  const [header, ...lines] = String(csv?.bytes).trimEnd().split("\n");
  expect(header).toBe(table.schema.names.join(","));
  expect(lines).toHaveLength(table.numRows);
});
