import type { NameTable } from "../../events/names.ts";
import { ArrowDamage } from "./messages.ts";

/** Names whose bytes are kept to compare with; what goes beyond is looked up by its text. */
const KEPT_NAMES = 4096;
const SLOTS = 16_384;

/**
 * Event names from a column of texts to ids. Names repeat: each is found by its bytes, and becomes a
 * string only where it is new.
 */
export class NameColumn {
  readonly #names: NameTable;
  readonly #ids = new Uint32Array(SLOTS);
  /** Bytes of the name in each slot. */
  readonly #texts: (Uint8Array | undefined)[] = Array.from({ length: SLOTS });
  #kept = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #offsets: Int32Array = new Int32Array(1);
  #textAt = 0;

  constructor(names: NameTable) {
    this.#names = names;
  }

  /** @throws ArrowDamage where the offsets are not those of texts inside the column. */
  open(body: Uint8Array, valuesAt: number, rows: number, textAt: number, textBytes: number): void {
    this.#bytes = body;
    this.#textAt = textAt;
    if (rows === 0) return;
    const offsets = new Int32Array(body.buffer, body.byteOffset + valuesAt, rows + 1);
    this.#offsets = offsets;
    let before = 0;
    for (let i = 0; i <= rows; i += 1) {
      const offset = offsets[i]!;
      if (offset < before) throw new ArrowDamage("names that run backwards");
      before = offset;
    }
    if (before > textBytes) throw new ArrowDamage("a name outside its column");
  }

  copy(from: number, count: number, target: Uint32Array, to: number): void {
    const offsets = this.#offsets;
    for (let i = 0; i < count; i += 1) {
      const start = this.#textAt + offsets[from + i]!;
      target[to + i] = this.#idOf(start, this.#textAt + offsets[from + i + 1]!);
    }
  }

  #idOf(start: number, end: number): number {
    if (start === end) return 0;
    const bytes = this.#bytes;
    let hash = end - start;
    for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    let slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    for (;;) {
      const text = this.#texts[slot];
      if (text === undefined) return this.#add(slot, start, end);
      if (isSame(text, bytes, start, end)) return this.#ids[slot]!;
      slot = (slot + 1) & (SLOTS - 1);
    }
  }

  #add(slot: number, start: number, end: number): number {
    const text = this.#bytes.slice(start, end);
    const id = this.#names.idOf(Buffer.from(text).toString("utf8"));
    if (this.#kept < KEPT_NAMES) {
      this.#kept += 1;
      this.#texts[slot] = text;
      this.#ids[slot] = id;
    }
    return id;
  }
}

function isSame(text: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const length = text.length;
  if (length !== end - start) return false;
  for (let i = 0; i < length; i += 1) if (text[i] !== bytes[start + i]) return false;
  return true;
}
