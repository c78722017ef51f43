import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { readHostFacts } from "./read-host-facts.ts";
import { readSavedClock } from "./saved-clock.ts";
import { readSavedProbes, savedProbesOf } from "./saved-probes.ts";

let directory: string;
let trace: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tlbi-replay-probes-"));
  trace = join(directory, "trace.txt");
});
afterEach(() => rm(directory, { recursive: true }));
const save = (name: string, text: string): Promise<void> => writeFile(join(directory, name), text);

describe("savedProbesOf", () => {
  it("tells entries, returns, refused and absent functions, without compilers' suffixes", () => {
    const probes = savedProbesOf([
      "p:s2/map kvm_pgtable_stage2_map pgt=%x0:x64",
      "r64:s2/map_ret kvm_pgtable_stage2_map ret=$retval:s32",
      "p:s2/un __unmap_stage2_range.isra.0 mmu=%x0:x64",
      "SKIPPED wrprotect kvm_pgtable_stage2_wrprotect pgt=%x0:x64",
      "SKIPPED r:s2/split_ret kvm_pgtable_stage2_split ret=$retval",
      "ABSENT kvm_set_spte_gfn",
      "NVHE: the flush primitives run at EL2, not probed",
    ]);
    expect([...probes.entries]).toEqual(["kvm_pgtable_stage2_map", "__unmap_stage2_range"]);
    expect([...probes.returns]).toEqual(["kvm_pgtable_stage2_map"]);
    expect([...probes.refused]).toEqual(["kvm_pgtable_stage2_wrprotect"]);
    expect([...probes.absent]).toEqual(["kvm_set_spte_gfn"]);
  });

  it("a function that another line probes was not refused", () => {
    const probes = savedProbesOf([
      "SKIPPED u kvm_pgtable_stage2_unmap pgt=%x0:x64 bad=+0(%x9):x8",
      "p:s2/unmap kvm_pgtable_stage2_unmap pgt=%x0:x64",
    ]);
    expect(probes.refused.size).toBe(0);
  });

  it("counts the hits that kprobe_profile says were missed", () => {
    const profile = "  map      494      0\n  unmap    231     17\n  mine  9 9\nsome text\n";
    const list = ["p:s2/map kvm_pgtable_stage2_map", "p:s2/unmap kvm_pgtable_stage2_unmap"];
    const probes = savedProbesOf([...list, "p:mine do_sys_open"], profile);
    expect([...probes.missedHits]).toEqual([["unmap", 17]]);
  });
});

describe("what stands beside a trace", () => {
  it("the probe list, the first that defines something; beside stdin nothing", async () => {
    await save("kprobes.txt", "# nothing\n");
    await save("dynamic_events", "p:s2/map kvm_pgtable_stage2_map pgt=%x0:x64\n");
    const found = await readSavedProbes(trace, undefined);
    expect(found?.origin).toBe("dynamic_events");
    expect(found?.value.entries.has("kvm_pgtable_stage2_map")).toBe(true);
    expect(await readSavedProbes("-", undefined)).toBeUndefined();
  });

  it("a list that the user names takes its place", async () => {
    await save("kprobes.txt", "p:s2/map kvm_pgtable_stage2_map pgt=%x0:x64\n");
    await save("mine.txt", "p:s2/unmap kvm_pgtable_stage2_unmap pgt=%x0:x64\n");
    const found = await readSavedProbes(trace, join(directory, "mine.txt"));
    expect(found?.origin).toBe("mine.txt");
    expect([...(found?.value.entries ?? [])]).toEqual(["kvm_pgtable_stage2_unmap"]);
  });

  it("the clock in brackets", async () => {
    expect(await readSavedClock(trace)).toBeUndefined();
    await save("trace_clock.txt", "local global counter [x86-tsc] boot tai\n");
    expect(await readSavedClock(trace)).toEqual({ value: "x86-tsc", origin: "trace_clock.txt" });
  });

  it("files that disagree are named, and the first is used", async () => {
    await save("capture.json", JSON.stringify({ kernel: "6.1.0-56-arm64", mode: "VHE" }));
    await save("uname.txt", "Linux host 6.12.107 #1 SMP aarch64 GNU/Linux\n");
    await save("dmesg.txt", "[1.0] kvm [1]: Hyp nVHE mode initialized successfully\n");
    const { facts, contradictions } = await readHostFacts(trace);
    expect(facts.kernelRelease?.value).toBe("6.1.0-56-arm64");
    expect(contradictions).toEqual([
      "the mode of KVM: capture.json says VHE, dmesg.txt:1 nVHE",
      "the kernel: capture.json says 6.1.0-56-arm64, uname.txt 6.12.107",
    ]);
  });
});
