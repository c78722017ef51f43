import type { HostFacts } from "../ingest/beside/host-facts.ts";
import type { EventKindName } from "../ingest/events/kinds.ts";
import { ARCHITECTURES } from "../replay/architectures/registry.ts";
import { detectArchitecture } from "../replay/architectures/detect.ts";

export interface ArchitectureOf {
  readonly architecture: "arm64" | "x86" | "unknown";
  /** What tells it, in words. */
  readonly because: string;
}

/**
 * Whose KVM recorded the trace, as `check` reports it.
 * @param kinds of its events, where they are known.
 */
export function architectureOf(
  eventNames: Iterable<string>,
  facts: HostFacts,
  kinds?: ReadonlyMap<EventKindName, number>,
): ArchitectureOf {
  const version = facts.kernelVersionText;
  const found = detectArchitecture(ARCHITECTURES, {
    names: eventNames,
    kinds,
    version,
    policies: [],
  });
  const id = found.architecture?.id;
  return { architecture: id === "arm64" || id === "x86" ? id : "unknown", because: found.because };
}
