import type { RefillModel } from "./refill-model.ts";
import type { RefillCounts, WholeVmFlushes } from "./refill-result.ts";

/** What a result is made of: the modelled TLBs of one architecture and what they rest on. */
export type RefillSums = Pick<
  RefillModel,
  | "config"
  | "worlds"
  | "bounds"
  | "intervals"
  | "running"
  | "sampling"
  | "guests"
  | "contextsLeftOut"
  | "guestFaults"
  | "refaults"
> & {
  readonly proven: Pick<RefillModel["proven"], "made" | "lost">;
  readonly changes: Pick<RefillModel["changes"], "pagesSplit" | "pagesCollapsed" | "blocksSplit">;
  readonly wholeVm?: WholeVmFlushes;
};

/** What the numbers rest on, and what they leave out. */
export function countsOf(model: RefillSums): RefillCounts {
  const { running, sampling, proven, changes } = model;
  const first = model.worlds[0]!;
  let pagesLeftOut = 0;
  for (const guest of model.guests) pagesLeftOut += guest.footprint.leftOut;
  return {
    guestMs: running.guestNs / 1e6,
    unknownVmMs: running.unknownVmNs / 1e6,
    unmodelledPeMs: running.unmodelledNs / 1e6,
    pes: running.pes,
    contextsLeftOut: model.contextsLeftOut,
    pagesLeftOut,
    visits: first.visits,
    visitsUnmapped: first.unmapped,
    visitsOutside: first.outside,
    visitsCut: first.visitsCut,
    provenVisits: proven.made,
    provenLost: proven.lost,
    episodes: sampling.seen,
    episodesSimulated: sampling.sampled,
    episodeStride: sampling.stride,
    seeds: model.worlds.filter((world) => world.scenario.isBase && !world.scenario.withPossible)
      .length,
    pagesSplit: changes.pagesSplit,
    pagesCollapsed: changes.pagesCollapsed,
    guestFaults: model.guestFaults,
    refaults: model.refaults,
    blocksSplit: changes.blocksSplit,
  };
}
