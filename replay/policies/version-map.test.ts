import { describe, expect, it } from "vitest";
import type { PolicyFlags } from "./flags.ts";
import { type KernelVersion, parseKernelVersion } from "./kernel-version.ts";
import { findPolicy } from "./registry.ts";
import { generationOf, hasTwoExecuteBits, policyOfKernel } from "./version-map.ts";

function version(release: string, text = ""): KernelVersion {
  const parsed = parseKernelVersion(release, text);
  if (parsed === undefined) throw new Error(release);
  return parsed;
}

describe("the generation of a kernel", () => {
  it.each([
    ["5.4.291", "legacy-5.8"],
    ["5.8.18", "legacy-5.8"],
    ["5.9", "legacy-5.9"],
    ["5.10.223", "pgtable-5.10"],
    ["5.15", "pgtable-5.10"],
    ["5.14.0-503.el9.aarch64", "pgtable-5.10"],
    ["5.19", "pgtable-5.10"],
    ["6.1.176", "pgtable-5.10"],
    ["6.2", "pgtable-6.2"],
    ["6.4.16", "pgtable-6.2"],
    ["6.5.13", "pgtable-6.5"],
    ["6.6.0", "range-6.6"],
    ["6.6.28", "range-6.6"],
    ["6.6.29", "range-6.6"],
    ["6.6.46", "range-6.6"],
    ["6.6.47", "range-6.9"],
    ["6.7", "range-6.6"],
    ["6.7.12", "range-6.6"],
    ["6.8.0", "range-6.6"],
    ["6.8.12", "range-6.9"],
    ["6.8.0-45-generic", "range-6.9"],
    ["6.9.0", "range-6.9"],
    ["6.12.107+deb13-arm64", "range-6.9"],
    ["6.14", "range-6.9"],
    ["7.2.13+deb14-arm64", "range-6.9"],
    ["7.3.4", "range-6.9"],
  ])("%s is %s", (release, generation) => {
    expect(generationOf(version(release))).toBe(generation);
    expect(policyOfKernel(version(release)).id).toBe(generation);
  });
});

describe("behaviours that a version has beside its generation", () => {
  it.each<readonly [string, string, Partial<PolicyFlags>]>([
    [
      "5.10.223",
      "",
      { unmapChunk: "top-level", permissionMap: "flush", tableHint: "parent-level" },
    ],
    ["5.15", "", { unmapChunk: "min-block", permissionMap: "skip", tableHint: "parent-level" }],
    ["6.1.175", "", { tableHint: "parent-level" }],
    ["6.1.0-56-arm64", "Debian 6.1.192-1", { tableHint: "none", noHintArgument: "zero" }],
    ["6.2", "", { tableHint: "parent-level", relax: "ipa" }],
    ["6.5.13", "", { tableHint: "parent-level", relax: "ipa-local", relaxOnEagain: "none" }],
    ["6.6.28", "", { rangeEncoder: "ascending", deferredTableFlush: false, lpa2Aware: false }],
    ["6.6.29", "", { rangeEncoder: "clamped", deferredTableFlush: false, lpa2Aware: false }],
    ["6.6.46", "", { rangeEncoder: "clamped", deferredTableFlush: false, collapseStart: "fault" }],
    [
      "6.6.47",
      "",
      {
        rangeEncoder: "clamped",
        deferredTableFlush: true,
        collapseStart: "block",
        lpa2Aware: false,
        levelZeroIsHint: false,
        noHintArgument: "zero",
      },
    ],
    ["6.7", "", { rangeEncoder: "ascending", deferredTableFlush: false, lpa2Aware: false }],
    ["6.8.0", "", { rangeEncoder: "descending", deferredTableFlush: false, lpa2Aware: true }],
    ["6.8.12", "", { rangeEncoder: "clamped", noHintArgument: "zero", levelZeroIsHint: true }],
    ["6.8.0-45-generic", "", { rangeEncoder: "clamped", deferredTableFlush: true }],
    [
      "6.14",
      "",
      { noHintArgument: "ttl-unknown", relaxOnEagain: "flush-uninitialised", lpa2Aware: true },
    ],
    ["7.0", "", { relaxOnEagain: "flush-uninitialised" }],
    ["7.2.13", "", { relaxOnEagain: "flush" }],
    ["6.12.107", "", { relaxOnEagain: "flush" }],
    ["7.3.4", "", { rangeEncoder: "clamped", deferNeedsFwb: true, ringReset: "vmid", age: "vmid" }],
  ])("%s %s", (release, text, flags) => {
    expect(policyOfKernel(version(release, text)).flags).toMatchObject(flags);
  });

  it("are told with their reasons, the kernel first", () => {
    const { detail } = policyOfKernel(version("6.6.29"));
    expect(detail).toBe("kernel 6.6.29; rangeEncoder: 6.6.29 has e3ba51ab24fd");
  });

  it("do not change the generation itself", () => {
    policyOfKernel(version("6.6.29"));
    expect(findPolicy("range-6.6")?.flags.rangeEncoder).toBe("ascending");
  });
});

it.each([
  ["6.17", false],
  ["7.0", true],
  ["7.3.4", true],
])("%s has two execute bits: %s", (release, expected) => {
  expect(hasTwoExecuteBits(version(release))).toBe(expected);
});
