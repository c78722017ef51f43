import { describe, expect, it } from "vitest";
import { formatKernelVersion, isAtLeast, parseKernelVersion } from "./kernel-version.ts";

describe("the version of a kernel", () => {
  it.each([
    ["6.1.0-56-arm64", "#1 SMP Debian 6.1.192-1 (2026-05-01)", "6.1.192 (debian)"],
    ["6.1.0-56-arm64", "", "6.1 (debian)"],
    ["6.12.107+deb13-arm64", "", "6.12.107 (debian)"],
    ["7.2.13+deb14-arm64", "#1 SMP Debian 7.2.13-1", "7.2.13 (debian)"],
    ["6.12.9-arm64", "", "6.12.9"],
    ["6.6.28", "", "6.6.28"],
    ["6.8.0", "", "6.8.0"],
    ["6.8.0-45-generic", "", "6.8 (ubuntu)"],
    ["6.8.0-1012-nvidia-64k", "", "6.8 (ubuntu)"],
    ["5.15.0-1055-raspi", "", "5.15 (ubuntu)"],
    ["6.1.0-13-rt-arm64", "", "6.1 (debian)"],
    ["6.1.0-21-cloud-arm64", "", "6.1 (debian)"],
    ["6.6.51+rpt-rpi-2712", "", "6.6.51"],
    ["6.8.0-1018-aws", "#19~22.04.1-Ubuntu SMP", "6.8 (ubuntu)"],
    ["5.10.223", "", "5.10.223"],
    ["5.15", "", "5.15.0"],
    ["6.14", "", "6.14.0"],
    ["v6.7", "", "6.7.0"],
    ["7.3.4", "", "7.3.4"],
    ["5.14.0-503.el9.aarch64", "", "5.14 (rhel)"],
    [" 6.6.47 ", "", "6.6.47"],
    ["6.6.0-rc3", "", "6.6.0"],
  ])("%j with %j is %s", (release, text, expected) => {
    const version = parseKernelVersion(release, text);
    expect(version === undefined ? undefined : formatKernelVersion(version)).toBe(expected);
  });

  it.each(["", "arm64", "Linux 6.1", "6", "x6.1", "six.one"])("%j has none", (release) => {
    expect(parseKernelVersion(release)).toBeUndefined();
  });

  it("does not take its level from a text about another kernel", () => {
    expect(parseKernelVersion("6.12.0", "Debian 6.1.192-1")).toMatchObject({
      patch: 0,
      distributor: "vanilla",
    });
  });
});

describe("isAtLeast", () => {
  it.each([
    ["6.6.47", 6, 6, 47, true],
    ["6.6.46", 6, 6, 47, false],
    ["6.10.1", 6, 9, 0, true],
    ["5.19.9", 6, 0, 0, false],
    ["7.0.0", 6, 12, 200, true],
  ])("%s against %i.%i.%i: %s", (release, major, minor, patch, expected) => {
    const version = parseKernelVersion(release);
    expect(version && isAtLeast(version, major, minor, patch)).toBe(expected);
  });

  it("takes a stable level that is not known for a late one", () => {
    const version = parseKernelVersion("6.8.0-45-generic");
    expect(version && isAtLeast(version, 6, 8, 12)).toBe(true);
  });
});
