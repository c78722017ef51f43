import { describe, expect, it } from "vitest";

import { unprobedOperations } from "./unprobed.ts";

describe("unprobedOperations", () => {
  it("names the operations that the kernel refused to probe", () => {
    const list = [
      "p:kvm_s2/map kvm_pgtable_stage2_map pgt=%x0:x64",
      "SKIPPED wrprotect kvm_pgtable_stage2_wrprotect pgt=%x0:x64",
      "SKIPPED p:kvm_s2/relax kvm_pgtable_stage2_relax_perms pgt=%x0:x64",
    ].join("\n");
    expect(unprobedOperations(list)).toEqual([
      "kvm_pgtable_stage2_wrprotect",
      "kvm_pgtable_stage2_relax_perms",
    ]);
  });

  it("says nothing of functions that the kernel lacks, nor of those that the replay can do without", () => {
    const list = [
      "ABSENT kvm_pgtable_stage2_split",
      "SKIPPED walk_nested kvm_walk_nested_s2 vcpu=%x0:x64",
      "SKIPPED apply_range stage2_apply_range mmu=%x0:x64",
      "SKIPPED destroy_range kvm_pgtable_stage2_destroy_range pgt=%x0:x64",
      "",
    ].join("\n");
    expect(unprobedOperations(list)).toEqual([]);
  });

  it("says nothing of a function that another line of the list probes", () => {
    const list = [
      "SKIPPED unmap kvm_pgtable_stage2_unmap pgt=%x0:x64 bad=+0(%x9):x8",
      "p:kvm_s2/unmap kvm_pgtable_stage2_unmap pgt=%x0:x64",
    ].join("\n");
    expect(unprobedOperations(list)).toEqual([]);
  });
});
