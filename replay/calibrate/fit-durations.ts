import type { CalibratedConstant, Fit } from "./calibration.ts";
import type { MeasuredGraph, PartialFits } from "./request.ts";

/** The function whose duration is the constant. */
const FUNCTIONS: ReadonlyMap<string, CalibratedConstant> = new Map([
  ["__kvm_tlb_flush_vmid_ipa", "t_ipa"],
  ["__kvm_tlb_flush_vmid", "t_vmid"],
  ["__kvm_tlb_flush_vmid_range", "t_rng"],
  // Without the exit before and the entry behind it, and with the faults of devices.
  ["kvm_handle_guest_abort", "t_fault"],
]);

/** With fewer calls a median says nothing. */
const LEAST_CALLS = 5;
const MANY_CALLS = 30;

/** Medians of function_graph durations: the tracer's own time is in them. */
export function fitDurations(graphs: readonly MeasuredGraph[]): PartialFits {
  const fits: Fit[] = [];
  const notFitted: { constant: CalibratedConstant; because: string }[] = [];
  for (const { name, durations, load } of graphs) {
    for (const [symbol, constant] of FUNCTIONS) {
      const found = durations.get(symbol);
      if (found === undefined) continue;
      if (found.count < LEAST_CALLS) {
        const because = `${name} holds ${found.count} call${found.count === 1 ? "" : "s"} of ${symbol}: too few`;
        notFitted.push({ constant, because });
        continue;
      }
      fits.push({
        constant,
        load,
        valueNs: found.medianNs,
        // What single calls took, not what is known of their median: it says how much they differ.
        lowNs: found.count < MANY_CALLS ? undefined : found.minNs,
        highNs: found.count < MANY_CALLS ? undefined : found.p95Ns,
        method: `median of ${found.count} calls of ${symbol}; from the least to the 95th percentile`,
        points: [],
        relativeResidual: undefined,
        warnings: ["function_graph adds some 0.1 to 1 µs to a call: an upper bound"],
      });
    }
  }
  return { fits, notFitted, notes: [] };
}
