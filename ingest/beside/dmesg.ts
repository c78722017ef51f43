import { DIC_ANNOUNCEMENT } from "./capture-json.ts";
import type { CpuFeature, HypMode } from "./host-facts.ts";

/** What the boot messages announce, as the kernel words it. */
const ANNOUNCEMENTS: ReadonlyMap<string, CpuFeature> = new Map<string, CpuFeature>([
  ["TLB range maintenance instructions", "tlbirange"],
  ["Stage-2 Force Write-Back", "fwb"],
  ["ARMv8.4 Translation Table Level", "ttl"],
  ["52-bit Virtual Addressing for KVM (LPA2)", "lpa2"],
  [DIC_ANNOUNCEMENT, "dic"],
]);

const DETECTED = /CPU features: detected: (.+?)\s*$/;
const MODES: readonly (readonly [RegExp, HypMode])[] = [
  [/kvm \[\d+\]: (?:nv: .*)?Protected (?:hVHE |nVHE )?mode initialized successfully/, "pKVM"],
  [/kvm \[\d+\]: VHE mode initialized successfully/, "VHE"],
  // Until 5.x just "Hyp mode"; hVHE runs its hypervisor at EL2 as nVHE does.
  [/kvm \[\d+\]: Hyp (?:nVHE |hVHE )?mode initialized successfully/, "nVHE"],
];
const LINUX_VERSION = /Linux version (\S+) /;

/** What boot messages say; `…Line` is the 1-based line that says it. */
export interface DmesgFindings {
  /** Undefined where no feature line was seen at all: the ring buffer may have lost them. */
  readonly features: readonly CpuFeature[] | undefined;
  readonly featuresLine: number;
  readonly mode: HypMode | undefined;
  readonly modeLine: number;
  readonly release: string | undefined;
  readonly versionText: string | undefined;
  readonly releaseLine: number;
}

/** Reads a kernel log, whole or only its lines about KVM and CPU features. */
export function readDmesg(text: string): DmesgFindings {
  const features: CpuFeature[] = [];
  const at = { features: 0, mode: 0, release: 0 };
  let mode: HypMode | undefined;
  let version: RegExpExecArray | undefined;
  for (const [i, line] of text.split("\n").entries()) {
    const detected = DETECTED.exec(line)?.[1];
    if (detected !== undefined) {
      if (at.features === 0) at.features = i + 1;
      const feature = ANNOUNCEMENTS.get(detected);
      if (feature !== undefined && !features.includes(feature)) features.push(feature);
      continue;
    }
    const found = MODES.find(([pattern]) => pattern.test(line));
    if (found !== undefined) {
      mode = found[1];
      at.mode = i + 1;
    }
    const linux = LINUX_VERSION.exec(line);
    if (linux !== null) {
      version = linux;
      at.release = i + 1;
    }
  }
  return {
    features: at.features === 0 ? undefined : features,
    featuresLine: at.features,
    mode,
    modeLine: at.mode,
    release: version?.[1],
    versionText: version?.input.slice(version.index).trim(),
    releaseLine: at.release,
  };
}
