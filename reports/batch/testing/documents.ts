import type { EstimateRow } from "../../downtime/rows.ts";
import { ESTIMATES } from "../../downtime/schema.ts";
import { resultTable } from "../../result-tables.ts";
import { type ResultDocument, type StoredTable, storedTable } from "../result-document.ts";
import type { TraceEntry } from "../trace-entry.ts";

type Rows = readonly (readonly (string | number | null)[])[];

/** `policy, primitive, calls, tlbi, dsb, unknown_calls`. */
export function flushesTable(rows: Rows): StoredTable {
  const text = { type: "utf8", nullable: false, unit: "", meaning: "A name." } as const;
  const count = { type: "int64", nullable: false, unit: "call", meaning: "A count." } as const;
  return {
    name: "flushes",
    order: "as given",
    columns: [
      { ...text, name: "policy" },
      { ...text, name: "primitive" },
      { ...count, name: "calls" },
      { ...count, name: "tlbi" },
      { ...count, name: "dsb" },
      { ...count, name: "unknown_calls" },
    ],
    rows,
  };
}

/** The table of `downtime` by its own schema: of each policy the quantities that are named. */
export function downtimeTable(rows: readonly Partial<EstimateRow>[]): StoredTable {
  const whole = rows.map((row): EstimateRow => {
    const nothing = Object.fromEntries(ESTIMATES.columns.map(({ name }) => [name, null]));
    return { ...nothing, unit: "s", ...row } as EstimateRow;
  });
  return storedTable(resultTable(ESTIMATES, whole));
}

export interface DocumentParts {
  readonly key: string;
  readonly tables: readonly StoredTable[];
  readonly policies: readonly string[];
  readonly kernel?: string;
  readonly losses?: number;
  readonly spanNs?: bigint;
}

/** A document with what a merge looks at; the rest of the summary is left out. */
export function documentOf(parts: DocumentParts): ResultDocument {
  const { key, tables, policies, kernel, losses = 0, spanNs = 2_000_000_000n } = parts;
  const loss = {
    code: "EVENTS_LOST",
    severity: "dataLoss",
    sentence: "events were lost",
    count: losses,
  };
  const document = {
    format: "tlbi-replay/batch-result",
    version: 1,
    key,
    warnings: [],
    tables,
    summary: {
      schema_version: 1,
      configuration: [
        { name: "kernel", value: kernel ?? null, origin: "capture.json" },
        ...policies.map((policy) => ({
          name: `policy ${policy}`,
          value: "{}",
          origin: "as shipped",
        })),
      ],
      inputs: [
        {
          format: "ftrace-text",
          lines: 10,
          events: 8,
          first_ts_ns: "1000000000",
          last_ts_ns: String(1_000_000_000n + spanNs),
          losses: losses > 0 ? [loss] : [],
          notices: [],
        },
      ],
    },
  };
  return document as unknown as ResultDocument;
}

export function entryOf(key: string, parts: Partial<TraceEntry> = {}): TraceEntry {
  return {
    key,
    trace: `${key}.txt`,
    bytes: 100,
    sha256: "0".repeat(64),
    host_model: null,
    vm_type: null,
    kernel: null,
    labels: {},
    ...parts,
  };
}
