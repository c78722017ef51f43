import { savedProbesOf } from "../../ingest/beside/saved-probes.ts";
import { ESSENTIAL_OPERATIONS } from "../../replay/needs/known-functions.ts";

/**
 * Functions of needed operations that a capture's probe list says the kernel has and that could not be
 * probed: their calls are not in the trace, and what it lacks cannot be held against the replay.
 */
export function unprobedOperations(probeList: string): readonly string[] {
  const { refused } = savedProbesOf(probeList.split("\n"));
  return [...refused].filter((symbol) => ESSENTIAL_OPERATIONS.includes(symbol));
}
