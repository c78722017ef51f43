import type { PhaseName, VmInputs } from "../migration/inputs.ts";
import { traceInputs } from "../phases/phase-inputs.ts";
import type { PhaseRecorder } from "../phases/phase-recorder.ts";

/** One row per VM whose dirty logging the trace shows, phase of its migration, and policy. */
export interface TimelinePhaseRow {
  /** As `downtime` numbers VMs. */
  readonly vm: number;
  /** Number of the phase, from 1. */
  readonly number: number;
  readonly phase: PhaseName;
  /** Of `pass`; null in other phases. */
  readonly pass: number | null;
  /** Since the trace's first event. */
  readonly start_ns: number;
  readonly end_ns: number;
  /** What says that it begins there, and how sure that is. */
  readonly because: string;
  readonly confidence: string;
  /** Line that says it; null where no single one does. */
  readonly line: number | null;
  readonly policy: string;
  readonly calls: number;
  readonly tlbi: number;
  readonly dsb: number;
  readonly unknown_calls: number;
}

/**
 * The phases that a recorder found, and what each policy issues in them. None where no VM logs.
 * @param policies in the order of the result, `recorded` last where the trace has the primitives' probes.
 */
export function phaseRows(
  recorder: PhaseRecorder,
  baseNs: bigint,
  policies: readonly string[],
): TimelinePhaseRow[] {
  const { vms, firstNs } = traceInputs(recorder, baseNs);
  return vms.filter(({ logs }) => logs).flatMap((vm) => rowsOf(vm, firstNs, policies));
}

function rowsOf(vm: VmInputs, firstNs: number, policies: readonly string[]): TimelinePhaseRow[] {
  return vm.phases.flatMap(({ name, pass, startNs, endNs, start, facts }, at) =>
    policies.map((policy) => {
      const rows = facts.flushes.filter((row) => row.policy === policy);
      const sum = (key: "calls" | "tlbi" | "dsb" | "unknown_calls"): number =>
        rows.reduce((total, row) => total + row[key], 0);
      return {
        vm: vm.vm,
        number: at + 1,
        phase: name,
        pass: pass ?? null,
        start_ns: Math.max(0, startNs - firstNs),
        end_ns: Math.max(0, endNs - firstNs),
        because: start.what,
        confidence: start.confidence,
        line: start.line ?? null,
        policy,
        calls: sum("calls"),
        tlbi: sum("tlbi"),
        dsb: sum("dsb"),
        unknown_calls: sum("unknown_calls"),
      };
    }),
  );
}
