import { Diagnostics } from "../../ingest/diagnostics.ts";
import type { TraceInputs, VmInputs } from "../migration/inputs.ts";
import { createPhaseRecorder, type PhaseOptions } from "../phases/create.ts";
import { traceInputs } from "../phases/phase-inputs.ts";
import { Replay, type ReplayConfig, type ReplayResult } from "../replay.ts";
import { BOTH, policyOf } from "./replay-of.ts";
import { feedRows } from "./rows.ts";
import type { Trace } from "./trace-builder.ts";

export function phaseConfig(policies: readonly string[]): ReplayConfig {
  return {
    pageShift: 12,
    policies: policies.map((policy) => ({ policy: policyOf(policy), features: BOTH })),
    reference: undefined,
    compare: false,
    requestMode: "detect",
    primitivesProbed: undefined,
    start: "auto",
    ipaBits: 40,
    hasTwoExecuteBits: false,
  };
}

/** What a trace that is written as a story gives a migration estimate. */
export function phasesOf(
  trace: Trace,
  policies: readonly string[] = ["pgtable-6.2", "range-6.9"],
  options: Partial<PhaseOptions> = {},
): { readonly inputs: TraceInputs; readonly vm: VmInputs; readonly result: ReplayResult } {
  const config = phaseConfig(policies);
  const recorder = createPhaseRecorder(config, { kernel: undefined, ...options });
  const diagnostics = new Diagnostics("test");
  const replay = new Replay(config, trace.pointers, diagnostics, undefined, recorder);
  feedRows(trace.rows, (batch) => replay.consume(batch));
  const result = replay.finish();
  const inputs = traceInputs(recorder, 0n);
  const vm = inputs.vms[0];
  if (vm === undefined) throw new Error("the trace shows no VM");
  return { inputs, vm, result };
}

/** `pass 1 3..9, blackout 9..12`: phases with the lines at which they begin and end (1 µs a line). */
export function toldPhases(vm: VmInputs): string {
  return vm.phases
    .map(({ name, pass, startNs, endNs }) => {
      const number = pass === undefined ? "" : ` ${pass}`;
      return `${name}${number} ${startNs / 1000}..${endNs / 1000}`;
    })
    .join(", ");
}
