import type { Hold, HoldKind } from "../migration/inputs.ts";
import type { KernelVersion } from "../policies/kernel-version.ts";
import { callOf, type ReplayConfig } from "../replay.ts";
import type { GivenPhase } from "./given-phases.ts";
import { PhaseRecorder } from "./phase-recorder.ts";
import type { LockOf } from "./segment.ts";

export interface PhaseOptions {
  /** Of the recorded kernel; undefined: not known. */
  readonly kernel: KernelVersion | undefined;
  readonly given?: () => readonly GivenPhase[];
  readonly intervalNs?: number;
  readonly clearChunkPages?: number;
}

/** A recorder for one replay. */
export function createPhaseRecorder(config: ReplayConfig, options: PhaseOptions): PhaseRecorder {
  const policies = config.policies.map(({ policy, features }) => ({
    id: policy.id,
    call: callOf(config.pageShift, policy, features),
  }));
  const own = config.reference ?? config.policies[0];
  if (own === undefined) throw new Error("a replay needs at least one policy");
  const { kernel, ...rest } = options;
  return new PhaseRecorder({
    policies,
    recorded: { id: "recorded", call: callOf(config.pageShift, own.policy, own.features) },
    pageBytes: 2 ** config.pageShift,
    lockOf: lockOf(kernel),
    ...rest,
  });
}

/**
 * mmu_lock of each kind of call. Faults that map share it from 6.2 on (kernels before take it for writing),
 * and those that only relax permissions under dirty logging from 5.18 on; everything else is exclusive.
 */
export function lockOf(kernel: KernelVersion | undefined): LockOf {
  return (kind: HoldKind): Hold["lock"] => {
    if (kind !== "map" && kind !== "relax" && kind !== "collapse" && kind !== "break_block") {
      return "exclusive";
    }
    if (kernel === undefined) return "unknown";
    const since = kind === "relax" ? 5.18 : 6.02;
    return kernel.major + kernel.minor / 100 >= since ? "shared" : "exclusive";
  };
}
