import type { Estimate, EstimateRequest } from "./estimate-types.ts";
import { type Evaluation, isBounded } from "./evaluate.ts";
import type { QuantityId } from "./quantities.ts";

/** Why a quantity has no interval: one sentence that says what is missing, or what cannot happen. */
export function whyNone(
  quantity: QuantityId,
  request: EstimateRequest,
  { precopy }: Evaluation,
): string {
  const { migration } = request.scenario;
  if (quantity.startsWith("rollback") || quantity === "lost_vcpu_rollback") {
    const why = whyNoRollback(request);
    if (why !== undefined) return why;
  }
  if (migration === undefined) return request.whyNoMigration ?? "no migration is described";
  if (quantity === "postcopy_stall") return "no post-copy";
  if (!isBounded(migration)) {
    return "only a dirty rate is known, not how much memory is written: what stays dirty follows from both (--hot-set)";
  }
  if (quantity === "forced_switchover") return "not needed: it converges, or is stopped anyway";
  const outcome = precopy?.outcome;
  if (outcome === "plateau") {
    return "it does not converge: what is dirty does not shrink below the threshold";
  }
  if (outcome === "pass-limit") return "it does not converge within 10,000 passes";
  if (outcome === "cancelled") return "it is cancelled before it converges";
  if (quantity === "network_downtime") {
    return "at least the guest downtime; how long the network takes to learn of the move is not known (--announce)";
  }
  return "no draw has a value";
}

function whyNoRollback({ scenario, whyNoRollback: why }: EstimateRequest): string | undefined {
  if (scenario.migration?.postCopy === true) return "after post-copy no roll-back is possible";
  return scenario.rollback === undefined ? (why ?? "no blocks are known") : undefined;
}

/** A rate alone gives bounds: nothing is left to copy, or everything. */
export function boundsOf(quantity: QuantityId, { scenario }: EstimateRequest): Estimate["bounds"] {
  const { migration } = scenario;
  if (migration === undefined) return undefined;
  const copies = quantity === "source_downtime" || quantity === "forced_switchover";
  if (copies && !isBounded(migration)) {
    const bytes = migration.memoryBytes - migration.zeroBytes;
    return { low: 0, high: bytes / migration.bandwidthBytesPerS };
  }
  return undefined;
}
