import type { Configuration } from "../configuration.ts";
import { RANGE_6_9 } from "../policies/families/range.ts";
import type { Policy } from "../policies/flags.ts";
import { isAtLeast } from "../policies/kernel-version.ts";
import { hasTwoExecuteBits } from "../policies/version-map.ts";
import { callOf } from "../replay.ts";
import { geometryOf } from "../stage2/geometry.ts";
import { Tally } from "../tally.ts";
import { findNestedPolicy, type NestedPolicy } from "./nested-policy.ts";
import type { NestedConfig } from "./nested-result.ts";

/**
 * The replay of shadow tables on the recorded machine.
 * @param asked policies of the run: where nested ones are among them, only those are replayed.
 * @param judged what the recorded kernel is held against; default: what kernels do.
 * @param paBits what the guest hypervisors see; undefined: what the trace shows, else 48.
 */
export function nestedConfig(
  configuration: Configuration,
  asked: readonly Policy[],
  paBits: number | undefined,
  judged?: NestedPolicy,
): NestedConfig {
  const { pageShift, features, kernel, recordedPolicy } = configuration;
  // Nested guests need 6.11: what an older kernel would do with shadow tables is not defined.
  const host = recordedPolicy?.flags.unmap === "deferred" ? recordedPolicy : RANGE_6_9;
  const nested = asked
    .map(({ nested: id }) => (id === undefined ? undefined : findNestedPolicy(id)))
    .filter((policy): policy is NestedPolicy => policy !== undefined);
  return {
    geometry: geometryOf(pageShift),
    host: {
      isDeferred: features.tlbirange && (features.fwb || !host.flags.deferNeedsFwb),
      flushesTables: host.flags.deferredTableFlush,
    },
    paBits,
    policies: nested.length === 0 ? undefined : nested,
    tallyOf: (policy) => new Tally(policy, callOf(pageShift, host, features)),
    judged,
    capsRanges: kernel !== undefined && isAtLeast(kernel, 7, 3),
    hasTwoExecuteBits: kernel !== undefined && hasTwoExecuteBits(kernel),
  };
}
