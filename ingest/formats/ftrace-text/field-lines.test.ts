import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { openTrace } from "../../open-trace.ts";
import { eventLine, readAll, type ReadTrace, readText } from "../../testing/read-text.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "fields-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const UNMAP_IP = "__probe_ip=0xffff80008009f688 (-140735340218744)";
const UNMAP = `unmap: ${UNMAP_IP} pgt=0xfff00000c112bcc0 (-4503596388139840) addr=0x180000 (1572864) size=0x1000 (4096)`;
const KALLSYMS =
  "ffff800080060ab8 t stage2_apply_range\nffff80008009f688 T kvm_pgtable_stage2_unmap\n";

async function read(bodies: readonly string[], beside: Record<string, string>): Promise<ReadTrace> {
  for (const [name, text] of Object.entries(beside)) await writeFile(join(directory, name), text);
  await writeFile(join(directory, "trace.txt"), bodies.map((body) => eventLine(body)).join(""));
  return readAll(await openTrace(join(directory, "trace.txt")));
}

const unmapRow = { kind: "unmap", pgt: "0xfff00000c112bcc0", addr: 0x180000, len: 0x1000 };

describe("the option fields", () => {
  it("finds the function by its address", async () => {
    const { rows, counts, info } = await read([UNMAP], { "kallsyms.txt": KALLSYMS });
    expect(rows).toMatchObject([unmapRow]);
    expect(counts).toEqual({});
    expect(info.layout).toContain("fields option (functions by the saved kallsyms)");
  });

  it("finds the function by the probe list", async () => {
    for (const name of ["kprobes.txt", "kprobe_events", "dynamic_events"]) {
      const list = "p:kvm_s2/unmap kvm_pgtable_stage2_unmap pgt=%x0:x64\n";
      const { rows, info } = await read([UNMAP], { [name]: list });
      expect(rows).toMatchObject([unmapRow]);
      expect(info.layout).toContain("(functions by the saved probe list)");
      await rm(join(directory, name));
    }
  });

  it("counts a probe that the two name differently, and one that neither names", async () => {
    const list = "p:unmap kvm_pgtable_stage2_wrprotect\n";
    const { rows, counts, examples } = await read(
      [
        UNMAP,
        "other: __probe_ip=0xffff800080001234 (-1) pgt=0x1 (1)",
        "kvm_entry: vcpu_pc=0x1 (1)",
      ],
      { "kallsyms.txt": KALLSYMS, "kprobes.txt": list },
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["kvm_entry"]);
    expect(counts).toEqual({ UNPARSED_LINE: 2 });
    expect(examples[0]).toContain(
      "the probe unmap is defined on kvm_pgtable_stage2_wrprotect, and its address is that of kvm_pgtable_stage2_unmap (at 0xffff80008009f688)",
    );
    expect(examples[1]).toContain(
      "it is not known which function the probe other is on (at 0xffff800080001234)",
    );
  });

  it("does not take a name that two probes share for one of them", async () => {
    const list =
      "p:a/unmap kvm_pgtable_stage2_unmap\np:b/unmap kvm_pgtable_stage2_wrprotect\np:x f\n";
    const { rows, counts } = await read([UNMAP], { "kprobes.txt": list });
    expect(rows).toEqual([]);
    expect(counts).toEqual({ UNPARSED_LINE: 1 });
  });

  it("reads returns, symbols and single bytes", async () => {
    const { rows, counts } = await read(
      [
        "unmap_ret: __probe_func=0xffff80008009f688 (-1) __probe_ret_ip=0xffff800080060b90 (-1) ret=0xfffffff4 (-12)",
        "apply: __probe_ip=0xffff800080060ab8 (-1) mmu=0x10 (16) addr=0x0 (0) end=0x1000 (4096) fn=0xffff80008009f688 (-1) resched=(1)",
        "apply: __probe_ip=0xffff800080060ab8 (-1) mmu=0x10 (16) addr=0x0 (0) end=0x1000 (4096) fn=0xffff800080000000 (-1) resched=' '(32)",
      ],
      { "kallsyms.txt": KALLSYMS },
    );
    expect(rows).toMatchObject([
      { kind: "unmap_ret", arg0: -12 },
      { kind: "apply_range", mmu: "0x10", addr: 0, len: 0x1000, arg0: 1 },
      { kind: "apply_range", mmu: "0x10", addr: 0, len: 0x1000 },
    ]);
    // Which function was applied is not known: absent, and said.
    expect(rows[2]).not.toHaveProperty("arg0");
    expect(counts).toMatchObject({ UNKNOWN_ARGUMENT: expect.any(Number) });
  });

  it("does not guess the sign of one byte, nor where a text ends", async () => {
    const { rows, counts } = await read(
      [
        "hw: __probe_ip=0xffff80008009f688 (-1) pgt=0x1 (1) addr=0x0 (0) size=0x1 (1) name=a b size=0x2 (2)",
        "ret: __probe_func=0xffff80008009f688 (-1) __probe_ret_ip=0x1 (1) ret=(244)",
      ],
      { "kallsyms.txt": KALLSYMS },
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["other"]);
    expect(counts).toEqual({ UNPARSED_LINE: 1, BAD_NUMBER: 1 });
  });

  it("reads tracepoints and markers, which print no text, from standard input too", async () => {
    const bodies = [
      "kvm_guest_fault: vcpu_pc=0x4009a4 (1) hsr=0x82000085 (2181038213) hxfar=0x4009a4 (1) ipa=0x180000 (1572864)",
      "kvm_access_fault: ipa=0x1000 (4096)",
      "kvm_unmap_hva_range: start=0xffff81183000 (281472847589376) end=0xffff81184000 (281472847593472)",
      "kvm_age_hva: start=0x0 (0) end=0x1000 (4096)",
      "kvm_test_age_hva: hva=0x2000 (8192)",
      "kvm_userspace_exit: reason=0x6 (6) errno=0x0 (0)",
      "kvm_userspace_exit: reason=0x6 (6) errno=0xfffffffc (-4)",
      "kvm_dirty_ring_exit: vcpu_id=0x3 (3)",
      "UNKNOWN TYPE 5",
      "sched_switch: prev_comm=a b prev_pid=0x312f (12591)",
      "kvm_access_fault: what=0x1000 (4096)",
    ];
    const { rows, counts, info } = await readText(bodies.map((body) => eventLine(body)).join(""));
    expect(rows.map(({ kind, addr, len, arg0 }) => [kind, addr, len, arg0])).toEqual([
      ["guest_fault", 0x180000, undefined, 0x82000085],
      ["access_fault", 0x1000, undefined, undefined],
      ["unmap_hva", 0xffff81183000, 0x1000, undefined],
      ["age_hva", 0, 0x1000, undefined],
      ["test_age_hva", 0x2000, undefined, undefined],
      ["userspace_exit", undefined, undefined, 6],
      ["userspace_exit", undefined, undefined, -4],
      ["vcpu_event", undefined, undefined, 3],
      ["marker", undefined, undefined, undefined],
      ["other", undefined, undefined, undefined],
    ]);
    expect(counts).toEqual({ UNPARSED_LINE: 1 });
    expect(info.layout).toMatch(/fields option$/);
  });

  it("is read in the latency format too", async () => {
    const text = `${"kvm".padStart(8)}-599       0d.... 5us : kvm_access_fault: ipa=0x1000 (4096)\n`;
    const { rows, info } = await readText(text);
    expect(rows).toMatchObject([{ kind: "access_fault", addr: 0x1000 }]);
    expect(info.layout).toContain("latency format");
    expect(info.layout).toContain("fields option");
  });
});
