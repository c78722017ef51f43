import type { EventBatch } from "../../events/columns.ts";
import type { TracepointText } from "../../vocabulary/tracepoints.ts";
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

function quantityOf(field: FormatField, values: FieldValues, view: DataView, at: number): number {
  values.read(view, at + field.offset, field.sizeBytes, field.isSigned);
  return values.quantity();
}
