import type { PerCpuLoss } from "./per-cpu-stats.ts";

/**
 * What was saved beside a trace about the machine that it was recorded on. Each fact carries where it
 * came from, so that a report can print it; a fact that nothing states is undefined, never guessed.
 */
export interface Fact<T> {
  readonly value: T;
  /** `capture.json`, `dmesg.kvm.txt:12`, `--cpu`, … */
  readonly origin: string;
}

/** CPU features that decide what KVM issues; names are those of `--cpu`. */
export const CPU_FEATURES = ["tlbirange", "fwb", "ttl", "lpa2", "dic"] as const;
export type CpuFeature = (typeof CPU_FEATURES)[number];

export type HypMode = "VHE" | "nVHE" | "pKVM";

export interface HostFacts {
  /** `uname -r`: `6.12.107+deb13-arm64`. */
  readonly kernelRelease?: Fact<string>;
  /** The whole `uname -a` or `/proc/version` text: the distributor's own version is only here. */
  readonly kernelVersionText?: Fact<string>;
  readonly pageSizeBytes?: Fact<number>;
  readonly hypMode?: Fact<HypMode>;
  /** Features detected, as KVM sees them (LPA2 only where KVM uses it). */
  readonly cpuFeatures?: Fact<readonly CpuFeature[]>;
  /** Names of the probe functions that were enabled, where a probe list was saved. */
  readonly probedFunctions?: Fact<readonly string[]>;
  /** What the ring buffers' statistics say was lost; empty where they were saved and say nothing was. */
  readonly perCpuLosses?: Fact<readonly PerCpuLoss[]>;
}
