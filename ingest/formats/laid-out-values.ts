import type { EventBatch } from "../events/columns.ts";
import type { LaidOutColumn } from "../vocabulary/x86-tracepoints.ts";

const TWO_32 = 4_294_967_296;

/**
 * Puts a 64-bit value, in two signed halves, into its column: SPTEs and error codes whole, anything else as a
 * number. False: a double does not hold it.
 */
export function putLaidOutValue(
  column: LaidOutColumn,
  high: number,
  low: number,
  batch: EventBatch,
  row: number,
): boolean {
  switch (column) {
    case "prot":
      batch.prot[row] = low;
      batch.protHigh[row] = high;
      return true;
    case "arg1+arg2":
      batch.arg1[row] = low >>> 0;
      batch.arg2[row] = high >>> 0;
      return true;
    case "addr":
      batch.addr[row] = quantity(high, low);
      return batch.addr[row] >= 0;
    case "phys":
      batch.phys[row] = quantity(high, low);
      return batch.phys[row] >= 0;
    case "arg0":
      batch.arg0[row] = low;
      return true;
    case "arg1":
      batch.arg1[row] = low;
      return true;
    case "arg3":
      batch.arg3[row] = low;
      return true;
    default:
      return column satisfies never;
  }
}

function quantity(high: number, low: number): number {
  const unsigned = high >>> 0;
  return unsigned > 0x1f_ffff ? Number.NaN : unsigned * TWO_32 + (low >>> 0);
}
