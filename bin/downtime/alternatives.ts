import type { Alternative, EstimateRequest } from "../../replay/migration/estimate-types.ts";
import type { MigrationInput } from "../../replay/migration/migration-input.ts";
import type { StopRule, Vmm } from "../../replay/migration/vmm.ts";
import { VMM_IDS, VMMS } from "../../replay/migration/vmm.ts";

/** What nothing settles, and so has to be enumerated. */
export interface OpenChoices {
  readonly fwb: boolean;
  readonly tlbirange: boolean;
  readonly vmm: boolean;
  readonly stopRule: boolean;
  readonly cleanVcpus: boolean;
  /** PTEs of each block with those that the trace leaves open; undefined where nothing is open. */
  readonly mostPtes: Float64Array | undefined;
}

/** One alternative for each other value of each open choice. */
export function alternativesOf(
  request: Omit<EstimateRequest, "alternatives">,
  open: OpenChoices,
): readonly Alternative[] {
  const { cpu, scenario } = request;
  const { migration, rollback } = scenario;
  const found: Alternative[] = [];
  if (open.fwb) {
    found.push({
      dimension: "FWB",
      chosen: withOrWithout("FWB", cpu.fwb),
      instead: withOrWithout("FWB", !cpu.fwb),
      apply: (one) => ({ ...one, cpu: { ...one.cpu, fwb: !one.cpu.fwb } }),
    });
  }
  if (open.tlbirange) {
    found.push({
      dimension: "FEAT_TLBIRANGE",
      chosen: withOrWithout("range instructions", cpu.tlbirange),
      instead: withOrWithout("range instructions", !cpu.tlbirange),
      apply: (one) => ({ ...one, cpu: { ...one.cpu, tlbirange: !one.cpu.tlbirange } }),
    });
  }
  if (open.cleanVcpus && rollback !== undefined && rollback.faultingVcpus > 1) {
    const vcpus = rollback.faultingVcpus;
    found.push({
      dimension: "vCPUs that clean each block (kernels up to 5.13, no FWB)",
      chosen: "1 vCPU, FWB as above",
      instead: `${vcpus} vCPUs, no FWB`,
      apply: (one) => ({
        ...one,
        cpu: { ...one.cpu, fwb: false },
        scenario: { ...one.scenario, rollback: { ...rollback, translationFaultVcpus: vcpus } },
      }),
    });
  }
  const { mostPtes } = open;
  if (mostPtes !== undefined && rollback !== undefined) {
    found.push({
      dimension: "PTEs that the trace does not show",
      chosen: "none of them valid",
      instead: "all of them valid",
      apply: (one) => ({
        ...one,
        scenario: { ...one.scenario, rollback: { ...rollback, ptes: mostPtes } },
      }),
    });
  }
  if (migration === undefined) return found;
  const change = (changes: Partial<MigrationInput>) => (one: EstimateRequest) => ({
    ...one,
    scenario: { ...one.scenario, migration: { ...migration, ...changes } },
  });
  if (open.stopRule && !migration.postCopy) {
    const other: StopRule = migration.stopRule === "early-sync" ? "whole-pass" : "early-sync";
    found.push({
      dimension: "stop rule",
      chosen: migration.stopRule,
      instead: `${other}${other === "early-sync" ? ", as QEMU's loop reads" : ""}`,
      apply: change({ stopRule: other }),
    });
  }
  if (open.vmm) found.push(...vmmAlternatives(migration, change));
  return found;
}

function vmmAlternatives(
  migration: MigrationInput,
  change: (changes: Partial<MigrationInput>) => Alternative["apply"],
): readonly Alternative[] {
  return VMM_IDS.filter((id) => id !== migration.vmm.id).map((id) => {
    const vmm: Vmm = VMMS[id];
    return {
      dimension: "VMM",
      chosen: migration.vmm.name,
      instead: vmm.name,
      apply: change({
        vmm,
        stopRule: vmm.stopRule,
        dirtyLog: vmm.dirtyLog,
        clearsInBlackout: vmm.clearsInBlackout,
        throttle: vmm.canThrottle ? migration.throttle : undefined,
      }),
    };
  });
}

function withOrWithout(feature: string, has: boolean): string {
  return `${has ? "with" : "without"} ${feature}`;
}
