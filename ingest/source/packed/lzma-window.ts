/** Most that one chunk adds. */
const MAX_CHUNK_BYTES = 2 * 1024 * 1024;
/** Above this one move of the engine is faster than a loop. */
const SHORT_COPY = 48;
const FIRST_BYTES = 4 * 1024 * 1024;

/**
 * The last bytes that were unpacked, for matches to point to: a buffer that is moved to its beginning when
 * it is full. It grows with what is unpacked, up to the dictionary and a quarter.
 */
export class LzmaWindow {
  bytes: Uint8Array;
  /** Where the next byte goes. */
  position = 0;
  readonly #dictionaryBytes: number;
  /** What `position` was at the dictionary's last reset. */
  #start = 0;
  /** Bytes of the block before the buffer's first one. */
  #moved = 0;

  constructor(dictionaryBytes: number) {
    this.#dictionaryBytes = dictionaryBytes;
    this.bytes = new Uint8Array(FIRST_BYTES);
  }

  /** Bytes since the beginning of the block; the positions that probabilities depend on. */
  get total(): number {
    return this.position + this.#moved;
  }

  /** How far back a match may reach. */
  get reach(): number {
    return Math.min(this.#dictionaryBytes, this.position - this.#start);
  }

  /** Nothing before this may be pointed to. */
  reset(): void {
    this.#start = this.position;
    this.#moved = -this.position;
  }

  /** Makes room for one chunk. */
  reserve(): void {
    if (this.position + MAX_CHUNK_BYTES <= this.bytes.length) return;
    const keep = this.reach;
    const from = this.position - keep;
    const most = this.#dictionaryBytes + Math.max(this.#dictionaryBytes >> 2, MAX_CHUNK_BYTES);
    if (keep + MAX_CHUNK_BYTES > this.bytes.length) {
      const grown = new Uint8Array(Math.max(keep + MAX_CHUNK_BYTES, Math.min(most, keep * 4)));
      grown.set(this.bytes.subarray(from, this.position));
      this.bytes = grown;
    } else this.bytes.copyWithin(0, from, this.position);
    this.position = keep;
    this.#start -= from;
    this.#moved += from;
  }

  put(byte: number): void {
    this.bytes[this.position] = byte;
    this.position += 1;
  }

  putAll(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** A match may overlap what it makes: then it repeats. */
  repeat(distance: number, length: number): void {
    const { bytes, position } = this;
    const end = position + length;
    this.position = end;
    if (length > SHORT_COPY && distance >= length) {
      bytes.copyWithin(position, position - distance, end - distance);
      return;
    }
    for (let to = position, from = position - distance; to < end; to += 1, from += 1) {
      bytes[to] = bytes[from]!;
    }
  }
}
