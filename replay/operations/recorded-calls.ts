import { grown } from "../typed-arrays.ts";

/** Invalidation calls that the trace recorded inside one operation, in order. Reused typed arrays. */
export class RecordedCalls {
  length = 0;
  primitive: Uint8Array = new Uint8Array(16);
  /** Pointer id of the mmu that the call names. */
  mmu: Uint32Array = new Uint32Array(16);
  page: Float64Array = new Float64Array(16);
  /** Of a RANGE its pages, of an IPA 1, otherwise 0. */
  pages: Float64Array = new Float64Array(16);
  level: Int32Array = new Int32Array(16);
  line: Uint32Array = new Uint32Array(16);

  push(
    primitive: number,
    mmu: number,
    page: number,
    pages: number,
    level: number,
    line: number,
  ): void {
    const at = this.length;
    if (at === this.primitive.length) this.#grow();
    this.primitive[at] = primitive;
    this.mmu[at] = mmu;
    this.page[at] = page;
    this.pages[at] = pages;
    this.level[at] = level;
    this.line[at] = line;
    this.length = at + 1;
  }

  clear(): void {
    this.length = 0;
  }

  #grow(): void {
    const capacity = this.primitive.length * 2;
    this.primitive = grown(this.primitive, new Uint8Array(capacity));
    this.mmu = grown(this.mmu, new Uint32Array(capacity));
    this.page = grown(this.page, new Float64Array(capacity));
    this.pages = grown(this.pages, new Float64Array(capacity));
    this.level = grown(this.level, new Int32Array(capacity));
    this.line = grown(this.line, new Uint32Array(capacity));
  }
}
