import type { DowntimeEstimate } from "../../replay/migration/estimate-types.ts";
import { QUANTITIES } from "../../replay/migration/quantities.ts";
import {
  componentRows,
  costRows,
  differenceRows,
  estimateRows,
  passRows,
  phaseRows,
  sensitivityRows,
  structureRows,
  tornadoRows,
} from "./rows.ts";
import { DOWNTIME_SCHEMA_VERSION } from "./schema.ts";
import { wideRows } from "./wide.ts";
import type { CaseView, DowntimeView } from "./view.ts";

/**
 * One object with everything of the report; no wall-clock time, so a rerun gives the same bytes. Of several each
 * is a line.
 */
export function downtimeJson(view: DowntimeView, isOneOfSeveral = false): string {
  const { estimate, trace, published } = view;
  const document = {
    tool: { ...view.tool, node: process.version },
    schema_version: DOWNTIME_SCHEMA_VERSION,
    note: "estimated, not measured",
    arguments: view.argv,
    headline: estimate.headline,
    seed: estimate.request.seed,
    draws: estimate.request.draws,
    calibration: estimate.request.table.calibration,
    settings: view.settings,
    warnings: view.warnings,
    quantities: Object.values(QUANTITIES),
    ...(trace === undefined
      ? {}
      : {
          input: trace.input,
          vm: trace.vm.vm,
          outcome: trace.vm.outcome,
          phases: phaseRows(trace),
        }),
    ...(published === undefined ? {} : { published_case: caseOf(published) }),
    reports: view.reports,
    policies: estimate.policies.map(({ id, mechanics, pConverge, pConvergeSampling, atModes }) => ({
      policy: id,
      epoch: mechanics.epoch.id,
      lock: mechanics.epoch.lock,
      collapse_flush: mechanics.collapseFlush,
      log_flush: mechanics.logFlush,
      fwb: mechanics.fwb,
      tlbirange: mechanics.tlbirange,
      because: mechanics.because,
      outcome: atModes.precopy?.outcome ?? null,
      passes: atModes.precopy?.passCount ?? null,
      p_converge: pConverge ?? null,
      p_converge_sampling: pConvergeSampling ?? null,
    })),
    sampling: {
      method: estimate.request.sampling.method,
      because: estimate.request.sampling.because ?? null,
    },
    summary: wideRows(view),
    ...tablesOf(estimate),
  };
  return `${JSON.stringify(document, null, isOneOfSeveral ? 0 : 2)}\n`;
}

function tablesOf(estimate: DowntimeEstimate): object {
  return {
    estimates: estimateRows(estimate),
    passes: passRows(estimate),
    components: componentRows(estimate),
    differences: differenceRows(estimate),
    structures: structureRows(estimate),
    sensitivities: sensitivityRows(estimate),
    tornado: tornadoRows(estimate),
    costs: costRows(estimate),
  };
}

function caseOf({ published, agnostic, singleBlock }: CaseView): object {
  const { id, title, source, reported, findings } = published;
  return {
    id,
    title,
    source,
    reported,
    findings,
    agnostic: { estimates: estimateRows(agnostic), structures: structureRows(agnostic) },
    single_block: { estimates: estimateRows(singleBlock), structures: structureRows(singleBlock) },
  };
}
