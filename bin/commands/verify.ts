/** `verify TRACE…`: predict the recorded invalidations and compare, call by call. */
import type { ArgumentsCamelCase, Argv } from "yargs";
import { linesAround } from "../../ingest/source/lines-around.ts";
import type { Policy } from "../../replay/policies/flags.ts";
import { POLICIES } from "../../replay/policies/registry.ts";
import { selectPolicies } from "../../replay/policies/select.ts";
import { sentenceOf } from "../../replay/needs/answers.ts";
import { type MissingProbe, missingProbes } from "../../replay/needs/missing-probes.ts";
import { KindCounts } from "../../replay/survey/kind-counts.ts";
import { bestFit, rankFits } from "../../replay/verify/ranking.ts";
import type { PolicyFit } from "../../replay/replay.ts";
import { formatNestedVerification } from "../../reports/nested.ts";
import { inputEntry } from "../../reports/summary.ts";
import { terminalOptions } from "../../reports/terminal.ts";
import { formatVerification, type Mismatch } from "../../reports/verification.ts";
import { verificationJson } from "../../reports/verification-json.ts";
import { TraceError } from "../../ingest/errors.ts";
import type { Command } from "../command.ts";
import { ExitCode, raiseExitCode } from "../exit-codes.ts";
import { type SharedValues, withOptions } from "../options.ts";
import { printResult } from "../stdout.ts";
import { type TraceOptions, withTraceOptions } from "../trace-options.ts";
import type { TraceRun } from "../opened-trace.ts";
import { runTrace, userPoliciesOf } from "../trace-run.ts";

type VerifyArguments = TraceOptions &
  Pick<SharedValues, "format"> & { readonly "operations-only": boolean };

/** Mismatches shown with the trace lines around them. */
const SHOWN_MISMATCHES = 10;
const CONTEXT_LINES = 3;

export const verifyCommand: Command = {
  command: "verify <traces..>",
  describe: "Predict the recorded invalidations and compare them one by one",
  builder: (yargs: Argv<object>): Argv<VerifyArguments> =>
    withOptions(
      withTraceOptions(yargs).option("operations-only", {
        type: "boolean",
        default: false,
        group: "Policy:",
        describe: "Predict without recorded flush requests (kvm_flush_remote_tlbs*)",
      }),
      "format",
    ),
  handler: verify,
};

async function verify(args: ArgumentsCamelCase<VerifyArguments>): Promise<void> {
  const format = args.format ?? "table";
  if (format !== "table" && format !== "json") {
    throw new TraceError("BAD_OPTION", `verify prints a table or json, not ${format}`);
  }
  if (args.policy !== undefined && args.policy.length !== 1) {
    throw new TraceError("BAD_OPTION", "verify takes one policy, or 'auto'");
  }
  const userPolicies = await userPoliciesOf(args);
  for (const trace of args.traces) {
    const kinds = new KindCounts();
    const run = await runTrace(trace, args, userPolicies, {
      observe: (batch) => kinds.consume(batch),
      operationsOnly: args["operations-only"],
      compare: true,
      infers: false,
      choose: (configuration, own) => candidates(args, configuration.recordedPolicy, own),
    });
    await report(run, args, format, missingOf(run, kinds));
  }
}

/** `auto`: the recorded kernel's own policy first, then every other one, to rank them all. */
function candidates(
  args: VerifyArguments,
  recordedKernelPolicy: Policy | undefined,
  userPolicies: readonly Policy[],
): readonly Policy[] {
  const asked = args.policy?.[0] ?? "auto";
  const overrides = args.flag ?? [];
  const select = (ids: readonly string[]): readonly Policy[] =>
    selectPolicies({ ids, userPolicies, overrides, recordedKernelPolicy });
  if (asked !== "auto") return select([asked]);
  const own = recordedKernelPolicy === undefined ? [] : select(["auto"]);
  const others = [...POLICIES, ...userPolicies]
    .map((policy) => policy.id)
    .filter((id) => id !== recordedKernelPolicy?.id);
  return [...own, ...select(others)];
}

/** Probes without which the comparison cannot be whole. */
function missingOf(run: TraceRun, kinds: KindCounts): readonly MissingProbe[] {
  const sight = {
    eventsByKind: kinds.byKind(),
    applied: kinds.applied(),
    list: run.probes?.value,
    kernel: run.configuration.kernel,
    hypMode: run.facts.hypMode?.value,
  };
  if (run.architecture.architecture?.start !== undefined) return [];
  return missingProbes(sight, [], ["verify"]);
}

async function report(
  run: TraceRun,
  args: VerifyArguments,
  format: "table" | "json",
  missing: readonly MissingProbe[],
): Promise<void> {
  const { result, policies } = run;
  const isAuto = (args.policy?.[0] ?? "auto") === "auto";
  // Without recorded calls every policy fits: there is nothing to rank.
  const ranking = isAuto && result.primitivesRecorded ? rankFits(result.fits) : [];
  const judged = judgedFit(run, isAuto);
  const policy = policies.find(({ id }) => id === judged.policy)!;
  const mismatches = await withContext(run, judged);
  if (format === "json") {
    await printResult(verificationJson({ run, judged, policy, ranking, mismatches, missing }));
  } else {
    const view = {
      trace: run.trace,
      policy: judged.policy,
      policyDetail: policy.detail ?? policy.summary,
      calls: judged.calls,
      ranking,
      mismatches,
      notes: [
        ...missing.map((probe) => `missing probe: ${sentenceOf(probe)}`),
        ...notesOf(run, judged, ranking),
      ],
    };
    const terminal = terminalOptions(process.stdout);
    await printResult(formatVerification(view, terminal));
    if (run.nested !== undefined) await printResult(formatNestedVerification(run.nested, terminal));
  }
  raise(run, judged);
}

/** The policy asked for; for `auto` that of the recorded kernel, or where it is not known the best fit. */
function judgedFit({ result, configuration }: TraceRun, isAuto: boolean): PolicyFit {
  if (!isAuto || configuration.recordedPolicy !== undefined) return result.fits[0]!;
  if (result.primitivesRecorded) return bestFit(result.fits);
  throw new TraceError(
    "UNKNOWN_KERNEL",
    "the trace has no invalidation calls to compare with, and its kernel is not known",
    undefined,
    "name the kernel (--kernel) or a policy (--policy) for a prediction",
  );
}

function raise(run: TraceRun, judged: PolicyFit): void {
  const shadow = run.nested?.agreement;
  const isShadowWrong = shadow !== undefined && !shadow.isClean;
  const { primitivesRecorded } = run.result;
  const { diagnostics } = run.reader;
  // What nothing in the trace could have caused is not refuted, and not verified either.
  const isCauseMissing = diagnostics.count("CAUSE_NOT_RECORDED") > 0;
  const isWrong = isShadowWrong || judged.missed + judged.spurious > 0;
  if (isWrong || isCauseMissing || !primitivesRecorded) {
    raiseExitCode(ExitCode.GATE_NOT_MET);
  } else if (diagnostics.hasDataLoss) raiseExitCode(ExitCode.DATA_LOSS);
}

function notesOf(
  run: TraceRun,
  judged: PolicyFit,
  ranking: readonly PolicyFit[],
): readonly string[] {
  const { result, configuration, reader } = run;
  const notes: string[] = [];
  if (!result.primitivesRecorded) {
    notes.push(
      "the trace has no invalidation calls to compare with (no probes; with nVHE they run at EL2 and cannot be probed): predictions only",
    );
  } else if (ranking[0] !== undefined) notes.push(`best fit: ${ranking[0].policy}`);
  if (judged.hintMismatches > 0) {
    notes.push(
      `${judged.hintMismatches} matched calls differ in their level hint, so in their operand`,
    );
  }
  const { losses } = inputEntry(run.info, reader.diagnostics);
  for (const { code, count, sentence } of losses) {
    const first = reader.diagnostics.examples.find((example) => example.code === code);
    const where = first === undefined ? "" : ` (${run.path}:${first.line}: ${first.detail})`;
    notes.push(`loss: ${count} × ${sentence}${where}`);
  }
  for (const { code, detail } of reader.diagnostics.examples) {
    if (code === "LEARNED") notes.push(`learned: ${detail}`);
  }
  notes.push(...configuration.assumptions.map((text) => `assumed: ${text}`));
  return [...notes, ...run.explanations([judged.policy])];
}

/** Formats whose records are no lines to show. */
const BINARY_FORMATS: ReadonlySet<string> = new Set(["trace-dat", "arrow"]);

async function withContext(run: TraceRun, judged: PolicyFit): Promise<readonly Mismatch[]> {
  const shown = judged.mismatches.slice(0, SHOWN_MISMATCHES);
  if (shown.length === 0) return [];
  const around =
    run.path === "-" || BINARY_FORMATS.has(run.info.format)
      ? new Map<number, readonly string[]>()
      : await linesAround(
          run.path,
          shown.map((mismatch) => mismatch.line),
          CONTEXT_LINES,
        );
  return shown.map((mismatch) => ({ ...mismatch, context: around.get(mismatch.line) ?? [] }));
}
