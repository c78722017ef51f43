import { Path } from "../../paths.ts";

const MARKS = 64;

/** The last flushes of one PE under one policy: at which visit, of which VM and for which path. */
export class FlushMarks {
  readonly #visit = new Float64Array(MARKS).fill(-1);
  readonly #vm = new Int32Array(MARKS);
  readonly #path = new Uint8Array(MARKS);
  #count = 0;

  /** @param visit number of the next visit. @param vm -1: of every VM. */
  add(visit: number, vm: number, path: number): void {
    const last = (this.#count + MARKS - 1) % MARKS;
    // Of flushes without a visit between them the first did it.
    if (this.#count > 0 && this.#visit[last] === visit && this.#vm[last] === vm) return;
    const at = this.#count % MARKS;
    this.#visit[at] = visit;
    this.#vm[at] = vm;
    this.#path[at] = path;
    this.#count += 1;
  }

  /** Path of the first flush of the VM behind a visit; -1 where there was none. */
  pathAfter(visit: number, vm: number): number {
    for (let at = Math.max(0, this.#count - MARKS); at < this.#count; at += 1) {
      const slot = at % MARKS;
      const isOfVm = this.#vm[slot] === vm || this.#vm[slot] === -1;
      if (isOfVm && this.#visit[slot]! > visit) return this.#path[slot]!;
    }
    return -1;
  }

  /** Path of the VM's last flush. */
  lastPath(vm: number): number {
    for (let at = this.#count - 1; at >= Math.max(0, this.#count - MARKS); at -= 1) {
      const slot = at % MARKS;
      if (this.#vm[slot] === vm || this.#vm[slot] === -1) return this.#path[slot]!;
    }
    return Path.unattributed;
  }
}
