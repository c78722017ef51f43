import { flushCosts } from "../costs/contention.ts";
import type { CostValues } from "../costs/cost-table.ts";
import type { Mechanics } from "./mechanics.ts";
import { GIB, LOG_PAGE_BYTES } from "./migration-input.ts";

/** Memory that an unmap (balloon, hot-unplug, memslot gone, end of the process) takes away. */
export interface UnmapInput {
  readonly bytes: number;
  /** Leaves that map it. */
  readonly leafBytes: number;
}

export interface UnmapResult {
  readonly seconds: number;
  readonly flushCalls: number;
  /** Longest piece between two chances to reschedule: one GiB, s. */
  readonly longestPieceS: number;
}

/** Pages of one table, 4 KiB granule. */
const TABLE_ENTRIES = 512;

/** An unmap under the rule of a kernel: deferred to a range only where range instructions and FWB are there. */
export function solveUnmap(
  input: UnmapInput,
  mechanics: Mechanics,
  costs: CostValues,
): UnmapResult {
  const flush = flushCosts(costs, mechanics.repeatsTlbi);
  const leaves = input.bytes / input.leafBytes;
  const tables = tablesBelow(input);
  const pieces = Math.max(1, Math.ceil(input.bytes / GIB));
  const { kind, tableFlush } = mechanics.unmap;
  let flushCalls = kind === "leaf" ? leaves + tables : pieces;
  let flushS = flushCalls * (kind === "vmid" ? flush.vmidS : flush.rangeS);
  if (kind === "leaf") flushS = flushCalls * flush.ipaS;
  else if (tableFlush) {
    flushCalls += tables;
    flushS += tables * flush.ipaS;
  }
  const walkS = leaves * costs.t_walk_unmap;
  const cleanS = mechanics.fwb ? 0 : (input.bytes / LOG_PAGE_BYTES) * costs.t_cmo;
  const seconds = flushS + walkS + cleanS;
  return { seconds, flushCalls, longestPieceS: seconds / pieces };
}

/** Tables that become empty: of 4 KiB pages one for each 2 MiB and one for each GiB, of blocks of 2 MiB the latter. */
function tablesBelow({ bytes, leafBytes }: UnmapInput): number {
  let tables = 0;
  for (let span = leafBytes * TABLE_ENTRIES; span <= GIB; span *= TABLE_ENTRIES) {
    tables += bytes / span;
  }
  return tables;
}
