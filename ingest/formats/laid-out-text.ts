import type { EventBatch } from "../events/columns.ts";
import {
  type TracepointField,
  X86_TRACEPOINT_FIELDS,
  type X86TracepointText,
} from "../vocabulary/x86-tracepoints.ts";
import { LETTER_X, literal, matchesAt, SPACE, ZERO } from "./bytes.ts";
import { putLaidOutValue } from "./laid-out-values.ts";
import { NumberScanner } from "./number-scanner.ts";

interface Label {
  readonly field: TracepointField;
  /** Before the value in the kernel's own text, and where the fields are printed one by one. */
  readonly inText: Uint8Array;
  readonly inFields: Uint8Array;
}

/** Reads the tracepoints whose text is told as data (`x86-tracepoints.ts`) into a row. */
export class LaidOutText {
  readonly #numbers = new NumberScanner();
  readonly #labels = new Map<X86TracepointText, readonly Label[]>();

  /** The kernel's own text at `from`…`end`. False: it is not that of this tracepoint. */
  read(
    text: X86TracepointText,
    bytes: Uint8Array,
    from: number,
    end: number,
    batch: EventBatch,
    row: number,
  ): boolean {
    let at = from;
    for (const { field, inText } of this.#labelsOf(text)) {
      const value = behindLabel(bytes, at, end, inText);
      if (value < 0) {
        if (field.isOptional === true) continue;
        return false;
      }
      const stop = this.#scan(bytes, value, end, field.base === "hex");
      if (stop < 0 || !this.#put(field, batch, row)) return false;
      at = stop;
    }
    return true;
  }

  /**
   * `gfn=100000 level=2`, as `trace-cmd report -R` prints it: each in the base of the event's own text, with 0x
   * or without, and in the order of its format.
   */
  readFields(
    text: X86TracepointText,
    bytes: Uint8Array,
    from: number,
    end: number,
    batch: EventBatch,
    row: number,
  ): boolean {
    for (const { field, inFields } of this.#labelsOf(text)) {
      const value = behindLabel(bytes, from, end, inFields);
      if (value < 0) {
        if (field.isOptional === true) continue;
        return false;
      }
      const stop = this.#scan(bytes, value, end, field.base === "hex");
      if (stop < 0 || !this.#put(field, batch, row)) return false;
    }
    return true;
  }

  /** Gives where the number ends, or -1. */
  #scan(bytes: Uint8Array, from: number, end: number, isHex: boolean): number {
    if (!isHex) return this.#numbers.scan(bytes, from, end);
    const isPrefixed = bytes[from] === ZERO && bytes[from + 1] === LETTER_X;
    return this.#numbers.scanHex(bytes, isPrefixed ? from + 2 : from, end);
  }

  #put({ column }: TracepointField, batch: EventBatch, row: number): boolean {
    return putLaidOutValue(column, this.#numbers.high, this.#numbers.low, batch, row);
  }

  #labelsOf(text: X86TracepointText): readonly Label[] {
    const known = this.#labels.get(text);
    if (known !== undefined) return known;
    const labels = X86_TRACEPOINT_FIELDS[text].map((field) => ({
      field,
      inText: literal(field.label),
      inFields: literal(`${field.field}=`),
    }));
    this.#labels.set(text, labels);
    return labels;
  }
}

/** Place behind the first `label` that begins a word at `from` or later; -1 where there is none. */
function behindLabel(bytes: Uint8Array, from: number, end: number, label: Uint8Array): number {
  const last = end - label.length;
  const first = label[0]!;
  for (let at = from; at <= last; at += 1) {
    if (bytes[at] !== first) continue;
    if (at > from && bytes[at - 1] !== SPACE) continue;
    if (matchesAt(bytes, at, label)) return at + label.length;
  }
  return -1;
}
