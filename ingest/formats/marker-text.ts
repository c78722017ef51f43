import type { EventBatch } from "../events/columns.ts";
import { literal, matchesAt, SPACE } from "./bytes.ts";
import { NumberScanner } from "./number-scanner.ts";

const DRIVER = literal("s2drive ");
const NESTED_DRIVER = literal("nvdrive ");
const OP_READ = literal("op=read ");
const OP_WRITE = literal("op=write ");
const VM = literal("vm=");
const IPA = literal("ipa=");
const NESTED_IPA = literal("l2ipa=");
const STRIDE = literal("stride=");
const COUNT = literal("n=");

/**
 * Markers of the s2 driver that announce what its guest code touches next:
 * `s2drive vm=1 op=write ipa=102033000 stride=1000 n=542`, hexadecimal but for vm and n. Any other
 * marker leaves its row as it is: what users write is not ours to judge. The driver of nested guests says the
 * same of them, `nvdrive op=write area=A l2ipa=100000000 stride=1000 n=4`.
 */
export class MarkerText {
  readonly #numbers = new NumberScanner();

  read(bytes: Uint8Array, from: number, end: number, batch: EventBatch, row: number): void {
    const isNested = matchesAt(bytes, from, NESTED_DRIVER);
    if (!isNested && !matchesAt(bytes, from, DRIVER)) return;
    const place = isNested ? NESTED_IPA : IPA;
    let op = Number.NaN;
    let vm = Number.NaN;
    let ipa = Number.NaN;
    let stride = Number.NaN;
    let count = Number.NaN;
    for (let word = nextWord(bytes, from, end); word < end; word = nextWord(bytes, word, end)) {
      if (matchesAt(bytes, word, OP_READ)) op = 0;
      else if (matchesAt(bytes, word, OP_WRITE)) op = 1;
      else if (matchesAt(bytes, word, VM)) vm = this.#decimal(bytes, word + VM.length, end);
      else if (matchesAt(bytes, word, place)) ipa = this.#hex(bytes, word + place.length, end);
      else if (matchesAt(bytes, word, STRIDE)) stride = this.#hex(bytes, word + STRIDE.length, end);
      else if (matchesAt(bytes, word, COUNT))
        count = this.#decimal(bytes, word + COUNT.length, end);
    }
    if (Number.isNaN(op) || Number.isNaN(ipa) || Number.isNaN(count)) return;
    batch.addr[row] = ipa;
    batch.len[row] = stride;
    batch.arg0[row] = count;
    batch.arg1[row] = op;
    batch.arg2[row] = vm;
    if (isNested) batch.arg3[row] = 1;
  }

  #decimal(bytes: Uint8Array, from: number, end: number): number {
    return this.#numbers.scanDecimal(bytes, from, end) < 0 ? Number.NaN : this.#numbers.quantity();
  }

  #hex(bytes: Uint8Array, from: number, end: number): number {
    return this.#numbers.scanHex(bytes, from, end) < 0 ? Number.NaN : this.#numbers.quantity();
  }
}

function nextWord(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== SPACE) at += 1;
  return at + 1;
}
