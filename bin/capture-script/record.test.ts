import fs from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { readHostFacts } from "../../ingest/beside/read-host-facts.ts";
import { readProbeNames } from "../../ingest/beside/probe-names.ts";
import { replayCapture } from "../captures/replayed.ts";
import { planProbes } from "./probe-plan.ts";
import { FakeHost, type FakeHostOptions } from "./testing/fake-host.ts";
import { check, plan, record } from "./testing/scripts.ts";

let host: FakeHost;
afterEach(() => {
  host.remove();
});

function onHost(options: FakeHostOptions = {}): FakeHost {
  host = new FakeHost(options);
  return host;
}

function nameIn(line: string): string {
  return /:kvm_s2\/(\S+)/.exec(line)![1]!;
}

/** Nothing of ours is left in the kernel, and what others have there is as it was. */
function expectClean(): void {
  expect(fs.existsSync(host.instance)).toBe(false);
  expect(host.liveProbes()).toEqual(["p:other/theirs vfs_read"]);
  const left = fs.readdirSync(host.root).filter((name) => name.startsWith("tmp."));
  expect(left).toEqual([]);
}

describe("a recording", () => {
  it("defines the planned probes in order, saves, and removes everything", () => {
    onHost();
    const outcome = host.run(record(), "-o", host.out, "run", "true");
    expect(outcome.err).toContain("saved in");
    expect(outcome.code).toBe(0);
    const planned = planProbes(plan()).map(({ name }) => name);
    const written = host.writtenProbes().map(nameIn);
    expect(written.length).toBe(39);
    expect(written).toEqual(planned.filter((name) => written.includes(name)));
    expectClean();
  });

  it("is found and understood by our own reader", async () => {
    onHost();
    expect(host.run(record(), "-o", host.out, "run", "true").code).toBe(0);
    const trace = path.join(host.out, "trace.txt");
    const { facts, notes } = await readHostFacts(trace);
    expect(notes).toEqual([]);
    expect(facts.kernelRelease?.value).toBe("6.12.107+deb13-arm64");
    expect(facts.hypMode?.value).toBe("VHE");
    expect(facts.pageSizeBytes?.value).toBe(4096);
    expect(facts.cpuFeatures?.value).toEqual(
      expect.arrayContaining(["tlbirange", "fwb", "ttl", "lpa2", "dic"]),
    );
    expect(facts.probedFunctions?.value).toContain("__kvm_tlb_flush_vmid_range");
    expect(facts.perCpuLosses?.value).toEqual([]);
    const names = await readProbeNames(trace);
    expect(names.origin).toBe("kprobes.txt and kallsyms.txt");
    expect(names.definitions.count).toBe(39);
    const { result } = await replayCapture(trace, undefined);
    const fit = result.fits[0]!;
    expect([fit.policy, fit.matched, fit.missed, fit.spurious]).toEqual(["range-6.9", 269, 0, 0]);
  });

  it("saves what the next one needs to judge it, and neither host name nor others' probes", () => {
    onHost();
    host.run(record(), "-o", host.out, "run", "true");
    expect(fs.readdirSync(host.out).sort()).toEqual([
      "capture.json",
      "cmdline.txt",
      "cpuinfo.txt",
      "dmesg.kvm.txt",
      "format",
      "kallsyms.txt",
      "kprobe_events.txt",
      "kprobe_profile.txt",
      "kprobes.txt",
      "kvm_stats.after.txt",
      "kvm_stats.before.txt",
      "per_cpu_stats.txt",
      "per_cpu_stats_before.txt",
      "set_event.txt",
      "trace.txt",
      "trace_clock.txt",
      "trace_options.txt",
      "uname.txt",
    ]);
    expect(fs.readdirSync(path.join(host.out, "format")).sort()).toEqual([
      "kvm.kvm_entry",
      "kvm_s2.map",
    ]);
    expect(host.saved("kprobe_profile.txt")).toMatch(/^ *map 271 0$/m);
    expect(host.saved("kprobe_profile.txt")).not.toContain("theirs");
    expect(host.saved("kallsyms.txt")).not.toContain("vfs_read");
    expect(host.saved("kvm_stats.after.txt")).toBe("remote_tlb_flush 5\n");
    const json: unknown = JSON.parse(host.saved("capture.json"));
    expect(json).toMatchObject({
      kernel: "6.12.107+deb13-arm64",
      mode: "VHE",
      trace_clock: "mono",
      pid_filter: null,
      workload_status: 0,
      lost_events: 0,
      kprobe_missed: 0,
      overwrite: false,
    });
  });

  it("reads fields by name where the kernel finds them", () => {
    onHost({ knowsFieldNames: true });
    host.run(record(), "-o", host.out, "run", "true");
    expect(host.saved("kprobes.txt")).toContain(
      "p:kvm_s2/unmap kvm_pgtable_stage2_unmap pgt=%x0:x64 mmu=pgt->mmu:x64 addr=%x1:x64 size=%x2:x64\n",
    );
  });

  it("falls back on other functions and says what it skipped", () => {
    const functions = [
      "kvm_pgtable_stage2_map",
      "kvm_pgtable_stage2_unmap.isra.0",
      "__unmap_stage2_range.constprop.0.isra.0",
      "kvm_stage2_unmap_range",
      "stage2_wp_range",
      "stage2_apply_range.llvm.123456",
    ];
    onHost({ functions });
    expect(host.run(record(), "-o", host.out, "run", "true").code).toBe(0);
    const list = host.saved("kprobes.txt");
    expect(host.writtenProbes().map(nameIn)).toEqual([
      "map",
      "apply_range",
      "stage2_unmap_range",
      "wp_range_static",
      "map_ret",
    ]);
    expect(list).toContain("p:kvm_s2/apply_range stage2_apply_range.llvm.123456 obj=%x0:x64");
    expect(list).toMatch(
      /^SKIPPED unmap kvm_pgtable_stage2_unmap .*only kvm_pgtable_stage2_unmap\.isra\.0 exists/m,
    );
    expect(list).toMatch(/^SKIPPED unmap_range __unmap_stage2_range .*constprop\.0\.isra\.0/m);
    expect(list).toMatch(/^ABSENT kvm_stage2_wp_range$/m);
    expect(list).toMatch(/^ABSENT __kvm_tlb_flush_vmid$/m);
    const checked = host.run(check(), host.out);
    expect(checked.code).toBe(4);
    expect(checked.out).toMatch(/^FAIL {2}probe unmap is not there: SKIPPED unmap /m);
    expect(checked.out).toMatch(
      /^FAIL {2}probe hw_vmid is not there: the kernel has no such function/m,
    );
  });

  it("leaves the primitives out under nVHE", async () => {
    onHost({ kvmLog: "[    2.2] kvm [1]: Hyp nVHE mode initialized successfully" });
    host.run(record(), "-o", host.out, "run", "true");
    expect(host.saved("kprobes.txt")).not.toContain("hw_vmid");
    expect(host.saved("kprobes.txt")).toContain(
      "NVHE: the flush primitives run at EL2, not probed\n",
    );
    const { facts } = await readHostFacts(path.join(host.out, "trace.txt"));
    expect(facts.hypMode?.value).toBe("nVHE");
  });

  const modes: readonly (readonly [string, string])[] = [
    ["VHE", "VHE"],
    ["VHE+NV2", "VHE"],
    ["nVHE", "nVHE"],
    ["Hyp nVHE", "nVHE"],
    ["hVHE", "nVHE"],
    ["Hyp", "nVHE"],
    ["Protected nVHE", "pKVM"],
    ["Protected hVHE", "pKVM"],
  ];
  for (const [words, mode] of modes) {
    it(`knows where KVM runs from '${words} mode initialized'`, () => {
      onHost({ kvmLog: `[    1.6] kvm [1]: ${words} mode initialized successfully` });
      host.run(record(), "-o", host.out, "run", "true");
      expect(host.saved("capture.json")).toContain(`"mode": "${mode}"`);
      const list = host.saved("kprobes.txt");
      expect(list.includes("__kvm_tlb_flush_vmid_ipa ")).toBe(mode === "VHE");
    });
  }

  it("goes by what the user says of the mode", () => {
    onHost({ kvmLog: "" });
    host.run(record({ mode: "nvhe" }), "-o", host.out, "run", "true");
    expect(host.saved("capture.json")).toContain('"mode": "nVHE"');
    expect(host.saved("capture.json")).toContain('"mode_from": "given"');
  });

  it("names what a release that nobody looked at lacks", () => {
    onHost({ kernel: "7.9.1" });
    host.run(record({ kernel: "7.9" }), "-o", host.out, "run", "true");
    const list = host.saved("kprobes.txt");
    expect(list).toContain(
      "p:kvm_s2/unmap kvm_pgtable_stage2_unmap pgt=%x0:x64 addr=%x1:x64 size=%x2:x64\n",
    );
    expect(list).toContain("# unmap is without mmu: where the kernel keeps it is not known\n");
    expect(list).toMatch(/^SKIPPED commit_region kvm_arch_commit_memory_region .*not known/m);
  });

  it("goes over several calls of the script", () => {
    onHost();
    expect(host.run(record(), "-o", host.out, "start").code).toBe(0);
    expect(fs.readFileSync(path.join(host.instance, "tracing_on"), "utf8")).toBe("1\n");
    expect(host.run(check(), host.out)).toMatchObject({ code: 1 });
    const second = host.run(record(), "-o", path.join(host.root, "second"), "start");
    expect(second).toMatchObject({ code: 1 });
    expect(second.err).toContain("another recording runs");
    expect(host.run(record(), "-o", host.out, "stop").code).toBe(0);
    expect(fs.existsSync(path.join(host.out, ".recording"))).toBe(false);
    expectClean();
    expect(host.run(check(), host.out).code).toBe(0);
  });

  it("is cleaned away by `clean` after a kill", () => {
    onHost();
    host.run(record(), "-o", host.out, "start");
    fs.rmSync(host.out, { recursive: true });
    expect(host.liveProbes().length).toBe(40);
    expect(host.run(record(), "clean").code).toBe(0);
    expect(fs.existsSync(host.instance)).toBe(false);
    expect(host.liveProbes()).toEqual(["p:other/theirs vfs_read"]);
  });

  it("passes a command's words, standard input and status on", () => {
    onHost();
    const proof = path.join(host.root, "proof");
    const words = ["run", "sh", "-c", 'printf "%s|" "$@" >"$0"; exit 9', proof, "a b", "$x'\""];
    const outcome = host.run(record(), "-o", host.out, ...words);
    expect(outcome.code).toBe(0);
    expect(outcome.err).toContain("the command ended with status 9");
    expect(fs.readFileSync(proof, "utf8")).toBe(`a b|$x'"|`);
    expect(host.saved("capture.json")).toContain('"workload_status": 9');
  });

  it("saves a trace.dat where trace-cmd can make one", () => {
    onHost({ traceCmd: 'while [ "$1" != -o ]; do shift; done; echo "$*" >"$2"' });
    expect(host.run(record(), "-o", host.out, "run", "true").code).toBe(0);
    expect(host.saved("trace.dat")).toMatch(/^-o .*\.trace\.dat\.partial$/m);
    host.remove();
    onHost({ traceCmd: 'while [ "$1" != -o ]; do shift; done; echo half >"$2"; exit 1' });
    const outcome = host.run(record(), "-o", host.out, "run", "true");
    expect(outcome.code).toBe(0);
    expect(outcome.err).toContain("warning: trace-cmd could not extract");
    expect(fs.readdirSync(host.out).filter((name) => name.includes("dat"))).toEqual([]);
  });

  it("probes KVM's module on x86", () => {
    const functions = ["kvm_flush_remote_tlbs [kvm]", "clear_dirty_pt_masked.constprop.0 [kvm]"];
    onHost({ functions, machine: "x86_64", kernel: "6.12.95+deb12-amd64" });
    const outcome = host.run(record({ arch: "x86" }), "-o", host.out, "run", "true");
    expect(outcome.err).toContain("saved in");
    expect(host.writtenProbes()).toEqual([
      "p:kvm_x/kvm_flush_remote_tlbs kvm:kvm_flush_remote_tlbs kvm=%di:x64",
    ]);
    expect(host.saved("kprobes.txt")).toMatch(
      /^SKIPPED clear_dirty_pt_masked .*constprop\.0 exists/m,
    );
    expectClean();
  });

  it("gives a command its own standard input", () => {
    onHost();
    const proof = path.join(host.root, "proof");
    const words = ["run", "sh", "-c", 'cat >"$0"', proof];
    expect(host.runWithInput("typed\n", record(), "-o", host.out, ...words).code).toBe(0);
    expect(fs.readFileSync(proof, "utf8")).toBe("typed\n");
  });

  it("sizes the buffers for the busiest CPU, within the memory allowed", () => {
    onHost();
    host.run(record(), "-o", host.out, "seconds", "1");
    // 20,000 events of 46 bytes in one second: 898 KiB, and 64 to spare.
    expect(host.saved("capture.json")).toContain('"buffer_size_kb": "962"');
    host.remove();
    onHost();
    const tight = host.run(record({ memory: "1M" }), "-o", host.out, "seconds", "1");
    expect(host.saved("capture.json")).toContain('"buffer_size_kb": "512"');
    expect(tight.err).toContain("warning: 962 KiB for each of 2 CPUs");
  });

  it("follows one process where it is told to, and says so", () => {
    onHost();
    const outcome = host.run(record({ pid: String(process.pid) }), "-o", host.out, "run", "true");
    expect(outcome.code).toBe(0);
    expect(host.saved("capture.json")).toContain(`"pid_filter": ${process.pid}`);
    expect(host.run(check(), host.out).out).toContain("only one process was recorded");
  });
});
