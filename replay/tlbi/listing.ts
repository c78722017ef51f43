/** The TLBI instructions of one invalidation call as rows in execution order, with operands: for people. */
import { countStage1Syncs, unknownPrimitive } from "./instructions.ts";
import type { PrimitiveCall } from "./instructions.ts";
import { ipaOperand, rangeOperand } from "./operands.ts";
import { Primitive } from "./primitives.ts";
import type { InstructionName } from "./primitives.ts";
import { checkRange, encodeRange } from "./range-encoder.ts";

/** One TLBI. Fields that the instruction does not have are `null`. */
export interface InstructionRow {
  readonly instruction: InstructionName;
  /** Xt; 0 for the instructions that take none. */
  readonly operand: bigint;
  /** The encoder's variables; outside 0..3 and 0..31 only in the corrupt operand of 2^21 pages. */
  readonly scale: number | null;
  readonly num: number | null;
  /** First host page named by the operand. */
  readonly ipaPage: number | null;
  /** Host pages that the operand really covers. */
  readonly pages: number | null;
  readonly note: string;
}

const STAGE1_NOTE = "every stage-1 and combined entry of the VMID";

/**
 * Lists what `countInstructions` counts. The DSBs between the rows are not listed.
 * @param primitive code from `Primitive`.
 * @throws RangeError as `countInstructions`.
 */
export function listInstructions(primitive: number, call: PrimitiveCall): InstructionRow[] {
  const rows = listPlain(primitive, call);
  if (call.repeatTlbi === "twice") {
    return rows.flatMap((row) => [row, { ...row, note: "again, after dsb ish (REPEAT_TLBI)" }]);
  }
  if (call.repeatTlbi === "vale2is-per-sync" && countStage1Syncs(primitive) === 1) {
    rows.push(rowWithoutPages("vale2is", "after dsb ish (REPEAT_TLBI)"));
  }
  return rows;
}

function listPlain(primitive: number, call: PrimitiveCall): InstructionRow[] {
  switch (primitive) {
    case Primitive.VM:
      return [rowWithoutPages("vmalls12e1is", "every entry of the VMID, both stages, all CPUs")];
    case Primitive.IPA:
      return [
        singleRow("ipas2e1is", call, call.ipaPage, call.hintLevel ?? null),
        rowWithoutPages("vmalle1is", `${STAGE1_NOTE}, all CPUs`),
      ];
    case Primitive.IPA_LOCAL:
      return [
        singleRow("ipas2e1", call, call.ipaPage, call.hintLevel ?? null),
        rowWithoutPages("vmalle1", `${STAGE1_NOTE}, this CPU`),
      ];
    case Primitive.RANGE:
      return [...listRange(call), rowWithoutPages("vmalle1is", `${STAGE1_NOTE}, all CPUs`)];
    case Primitive.CPU:
      return [rowWithoutPages("vmalle1", `${STAGE1_NOTE}, this CPU`)];
    case Primitive.ALL:
      return [rowWithoutPages("alle1is", "every entry of every VMID, all CPUs")];
    default:
      throw unknownPrimitive(primitive);
  }
}

function listRange(call: PrimitiveCall): InstructionRow[] {
  const { encoding, ipaPage, lenPages } = call;
  if (call.singlesOnly === true) {
    checkRange(ipaPage, lenPages);
    return Array.from({ length: lenPages }, (_, i) =>
      singleRow("ipas2e1is", call, ipaPage + i, null),
    );
  }
  const rows: InstructionRow[] = [];
  encodeRange(encoding, ipaPage, lenPages, {
    single: (page) => rows.push(singleRow("ipas2e1is", call, page, null)),
    range: (page, scale, num, pages) => rows.push(rangeRow(call, page, scale, num, pages)),
  });
  return rows;
}

function singleRow(
  instruction: InstructionName,
  call: PrimitiveCall,
  ipaPage: number,
  hintLevel: number | null,
): InstructionRow {
  const operand = ipaOperand(ipaPage, call.encoding.pageShift, hintLevel);
  const note = `stage-2 entries of the IPA${hintLevel === null ? "" : `, level ${hintLevel} hint`}`;
  return { instruction, operand, scale: null, num: null, ipaPage, pages: 1, note };
}

function rangeRow(
  call: PrimitiveCall,
  ipaPage: number,
  scale: number,
  num: number,
  pages: number,
): InstructionRow {
  const operand = rangeOperand(call.encoding, ipaPage, scale, num);
  const note = rangeNote(scale, pages, call.lenPages);
  return { instruction: "ripas2e1is", operand, scale, num, ipaPage, pages, note };
}

function rangeNote(scale: number, pages: number, wantedPages: number): string {
  if (scale >= 0 && scale <= 3) return "stage-2 entries of the range";
  if (pages === 0) return "corrupt operand (CVE-2024-35980): it names another granule";
  return `corrupt operand (CVE-2024-35980): it names ${pages} of ${wantedPages} pages`;
}

function rowWithoutPages(instruction: InstructionName, note: string): InstructionRow {
  return { instruction, operand: 0n, scale: null, num: null, ipaPage: null, pages: null, note };
}
