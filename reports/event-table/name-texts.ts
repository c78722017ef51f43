import type { NameTable } from "../../ingest/events/names.ts";

/** Texts of the `event` column as Arrow keeps them: offsets, and bytes one behind the other. */
export class NameTexts {
  readonly offsets: Int32Array;
  bytes: Uint8Array;
  /** Bytes in use. */
  used = 0;
  /** UTF-8 of each name, by its id. */
  readonly #known: Uint8Array[] = [];

  constructor(capacity: number) {
    this.offsets = new Int32Array(capacity + 1);
    this.bytes = new Uint8Array(capacity * 16);
  }

  clear(): void {
    this.used = 0;
  }

  append(ids: Uint32Array, from: number, to: number, start: number, names: NameTable): void {
    let at = start;
    let used = this.used;
    for (let row = from; row < to; row += 1) {
      const text = this.#textOf(ids[row]!, names);
      const length = text.length;
      if (used + length > this.bytes.length) this.#grow(used + length);
      const bytes = this.bytes;
      for (let i = 0; i < length; i += 1) bytes[used + i] = text[i]!;
      used += length;
      at += 1;
      this.offsets[at] = used;
    }
    this.used = used;
  }

  #textOf(id: number, names: NameTable): Uint8Array {
    const known = this.#known[id];
    if (known !== undefined) return known;
    while (this.#known.length <= id) {
      this.#known.push(Uint8Array.from(Buffer.from(names.text(this.#known.length), "utf8")));
    }
    return this.#known[id]!;
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes);
    this.bytes = grown;
  }
}
