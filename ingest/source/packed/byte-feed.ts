/** Chunks of a stream, taken byte by byte or in helpings. */
export class ByteFeed {
  /** Of the stream: of the next byte. */
  offset = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Whether the stream has ended. */
  async isAtEnd(): Promise<boolean> {
    while (this.#at === this.#chunk.length) {
      const next = await this.#chunks.next();
      if (next.done === true) return true;
      this.#chunk = next.value;
      this.#at = 0;
    }
    return false;
  }

  /** The next byte; undefined at the end. */
  async byte(): Promise<number | undefined> {
    if (await this.isAtEnd()) return undefined;
    const byte = this.#chunk[this.#at]!;
    this.skip(1);
    return byte;
  }

  /** The bytes that are there, at most `atMost` and at the end none; `skip` says how many were used. */
  async peek(atMost: number): Promise<Uint8Array> {
    if (await this.isAtEnd()) return this.#chunk.subarray(0, 0);
    return this.#chunk.subarray(this.#at, this.#at + atMost);
  }

  skip(bytes: number): void {
    this.#at += bytes;
    this.offset += bytes;
  }

  /** Reads what is left, for the sake of whoever counts it. */
  async drain(): Promise<void> {
    while (!(await this.isAtEnd())) this.skip((await this.peek(Number.POSITIVE_INFINITY)).length);
  }
}
