import type { CostValues } from "./cost-table.ts";

/**
 * Broadcast TLBIs are served one by one, whoever issues them: with n issuers each waits for all, and with few
 * the latency of a single one decides. latency(n) = max(t0, n·s). Fits the split faults of AmpereOne from 1
 * to 128 vCPUs within 7 % (one issuer's overlap of walk and broadcast aside), 152 within 12 %.
 * @param alone latency with nobody else broadcasting, s.
 * @param serviceS time that the system takes for each, s.
 */
export function broadcastLatency(issuers: number, alone: number, serviceS: number): number {
  return Math.max(alone, issuers * serviceS);
}

/** Cost of one flush as the solvers use it: idle costs times contention and erratum. */
export interface FlushCosts {
  readonly ipaS: number;
  readonly vmidS: number;
  readonly rangeS: number;
  /** Service time of one broadcast. */
  readonly broadcastS: number;
}

/**
 * @param repeats whether the CPUs need every TLBI repeated (errata 1286807, 4118414 and the like): each flush
 *   then has one or two more TLBIs and DSBs, depending on the kernel.
 */
export function flushCosts(costs: CostValues, repeats: boolean): FlushCosts {
  const repeat = repeats ? costs.repeat_factor : 1;
  const factor = costs.kappa * repeat;
  return {
    ipaS: costs.t_ipa * factor,
    vmidS: costs.t_vmid * factor,
    rangeS: costs.t_rng * factor,
    broadcastS: costs.s_broadcast * repeat,
  };
}
