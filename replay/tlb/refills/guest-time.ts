import type { EpisodeSampling } from "./episodes.ts";
import type { Guest } from "./guest.ts";
import type { HardBounds } from "./hard-bounds.ts";
import type { Moment } from "./lane.ts";
import type { RefillModelConfig } from "./model-config.ts";
import type { RunningGuests } from "./running.ts";
import type { RefillWorld } from "./world.ts";

/** Turns time in guests into visits, and says which flush episodes have any. */
export class GuestTime {
  readonly #config: RefillModelConfig;
  readonly #worlds: readonly RefillWorld[];
  readonly #running: RunningGuests;
  readonly #bounds: HardBounds;
  readonly #sampling: EpisodeSampling;
  readonly #moment: Moment = { tsNs: 0, cpu: -1, pid: -1 };

  constructor(
    config: RefillModelConfig,
    parts: {
      readonly worlds: readonly RefillWorld[];
      readonly running: RunningGuests;
      readonly bounds: HardBounds;
      readonly sampling: EpisodeSampling;
    },
  ) {
    this.#config = config;
    this.#worlds = parts.worlds;
    this.#running = parts.running;
    this.#bounds = parts.bounds;
    this.#sampling = parts.sampling;
    for (const world of this.#worlds) world.moment = this.#moment;
  }

  /** Who makes the visits that follow. */
  now(tsNs: number, cpu: number, pid: number): void {
    this.#moment.tsNs = tsNs;
    this.#moment.cpu = cpu;
    this.#moment.pid = pid;
  }

  /** Makes the visits of a guest up to a time, on every PE that it is on. */
  advanceGuest(guest: Guest, toNs: number): void {
    for (const [slot, one] of this.#running.guest.entries()) {
      if (one === guest) this.advance(slot, toNs);
    }
  }

  /** Makes the visits of whoever is on a PE. */
  advance(slot: number, toNs: number): void {
    const guest = this.#running.guest[slot];
    if (guest === undefined) return;
    const ns = this.#running.take(slot, toNs);
    if (ns === 0) return;
    this.#bounds.ran(guest, slot, ns);
    if (this.#config.stream === "proven") return;
    this.now(toNs, this.#running.cpu[slot]!, this.#running.pid[slot]!);
    const vcpu = guest.vcpuOf(this.#running.pid[slot]!);
    for (const world of this.#worlds) world.advance(slot, guest, vcpu, toNs - ns, toNs);
  }

  /** A flush episode of a guest begins, on one PE or on all; whether it is simulated. */
  beginEpisode(guests: Iterable<Guest>, only?: number): boolean {
    const weight = this.#sampling.next();
    for (const guest of guests) {
      if (weight === 0) {
        this.#skip(guest);
        continue;
      }
      for (const slot of this.#running.guest.keys()) {
        if (only === undefined || slot === only) this.#renew(guest, slot, weight);
      }
    }
    return weight > 0;
  }

  /** An episode is simulated: its visits begin anew. */
  #renew(guest: Guest, slot: number, weight: number): void {
    guest.weight[slot] = weight;
    for (const world of this.#worlds) world.renew(guest, slot);
  }

  /** An episode is left out: nothing is visited, and every TLB counts as warm behind it. */
  #skip(guest: Guest): void {
    for (const world of this.#worlds) world.skip(guest);
  }
}
