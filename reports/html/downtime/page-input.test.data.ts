import { shippedTable } from "../../../replay/costs/cost-table.ts";
import { estimateDowntime } from "../../../replay/migration/estimate.ts";
import type { EstimateRequest } from "../../../replay/migration/estimate-types.ts";
import { fullBlocks, migration, MODERN_CPU } from "../../../replay/migration/testing/inputs.ts";
import { downtimeJson } from "../../downtime/json.ts";
import { pageInputOf } from "./document.ts";
import type { DowntimePageInput } from "./page.ts";

/** 192 GiB over 500 MB/s that converges, and the roll-back of 192 blocks, under three kernel epochs. */
export function requestOf(changes: Partial<EstimateRequest> = {}): EstimateRequest {
  return {
    scenario: { migration: migration(), rollback: fullBlocks(192) },
    whyNoMigration: undefined,
    whyNoRollback: undefined,
    ranges: {},
    table: shippedTable("idle"),
    policies: [{ epoch: "e1" }, { epoch: "e3" }, { epoch: "e5" }],
    cpu: MODERN_CPU,
    forcedEpoch: undefined,
    otherwiseEpoch: "e5",
    alternatives: [],
    draws: 200,
    seed: 1,
    resolutionS: 0,
    sampling: { replicates: [], method: "none", because: "no trace" },
    ...changes,
  };
}

/** What the page of an estimate draws, by way of its document. */
export function pageInputFor(request: EstimateRequest, subject: string): DowntimePageInput {
  const document = downtimeJson({
    tool: { name: "tlbi-replay", version: "1.2.3" },
    argv: ["downtime", "--bandwidth", "500MB/s"],
    estimate: estimateDowntime(request),
    settings: [{ name: "memory", value: "192 GiB", origin: "--memory" }],
    warnings: ["a constant rate of writes"],
    trace: undefined,
    hostModel: undefined,
    kernel: undefined,
    published: undefined,
    reports: [],
  });
  const input = pageInputOf(JSON.parse(document));
  if (input === undefined) throw new Error("the document has another shape");
  return { ...input, subject };
}
