import { DamagedStream, type Emit, type StreamDecoder } from "./stream-decoder.ts";

/** The next bytes that a decoder wants. */
export interface Wanted {
  readonly bytes: number;
  /** The stream may end here. */
  readonly mayEnd?: boolean;
  /** At the stream's end the decoder takes fewer, and does with them what it can. */
  readonly takesFewer?: boolean;
}

/** A decoder that asks for its bytes: what it gets has the size that it asked for. */
export type Decoding = Generator<Wanted, void, Uint8Array>;

/** Gives a decoder that asks for its bytes those that come, in whatever pieces. */
export class PulledDecoder implements StreamDecoder {
  readonly #decoding: Decoding;
  readonly #name: string;
  #wanted: Wanted;
  #bytes = new Uint8Array(64 * 1024);
  #from = 0;
  #fill = 0;
  /** Of the stored stream: of the first byte that the decoder has not got. */
  #offset = 0;

  /** @param name of the compression, for messages. */
  constructor(name: string, decode: (emit: Emit) => Decoding, emit: Emit) {
    this.#name = name;
    this.#decoding = decode(emit);
    const first = this.#decoding.next();
    this.#wanted = first.done === true ? { bytes: Number.POSITIVE_INFINITY } : first.value;
  }

  push(bytes: Uint8Array): void {
    this.#append(bytes);
    while (this.#fill - this.#from >= this.#wanted.bytes) this.#give(this.#wanted.bytes);
  }

  end(): void {
    const left = this.#fill - this.#from;
    if (this.#wanted.mayEnd === true) {
      const rest = this.#bytes.subarray(this.#from, this.#fill);
      if (rest.every((byte) => byte === 0)) return;
      const what = `${left} bytes behind the end of the ${this.#name} stream are none of it`;
      throw new DamagedStream(what, this.#offset);
    }
    const end = this.#offset + left;
    if (this.#wanted.takesFewer === true && left > 0) this.#give(left);
    throw new DamagedStream(`the ${this.#name} stream ends before its end mark`, end);
  }

  #give(length: number): void {
    const piece = this.#bytes.subarray(this.#from, this.#from + length);
    try {
      const next = this.#decoding.next(piece);
      this.#wanted = next.done === true ? { bytes: Number.POSITIVE_INFINITY } : next.value;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DamagedStream(`the ${this.#name} stream is damaged (${reason})`, this.#offset);
    }
    this.#from += length;
    this.#offset += length;
  }

  #append(bytes: Uint8Array): void {
    const left = this.#fill - this.#from;
    if (this.#fill + bytes.length > this.#bytes.length) {
      const size = Math.max(this.#bytes.length, 2 * (left + bytes.length));
      const target = size > this.#bytes.length ? new Uint8Array(size) : this.#bytes;
      target.set(this.#bytes.subarray(this.#from, this.#fill));
      this.#bytes = target;
      this.#from = 0;
      this.#fill = left;
    }
    this.#bytes.set(bytes, this.#fill);
    this.#fill += bytes.length;
  }
}
