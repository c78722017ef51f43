/** The tracepoints of x86 KVM in each form in which a text has them; the lines are from real traces. */
import { describe, expect, it } from "vitest";
import { createEventBatch } from "../events/columns.ts";
import { emptyBatch } from "../events/rows.ts";
import type { X86TracepointText } from "../vocabulary/x86-tracepoints.ts";
import { literal } from "./bytes.ts";
import { tracepointText } from "./ftrace-text/field-tracepoints.ts";
import { LaidOutText } from "./laid-out-text.ts";

const reader = new LaidOutText();

function read(
  text: X86TracepointText,
  line: string,
  form: "text" | "fields" = "text",
): Readonly<Record<string, number | string>> | undefined {
  const batch = createEventBatch(1);
  emptyBatch(batch, 1);
  // What is read may look behind the end of the line.
  const bytes = literal(`${line}\n0123456789abcdef`);
  const isRead =
    form === "text"
      ? reader.read(text, bytes, 0, line.length, batch, 0)
      : reader.readFields(text, bytes, 0, line.length, batch, 0);
  if (!isRead) return undefined;
  const found: Record<string, number | string> = {};
  for (const name of ["addr", "phys", "arg0", "arg1", "arg2", "arg3"] as const) {
    if (!Number.isNaN(batch[name][0]!)) found[name] = batch[name][0]!;
  }
  const prot = (BigInt(batch.protHigh[0]!) << 32n) | BigInt(batch.prot[0]!);
  return prot === 0n ? found : { ...found, prot: prot.toString(16) };
}

const FROZEN = {
  addr: 0x100001,
  arg0: 1,
  arg1: 0x03a0_1e65,
  arg2: 1,
  arg3: 0,
  prot: "80000000000001a0",
};

describe("kvm_tdp_mmu_spte_changed", () => {
  it("is read from the kernel's text, frames in hexadecimal without 0x", () => {
    const line = "as id 0 gfn 100001 level 1 old_spte 103a01e65 new_spte 80000000000001a0";
    expect(read("spteChanged", line)).toEqual(FROZEN);
    expect(read("spteChanged", "as id 1 gfn 0 level 5 old_spte 0 new_spte 102995827")).toEqual({
      addr: 0,
      arg0: 5,
      arg1: 0,
      arg2: 0,
      arg3: 1,
      prot: "102995827",
    });
  });

  it("is read from its fields, as trace-cmd report -R and the option `fields` print them", () => {
    const raw = "gfn=100001 old_spte=103a01e65 new_spte=80000000000001a0 level=1 as_id=0";
    expect(read("spteChanged", raw, "fields")).toEqual(FROZEN);
    const fields = new Map([
      ["gfn", "0x100001"],
      ["old_spte", "0x103a01e65"],
      ["new_spte", "0x80000000000001a0"],
      ["level", "0x1"],
      ["as_id", "0x0"],
    ]);
    expect(read("spteChanged", tracepointText("spteChanged", fields)!)).toEqual(FROZEN);
    fields.delete("level");
    expect(tracepointText("spteChanged", fields)).toBeUndefined();
  });

  it("is not read where a field is missing or no number", () => {
    expect(read("spteChanged", "as id 0 gfn 100001 level 1 old_spte 103a01e65")).toBeUndefined();
    expect(read("spteChanged", "as id 0 gfn q level 1 old_spte 1 new_spte 2")).toBeUndefined();
    const beyond = "as id 0 gfn ffffffffffffffff level 1 old_spte 1 new_spte 2";
    expect(read("spteChanged", beyond)).toBeUndefined();
  });
});

describe("the other tracepoints", () => {
  it.each([
    [
      "setSpte",
      "gfn 100000 spte 104400ce7 (rwxu) level 2 at 106c37000",
      { addr: 0x10_0000, prot: "104400ce7", arg0: 2, phys: 0x1_06c3_7000 },
    ],
    [
      "splitHugePage",
      "gfn 100200 spte 104400ee5 level 2 errno -11",
      { addr: 0x10_0200, prot: "104400ee5", arg0: 2, arg1: -11 },
    ],
    ["pageFault", "address 100000000 error_code 7", { addr: 0x1_0000_0000, arg1: 7, arg2: 0 }],
    [
      "pageFault",
      "vcpu 3 rip 0x1001b address 0x0000000100200000 error_code 0x200000006",
      { arg3: 3, addr: 0x1_0020_0000, arg1: 6, arg2: 2 },
    ],
    [
      "fastPageFault",
      "vcpu 0 gva 100001000 error_code P|W|U sptep 00000000f2f5 old 0x102601e65 new 102601e67 spurious 0 fixed 1",
      { arg3: 0, addr: 0x1_0000_1000, arg1: 0x0260_1e65, arg2: 1, prot: "102601e67" },
    ],
  ] as const)("%s", (text, line, columns) => {
    expect(read(text, line)).toEqual(columns);
  });
});
