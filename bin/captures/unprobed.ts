import { probedFunctionsOf } from "../../ingest/beside/probe-list.ts";
import type { EventKindName } from "../../ingest/events/kinds.ts";
import { meaningOfSymbol } from "../../ingest/vocabulary/functions.ts";

/** Operations that change a table or flush: where one leaves no event, the rest is no whole story. */
const NEEDED: ReadonlySet<EventKindName> = new Set<EventKindName>([
  "map",
  "unmap",
  "wrprotect",
  "relax_perms",
  "split",
]);

/** `SKIPPED name function …` or `SKIPPED p:group/name function …`: the kernel refused the probe. */
const REFUSED = /^SKIPPED\s+\S+\s+(\S+)/;

/**
 * Functions of needed operations that a capture's probe list says the kernel has and that could not be
 * probed: their calls are not in the trace, and what it lacks cannot be held against the replay.
 */
export function unprobedOperations(probeList: string): readonly string[] {
  const lines = probeList.split("\n");
  const probed = new Set(probedFunctionsOf(lines));
  const refused = lines
    .map((line) => REFUSED.exec(line.trim())?.[1])
    .filter((symbol): symbol is string => symbol !== undefined && !probed.has(symbol));
  return [...new Set(refused)].filter((symbol) => {
    const kind = meaningOfSymbol(symbol)?.kind;
    return kind !== undefined && NEEDED.has(kind);
  });
}
