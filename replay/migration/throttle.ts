/**
 * Auto-converge (QEMU): at each sync, where more than a share of what was sent has been dirtied, for the second
 * time, all vCPUs are slowed by a further step. They sleep in slices, which the guest sees as stalls.
 */
export interface ThrottleRule {
  /** Share of the bytes sent. */
  readonly trigger: number;
  readonly initial: number;
  readonly step: number;
  readonly most: number;
  /** Syncs are forced so often after the first pass, s; 0: only at the end of each pass. */
  readonly periodS: number;
}

export const AUTO_CONVERGE: ThrottleRule = {
  trigger: 0.5,
  initial: 0.2,
  step: 0.1,
  most: 0.99,
  periodS: 5,
};

/** A vCPU sleeps share/(1 − share) times this at once, s. */
const SLICE_S = 0.01;

export class Throttle {
  readonly #rule: ThrottleRule | undefined;
  #share = 0;
  #high = 0;

  constructor(rule: ThrottleRule | undefined) {
    this.#rule = rule;
  }

  /** Share of its time that a vCPU sleeps. */
  get share(): number {
    return this.#share;
  }

  get canGrow(): boolean {
    return this.#rule !== undefined && this.#share < this.#rule.most;
  }

  get stallS(): number {
    return this.#share === 0 ? 0 : (SLICE_S * this.#share) / (1 - this.#share);
  }

  /** What a sync finds since the one before. */
  sync(dirtiedBytes: number, sentBytes: number): void {
    const rule = this.#rule;
    if (rule === undefined || dirtiedBytes <= sentBytes * rule.trigger) return;
    this.#high += 1;
    if (this.#high < 2) return;
    this.#high = 0;
    const next = this.#share === 0 ? rule.initial : this.#share + rule.step;
    // In whole percents, as QEMU has it: steps of 0.1 must not drift.
    this.#share = Math.min(rule.most, Math.round(next * 100) / 100);
  }
}
