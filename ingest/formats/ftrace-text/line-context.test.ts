import { describe, expect, it } from "vitest";

import { findPidDash, LineContext, PID_DASH_COLUMN } from "./line-context.ts";

function read(line: string): Record<string, unknown> | undefined {
  const context = new LineContext();
  const bytes = Buffer.from(line, "latin1");
  if (!context.read(bytes, PID_DASH_COLUMN, bytes.length)) return undefined;
  const { pid, cpu, whole, fractionNs, isTicks, flagLetters, hasTgid } = context;
  return {
    pid,
    cpu,
    whole,
    fractionNs,
    isTicks,
    flagLetters,
    hasTgid,
    body: line.slice(context.bodyStart),
  };
}

const plain = {
  pid: 599,
  cpu: 0,
  whole: 34,
  fractionNs: 356_477_000,
  isTicks: false,
  hasTgid: false,
  body: "x: y",
};

describe("LineContext", () => {
  it("reads the default layout", () => {
    expect(read(" kvm_page_table_-599     [000] d....    34.356477: x: y")).toEqual({
      ...plain,
      flagLetters: 5,
    });
  });

  it("reads four and eight letters and none", () => {
    expect(read(" kvm_page_table_-599     [000] d...    34.356477: x: y")).toEqual({
      ...plain,
      flagLetters: 4,
    });
    expect(read(" kvm_page_table_-599     [000] dNLh3.12    34.356477: x: y")).toEqual({
      ...plain,
      flagLetters: 8,
    });
    expect(read(" kvm_page_table_-599     [000]     34.356477: x: y")).toEqual({
      ...plain,
      flagLetters: 0,
    });
  });

  it("reads a TGID column, known or not", () => {
    const tgid = { ...plain, flagLetters: 5, hasTgid: true };
    expect(read(" kvm_page_table_-599     (    599) [000] d....    34.356477: x: y")).toEqual(tgid);
    expect(read(" kvm_page_table_-599     (-------) [000] d....    34.356477: x: y")).toEqual(tgid);
  });

  it("reads bare ticks, nanoseconds and large clocks exactly", () => {
    const tsc = read("               g-23317   [000] d..1. 8056921455023: x: y");
    expect(tsc).toMatchObject({ whole: 8056921455023, isTicks: true, fractionNs: 0 });
    const tai = read("         python3-12716   [001] d..2. 1795182104.551297123: x: y");
    expect(tai).toMatchObject({ whole: 1795182104, fractionNs: 551_297_123, isTicks: false });
  });

  it("reads pids and CPUs that are wider than their columns", () => {
    const wide = read("            qemu-12345678 [1023] d....     1.000000: x: y");
    expect(wide).toMatchObject({ pid: 12345678, cpu: 1023 });
  });

  it("is not misled by what a comm holds", () => {
    const comms = [
      "-1 [0] 1.0: x:",
      "a b-c [1] d",
      "CPU:0 [LOST 5",
      "#",
      "1:2-3",
      "\u001b[31mred",
      "é-1 [000] 5",
      "=> kfree",
      "\t-7  [001] ..",
    ];
    for (const comm of comms) {
      const line = `${comm.padStart(16)}-42      [003] d....     2.000001: map: z`;
      expect(read(line), comm).toMatchObject({
        pid: 42,
        cpu: 3,
        whole: 2,
        fractionNs: 1000,
        body: "map: z",
      });
    }
  });

  it("refuses lines that only resemble one", () => {
    const lines = [
      "           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION",
      "            comm-12      [000] d....     1.0: x: y",
      "            comm-12      [000] d....     1.000000 x: y",
      "            comm-12      [000] dq...     1.000000: x: y",
      "            comm-12      [000] d..     1.000000: x: y",
      "            comm-12      000 d....     1.000000: x: y",
      "            comm-99999999999 [000] d....     1.000000: x: y",
      "            comm-12      [99999] d....     1.000000: x: y",
      "           comm-12      [000] d....     1.000000: x: y",
      "            comm-12      [000] d....     99999999999999999: x: y",
      "comm-12",
      "",
    ];
    for (const line of lines) expect(read(line), line).toBeUndefined();
  });
});

function find(line: string): number {
  const bytes = Buffer.from(line, "latin1");
  return findPidDash(new LineContext(), bytes, 0, bytes.length);
}

describe("findPidDash", () => {
  it("finds the one place in a left-trimmed line", () => {
    expect(find("a b-c [1] d-12730   [001] d..2.   946.250000: x: y")).toBe(11);
  });

  it("says so where there is none, or more than one", () => {
    expect(find("nothing here")).toBe(-1);
    expect(find("a-1 [000] d....  1.000000: x: b-2 [000] d....  1.000000: y: z")).toBe(-2);
  });
});
