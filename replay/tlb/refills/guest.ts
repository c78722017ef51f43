import type { Stage2Context } from "../../contexts/context.ts";
import { Footprint } from "./footprint.ts";
import type { Popularity } from "./popularity.ts";

/** One VM as the TLBs see it. */
export class Guest {
  readonly context: Stage2Context;
  /** VMID of the model, and number of its address space: VA and IPA are taken to be the same. */
  readonly vm: number;
  readonly space: number;
  readonly footprint: Footprint = new Footprint();
  /** By world. */
  readonly popularity: Popularity[] = [];
  /** The running episode is not simulated. */
  isLeftOut = false;
  /** By PE: visits still to be simulated, and how many real episodes the running one stands for. */
  readonly budget: number[] = [];
  readonly weight: number[] = [];
  /** By PE: ns in the guest since the last flush, per policy (for the hard bounds). */
  readonly sinceFlushNs: Float64Array[] = [];

  constructor(context: Stage2Context, vm: number, space: number) {
    this.context = context;
    this.vm = vm;
    this.space = space;
  }
}
