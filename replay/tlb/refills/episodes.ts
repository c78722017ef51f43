/**
 * Which flush episodes are simulated: the first `size` of them, then `size` of every 2nd, then of every
 * 4th, …: a trace of any length costs a bounded number, and each stands for as many as were passed by.
 */
export class EpisodeSampling {
  seen = 0;
  sampled = 0;
  stride = 1;
  readonly #size: number;
  #inStride = 0;
  #toSkip = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** The next episode: how many it stands for; 0: it is left out. */
  next(): number {
    this.seen += 1;
    if (this.#toSkip > 0) {
      this.#toSkip -= 1;
      return 0;
    }
    if (this.#inStride === this.#size) {
      this.#inStride = 0;
      this.stride *= 2;
    }
    this.#inStride += 1;
    this.sampled += 1;
    this.#toSkip = this.stride - 1;
    return this.stride;
  }
}
