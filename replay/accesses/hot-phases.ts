import type { GeneratorKnobs } from "./generator-knobs.ts";
import type { ScatteredPages } from "./scattered-pages.ts";
import { SeededRandom } from "./seeded-random.ts";

/** After so many phases at once nothing hot is where it was: further ones change nothing. */
const MAX_PHASES_AT_ONCE = 64;
const NS_PER_MS = 1e6;

/** Moves a part of the most popular pages elsewhere with every phase that ends. */
export class HotPhases {
  readonly #scattered: ScatteredPages;
  readonly #knobs: GeneratorKnobs;
  readonly #random: SeededRandom;
  #phase: number | undefined;

  constructor(scattered: ScatteredPages, knobs: GeneratorKnobs, seed: number) {
    this.#scattered = scattered;
    this.#knobs = knobs;
    this.#random = new SeededRandom(seed);
  }

  /** The clock stands at `tsNs`; what is earlier than the last time changes nothing. */
  advanceTo(tsNs: number): void {
    const phase = Math.floor(tsNs / (this.#knobs.phaseMs * NS_PER_MS));
    if (Number.isNaN(phase)) return;
    this.#phase ??= phase;
    const passed = phase - this.#phase;
    if (passed <= 0) return;
    this.#phase = phase;
    for (let i = 0; i < Math.min(passed, MAX_PHASES_AT_ONCE); i += 1) this.#moveHotPages();
  }

  #moveHotPages(): void {
    const { hotShare, movedShare } = this.#knobs;
    const pages = this.#scattered.count;
    const hot = Math.ceil(pages * hotShare);
    const moved = Math.round(hot * movedShare);
    for (let i = 0; i < moved; i += 1) {
      this.#scattered.swap(this.#random.below(hot), this.#random.below(pages));
    }
  }
}
