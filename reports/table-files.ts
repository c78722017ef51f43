import { toArrow } from "./arrow.ts";
import { toCsv } from "./csv.ts";
import type { OutputFile } from "./output-set.ts";
import type { TableSchema } from "./schema.ts";
import type { ToolIdentity } from "./tool.ts";

/** The two files of a result table, `NAME.csv` and `NAME.arrow`, with the same rows and columns. */
export async function tableFiles<Row>(
  schema: TableSchema<Row>,
  rows: readonly Row[],
  tool: ToolIdentity,
): Promise<readonly OutputFile[]> {
  return [
    { name: `${schema.name}.csv`, bytes: toCsv(schema, rows) },
    { name: `${schema.name}.arrow`, bytes: await toArrow(schema, rows, tool) },
  ];
}
