import type { RandomBytes } from "../../source/random-bytes.ts";
import type { PageBlock, PageBlocks } from "./blocks.ts";
import type { CpuRegion } from "./contents.ts";
import type { DatProblems } from "./dat-problems.ts";
import type { Packing, UnpackTarget } from "./unpack.ts";

const HEADER_BYTES = 8;
const COUNT_BYTES = 4;
/** trace-cmd packs ten pages at a time; far larger chunks are damage. */
const MAX_CHUNK_BYTES = 32 * 1024 * 1024;

/** Packed pages: a number of chunks, then each chunk with its packed and unpacked size. */
export class PackedBlocks implements PageBlocks {
  endsInGap = false;
  readonly #file: RandomBytes;
  readonly #region: CpuRegion;
  readonly #pageBytes: number;
  readonly #packing: Packing;
  readonly #problems: DatProblems;
  readonly #littleEndian: boolean;
  readonly #end: number;
  /** Read ahead, so that a small chunk costs no read of its own. */
  readonly #windowBytes: number;
  #window: Uint8Array = new Uint8Array(0);
  readonly #target: UnpackTarget = { bytes: new Uint8Array(0) };
  #windowAt = 0;
  #at: number;
  /** Chunks still to come, as the count in front of them says. */
  #chunksLeft = -1;
  #gap = false;

  constructor(
    file: RandomBytes,
    region: CpuRegion,
    pageBytes: number,
    windowBytes: number,
    littleEndian: boolean,
    packing: Packing,
    problems: DatProblems,
  ) {
    this.#file = file;
    this.#region = region;
    this.#pageBytes = pageBytes;
    this.#windowBytes = windowBytes;
    this.#littleEndian = littleEndian;
    this.#packing = packing;
    this.#problems = problems;
    this.#at = region.offset;
    // Before trace-cmd 3.2 the length leaves out the count in front of the chunks.
    this.#end = region.offset + region.lengthBytes + COUNT_BYTES;
  }

  async next(): Promise<PageBlock | undefined> {
    if (this.#region.lengthBytes === 0) return undefined;
    if (this.#chunksLeft < 0) await this.#readCount();
    for (;;) {
      const fileOffset = this.#at;
      if (this.#end - fileOffset < HEADER_BYTES) return this.#finish();
      if (this.#chunksLeft === 0 && !(await this.#goesOn(fileOffset))) return this.#finish();
      const chunk = await this.#chunkAt(fileOffset);
      if (chunk === undefined) {
        if (!(await this.#resynchronise(fileOffset))) return this.#finish();
        continue;
      }
      this.#at = fileOffset + HEADER_BYTES + chunk.packed.length;
      this.#chunksLeft -= 1;
      const bytes = this.#unpack(chunk.packed, chunk.unpackedBytes, fileOffset);
      if (bytes === undefined) continue;
      const isAfterGap = this.#gap;
      this.#gap = false;
      return { bytes, fileOffset, isPacked: true, isAfterGap };
    }
  }

  async #readCount(): Promise<void> {
    const bytes = await this.#bytesAt(this.#at, COUNT_BYTES);
    this.#at += COUNT_BYTES;
    this.#chunksLeft = bytes.length < COUNT_BYTES ? 0 : this.#u32(bytes, 0);
  }

  /** Whether a chunk stands behind the last that the count announces: then the count is damaged. */
  async #goesOn(offset: number): Promise<boolean> {
    const chunk = await this.#chunkAt(offset);
    if (chunk === undefined || !this.#packing.canBegin(chunk.packed, 0)) return false;
    this.#chunksLeft = 1;
    const what = `CPU ${this.#region.cpu}: more chunks than are announced; they are read`;
    this.#problems.note("DAMAGED_CHUNK", what, offset);
    return true;
  }

  /** The chunk whose header stands here; undefined where the header or the file's end says no. */
  async #chunkAt(
    offset: number,
  ): Promise<{ readonly packed: Uint8Array; readonly unpackedBytes: number } | undefined> {
    const header = await this.#bytesAt(offset, HEADER_BYTES);
    if (header.length < HEADER_BYTES) return undefined;
    const packedBytes = this.#u32(header, 0);
    const unpackedBytes = this.#u32(header, 4);
    if (!this.#isPlausible(packedBytes, unpackedBytes, offset)) return undefined;
    const packed = await this.#bytesAt(offset + HEADER_BYTES, packedBytes);
    return packed.length < packedBytes ? undefined : { packed, unpackedBytes };
  }

  #isPlausible(packedBytes: number, unpackedBytes: number, offset: number): boolean {
    return (
      packedBytes > 0 &&
      packedBytes <= this.#end - offset - HEADER_BYTES &&
      unpackedBytes > 0 &&
      unpackedBytes <= MAX_CHUNK_BYTES
    );
  }

  #unpack(packed: Uint8Array, unpackedBytes: number, offset: number): Uint8Array | undefined {
    try {
      const bytes = this.#packing.unpack(packed, unpackedBytes, this.#target);
      const whole = bytes.length - (bytes.length % this.#pageBytes);
      if (whole < bytes.length) this.#report(offset, "it is no number of whole pages");
      return whole === 0 ? undefined : bytes.subarray(0, whole);
    } catch (error) {
      this.#report(offset, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  /** Searches the next place where a chunk can begin, behind one that is damaged. */
  async #resynchronise(damagedAt: number): Promise<boolean> {
    if (this.#end > this.#file.sizeBytes && damagedAt + HEADER_BYTES > this.#file.sizeBytes) {
      return false;
    }
    this.#report(damagedAt, "its size cannot be right");
    this.#chunksLeft -= 1;
    for (let at = damagedAt + 1; at + HEADER_BYTES + 4 <= this.#end; ) {
      const bytes = await this.#bytesAt(at, Math.max(4096, this.#windowBytes >> 1));
      if (bytes.length < HEADER_BYTES + 4) return false;
      const last = bytes.length - HEADER_BYTES - 4;
      for (let i = 0; i <= last; i += 1) {
        if (!this.#packing.canBegin(bytes, i + HEADER_BYTES)) continue;
        const unpackedBytes = this.#u32(bytes, i + 4);
        if (unpackedBytes % this.#pageBytes !== 0) continue;
        if (!this.#isPlausible(this.#u32(bytes, i), unpackedBytes, at + i)) continue;
        this.#at = at + i;
        return true;
      }
      at += last + 1;
    }
    return false;
  }

  /** Nothing more; what the count still announces is lost. */
  #finish(): undefined {
    const isCut = this.#end > this.#file.sizeBytes;
    if (isCut || this.#chunksLeft > 0) {
      this.endsInGap = true;
      const missing = Math.max(0, this.#chunksLeft);
      this.#problems.note(
        isCut ? "TRUNCATED" : "DAMAGED_CHUNK",
        `CPU ${this.#region.cpu}: ${missing} announced chunks of pages are not there`,
        Math.min(this.#at, this.#file.sizeBytes),
      );
    } else if (this.#gap) this.endsInGap = true;
    this.#chunksLeft = 0;
    this.#at = this.#end;
    return undefined;
  }

  #report(offset: number, why: string): void {
    this.#gap = true;
    this.#problems.note("DAMAGED_CHUNK", `CPU ${this.#region.cpu}: ${why}`, offset);
  }

  /** Bytes through the window; fewer only at the file's end. */
  async #bytesAt(offset: number, lengthBytes: number): Promise<Uint8Array> {
    const inWindow = offset - this.#windowAt;
    if (inWindow < 0 || inWindow + lengthBytes > this.#window.length) {
      const wanted = Math.max(lengthBytes, Math.min(this.#windowBytes, this.#end - offset));
      this.#window = await this.#file.read(offset, wanted);
      this.#windowAt = offset;
      return this.#window.subarray(0, lengthBytes);
    }
    return this.#window.subarray(inWindow, inWindow + lengthBytes);
  }

  #u32(bytes: Uint8Array, at: number): number {
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, this.#littleEndian);
  }
}
