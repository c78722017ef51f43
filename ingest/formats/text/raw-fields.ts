import type { EventBatch } from "../../events/columns.ts";
import type { TracepointText } from "../../vocabulary/tracepoints.ts";
import { isLaidOut } from "../../vocabulary/x86-tracepoints.ts";
import { literal, matchesAt, SPACE } from "../bytes.ts";
import { LaidOutText } from "../laid-out-text.ts";
import { NumberScanner } from "../number-scanner.ts";

const IPA = literal("ipa=");
const HSR = literal("hsr=");
const START = literal("start=");
const END = literal("end=");
const HVA = literal("hva=");
const REASON = literal("reason=");
const ERRNO = literal("errno=");
const VCPU_ID = literal("vcpu_id=");
const HCR_EL2 = literal("hcr_el2=");
/** HCR_EL2.VM: stage 2 is on. */
const HCR_VM = 1;

/**
 * Reads stock tracepoints whose fields were printed one by one, `ipa=0x180000 hsr=0x82000085`, by
 * `trace-cmd report -R`. The bases are mixed: 0x means hexadecimal, anything else is decimal.
 */
export class RawFields {
  readonly #numbers = new NumberScanner();
  readonly #laidOut = new LaidOutText();

  /** False: a field that this tracepoint has is not there, or is no number that fits. */
  read(
    text: TracepointText,
    bytes: Uint8Array,
    from: number,
    end: number,
    batch: EventBatch,
    row: number,
  ): boolean {
    const into = (label: Uint8Array, column: Float64Array): boolean =>
      this.#quantity(bytes, from, end, label, column, row);
    if (isLaidOut(text)) return this.#laidOut.readFields(text, bytes, from, end, batch, row);
    switch (text) {
      case "none":
      case "marker":
        return true;
      case "guestFault":
        return into(IPA, batch.addr) && into(HSR, batch.arg0);
      case "accessFault":
        return into(IPA, batch.addr);
      case "hvaRange": {
        if (!into(START, batch.addr) || !into(END, batch.len)) return false;
        const length = batch.len[row]! - batch.addr[row]!;
        batch.len[row] = length;
        return length >= 0;
      }
      case "hvaOne":
        return into(HVA, batch.addr);
      case "userspaceExit":
        return this.#userspaceExit(bytes, from, end, batch, row);
      case "vcpuNumber":
        return into(VCPU_ID, batch.arg0);
      case "nestedEret":
        return this.#nestedEret(bytes, from, end, batch, row);
      default:
        return text satisfies never;
    }
  }

  /** Of HCR_EL2, which a double cannot hold, one bit. */
  #nestedEret(
    bytes: Uint8Array,
    from: number,
    end: number,
    batch: EventBatch,
    row: number,
  ): boolean {
    const at = valueOf(bytes, from, end, HCR_EL2);
    if (at < 0 || this.#numbers.scan(bytes, at, end) < 0) return false;
    batch.arg0[row] = this.#numbers.low & HCR_VM;
    return true;
  }

  /** An errno, which is negative, stands in for the reason as in the kernel's own text. */
  #userspaceExit(
    bytes: Uint8Array,
    from: number,
    end: number,
    batch: EventBatch,
    row: number,
  ): boolean {
    if (!this.#quantity(bytes, from, end, REASON, batch.arg0, row)) return false;
    const at = valueOf(bytes, from, end, ERRNO);
    if (at < 0 || this.#numbers.scan(bytes, at, end) < 0) return false;
    const errno = this.#numbers.low;
    if (errno < 0) batch.arg0[row] = errno;
    return true;
  }

  #quantity(
    bytes: Uint8Array,
    from: number,
    end: number,
    label: Uint8Array,
    column: Float64Array,
    row: number,
  ): boolean {
    const at = valueOf(bytes, from, end, label);
    if (at < 0) return false;
    const stop = this.#numbers.scan(bytes, at, end);
    if (stop < 0 || (stop < end && bytes[stop] !== SPACE)) return false;
    const value = this.#numbers.quantity();
    column[row] = value;
    return value === value;
  }
}

/** Where the value of a field begins; -1 where there is no such field. */
function valueOf(bytes: Uint8Array, from: number, end: number, label: Uint8Array): number {
  const last = end - label.length;
  for (let at = from; at <= last; at += 1) {
    if ((at === from || bytes[at - 1] === SPACE) && matchesAt(bytes, at, label)) {
      return at + label.length;
    }
  }
  return -1;
}
