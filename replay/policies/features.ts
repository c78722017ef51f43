import type { CpuFeature } from "../../ingest/beside/host-facts.ts";

/** What the CPU offers, as KVM uses it; names as in `--cpu`. */
export interface CpuFeatures {
  readonly tlbirange: boolean;
  readonly fwb: boolean;
  readonly ttl: boolean;
  readonly lpa2: boolean;
  readonly dic: boolean;
}

export function featuresFrom(names: readonly CpuFeature[]): CpuFeatures {
  return {
    tlbirange: names.includes("tlbirange"),
    fwb: names.includes("fwb"),
    ttl: names.includes("ttl"),
    lpa2: names.includes("lpa2"),
    dic: names.includes("dic"),
  };
}
