/**
 * The TLBI instructions of one invalidation call, counted without running the encoder
 * (arch/arm64/kvm/hyp/{vhe,nvhe}/tlb.c, 5.10 to 7.3). The same rows in execution order: listing.ts.
 *
 * `IPA` and `RANGE` never stop at the address: both end with `vmalle1is`, because the stage-1 and combined
 * entries of the VMID cannot be found by IPA.
 */
import { DSB_PER_CALL, INSTRUCTIONS, PRIMITIVES, Primitive } from "./primitives.ts";
import type { InstructionName } from "./primitives.ts";
import { checkRange, countRangeSingles, countRangeTotal } from "./range-encoder.ts";
import type { RangeEncoding } from "./range-encoder.ts";

/**
 * `ARM64_WORKAROUND_REPEAT_TLBI` (Cortex-A55, A76, A510, …).
 * - `none`: a CPU without the erratum.
 * - `twice`: every TLBI, also a local one, is issued again after one more `dsb ish`; kernels before the back-port
 *   of the next.
 * - `vale2is-per-sync`: one `tlbi vale2is, xzr` and one `dsb ish` after the `dsb ish` that completes broadcast
 *   stage-1 invalidation (`__tlbi_sync_s1ish_hyp`; 6.1.176, 6.12.107, 7.x). That is once for each `VM`, `IPA`,
 *   `RANGE` and `ALL`: the `dsb ish` between `ipas2e1is` and `vmalle1is` completes stage 2 only and stays
 *   plain, and `IPA_LOCAL` and `CPU` synchronise with `dsb nsh`.
 */
export type RepeatTlbi = "none" | "twice" | "vale2is-per-sync";

/** Arguments of a call, for every primitive alike. Hot code keeps one object and overwrites the two numbers. */
export interface PrimitiveCall {
  encoding: RangeEncoding;
  /** First host page of the IPA. Read for `IPA`, `IPA_LOCAL` (listing only) and `RANGE`. */
  ipaPage: number;
  /** Length in host pages, 1 to 2^21. Read for `RANGE` only. */
  lenPages: number;
  /**
   * `RANGE` issues one `ipas2e1is` per page and no range instruction: what the 2020 RFC (never merged) does
   * below 512 pages without FEAT_TLBIRANGE.
   */
  singlesOnly?: boolean;
  /** Default `none`. */
  repeatTlbi?: RepeatTlbi;
  /** Level hint of `IPA` and `IPA_LOCAL` from `ttlHint`; default `null`, none. Changes operands, never counts. */
  hintLevel?: number | null;
}

const VMALLS12E1IS: number = indexOfInstruction("vmalls12e1is");
const IPAS2E1IS: number = indexOfInstruction("ipas2e1is");
const RIPAS2E1IS: number = indexOfInstruction("ripas2e1is");
const VMALLE1IS: number = indexOfInstruction("vmalle1is");
const IPAS2E1: number = indexOfInstruction("ipas2e1");
const VMALLE1: number = indexOfInstruction("vmalle1");
const ALLE1IS: number = indexOfInstruction("alle1is");
const VALE2IS: number = indexOfInstruction("vale2is");

/** Index of an instruction in the count arrays: its place in INSTRUCTIONS. */
export function indexOfInstruction(instruction: InstructionName): number {
  return INSTRUCTIONS.indexOf(instruction);
}

/**
 * Adds the instructions of `calls` equal calls to `into`. Allocates nothing.
 * @param primitive code from `Primitive`.
 * @param into counts by place in INSTRUCTIONS, of at least that length.
 * @throws RangeError for another code, or for a `RANGE` that the encoder does not take.
 */
export function countInstructions(
  primitive: number,
  call: PrimitiveCall,
  into: Float64Array,
  calls: number = 1,
): void {
  const times = call.repeatTlbi === "twice" ? 2 * calls : calls;
  switch (primitive) {
    case Primitive.VM:
      add(into, VMALLS12E1IS, times);
      break;
    case Primitive.IPA:
      add(into, IPAS2E1IS, times);
      add(into, VMALLE1IS, times);
      break;
    case Primitive.IPA_LOCAL:
      add(into, IPAS2E1, times);
      add(into, VMALLE1, times);
      break;
    case Primitive.RANGE: {
      const singles = countSingles(call);
      add(into, IPAS2E1IS, singles * times);
      add(into, RIPAS2E1IS, (countPageOps(call) - singles) * times);
      add(into, VMALLE1IS, times);
      break;
    }
    case Primitive.CPU:
      add(into, VMALLE1, times);
      break;
    case Primitive.ALL:
      add(into, ALLE1IS, times);
      break;
    default:
      throw unknownPrimitive(primitive);
  }
  if (call.repeatTlbi === "vale2is-per-sync") {
    add(into, VALE2IS, countStage1Syncs(primitive) * calls);
  }
}

/** TLBI instructions of one call, all kinds and the erratum's together. Errors as {@link countInstructions}. */
export function countTlbis(primitive: number, call: PrimitiveCall): number {
  const plain = countPlainTlbis(primitive, call);
  if (call.repeatTlbi === "twice") return 2 * plain;
  return call.repeatTlbi === "vale2is-per-sync" ? plain + countStage1Syncs(primitive) : plain;
}

/**
 * DSBs of one call: those of DSB_PER_CALL and what the erratum adds, one per repeated TLBI or one per
 * `vale2is`. Errors as {@link countInstructions}.
 */
export function countDsbs(primitive: number, call: PrimitiveCall): number {
  const plainTlbis = countPlainTlbis(primitive, call);
  const name = PRIMITIVES[primitive];
  if (name === undefined) throw unknownPrimitive(primitive);
  const plainDsbs = DSB_PER_CALL[name];
  if (call.repeatTlbi === "twice") return plainDsbs + plainTlbis;
  if (call.repeatTlbi === "vale2is-per-sync") return plainDsbs + countStage1Syncs(primitive);
  return plainDsbs;
}

/** The error for a code that `Primitive` does not have. */
export function unknownPrimitive(primitive: number): RangeError {
  return new RangeError(`no invalidation call has the code ${primitive}`);
}

/** How often a call completes broadcast stage-1 invalidation: once, or never if it is local. */
export function countStage1Syncs(primitive: number): number {
  return primitive === Primitive.IPA_LOCAL || primitive === Primitive.CPU ? 0 : 1;
}

function countPlainTlbis(primitive: number, call: PrimitiveCall): number {
  switch (primitive) {
    case Primitive.IPA:
    case Primitive.IPA_LOCAL:
      return 2;
    case Primitive.RANGE:
      return countPageOps(call) + 1;
    case Primitive.VM:
    case Primitive.CPU:
    case Primitive.ALL:
      return 1;
    default:
      throw unknownPrimitive(primitive);
  }
}

/** Instructions of a `RANGE` that name pages. */
function countPageOps(call: PrimitiveCall): number {
  if (call.singlesOnly !== true) {
    return countRangeTotal(call.encoding, call.ipaPage, call.lenPages);
  }
  checkRange(call.ipaPage, call.lenPages);
  return call.lenPages;
}

function countSingles(call: PrimitiveCall): number {
  if (call.singlesOnly === true) return countPageOps(call);
  return countRangeSingles(call.encoding, call.ipaPage, call.lenPages);
}

function add(into: Float64Array, index: number, count: number): void {
  into[index] = (into[index] ?? 0) + count;
}
