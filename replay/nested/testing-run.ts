import { readHostFacts } from "../../ingest/beside/read-host-facts.ts";
import { openTrace } from "../../ingest/open-trace.ts";
import { replayConfig, resolveConfiguration } from "../configuration.ts";
import { selectPolicies } from "../policies/select.ts";
import { Replay, type ReplayResult } from "../replay.ts";
import { nestedConfig } from "./configure-nested.ts";
import { findNestedPolicy } from "./nested-policy.ts";
import { NestedReplay } from "./nested-replay.ts";
import type { NestedResult } from "./nested-result.ts";

export interface NestedRun {
  readonly nested: NestedResult | undefined;
  readonly replayed: ReplayResult;
}

/**
 * For tests: replays a trace as `verify` does.
 * @param kernel undefined: what lies beside the trace says which.
 * @param judged a nested policy that the recorded kernel is held against.
 */
export async function runNested(
  trace: string,
  kernel: string | undefined,
  judged?: string,
): Promise<NestedRun> {
  const { facts } = await readHostFacts(trace);
  const configuration = resolveConfiguration(
    {
      kernel,
      cpu: kernel === undefined ? undefined : ["tlbirange", "fwb", "ttl"],
      pageSizeBytes: undefined,
      ipaBits: undefined,
      start: undefined,
      operationsOnly: false,
    },
    facts,
  );
  const policies = selectPolicies({
    ids: ["auto"],
    userPolicies: [],
    overrides: [],
    recordedKernelPolicy: configuration.recordedPolicy,
  });
  const reader = await openTrace(trace, {
    inputFormat: "auto",
    probes: undefined,
    instance: undefined,
    lineTemplate: undefined,
  });
  const config = replayConfig(configuration, policies, true);
  const replay = new Replay(config, reader.pointers, reader.diagnostics);
  const nested = new NestedReplay(
    nestedConfig(configuration, policies, undefined, findNestedPolicy(judged ?? "")),
    reader.pointers,
    reader.diagnostics,
  );
  for await (const batch of reader.batches()) {
    nested.consume(batch);
    replay.consume(batch);
  }
  return { nested: nested.finish(), replayed: replay.finish() };
}
