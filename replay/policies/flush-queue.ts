import { grown } from "../typed-arrays.ts";

/**
 * Invalidations that one policy issues inside one operation, in order, as runs: `count` calls of a
 * primitive, the first at `page`, each further one `stride` pages on. Typed arrays that are reused;
 * the one who resolves the operation (the engine) reads and clears it.
 */
export const Certainty = {
  /** Issued. */
  certain: 0,
  /** Issued if the table's real start level lies above the assumed one (see OperationContext). */
  ifRootIsHigher: 1,
  /** `count` calls at most: the trace does not show the state that decides. */
  atMost: 2,
} as const;

export class FlushQueue {
  length = 0;
  primitive: Uint8Array = new Uint8Array(64);
  path: Uint8Array = new Uint8Array(64);
  certainty: Uint8Array = new Uint8Array(64);
  /** First page of the first call; for VM, CPU and ALL 0. */
  page: Float64Array = new Float64Array(64);
  /** Pages that each call names: of a RANGE its length, of an IPA 1, otherwise 0. */
  pages: Float64Array = new Float64Array(64);
  count: Float64Array = new Float64Array(64);
  stride: Float64Array = new Float64Array(64);
  /** `level` argument of IPA and IPA_LOCAL as the kernel would pass it; UNKNOWN_LEVEL where state is missing. */
  level: Int32Array = new Int32Array(64);

  push(
    primitive: number,
    path: number,
    certainty: number,
    page: number,
    pages: number,
    count: number,
    stride: number,
    level: number,
  ): void {
    const at = this.length;
    if (at === this.primitive.length) this.#grow();
    this.primitive[at] = primitive;
    this.path[at] = path;
    this.certainty[at] = certainty;
    this.page[at] = page;
    this.pages[at] = pages;
    this.count[at] = count;
    this.stride[at] = stride;
    this.level[at] = level;
    this.length = at + 1;
  }

  /** Each call in the queue may have been issued `times` more: adds so much allowance. */
  allowMore(times: number): void {
    const { length } = this;
    for (let at = 0; at < length; at += 1) {
      if (this.certainty[at] !== Certainty.certain) continue;
      this.push(
        this.primitive[at]!,
        this.path[at]!,
        Certainty.atMost,
        this.page[at]!,
        this.pages[at]!,
        this.count[at]! * times,
        0,
        this.level[at]!,
      );
    }
  }

  clear(): void {
    this.length = 0;
  }

  #grow(): void {
    const capacity = this.primitive.length * 2;
    this.primitive = grown(this.primitive, new Uint8Array(capacity));
    this.path = grown(this.path, new Uint8Array(capacity));
    this.certainty = grown(this.certainty, new Uint8Array(capacity));
    this.page = grown(this.page, new Float64Array(capacity));
    this.pages = grown(this.pages, new Float64Array(capacity));
    this.count = grown(this.count, new Float64Array(capacity));
    this.stride = grown(this.stride, new Float64Array(capacity));
    this.level = grown(this.level, new Int32Array(capacity));
  }
}

/** `level` of a call whose hint depends on state that the trace does not show. */
export const UNKNOWN_LEVEL = -100;
