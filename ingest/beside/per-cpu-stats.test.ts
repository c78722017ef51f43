import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Diagnostics } from "../diagnostics.ts";
import { perCpuLossesOf, reportPerCpuLosses } from "./per-cpu-stats.ts";
import { readHostFacts } from "./read-host-facts.ts";

const stats = (overrun: number, dropped: number): string =>
  `entries: 89\noverrun: ${overrun}\ncommit overrun: 0\nbytes: 3812\noldest event ts:    34.356477\nnow ts:    34.926241\ndropped events: ${dropped}\nread events: 0\n`;

const prefixed = (name: string, text: string): string => text.replaceAll(/^(?=.)/gm, `${name}:`);

describe("perCpuLossesOf", () => {
  it("reads every way of putting the CPUs together", () => {
    const wanted = [
      { cpu: 0, dropped: 21_351, overrun: 0 },
      { cpu: 11, dropped: 0, overrun: 7 },
    ];
    const [first, other] = [stats(0, 21_351), stats(7, 0)];
    const texts = [
      `== cpu0\n${first}== cpu1\n${stats(0, 0)}== cpu11\n${other}`,
      `==> per_cpu/cpu0/stats <==\n${first}\n==> per_cpu/cpu11/stats <==\n${other}`,
      `CPU: 0\n${first}\nCPU: 11\n${other}`,
      prefixed("per_cpu/cpu0/stats", first) + prefixed("per_cpu/cpu11/stats", other),
    ];
    for (const text of texts) expect(perCpuLossesOf(text), text).toEqual(wanted);
  });

  it("tells no loss from no statistics, and knows when it does not know the CPU", () => {
    expect(perCpuLossesOf(stats(0, 0))).toEqual([]);
    expect(perCpuLossesOf("something else\n")).toBeUndefined();
    expect(perCpuLossesOf(stats(0, 3))).toEqual([{ cpu: undefined, dropped: 3, overrun: 0 }]);
    expect(perCpuLossesOf(stats(0, 3), 5)).toEqual([{ cpu: 5, dropped: 3, overrun: 0 }]);
  });
});

describe("reportPerCpuLosses", () => {
  const losses = [{ cpu: 0, dropped: 21_351, overrun: 9 }];
  const report = (entriesInBuffer?: number, entriesWritten?: number): Diagnostics => {
    const diagnostics = new Diagnostics("trace.txt");
    const info = { format: "ftrace-text", entriesInBuffer, entriesWritten };
    reportPerCpuLosses(losses, "stats", info, diagnostics);
    return diagnostics;
  };

  it("names the CPU even where the header says that nothing was lost", () => {
    const diagnostics = report(4193, 4193);
    expect(Object.fromEntries(diagnostics.counts())).toEqual({
      EVENTS_LOST: 21_351,
      EVENTS_OVERWRITTEN: 9,
    });
    expect(diagnostics.examples.map(({ detail }) => detail)).toEqual([
      "CPU 0: 21351 events found the buffer full (stats)",
      "CPU 0: 9 events were overwritten (stats)",
    ]);
    expect(diagnostics.hasDataLoss).toBe(true);
  });

  it("does not count again what the header counts", () => {
    expect(Object.fromEntries(report(4193, 4202).counts())).toEqual({ EVENTS_LOST: 21_351 });
    expect(Object.fromEntries(report().counts())).toMatchObject({ EVENTS_OVERWRITTEN: 9 });
  });
});

describe("losses that the trace tells between its events", () => {
  const overwritten = [
    { cpu: 0, dropped: 0, overrun: 6623 },
    { cpu: 1, dropped: 7, overrun: 8428 },
  ];
  const report = (format: string, told: number): object => {
    const diagnostics = new Diagnostics("report.txt");
    if (told > 0) diagnostics.add("EVENTS_LOST", "told", 5, 0, told);
    const info = { format, entriesInBuffer: undefined, entriesWritten: undefined };
    reportPerCpuLosses(overwritten, "stats", info, diagnostics);
    return Object.fromEntries(diagnostics.counts());
  };

  it("are not counted twice", () => {
    // CPU:0 [6623 EVENTS DROPPED], CPU:1 [8428 EVENTS DROPPED]: all of them.
    expect(report("trace-cmd-report", 15_051)).toEqual({ EVENTS_LOST: 15_051 + 7 });
    // CPU:0 [EVENTS DROPPED], CPU:1 [EVENTS DROPPED]: at least one each.
    expect(report("trace-cmd-report", 2)).toEqual({
      EVENTS_LOST: 2 + 7,
      EVENTS_OVERWRITTEN: 15_051 - 2,
    });
    expect(report("ftrace-text", 0)).toEqual({ EVENTS_LOST: 7, EVENTS_OVERWRITTEN: 15_051 });
  });

  it("are not those of perf's own buffers", () => {
    expect(report("perf-script", 0)).toEqual({});
    expect(report("trace-dat", 0)).toEqual({});
  });
});

describe("statistics beside a trace", () => {
  let directory = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "stats-"));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it("are a fact with their origin", async () => {
    await writeFile(join(directory, "stats.cpu3"), stats(0, 5));
    await writeFile(join(directory, "per_cpu_stats.txt"), `== cpu0\n${stats(2, 0)}`);
    const { facts, notes } = await readHostFacts(join(directory, "trace.txt"));
    expect(notes).toEqual([]);
    expect(facts.perCpuLosses).toEqual({
      value: [
        { cpu: 0, dropped: 0, overrun: 2 },
        { cpu: 3, dropped: 5, overrun: 0 },
      ],
      origin: "per_cpu_stats.txt, stats.cpu3",
    });
  });

  it("are a note where they are something else", async () => {
    await writeFile(join(directory, "stats"), "no such thing\n");
    const { facts, notes } = await readHostFacts(join(directory, "trace.txt"));
    expect(facts.perCpuLosses).toBeUndefined();
    expect(notes).toEqual(["stats is not the statistics of a ring buffer and was not used"]);
  });
});
