import type { Policy, PolicyFlags } from "./flags.ts";
import { formatKernelVersion, isAtLeast, type KernelVersion } from "./kernel-version.ts";
import { findPolicy } from "./registry.ts";

/**
 * Which behaviours a kernel has. Version labels lie: 6.6.0, 6.6.29 and 6.6.47 differ, and
 * distributors back-port. So a version selects a generation (a policy id) and then single flags, each
 * with where the boundary comes from; the user can override every flag.
 *
 * Sources: the kernel trees 5.10.223, 5.15, 5.19, 6.1.176, 6.2, 6.5.13, 6.8.12 (Ubuntu), 6.12.107,
 * 6.14, 6.17, 7.0, 7.2.13, 7.3.4, and the stable mails of the commits named.
 */
interface VersionRule {
  readonly applies: (version: KernelVersion) => boolean;
  readonly flags: Partial<PolicyFlags>;
  readonly because: string;
}

const before = (v: KernelVersion, major: number, minor: number, patch = 0): boolean =>
  !isAtLeast(v, major, minor, patch);
const inSeries = (v: KernelVersion, major: number, minor: number): boolean =>
  v.major === major && v.minor === minor;

/** Id of the generation that a version belongs to. */
export function generationOf(version: KernelVersion): string {
  if (before(version, 5, 9)) return "legacy-5.8";
  if (before(version, 5, 10)) return "legacy-5.9";
  if (before(version, 6, 2)) return "pgtable-5.10";
  if (before(version, 6, 5)) return "pgtable-6.2";
  if (before(version, 6, 6)) return "pgtable-6.5";
  if (inSeries(version, 6, 6)) return isAtLeast(version, 6, 6, 47) ? "range-6.9" : "range-6.6";
  if (inSeries(version, 6, 7)) return "range-6.6";
  if (inSeries(version, 6, 8)) return isAtLeast(version, 6, 8, 1) ? "range-6.9" : "range-6.6";
  return "range-6.9";
}

const RULES: readonly VersionRule[] = [
  {
    applies: (v) => inSeries(v, 5, 10),
    flags: { unmapChunk: "top-level", permissionMap: "flush" },
    because: "5.10 walks one top-level entry at a time and flushes permission changes made by map",
  },
  {
    applies: (v) => inSeries(v, 6, 1) && isAtLeast(v, 6, 1, 176),
    flags: { tableHint: "none" },
    because: "6.1.176 has the fix of the freed table's level hint (36e008323926)",
  },
  {
    applies: (v) => inSeries(v, 6, 6) && before(v, 6, 6, 29),
    flags: { rangeEncoder: "ascending" },
    because: "before 6.6.29 the encoder ascends and breaks on 2^21 pages (CVE-2024-35980)",
  },
  {
    applies: (v) => inSeries(v, 6, 6) && isAtLeast(v, 6, 6, 29),
    flags: { rangeEncoder: "clamped" },
    because: "6.6.29 has e3ba51ab24fd",
  },
  {
    applies: (v) => inSeries(v, 6, 6),
    flags: { noHintArgument: "zero", levelZeroIsHint: false, lpa2Aware: false },
    because: "6.6 knows neither LPA2 in stage 2 nor TLBI_TTL_UNKNOWN",
  },
  {
    applies: (v) => inSeries(v, 6, 8) && before(v, 6, 8, 1),
    flags: { rangeEncoder: "descending", lpa2Aware: true, levelZeroIsHint: true },
    because: "6.8.0 has e2768b798a19 without e3ba51ab24fd",
  },
  {
    applies: (v) => inSeries(v, 6, 8) && isAtLeast(v, 6, 8, 1),
    flags: { noHintArgument: "zero" },
    because: "6.8.y passes level 0 for freed tables, which its encoder takes for a hint",
  },
  {
    applies: (v) => isAtLeast(v, 6, 13) && before(v, 7, 2),
    flags: { relaxOnEagain: "flush-uninitialised" },
    because:
      "6.14, 6.17 and 7.0 leave relax_perms' level unset when the walk fails (6.13, 7.1: assumed)",
  },
];

/** The policy of a kernel: its generation with the flags of its version. */
export function policyOfKernel(version: KernelVersion): Policy {
  const generation = findPolicy(generationOf(version))!;
  const flags: PolicyFlags = { ...generation.flags };
  const reasons: string[] = [];
  for (const rule of RULES) {
    if (!rule.applies(version)) continue;
    const changed = Object.entries(rule.flags).filter(
      ([name, value]) => Reflect.get(flags, name) !== value,
    );
    if (changed.length === 0) continue;
    Object.assign(flags, rule.flags);
    reasons.push(`${changed.map(([name]) => name).join(", ")}: ${rule.because}`);
  }
  const detail = [`kernel ${formatKernelVersion(version)}`, ...reasons].join("; ");
  return { ...generation, flags, detail };
}

/** From 7.0 on enum kvm_pgtable_prot has two execute bits, which moves all the others up by one. */
export function hasTwoExecuteBits(version: KernelVersion): boolean {
  return isAtLeast(version, 7, 0);
}

/** Before 5.15 a map call that meets its own leaf is tolerated; later it fails with -EAGAIN. */
export function mapToleratesUnchanged(version: KernelVersion): boolean {
  return before(version, 5, 15);
}
