import fs from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FakeHost } from "./testing/fake-host.ts";
import { check, record } from "./testing/scripts.ts";

const CHECK = check();

let host: FakeHost;
let folder: string;
beforeAll(() => {
  host = new FakeHost({});
  expect(host.run(record(), "-o", host.out, "run", "true").code).toBe(0);
});
afterAll(() => {
  host.remove();
});
beforeEach(() => {
  folder = path.join(host.root, "copy");
  fs.cpSync(host.out, folder, { recursive: true });
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true });
});

function edit(name: string, change: (text: string) => string): void {
  const file = path.join(folder, name);
  const text = fs.readFileSync(file, "utf8");
  const changed = change(text);
  expect(changed).not.toBe(text);
  fs.writeFileSync(file, changed);
}

const replace =
  (from: string | RegExp, to: string) =>
  (text: string): string =>
    text.replaceAll(from, to);

describe("the check of a recording", () => {
  it("finds a good one complete", () => {
    const { code, out } = host.run(CHECK, folder);
    expect(out).toBe(
      [
        "ok    12 needed probes registered",
        "ok    no probe missed a call",
        "ok    map 271, unmap 8, flush primitives 270 calls",
        "note  never called: split (no eager split); hw_vmid (no flush of a whole VMID)",
        "ok    no CPU lost an event",
        "ok    trace.txt is whole: 6940 events",
        "ok    created while this was recorded: 1 VM, with 1 tables",
        "ok    clock mono",
        "complete",
        `next: tlbi-replay check ${folder}`,
        "",
      ].join("\n"),
    );
    expect(code).toBe(0);
  });

  type Fault = readonly [string, string, (text: string) => string, number, RegExp];
  const faults: readonly Fault[] = [
    [
      "dropped events",
      "per_cpu_stats.txt",
      replace("dropped events: 0", "dropped events: 21351"),
      3,
      /^LOSS {2}the buffer was too small: cpu0 dropped events: 21351; cpu1 dropped/m,
    ],
    [
      "overruns",
      "per_cpu_stats.txt",
      replace(/^overrun: 0/gm, "overrun: 4"),
      3,
      /^LOSS .*cpu1 overrun: 4/m,
    ],
    [
      "missed returns",
      "kprobe_profile.txt",
      replace(/map_ret +271 +0/g, "map_ret 268 3"),
      3,
      /^LOSS {2}probes missed calls: map_ret 3/m,
    ],
    [
      "more calls than returns",
      "kprobe_profile.txt",
      replace(/map_ret +271 +0/g, "map_ret 268 0"),
      3,
      /^LOSS {2}map was called 271 times and returned 268/m,
    ],
    [
      "overwritten events",
      "trace.txt",
      replace("6940/6940", "6940/9000"),
      3,
      /^LOSS {2}2060 of 9000 events were overwritten/m,
    ],
    [
      "a trace cut within a line",
      "trace.txt",
      (text) => text.slice(0, -50),
      4,
      /^FAIL {2}trace\.txt is cut: it holds 69\d\d of 6940 events/m,
    ],
    [
      "a trace cut between lines",
      "trace.txt",
      (text) => text.replace(/[^\n]*\n$/, ""),
      4,
      /^FAIL {2}trace\.txt is cut: it holds 6939 of 6940/m,
    ],
    [
      "a trace without an event",
      "trace.txt",
      (text) => `${text.split("\n").slice(0, 11).join("\n")}\n`.replace("6940/6940", "0/0"),
      4,
      /^FAIL {2}trace\.txt holds no event/m,
    ],
    [
      "a trace without its header",
      "trace.txt",
      replace(/^#.*\n/gm, ""),
      4,
      /^FAIL {2}trace\.txt has no header/m,
    ],
    [
      "a VM that ran before",
      "trace.txt",
      replace(/ change=0 /g, " change=1 "),
      3,
      /^LOSS {2}no VM was created/m,
    ],
    [
      "another clock",
      "trace_clock.txt",
      () => "local [global] mono\n",
      4,
      /^FAIL {2}clock is 'global', not mono/m,
    ],
    [
      "a needed probe that is not there",
      "kprobes.txt",
      replace(/^p:kvm_s2\/wrprotect .*\n/gm, "ABSENT kvm_pgtable_stage2_wrprotect\n"),
      4,
      /^FAIL {2}probe wrprotect is not there: the kernel has no such function/m,
    ],
    [
      "a needed probe that was refused",
      "kprobes.txt",
      replace(/^p:kvm_s2\/(split .*)\n/gm, "SKIPPED $1  # refused by the kernel\n"),
      4,
      /^FAIL {2}probe split is not there: SKIPPED split .*refused/m,
    ],
    [
      "a map that was never called",
      "kprobe_profile.txt",
      replace(/^( *map) +271/gm, "$1 0"),
      4,
      /^FAIL {2}map was never called/m,
    ],
    [
      "primitives that were never seen",
      "kprobe_profile.txt",
      replace(/^( *hw_\w+) +\d+/gm, "$1 0"),
      4,
      /^FAIL {2}tables were unmapped and not one flush primitive/m,
    ],
    [
      "an mmu that is read from elsewhere",
      "trace.txt",
      replace(/( map: .* mmu=0x)\w+/g, "$1ffff000000000001"),
      4,
      /^FAIL {2}mmu= of map never is that of a flush/m,
    ],
    ["an empty file", "uname.txt", () => "", 4, /^FAIL {2}uname\.txt is missing or empty/m],
    ["pKVM", "capture.json", replace('"VHE"', '"pKVM"'), 4, /^FAIL {2}pKVM/m],
  ];
  for (const [what, name, change, verdict, finding] of faults) {
    it(`finds ${what}`, () => {
      edit(name, change);
      const { code, out } = host.run(CHECK, folder);
      expect(out).toMatch(finding);
      expect(code).toBe(verdict);
    });
  }

  type Doubt = readonly [string, string, (text: string) => string, RegExp];
  const doubts: readonly Doubt[] = [
    [
      "an mmu of 0x0",
      "trace.txt",
      replace(/( map: .* mmu=0x)\w+/g, "$10"),
      /^warn {2}mmu= is 0x0 in every map/m,
    ],
    [
      "a table more than VMs that were created",
      "trace.txt",
      (text) => text.replace(/( map: .* pgt=0x)\w{4}/, "$1aaaa"),
      /^warn {2}2 tables and only 1 VM created/m,
    ],
    [
      "a kernel log that has gone",
      "dmesg.kvm.txt",
      () => "",
      /^warn {2}the kernel log no longer tells/m,
    ],
    [
      "one process only",
      "capture.json",
      replace('"pid_filter": null', '"pid_filter": 7'),
      /^warn {2}only one process/m,
    ],
  ];
  for (const [what, name, change, finding] of doubts) {
    it(`only warns of ${what}`, () => {
      edit(name, change);
      const { code, out } = host.run(CHECK, folder);
      expect(out).toMatch(finding);
      expect(code).toBe(0);
    });
  }

  it("does without primitives under nVHE", () => {
    edit("capture.json", replace('"VHE"', '"nVHE"'));
    edit("kprobes.txt", replace(/^p:kvm_s2\/hw_.*\n/gm, ""));
    edit("kprobe_profile.txt", replace(/^ *hw_.*\n/gm, ""));
    const { code, out } = host.run(CHECK, folder);
    expect(out).toMatch(/^ok {4}8 needed probes registered/m);
    expect(out).toMatch(/^warn {2}nVHE: the flush primitives run at EL2/m);
    expect(code).toBe(0);
  });

  it("says when there is nothing to check", () => {
    fs.rmSync(path.join(folder, "capture.json"));
    expect(host.run(CHECK, folder)).toMatchObject({ code: 1, out: "" });
    expect(host.run(CHECK, path.join(host.root, "nowhere"))).toMatchObject({ code: 1 });
  });
});
