import type { EventBatch } from "../events/columns.ts";
import { MarkerOp } from "../events/marker-ops.ts";
import { literal, matchesAt, SPACE } from "./bytes.ts";
import { NumberScanner } from "./number-scanner.ts";

const DRIVER = literal("s2drive ");
const NESTED_DRIVER = literal("nvdrive ");
const OP_READ = literal("op=read ");
const OP_WRITE = literal("op=write ");
const OP_CONTEXT = literal("op=ctx ");
const START = literal("start ");
const VM = literal("vm=");
const CONTEXT = literal("i=");
const IPA = literal("ipa=");
const NESTED_IPA = literal("l2ipa=");
const STRIDE = literal("stride=");
const COUNT = literal("n=");

/**
 * Markers of the s2 driver that announce what its guest code touches next, or which VM it works on:
 * `s2drive vm=1 op=write ipa=102033000 stride=1000 n=542`, and those of the nested driver, whose guest's
 * guest does: `nvdrive op=write area=A l2ipa=100000000 stride=1000 n=4`, `nvdrive op=ctx i=0 …`. Hexadecimal
 * but for vm, i and n. Any other marker leaves its row as it is: what users write is not ours to judge.
 */
export class MarkerText {
  readonly #numbers = new NumberScanner();
  #op = Number.NaN;
  #vm = Number.NaN;
  #ipa = Number.NaN;
  #stride = Number.NaN;
  #count = Number.NaN;

  read(bytes: Uint8Array, from: number, end: number, batch: EventBatch, row: number): void {
    const isNested = matchesAt(bytes, from, NESTED_DRIVER);
    if (!isNested && !matchesAt(bytes, from, DRIVER)) return;
    const first = from + DRIVER.length;
    this.#take(bytes, first, end, isNested ? NESTED_IPA : IPA, isNested ? CONTEXT : VM);
    if (!Number.isNaN(this.#op) && !Number.isNaN(this.#ipa) && !Number.isNaN(this.#count)) {
      batch.addr[row] = this.#ipa;
      batch.len[row] = this.#stride;
      batch.arg0[row] = this.#count;
      batch.arg1[row] = isNested ? this.#op + MarkerOp.nestedRead : this.#op;
      batch.arg2[row] = this.#vm;
    } else if (isNested && matchesAt(bytes, first, START)) {
      batch.arg1[row] = MarkerOp.nestedStart;
    } else if (!Number.isNaN(this.#vm) && (!isNested || matchesAt(bytes, first, OP_CONTEXT))) {
      batch.arg1[row] = isNested ? MarkerOp.nestedContext : MarkerOp.onVm;
      batch.arg2[row] = this.#vm;
    }
  }

  #take(bytes: Uint8Array, from: number, end: number, ipa: Uint8Array, vm: Uint8Array): void {
    this.#op = this.#vm = this.#ipa = this.#stride = this.#count = Number.NaN;
    for (let word = from; word < end; word = nextWord(bytes, word, end)) {
      if (matchesAt(bytes, word, OP_READ)) this.#op = MarkerOp.read;
      else if (matchesAt(bytes, word, OP_WRITE)) this.#op = MarkerOp.write;
      else if (matchesAt(bytes, word, vm)) this.#vm = this.#decimal(bytes, word + vm.length, end);
      else if (matchesAt(bytes, word, ipa)) this.#ipa = this.#hex(bytes, word + ipa.length, end);
      else if (matchesAt(bytes, word, STRIDE))
        this.#stride = this.#hex(bytes, word + STRIDE.length, end);
      else if (matchesAt(bytes, word, COUNT))
        this.#count = this.#decimal(bytes, word + COUNT.length, end);
    }
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
