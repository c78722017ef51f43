/**
 * A table of a FlatBuffers message, read with every access inside the bytes. Arrow's own library trusts
 * the counts in a file, and a damaged one makes it run for minutes or fill the memory.
 * Any access outside throws a RangeError.
 */
export class FlatTable {
  readonly #view: DataView;
  readonly #at: number;
  readonly #vtable: number;

  private constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
    this.#vtable = at - view.getInt32(at, true);
  }

  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  /** Number of bytes that the message takes; no vector can be longer. */
  get sizeBytes(): number {
    return this.#view.byteLength;
  }

  uint8(field: number): number {
    const at = this.#place(field);
    return at === 0 ? 0 : this.#view.getUint8(at);
  }

  int16(field: number): number {
    const at = this.#place(field);
    return at === 0 ? 0 : this.#view.getInt16(at, true);
  }

  int32(field: number): number {
    const at = this.#place(field);
    return at === 0 ? 0 : this.#view.getInt32(at, true);
  }

  int64(field: number): number {
    const at = this.#place(field);
    return at === 0 ? 0 : this.#exact(at);
  }

  has(field: number): boolean {
    return this.#place(field) !== 0;
  }

  table(field: number): FlatTable | undefined {
    const at = this.#place(field);
    return at === 0 ? undefined : new FlatTable(this.#view, at + this.#view.getUint32(at, true));
  }

  text(field: number): string | undefined {
    const at = this.#place(field);
    if (at === 0) return undefined;
    const start = at + this.#view.getUint32(at, true);
    const length = this.#view.getUint32(start, true);
    if (start + 4 + length > this.sizeBytes) throw new RangeError("a text ends outside");
    const { buffer, byteOffset } = this.#view;
    return Buffer.from(buffer, byteOffset + start + 4, length).toString("utf8");
  }

  tables(field: number): readonly FlatTable[] {
    const { start, count } = this.#vector(field, 4);
    return Array.from({ length: count }, (_, i) => {
      const at = start + i * 4;
      return new FlatTable(this.#view, at + this.#view.getUint32(at, true));
    });
  }

  /** A vector of structs as numbers: of each, the int64 at the given places in it. */
  structs(field: number, structBytes: number, places: readonly number[]): readonly number[][] {
    const { start, count } = this.#vector(field, structBytes);
    return Array.from({ length: count }, (_, i) =>
      places.map((place) => this.#exact(start + i * structBytes + place)),
    );
  }

  #vector(field: number, itemBytes: number): { readonly start: number; readonly count: number } {
    const at = this.#place(field);
    if (at === 0) return { start: 0, count: 0 };
    const start = at + this.#view.getUint32(at, true);
    const count = this.#view.getUint32(start, true);
    if (start + 4 + count * itemBytes > this.sizeBytes)
      throw new RangeError("a vector ends outside");
    return { start: start + 4, count };
  }

  /** Place of a field's value; 0 where the table does not have it. */
  #place(field: number): number {
    const entry = 4 + field * 2;
    if (entry >= this.#view.getUint16(this.#vtable, true)) return 0;
    const offset = this.#view.getUint16(this.#vtable + entry, true);
    return offset === 0 ? 0 : this.#at + offset;
  }

  #exact(at: number): number {
    const value = Number(this.#view.getBigInt64(at, true));
    if (!Number.isSafeInteger(value)) throw new RangeError("a number beyond 2^53");
    return value;
  }
}
