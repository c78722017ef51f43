import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Release } from "../../ingest/vocabulary/kernel-release.ts";
import { EXPECTED_DIFFERENCES, checkProbeList, compareProbeList } from "./probe-lists.ts";

const FIXTURES = path.resolve(fileURLToPath(import.meta.url), "../../../fixtures");
const CAPTURES = path.join(FIXTURES, "captures");

describe("probes of a recording script", () => {
  for (const name of readdirSync(CAPTURES)) {
    const folder = path.join(CAPTURES, name);
    if (!existsSync(path.join(folder, "kprobes.txt"))) continue;
    it(`are those of the capture ${name}`, () => {
      const result = checkProbeList(folder);
      expect(result.skipped).toBeUndefined();
      expect(result.problems).toEqual([]);
    });
  }

  const lists: readonly (readonly [file: string, release: Release, atLeast: number])[] = [
    ["x86-510.txt", "5.10", 44],
    ["x86-61.txt", "6.1", 53],
    ["x86-612.txt", "6.12", 50],
    ["x86-72.txt", "7.2", 54],
    ["nv-wp-72.txt", "7.2", 42],
  ];
  for (const [file, release, atLeast] of lists) {
    it(`are those of ${file}`, () => {
      const text = readFileSync(path.join(FIXTURES, "probe-lists", file), "utf8");
      const { problems, note } = compareProbeList(text, release);
      expect(problems).toEqual([]);
      expect(Number.parseInt(note, 10)).toBeGreaterThanOrEqual(atLeast);
    });
  }
});

describe("the comparison", () => {
  const tiny612 = readFileSync(path.join(CAPTURES, "tiny-612/kprobes.txt"), "utf8");
  const faults: readonly (readonly [what: string, from: string, to: string, finding: RegExp])[] = [
    ["a wrong register", "addr=%x1:x64 size", "addr=%x2:x64 size", /addr=%x2:x64.*addr=%x1:x64/],
    ["a wrong offset", "base_gfn=+176(%x1)", "base_gfn=+0(%x1)", /base_gfn=\+0/],
    ["a wrong width", "level=%x2:s32", "level=%x2:x64", /level=%x2:x64/],
    ["another name", "kvm_s2/unmap ", "kvm_s2/unmapped ", /unmapped is kvm_s2\/unmap with us/],
    ["an unknown function", "kvm_free_stage2_pgd", "kvm_free_everything", /is not planned/],
    ["an argument less", " prot=%x4:x64", "", /ours has 'prot=%x4:x64'/],
  ];
  for (const [what, from, to, finding] of faults) {
    it(`finds ${what}`, () => {
      expect(tiny612).toContain(from);
      const { problems } = compareProbeList(tiny612.replace(from, to), "6.12");
      expect(problems.join("\n")).toMatch(finding);
    });
  }

  it("finds that a list is of another release", () => {
    expect(compareProbeList(tiny612, "6.14").problems.join("\n")).toMatch(/mmu=\+24\(%x0\):x64/);
  });

  it("says why each difference is on purpose", () => {
    for (const { reason } of EXPECTED_DIFFERENCES) expect(reason.length).toBeGreaterThan(20);
  });
});
