import type { EventBatch } from "../../events/columns.ts";
import type { TracepointText } from "../../vocabulary/tracepoints.ts";
import { isLaidOut } from "../../vocabulary/x86-tracepoints.ts";
import { LETTER_X, literal, matchesAt, PAREN_OPEN, ZERO } from "../bytes.ts";
import { MarkerText } from "../marker-text.ts";
import { LaidOutText } from "../laid-out-text.ts";
import { NumberScanner } from "../number-scanner.ts";

const IPA = literal("ipa ");
const HSR = literal(", hsr ");
const ACCESS_IPA = literal("IPA: ");
const HVA_DASHES = literal(" -- ");
const HVA_UNMAP = literal("mmu notifier unmap range: ");
const HVA_AGE = literal("mmu notifier age hva: ");
const HVA_SET = literal("mmu notifier set pte hva: ");
const HVA_TEST_AGE = literal("mmu notifier test age hva: ");
const REASON = literal("reason ");
/** Printed in place of a reason; the number is an errno then. */
const ERRNO_WORDS = [literal("restart "), literal("error ")];
const VCPU = literal("vcpu ");
const HCR_EL2 = literal("hcr_el2: ");
/** HCR_EL2.VM: stage 2 is on. */
const HCR_VM = 1;

/** Reads the numbers in the text of stock tracepoints into a row. */
export class StockText {
  readonly #numbers = new NumberScanner();
  readonly #marker = new MarkerText();
  readonly #laidOut = new LaidOutText();

  /** False: the text is not that of this tracepoint in any kernel known here. */
  read(
    text: TracepointText,
    bytes: Uint8Array,
    from: number,
    end: number,
    batch: EventBatch,
    row: number,
  ): boolean {
    if (isLaidOut(text)) {
      // A program of the user's own may print the fields one by one.
      return (
        this.#laidOut.read(text, bytes, from, end, batch, row) ||
        this.#laidOut.readFields(text, bytes, from, end, batch, row)
      );
    }
    switch (text) {
      case "none":
        return true;
      case "marker":
        this.#marker.read(bytes, from, end, batch, row);
        return true;
      case "guestFault":
        return this.#guestFault(bytes, from, end, batch, row);
      case "accessFault":
        return this.#hex(bytes, after(bytes, from, ACCESS_IPA), end, batch.addr, row) > 0;
      case "hvaRange":
        return this.#hvaRange(bytes, from, end, batch, row);
      case "hvaOne": {
        const set = after(bytes, from, HVA_SET);
        const start = set > 0 ? set : after(bytes, from, HVA_TEST_AGE);
        return this.#hex(bytes, start, end, batch.addr, row) > 0;
      }
      case "userspaceExit":
        return this.#userspaceExit(bytes, from, end, batch, row);
      case "vcpuNumber":
        return this.#vcpuNumber(bytes, after(bytes, from, VCPU), end, batch, row);
      case "nestedEret":
        return this.#nestedEret(bytes, from, end, batch, row);
      default:
        return text satisfies never;
    }
  }

  #vcpuNumber(
    bytes: Uint8Array,
    from: number,
    end: number,
    batch: EventBatch,
    row: number,
  ): boolean {
    if (from < 0 || this.#numbers.scanDecimal(bytes, from, end) < 0) return false;
    batch.arg0[row] = this.#numbers.quantity();
    return true;
  }

  /** `elr_el2: 0x%lx spsr_el2: 0x%08lx (M: %s) hcr_el2: %lx`; of HCR_EL2 one bit is of use. */
  #nestedEret(
    bytes: Uint8Array,
    from: number,
    end: number,
    batch: EventBatch,
    row: number,
  ): boolean {
    let at = from;
    while (at < end && !matchesAt(bytes, at, HCR_EL2)) at += 1;
    if (at >= end || this.#numbers.scanHex(bytes, at + HCR_EL2.length, end) < 0) return false;
    batch.arg0[row] = this.#numbers.low & HCR_VM;
    return true;
  }

  /** `ipa %#llx, hsr %#08lx, hxfar …`: a zero is printed without 0x. */
  #guestFault(
    bytes: Uint8Array,
    from: number,
    end: number,
    batch: EventBatch,
    row: number,
  ): boolean {
    const afterIpa = this.#hex(bytes, after(bytes, from, IPA), end, batch.addr, row);
    if (afterIpa < 0) return false;
    return this.#hex(bytes, after(bytes, afterIpa, HSR), end, batch.arg0, row) > 0;
  }

  /** `mmu notifier … : %#016lx -- %#016lx`, end exclusive. */
  #hvaRange(bytes: Uint8Array, from: number, end: number, batch: EventBatch, row: number): boolean {
    const unmap = after(bytes, from, HVA_UNMAP);
    const start = unmap > 0 ? unmap : after(bytes, from, HVA_AGE);
    const afterStart = this.#hex(bytes, start, end, batch.addr, row);
    if (afterStart < 0) return false;
    if (this.#hex(bytes, after(bytes, afterStart, HVA_DASHES), end, batch.len, row) < 0)
      return false;
    const length = batch.len[row]! - batch.addr[row]!;
    batch.len[row] = length;
    return length >= 0;
  }

  /** `reason KVM_EXIT_MMIO (6)`; an errno (`reason restart (4)`) is given as a negative number. */
  #userspaceExit(
    bytes: Uint8Array,
    from: number,
    end: number,
    batch: EventBatch,
    row: number,
  ): boolean {
    const word = after(bytes, from, REASON);
    if (word < 0) return false;
    let at = word;
    while (at < end && bytes[at] !== PAREN_OPEN) at += 1;
    if (at >= end || this.#numbers.scan(bytes, at + 1, end) < 0) return false;
    const isErrno = ERRNO_WORDS.some((errnoWord) => matchesAt(bytes, word, errnoWord));
    const number = this.#numbers.low;
    batch.arg0[row] = isErrno ? -number : number;
    return true;
  }

  /** Hexadecimal with or without 0x; gives where it ends, or -1. */
  #hex(bytes: Uint8Array, from: number, end: number, column: Float64Array, row: number): number {
    if (from < 0) return -1;
    const prefixed = bytes[from] === ZERO && bytes[from + 1] === LETTER_X;
    const stop = this.#numbers.scanHex(bytes, prefixed ? from + 2 : from, end);
    if (stop < 0) return -1;
    const value = this.#numbers.quantity();
    column[row] = value;
    return value === value ? stop : -1;
  }
}

/** Place after `expected` if it stands at `from`; -1 where it does not, or where `from` is -1. */
function after(bytes: Uint8Array, from: number, expected: Uint8Array): number {
  return from >= 0 && matchesAt(bytes, from, expected) ? from + expected.length : -1;
}
