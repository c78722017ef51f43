import { PATHS } from "../../paths.ts";
import { LAST_LEVEL } from "../../stage2/geometry.ts";
import { PRIMITIVES } from "../../tlbi/primitives.ts";
import type { Hypothesis } from "../shape.ts";
import type { StaleOrigin } from "../stale-entries.ts";
import type { StaleHit } from "./lane.ts";
import type { RefillSums } from "./refill-counts.ts";
import type { StaleExample } from "./refill-result.ts";

/** Where examples are looked for first: the default, then what needs stage-2-only entries of pages. */
const ORDER: readonly Hypothesis[] = ["combined", "minimum", "over-invalidating"];

/** The first stale hits of one policy, of the first run that has any. @param at its place among them. */
export function staleExamplesOf(
  { worlds, config }: RefillSums,
  policy: string,
  at: number,
): readonly StaleExample[] {
  const policies = config.encodings.length;
  const pageBytes = 2 ** config.geometry.pageShift;
  for (const hypothesis of ORDER) {
    for (const { lanes } of worlds) {
      const lane = lanes.find((one, i) => i % policies === at && one.hypothesis === hypothesis);
      if (lane === undefined || lane.staleHitsFound.length === 0) continue;
      return lane.staleHitsFound.map((hit) => exampleOf(hit, policy, hypothesis, pageBytes));
    }
  }
  return [];
}

function exampleOf(
  { tsNs, cpu, pid, page, isWrite, origin }: StaleHit,
  policy: string,
  hypothesis: Hypothesis,
  pageBytes: number,
): StaleExample {
  return {
    policy,
    hypothesis,
    tsNs,
    cpu,
    pid,
    ipa: page * pageBytes,
    isWrite,
    held: origin === undefined ? "unknown" : heldText(origin, pageBytes),
    flush: origin === undefined ? "unknown" : flushText(origin, pageBytes),
    flushNs: origin?.judgedNs ?? null,
  };
}

function heldText(origin: StaleOrigin, pageBytes: number): string {
  const { page, pages, leafClass, isProtected, path } = origin;
  const leaves = `level-${LAST_LEVEL - leafClass} leaves of ${rangeText(page, pages, pageBytes)}`;
  const became = isProtected ? "write-protected" : "removed";
  return `an entry of the ${leaves}, ${became} by ${PATHS[path] ?? "an unknown operation"}`;
}

function flushText(origin: StaleOrigin, pageBytes: number): string {
  const { calls, primitive, callPage, callPages } = origin;
  const name = PRIMITIVES[primitive];
  if (name === undefined) return "none";
  const more = calls > 1 ? `, the first of ${calls} calls` : "";
  const range = callPages > 0 ? ` ${rangeText(callPage, callPages, pageBytes)}` : "";
  return `${name}${range}${more}`;
}

function rangeText(page: number, pages: number, pageBytes: number): string {
  const first = (page * pageBytes).toString(16);
  return `[0x${first}, 0x${((page + pages) * pageBytes).toString(16)})`;
}
