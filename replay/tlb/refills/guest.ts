import type { GuestStream } from "../../accesses/access-source.ts";
import { Footprint } from "./footprint.ts";

/** The tables that a modelled guest runs on, of whatever architecture. */
export interface GuestMemory {
  readonly id: number;
  /** Destroyed: nobody runs on it any more. */
  readonly isGone: boolean;
  readonly table: {
    /** What maps a page: an EntryKind, and the level of the leaf, 3 for a page. */
    lookup(page: number): { readonly kind: number; readonly level: number };
  };
}

/** One VM as the TLBs see it. */
export class Guest {
  readonly context: GuestMemory;
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

  constructor(context: GuestMemory, vm: number, space: number) {
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
