import { Guest, type GuestMemory } from "./guest.ts";
import type { HardBounds } from "./hard-bounds.ts";
import { MODELLED_VMS } from "./lane.ts";
import type { RefillWorld } from "./world.ts";

/** Numbers of address spaces that a key can hold. */
const SPACES = 2 ** 16;

/** Gives each context a VMID of the model; that of a destroyed one is given out anew when all are taken. */
export class GuestTable {
  leftOut = 0;
  readonly #worlds: readonly RefillWorld[];
  readonly #bounds: HardBounds;
  readonly #guests = new Map<number, Guest>();
  readonly #ofVm: Guest[] = [];
  #nextSpace = 0;

  constructor(worlds: readonly RefillWorld[], bounds: HardBounds) {
    this.#worlds = worlds;
    this.#bounds = bounds;
  }

  /** Undefined where every VMID is taken by a VM that lives. */
  of(context: GuestMemory): Guest | undefined {
    const known = this.#guests.get(context.id);
    if (known !== undefined) return known;
    const vm = this.#freeVm();
    if (vm < 0) {
      this.leftOut += 1;
      return undefined;
    }
    const guest = new Guest(context, vm, this.#nextSpace);
    this.#nextSpace = (this.#nextSpace + 1) % SPACES;
    this.#guests.set(context.id, guest);
    this.#ofVm[vm] = guest;
    return guest;
  }

  all(): Iterable<Guest> {
    return this.#guests.values();
  }

  #freeVm(): number {
    if (this.#ofVm.length < MODELLED_VMS) return this.#ofVm.length;
    const vm = this.#ofVm.findIndex((guest) => guest.context.isGone);
    if (vm < 0) return -1;
    const gone = this.#ofVm[vm]!;
    this.#bounds.finish(gone);
    this.#guests.delete(gone.context.id);
    for (const world of this.#worlds) world.forgetVm(vm);
    return vm;
  }
}
