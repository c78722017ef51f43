import type { EventBatch } from "../../events/columns.ts";
import type { TracepointText } from "../../vocabulary/tracepoints.ts";
import {
  isLaidOut,
  X86_TRACEPOINT_FIELDS,
  type X86TracepointText,
} from "../../vocabulary/x86-tracepoints.ts";
import { putLaidOutValue } from "../laid-out-values.ts";
import type { FieldValues } from "./field-values.ts";
import type { FormatField } from "./format-texts.ts";

/** HCR_EL2.VM: stage 2 is on. */
const HCR_VM = 1;

/**
 * Reads the fields of a stock tracepoint into a row.
 * @param fields those that the text of this kind holds, in its order.
 * @returns false for a value that does not fit.
 */
export function readStockFields(
  text: TracepointText,
  fields: readonly FormatField[],
  values: FieldValues,
  view: DataView,
  at: number,
  batch: EventBatch,
  row: number,
): boolean {
  if (fields.length === 0) return true;
  if (isLaidOut(text)) return readLaidOut(text, fields, values, view, at, batch, row);
  const first = quantityOf(fields[0]!, values, view, at);
  switch (text) {
    case "none":
    case "marker":
      return true;
    case "guestFault":
      batch.addr[row] = first;
      batch.arg0[row] = quantityOf(fields[1]!, values, view, at);
      return first + batch.arg0[row] >= 0;
    case "accessFault":
    case "hvaOne":
      batch.addr[row] = first;
      return first >= 0;
    case "hvaRange":
      batch.addr[row] = first;
      batch.len[row] = quantityOf(fields[1]!, values, view, at) - first;
      return batch.len[row] >= 0;
    case "userspaceExit": {
      // An errno stands in place of the reason, and is negative.
      batch.arg0[row] = first;
      quantityOf(fields[1]!, values, view, at);
      if (values.low < 0) batch.arg0[row] = values.low;
      return true;
    }
    case "vcpuNumber":
      batch.arg0[row] = first;
      return true;
    case "nestedEret":
      batch.arg0[row] = values.low & HCR_VM;
      return true;
    default:
      return text satisfies never;
  }
}

/** @param fields those that this kernel's event has, by name. */
function readLaidOut(
  text: X86TracepointText,
  fields: readonly FormatField[],
  values: FieldValues,
  view: DataView,
  at: number,
  batch: EventBatch,
  row: number,
): boolean {
  let next = 0;
  for (const { field, column } of X86_TRACEPOINT_FIELDS[text]) {
    const found = fields[next];
    if (found?.name !== field) continue;
    next += 1;
    values.read(view, at + found.offset, found.sizeBytes, found.isSigned);
    if (!putLaidOutValue(column, values.high, values.low, batch, row)) return false;
  }
  return true;
}

function quantityOf(field: FormatField, values: FieldValues, view: DataView, at: number): number {
  values.read(view, at + field.offset, field.sizeBytes, field.isSigned);
  return values.quantity();
}
