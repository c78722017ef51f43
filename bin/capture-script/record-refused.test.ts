import fs from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { FakeHost, type FakeHostOptions } from "./testing/fake-host.ts";
import { type Given, check, record } from "./testing/scripts.ts";

let host: FakeHost;
afterEach(() => {
  host.remove();
});

function onHost(options: FakeHostOptions = {}): FakeHost {
  host = new FakeHost(options);
  return host;
}

/** Nothing of ours is left in the kernel, and what others have there is as it was. */
function expectClean(): void {
  expect(fs.existsSync(host.instance)).toBe(false);
  expect(host.liveProbes()).toEqual(["p:other/theirs vfs_read"]);
  const left = fs.readdirSync(host.root).filter((name) => name.startsWith("tmp."));
  expect(left).toEqual([]);
}

describe("a recording that cannot be made", () => {
  const refused: readonly (readonly [string, FakeHostOptions, Given, RegExp])[] = [
    ["without root", { uid: 1000 }, {}, /needs root/],
    [
      "on another release",
      { kernel: "6.1.0-5-arm64" },
      {},
      /made for Linux 6\.12, this is 6\.1\.0-5/,
    ],
    ["on another machine", {}, { arch: "x86" }, /made for x86, this is aarch64/],
    ["where the mode is not told", { kvmLog: "" }, {}, /cannot tell VHE from nVHE/],
    ["for a process that is not there", {}, { pid: "4194304" }, /there is no process 4194304/],
  ];
  for (const [what, options, given, message] of refused) {
    it(`is refused ${what}, and leaves nothing`, () => {
      onHost(options);
      const outcome = host.run(record(given), "-o", host.out, "run", "true");
      expect(outcome.err).toMatch(message);
      expect(outcome.code).toBe(1);
      expect(fs.existsSync(path.join(host.out, "capture.json"))).toBe(false);
      expectClean();
    });
  }

  it("leaves nothing where the kernel refuses a setting", () => {
    onHost();
    fs.rmSync(path.join(host.template, "buffer_size_kb"));
    fs.mkdirSync(path.join(host.template, "buffer_size_kb"));
    const outcome = host.run(record(), "-o", host.out, "run", "true");
    expect(outcome.err).toContain("no memory for");
    expect(outcome.code).toBe(1);
    expectClean();
  });

  it("leaves nothing where probes cannot be enabled", () => {
    onHost();
    fs.rmSync(path.join(host.template, "events/kvm_s2/enable"));
    fs.mkdirSync(path.join(host.template, "events/kvm_s2/enable"));
    const outcome = host.run(record(), "-o", host.out, "run", "true");
    expect(outcome.err).toContain("the probes could not be enabled");
    expect(outcome.code).toBe(1);
    expect(host.writtenProbes().length).toBe(39);
    expectClean();
  });

  it("does not touch probes of its group that are another's", () => {
    onHost();
    const file = path.join(host.tracefs, "kprobe_events");
    fs.writeFileSync(file, "p:kvm_s2/mine kvm_free_stage2_pgd\n");
    const outcome = host.run(record(), "-o", host.out, "run", "true");
    expect(outcome.err).toContain("there are probes of group kvm_s2 already");
    expect(host.liveProbes()).toEqual(["p:kvm_s2/mine kvm_free_stage2_pgd"]);
    expect(fs.existsSync(host.instance)).toBe(false);
  });

  it("does not write over another recording", () => {
    onHost();
    expect(host.run(record(), "-o", host.out, "run", "true").code).toBe(0);
    host.forgetProbes();
    const again = host.run(record(), "-o", host.out, "run", "true");
    expect(again).toMatchObject({ code: 1 });
    expect(again.err).toContain("holds a recording already");
  });

  it("shows its usage for anything else", () => {
    onHost();
    const outcome = host.run(record());
    expect(outcome.code).toBe(2);
    expect(outcome.err).toContain("Usage: record.sh");
  });

  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGINT", 130],
    ["SIGHUP", 129],
  ] as const) {
    it(`removes everything on ${signal} and saves nothing`, async () => {
      onHost();
      const flag = path.join(host.root, "running");
      const words = ["-o", host.out, "run", "sh", "-c", `: >'${flag}'; exec sleep 60`];
      const outcome = await host.interrupt(record(), words, flag, signal);
      expect(outcome.code).toBe(code);
      expect(outcome.err).toContain("nothing is saved");
      expect(fs.existsSync(path.join(host.out, "trace.txt"))).toBe(false);
      expect(host.run(check(), host.out).code).toBe(1);
      expectClean();
    });
  }
});
