import type { Diagnostics } from "../ingest/diagnostics.ts";
import type { TraceInfo } from "../ingest/reader.ts";
import type { Configuration } from "../replay/configuration.ts";
import type { MissingProbe } from "../replay/needs/missing-probes.ts";
import type { PolicyFit, ReplayResult } from "../replay/replay.ts";
import type { OperationCounts } from "../replay/state.ts";
import type { NestedResult } from "../replay/nested/nested-result.ts";
import { nestedVerification } from "./nested.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { inputEntry } from "./summary.ts";
import type { Mismatch } from "./verification.ts";

export interface VerificationInput {
  readonly run: {
    readonly trace: string;
    readonly info: TraceInfo;
    readonly reader: { readonly diagnostics: Diagnostics };
    readonly configuration: Pick<Configuration, "settings" | "assumptions">;
    readonly result: Pick<ReplayResult, "instructions" | "primitivesRecorded"> & {
      readonly counts?: Pick<OperationCounts, "ambiguousSequences">;
    };
    readonly nested?: NestedResult | undefined;
  };
  readonly judged: PolicyFit;
  readonly policy: { readonly detail?: string | undefined };
  readonly ranking: readonly PolicyFit[];
  readonly mismatches: readonly Mismatch[];
  readonly missing: readonly MissingProbe[];
}

/**
 * One line of JSON for one trace. `matched`, `missed`, `spurious` and `unknown` are sums over VM, IPA,
 * IPA_LOCAL and RANGE; CPU and ALL stand in `calls` only. `recorded` is null where no probe recorded
 * that primitive.
 */
export function verificationJson(input: VerificationInput): string {
  const { run, judged, policy, ranking, mismatches, missing } = input;
  const { losses, notices, ...provenance } = inputEntry(run.info, run.reader.diagnostics);
  const instructions = run.result.instructions.filter((row) => row.policy === judged.policy);
  return `${JSON.stringify({
    schema_version: SCHEMA_VERSION,
    trace: run.trace,
    policy: judged.policy,
    policy_detail: policy.detail ?? "as shipped",
    calls: judged.calls,
    matched: judged.matched,
    missed: judged.missed,
    spurious: judged.spurious,
    unknown: judged.unknown,
    hint_mismatches: judged.hintMismatches,
    instructions: Object.fromEntries(instructions.map((row) => [row.instruction, row.count])),
    best_fit: run.result.primitivesRecorded ? (ranking[0]?.policy ?? null) : null,
    ranking: ranking.map((fit) => ({
      policy: fit.policy,
      matched: fit.matched,
      missed: fit.missed,
      spurious: fit.spurious,
      unknown: fit.unknown,
      hint_mismatches: fit.hintMismatches,
    })),
    mismatches,
    missing_probes: missing.map((probe) => ({
      function: probe.function,
      is_return: probe.isReturn,
      state: probe.state,
      effect: probe.effect,
    })),
    ...(run.nested === undefined
      ? {}
      : {
          nested: {
            level: run.nested.level.level,
            because: run.nested.level.because,
            ...nestedVerification(run.nested),
            findings: run.nested.findings,
          },
        }),
    ambiguous_sequences: run.result.counts?.ambiguousSequences ?? 0,
    configuration: run.configuration.settings,
    assumptions: run.configuration.assumptions,
    losses,
    notices,
    input: provenance,
  })}\n`;
}
