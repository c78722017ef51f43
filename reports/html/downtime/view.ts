/**
 * A downtime estimate as its page draws it: plain data, seconds and bytes, so that it can be stored beside
 * other results. Each quantity is an interval or says why it has none; none is a bare "downtime".
 */
export interface DowntimeView {
  /** The sentence that a report begins with. */
  readonly headline: string;
  readonly policies: readonly PolicyView[];
  readonly differences: readonly {
    readonly policy: string;
    readonly than: string;
    readonly quantity: string;
    readonly p5: number;
    readonly p50: number;
    readonly p95: number;
    readonly verdict: string;
  }[];
  readonly tornado: readonly {
    readonly policy: string;
    readonly quantity: string;
    readonly name: string;
    readonly atLow: number;
    readonly atHigh: number;
    readonly atMode: number;
  }[];
  /** Choices that nothing settles: what another one would give. */
  readonly structures: readonly {
    readonly dimension: string;
    readonly chosen: string;
    readonly instead: string;
    readonly policy: string;
    readonly quantity: string;
    readonly chosenMedian: number | undefined;
    readonly insteadInterval: IntervalView | undefined;
    readonly decides: boolean;
  }[];
  /** Of a trace: what it shows, in order, a row a policy. */
  readonly phases: readonly {
    readonly phase: string;
    readonly startS: number;
    readonly seconds: number;
    readonly writeFaults: number;
    readonly dirtiedPages: number;
    readonly collapses: number;
    readonly policy: string;
    readonly flushCalls: number;
  }[];
  readonly constants: readonly {
    readonly name: string;
    readonly meaning: string;
    readonly unit: string;
    readonly low: number;
    readonly mode: number;
    readonly high: number;
    readonly evidence: string;
    readonly source: string;
    readonly origin: string;
  }[];
  readonly draws: number;
  readonly seed: number;
}

export interface IntervalView {
  readonly p5: number;
  readonly p50: number;
  readonly p95: number;
}

export interface PolicyView {
  readonly id: string;
  /** How its kernel handles roll-back faults, and where that comes from. */
  readonly epoch: string;
  readonly kernels: string;
  readonly outcome: string | undefined;
  readonly pConverge: number | undefined;
  readonly passes: readonly PassView[];
  /** Parts of the blackout, in order. */
  readonly parts: readonly (IntervalView & { readonly part: string })[];
  readonly estimates: readonly EstimateView[];
}

export interface PassView {
  readonly number: number;
  readonly startS: number;
  readonly seconds: number;
  readonly sentBytes: number;
  readonly remainingBytes: number;
  readonly thresholdBytes: number;
  readonly throttleShare: number;
}

export interface EstimateView {
  readonly quantity: string;
  readonly title: string;
  readonly unit: string;
  readonly meaning: string;
  readonly point: number | undefined;
  readonly interval: IntervalView | undefined;
  /** The trace drawn again, constants fixed. */
  readonly sampling: IntervalView | undefined;
  readonly because: string | undefined;
  readonly bounds: { readonly low: number; readonly high: number | undefined } | undefined;
}
