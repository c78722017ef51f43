import type { PublishedCase } from "../../replay/migration/cases/published-case.ts";
import { estimateDowntime } from "../../replay/migration/estimate.ts";
import type { EstimateRequest } from "../../replay/migration/estimate-types.ts";
import { LOG_PAGE_BYTES } from "../../replay/migration/migration-input.ts";
import type { CaseView } from "../../reports/downtime/view.ts";

/** The two estimates beside that of the case: with nothing taken from its result, and of one full block. */
export function caseViewOf(published: PublishedCase, request: EstimateRequest): CaseView {
  const { parameters, agnostic } = published;
  const { rollback } = request.scenario;
  const alternatives = request.alternatives.filter(({ dimension }) => dimension === "FWB");
  const ofBlocks = (most: number, ranges: EstimateRequest["ranges"]): EstimateRequest => ({
    ...request,
    alternatives,
    ranges,
    scenario: {
      migration: undefined,
      rollback: {
        blockBytes: parameters.blockBytes,
        faultingVcpus: rollback?.faultingVcpus ?? parameters.vcpus,
        translationFaultVcpus: rollback?.translationFaultVcpus ?? 1,
        ptes: new Float64Array(most).fill(parameters.blockBytes / LOG_PAGE_BYTES),
      },
    },
  });
  return {
    published,
    agnostic: estimateDowntime(ofBlocks(agnostic.blocks.high, agnostic)),
    singleBlock: estimateDowntime(ofBlocks(1, {})),
  };
}
