import { describe, expect, it } from "vitest";

import { KERNEL_FUNCTIONS } from "./functions.ts";
import type { Release } from "./kernel-release.ts";
import { compareReleases } from "./kernel-release.ts";
import { ARM64_FUNCTIONS } from "./recorded-arm64.ts";
import { NESTED_FUNCTIONS } from "./recorded-nested.ts";
import { type RecordedFunction, fetchIn, formsOf, nameOfArgument } from "./recorded-probes.ts";
import { offsetOf } from "./recorded-structs.ts";
import { recordedTracepoints } from "./recorded-tracepoints.ts";
import { X86_FUNCTIONS } from "./recorded-x86.ts";
import { IGNORED_ARGUMENTS, roleOfArgument } from "./roles.ts";
import { TRACEPOINTS } from "./tracepoints.ts";

function forms(fn: RecordedFunction, release: Release, canReadOffsets = true) {
  return formsOf("arm64", fn, release, fetchIn(fn, release), () => true, canReadOffsets);
}

function arm64(name: string): RecordedFunction {
  return ARM64_FUNCTIONS.find((fn) => fn.name === name)!;
}

function unmapAt(release: Release): string {
  return forms(arm64("unmap"), release).byOffset!;
}

describe("the table of arguments", () => {
  for (const fn of [...ARM64_FUNCTIONS, ...NESTED_FUNCTIONS]) {
    const meaning = KERNEL_FUNCTIONS.get(fn.symbol);
    if (meaning === undefined) continue;
    it(`gives ${fn.symbol} names that the reader knows`, () => {
      const names = fn.shapes.flatMap(({ fetch }) => fetch.split(" ")).map(nameOfArgument);
      const unknown = names.filter(
        (name) =>
          name !== "" &&
          roleOfArgument(name, meaning.takes) === undefined &&
          meaning.ignores?.includes(name) !== true &&
          !IGNORED_ARGUMENTS.includes(name),
      );
      expect(unknown).toEqual([]);
    });
  }

  it("has every function of the vocabulary, and each once", () => {
    const all = [...ARM64_FUNCTIONS, ...NESTED_FUNCTIONS];
    const symbols = all.map(({ symbol }) => symbol);
    expect(new Set(symbols).size).toBe(symbols.length);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    const known = new Set([...symbols, ...X86_FUNCTIONS.map(({ symbol }) => symbol)]);
    expect([...KERNEL_FUNCTIONS.keys()].filter((symbol) => !known.has(symbol))).toEqual([]);
  });

  it("orders shapes by release", () => {
    for (const { symbol, shapes } of [...ARM64_FUNCTIONS, ...NESTED_FUNCTIONS, ...X86_FUNCTIONS]) {
      for (const [i, shape] of shapes.entries()) {
        const before = shapes[i - 1];
        if (before !== undefined) {
          expect(compareReleases(before.since, shape.since), symbol).toBeLessThan(0);
        }
      }
    }
  });

  it("reads every tracepoint that the reader knows, markers aside", () => {
    const recorded = (["arm64", "x86"] as const).flatMap((arch) =>
      recordedTracepoints(arch, "standard", true).map((t) => t.split("/")[1]),
    );
    const known = [...TRACEPOINTS].filter(([, { kind }]) => kind !== "marker");
    expect(known.map(([name]) => name).filter((name) => !recorded.includes(name))).toEqual([]);
  });
});

describe("arguments of a release", () => {
  it("read struct kvm_s2_mmu behind a table where the release has it", () => {
    expect(unmapAt("5.10")).toContain("mmu=+16(%x0):x64");
    expect(unmapAt("5.15")).toContain("mmu=+24(%x0):x64");
    expect(unmapAt("6.13")).toContain("mmu=+24(%x0):x64");
    expect(unmapAt("6.14")).toContain("mmu=+40(%x0):x64");
    expect(unmapAt("7.2")).toContain("mmu=+40(%x0):x64");
  });

  it("leave out what nobody looked at, and ask for it by name", () => {
    const { byName, byOffset, leftOut } = forms(arm64("unmap"), "7.9");
    expect(byOffset).toBe("pgt=%x0:x64 addr=%x1:x64 size=%x2:x64");
    expect(byName).toBe("pgt=%x0:x64 mmu=pgt->mmu:x64 addr=%x1:x64 size=%x2:x64");
    expect(leftOut).toEqual(["mmu"]);
    expect(forms(arm64("unmap"), "5.14", false).leftOut).toEqual(["mmu"]);
  });

  it("have no form by offset where the event would be of no use without what is left out", () => {
    const fn = arm64("commit_region");
    const found = formsOf(
      "arm64",
      fn,
      "7.9",
      fetchIn(fn, "7.9"),
      (names) => names.includes("base_gfn"),
      true,
    );
    expect(found.byOffset).toBeUndefined();
    expect(found.byName).toContain("base_gfn=new->base_gfn:x64");
  });

  it("follow kvm_arch_commit_memory_region through 5.17", () => {
    expect(forms(arm64("commit_region"), "5.16").byOffset).toBe(
      "kvm=%x0:x64 change=%x4:s32 old_flags=+32(%x2):x32 base_gfn=+0(%x3):x64 npages=+8(%x3):x64 hva=+24(%x3):x64 flags=+32(%x3):x32 id=+36(%x3):s16",
    );
    expect(forms(arm64("commit_region"), "5.17").byOffset).toBe(
      "kvm=%x0:x64 change=%x3:s32 old_flags=+208(%x1):x32 base_gfn=+176(%x2):x64 npages=+184(%x2):x64 hva=+200(%x2):x64 flags=+208(%x2):x32 id=+212(%x2):s16",
    );
  });

  it("have walk flags from 6.2 on", () => {
    expect(fetchIn(arm64("map"), "6.1")).not.toContain("flags=");
    expect(fetchIn(arm64("map"), "6.2")).toContain("flags=%x6:x32");
  });

  it("are what both ends share between two releases at which they were seen", () => {
    const fn = X86_FUNCTIONS.find(({ symbol }) => symbol === "tdp_mmu_link_sp")!;
    expect(fetchIn(fn, "6.1")).toContain("account_nx=%cx:u8 shared=%r8:u8");
    expect(fetchIn(fn, "6.12")).toContain("shared=%cx:u8");
    expect(fetchIn(fn, "6.6")).toBe("kvm=%di:x64 iter=%si:x64 sp=%dx:x64");
    expect(fetchIn(fn, "7.0")).toContain("shared=%cx:u8");
  });

  it("go through pointers of pointers", () => {
    const fetch = "vmid=+{kvm_s2_mmu.vmid.id.counter}(+{kvm_pgtable.mmu}(%x0)):x16";
    const found = formsOf("arm64", arm64("map"), "7.2", fetch, () => true, true);
    expect(found.byOffset).toBe("vmid=+0(+40(%x0)):x16");
    expect(found.byName).toBe("vmid=pgt->mmu->vmid.id.counter:x16");
    const before = formsOf("arm64", arm64("map"), "7.1", fetch, () => true, true);
    expect(before).toMatchObject({ byOffset: "", leftOut: ["vmid"] });
  });
});

describe("offsets", () => {
  it("are known up to the newest release that was looked at, and not beyond", () => {
    expect(offsetOf("arm64", "kvm_memory_slot.base_gfn", "5.16")).toBe(0);
    expect(offsetOf("arm64", "kvm_memory_slot.base_gfn", "7.2")).toBe(176);
    expect(offsetOf("arm64", "kvm_memory_slot.base_gfn", "7.3")).toBeUndefined();
    expect(offsetOf("arm64", "kvm_gfn_range.start", "5.12")).toBeUndefined();
    expect(offsetOf("x86", "kvm_memory_slot.userspace_addr", "6.1")).toBe(248);
    expect(offsetOf("arm64", "no.such", "6.12")).toBeUndefined();
  });
});
