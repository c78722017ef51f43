import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { factsOfCaptureJson } from "../../ingest/beside/capture-json.ts";
import { savedProbesOf } from "../../ingest/beside/saved-probes.ts";
import type { EventKindName } from "../../ingest/events/kinds.ts";
import { KERNEL_FUNCTIONS } from "../../ingest/vocabulary/functions.ts";
import { TRACEPOINTS } from "../../ingest/vocabulary/tracepoints.ts";
import { parseKernelVersion } from "../policies/kernel-version.ts";
import { KNOWN_FUNCTIONS } from "./known-functions.ts";
import { missingProbes } from "./missing-probes.ts";
import { isInKernel, type ProbeSight } from "./probe-states.ts";

const ALL_RETURNS: Partial<Record<EventKindName, number>> = { map: 9, map_ret: 9 };
const sight = (
  events: Partial<Record<EventKindName, number>>,
  rest: Partial<ProbeSight> = {},
): ProbeSight => ({
  eventsByKind: new Map(Object.entries(events) as [EventKindName, number][]),
  list: undefined,
  kernel: undefined,
  hypMode: undefined,
  ...rest,
});
const kernel = (release: string): Partial<ProbeSight> => ({ kernel: parseKernelVersion(release) });
const functionsOf = (given: ProbeSight, answer: "verify" | "predict" | "dirty-log"): string[] =>
  missingProbes(given, [], [answer]).map((one) => one.function + (one.isReturn ? " ret" : ""));

describe("the table of functions", () => {
  it("has the kinds of the vocabulary", () => {
    for (const { name, kind, returnKind, isTracepoint } of KNOWN_FUNCTIONS) {
      const meaning = isTracepoint === true ? TRACEPOINTS.get(name) : KERNEL_FUNCTIONS.get(name);
      expect({ name, kind: meaning?.kind }).toEqual({ name, kind });
      if (returnKind === undefined) continue;
      expect(KERNEL_FUNCTIONS.get(name)?.returnKind).toBe(returnKind);
    }
  });

  it("agrees with what the recorded kernels had", () => {
    const root = join(import.meta.dirname, "../../fixtures/captures");
    let compared = 0;
    for (const name of readdirSync(root)) {
      const { facts } = factsOfCaptureJson(readFileSync(join(root, name, "capture.json"), "utf8"));
      const version = parseKernelVersion(
        facts.kernelRelease!.value,
        facts.kernelVersionText?.value,
      );
      const list = savedProbesOf(readFileSync(join(root, name, "kprobes.txt"), "utf8").split("\n"));
      for (const known of KNOWN_FUNCTIONS) {
        const { entries, absent, refused } = list;
        if (entries.has(known.name) || refused.has(known.name)) {
          expect([name, known.name, isInKernel(known, version)]).toEqual([name, known.name, true]);
          compared += 1;
        } else if (absent.has(known.name) && known.since !== undefined) {
          expect([name, known.name, isInKernel(known, version)]).toEqual([name, known.name, false]);
          compared += 1;
        }
      }
    }
    expect(compared).toBeGreaterThan(250);
  });
});

describe("missingProbes", () => {
  it("by the kernel's version: 6.1 has no range, no split and no local invalidation", () => {
    const list = savedProbesOf(["p:map kvm_pgtable_stage2_map", "p:hw __kvm_tlb_flush_vmid"]);
    expect(functionsOf(sight({}, { list, ...kernel("6.1.192") }), "verify")).toEqual([
      "kvm_pgtable_stage2_map ret",
      "kvm_pgtable_stage2_unmap",
      "kvm_pgtable_stage2_relax_perms",
      "kvm_pgtable_stage2_wrprotect",
      "kvm_arch_commit_memory_region",
      "kvm_pgtable_stage2_destroy",
      "kvm_free_stage2_pgd",
      "__kvm_tlb_flush_vmid_ipa",
    ]);
    const on612 = functionsOf(sight({}, { list, ...kernel("6.12.107") }), "verify");
    expect(on612).toContain("kvm_pgtable_stage2_split");
    expect(on612).toContain("__kvm_tlb_flush_vmid_range");
    expect(on612).toContain("__kvm_tlb_flush_vmid_ipa_nsh");
  });

  it("without a list an event that was never seen is no missing probe, unless its caller was seen", () => {
    expect(functionsOf(sight(ALL_RETURNS), "verify")).toEqual([]);
    expect(functionsOf(sight({ ...ALL_RETURNS, unmap_range: 1 }), "verify")).toEqual([
      "kvm_pgtable_stage2_unmap",
    ]);
  });

  it("returns of calls that were recorded", () => {
    expect(functionsOf(sight({ map: 3 }), "predict")).toEqual(["kvm_pgtable_stage2_map ret"]);
  });

  it("says why: refused, not in the list, at EL2", () => {
    const list = savedProbesOf([
      "p:map kvm_pgtable_stage2_map",
      "r:map_ret kvm_pgtable_stage2_map",
      "SKIPPED unmap kvm_pgtable_stage2_unmap pgt=%x0",
    ]);
    const found = missingProbes(
      sight({}, { list, hypMode: "nVHE", ...kernel("6.12.1") }),
      [],
      ["verify"],
    );
    const stateOfFunction = (name: string): string | undefined =>
      found.find((one) => one.function === name)?.state;
    expect(stateOfFunction("kvm_pgtable_stage2_unmap")).toBe("refused");
    expect(stateOfFunction("kvm_pgtable_stage2_relax_perms")).toBe("not-asked");
    expect(stateOfFunction("__kvm_tlb_flush_vmid_ipa")).toBe("at-el2");
    expect(stateOfFunction("kvm_pgtable_stage2_map")).toBeUndefined();
  });

  it("any one of several does", () => {
    const list = savedProbesOf([
      "p:wp kvm_pgtable_stage2_wrprotect",
      "p:log kvm_arch_mmu_enable_log_dirty_pt_masked",
      "p:commit kvm_arch_commit_memory_region",
      "p:req kvm_arch_flush_remote_tlbs_range",
    ]);
    expect(functionsOf(sight({}, { list, ...kernel("6.12.1") }), "dirty-log")).toEqual([]);
  });

  it("names what comes closest: the same role, or nearly the same name", () => {
    const list = savedProbesOf(["p:unmap_gfn kvm_unmap_gfn_range"]);
    const found = missingProbes(
      sight({ unmap_gfn: 4 }, { list }),
      ["kvm_pgtable_stage2_unmaps", "sched_switch"],
      ["predict"],
    );
    const unmap = found.find((one) => one.function === "kvm_pgtable_stage2_unmap");
    expect(unmap?.closest).toEqual(["kvm_pgtable_stage2_unmaps", "kvm_unmap_gfn_range"]);
    expect(unmap?.without).toBe("no");
  });
});
