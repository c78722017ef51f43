import type { GuestStream } from "../../accesses/access-source.ts";
import type { Stage2Context } from "../../contexts/context.ts";
import { Footprint } from "./footprint.ts";

/** One VM as the TLBs see it. */
export class Guest {
  readonly context: Stage2Context;
  /** VMID of the model, and number of its address space: VA and IPA are taken to be the same. */
  readonly vm: number;
  readonly space: number;
  readonly footprint: Footprint = new Footprint();
  /** By PE: how many real episodes the running one stands for. */
  readonly weight: number[] = [];
  /** What it accesses in the first world, for the closed form. */
  stream: GuestStream | undefined;
  readonly #vcpuOf = new Map<number, number>();
  /** By PE: ns in the guest since the last flush, per policy (for the hard bounds). */
  readonly sinceFlushNs: Float64Array[] = [];

  constructor(context: Stage2Context, vm: number, space: number) {
    this.context = context;
    this.vm = vm;
    this.space = space;
  }
  /** vCPUs seen so far. */
  get vcpus(): number {
    return this.#vcpuOf.size;
  }

  /** Number of the vCPU that a thread runs, by their first entries. */
  vcpuOf(pid: number): number {
    const known = this.#vcpuOf.get(pid);
    if (known !== undefined) return known;
    const made = this.#vcpuOf.size;
    this.#vcpuOf.set(pid, made);
    return made;
  }
}
