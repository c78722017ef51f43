/**
 * `fixtures/layouts`: what a kernel prints under each option and clock. The counts are the kernel's own
 * (`entries-in-buffer`), or those of the lines behind the header; each event is held against a slow reading.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { checkLayouts, readLayout } from "./layout-checks.ts";
import { readSlowly } from "./slow-lines.ts";

const FOLDER = fileURLToPath(new URL("../../fixtures/layouts/", import.meta.url));

const DEFAULT = "default layout, irq-info on (5 letters), no TGID column";
const TGID = "default layout, irq-info on (5 letters), TGID column";
const LATENCY = "latency format, 5 flag letters, times count from the buffer's start";
const TICKS = ", clock in ticks (1 tick taken for 1 ns)";
/** One marker of the workload prints two lines more, one of them a forged event. */
const FORGED = { MARKER_CONTINUED: 2 };
/** A header that is cut off its text announces more entries than there are. */
const CUT = { TRUNCATED: 1 };
const ASSUMED = { ASSUMED: 1 };

interface Expected {
  readonly events: number;
  readonly layout: string;
  readonly counts?: Readonly<Record<string, number>>;
}

const READ: Readonly<Record<string, Expected>> = {
  "kvmx86-clock_counter": { events: 238, layout: DEFAULT + TICKS, counts: { ...CUT, ...ASSUMED } },
  "kvmx86-clock_mono": { events: 238, layout: DEFAULT, counts: CUT },
  "kvmx86-clock_x86-tsc": { events: 238, layout: DEFAULT + TICKS, counts: { ...CUT, ...ASSUMED } },
  "kvmx86-default": { events: 238, layout: DEFAULT, counts: CUT },
  "kvmx86-fields": { events: 238, layout: `${DEFAULT}, fields option`, counts: CUT },
  "kvmx86-latency": { events: 232, layout: LATENCY, counts: CUT },
  "kvmx86-latency_verbose": { events: 241, layout: "verbose latency format", counts: CUT },
  "kvmx86-noirq": {
    events: 244,
    layout: "default layout, no irq-info, no TGID column",
    counts: CUT,
  },
  "kvmx86-nooverwrite": { events: 238, layout: DEFAULT, counts: CUT },
  "kvmx86-overwritten": {
    events: 238,
    layout: DEFAULT,
    counts: { ...CUT, EVENTS_OVERWRITTEN: 25_548 - 8147 },
  },
  "kvmx86-pipe_lost": {
    events: 250,
    layout: "default layout without header, irq-info on (5 letters), no TGID column",
  },
  "kvmx86-subbuf64k": { events: 238, layout: DEFAULT, counts: CUT },
  "kvmx86-trace-cmd-report": { events: 249, layout: "no flags column, times in microseconds" },
  // Events of a comm with a line end, and texts that print that comm.
  "sched-adv": { events: 158, layout: DEFAULT, counts: { TEXT_CONTINUED: 7 } },
  "sched-clock_boot": { events: 190, layout: TGID, counts: FORGED },
  "sched-clock_counter": { events: 197, layout: TGID + TICKS, counts: { ...FORGED, ...ASSUMED } },
  "sched-clock_global": { events: 220, layout: TGID, counts: FORGED },
  "sched-clock_local": { events: 170, layout: TGID },
  "sched-clock_mono": { events: 208, layout: TGID, counts: FORGED },
  "sched-clock_mono_raw": { events: 227, layout: TGID, counts: FORGED },
  "sched-clock_perf": { events: 198, layout: TGID, counts: FORGED },
  "sched-clock_tai": { events: 157, layout: TGID, counts: FORGED },
  "sched-clock_uptime": { events: 200, layout: TGID + TICKS, counts: { ...FORGED, ...ASSUMED } },
  "sched-clock_x86-tsc": { events: 215, layout: TGID + TICKS, counts: { ...FORGED, ...ASSUMED } },
  "sched-default": { events: 182, layout: DEFAULT, counts: FORGED },
  // The kernel prints no text of a marker here, so nothing is continued.
  "sched-fields": { events: 205, layout: `${TGID}, fields option` },
  "sched-inst_func": { events: 0, layout: "default layout, no event seen" },
  "sched-inst_overwritten": {
    events: 767,
    layout: DEFAULT,
    counts: { EVENTS_OVERWRITTEN: 66_735 - 767, BUFFER_STARTED_LATE: 1 },
  },
  "sched-inst_stack": {
    events: 497,
    layout: DEFAULT,
    counts: { EVENTS_OVERWRITTEN: 1746 - 497, BUFFER_STARTED_LATE: 1 },
  },
  "sched-latency": { events: 205, layout: LATENCY, counts: FORGED },
  "sched-latency_verbose": { events: 205, layout: "verbose latency format", counts: FORGED },
  "sched-noirq": {
    events: 182,
    layout: "default layout, no irq-info, no TGID column",
    counts: FORGED,
  },
  "sched-noirq_tgid": {
    events: 205,
    layout: "default layout, no irq-info, TGID column",
    counts: FORGED,
  },
  "sched-noirq_tgid_notrec": { events: 180, layout: "default layout, no irq-info, TGID column" },
  "sched-tgid": { events: 205, layout: TGID, counts: FORGED },
  "sched-tsc_lat": { events: 215, layout: LATENCY + TICKS, counts: { ...FORGED, ...ASSUMED } },
  "sched-tsc_latv": {
    events: 215,
    layout: `verbose latency format${TICKS}`,
    counts: { ...FORGED, ...ASSUMED },
  },
  "sched-verbose": { events: 153, layout: TGID },
};

const REFUSED: Readonly<Record<string, string>> = {
  "kvmx86-raw": "only the numbers of the event types",
  "sched-bpf": "the output of bpftrace",
  "sched-hex": "only the numbers of the event types",
  "sched-nocontext": "no time, no CPU and no pid",
  "sched-raw": "only the numbers of the event types",
};

const fixture = (name: string): string => `${FOLDER}${name}.txt.gz`;

describe("the layouts of real files", () => {
  it("are all in the tables", () => {
    const names = readdirSync(FOLDER).filter((name) => name.endsWith(".txt.gz"));
    const known = [...Object.keys(READ), ...Object.keys(REFUSED)].sort();
    expect(names.map((name) => name.replace(".txt.gz", "")).sort()).toEqual(known);
  });

  for (const [name, { events, layout, counts = {} }] of Object.entries(READ)) {
    it(`are read event by event: ${name}`, async () => {
      const reading = await readLayout(fixture(name));
      expect(reading.problems).toEqual([]);
      expect(reading.info).toMatchObject({ events, layout });
      expect(reading.events).toHaveLength(events);
      expect(Object.fromEntries(reading.counts)).toEqual(counts);
    });
  }

  for (const [name, reason] of Object.entries(REFUSED)) {
    it(`are refused with the reason: ${name}`, async () => {
      const { refusal } = await readLayout(fixture(name));
      expect(refusal?.message).toContain(reason);
      expect(refusal?.hint).toBeDefined();
    });
  }
});

describe("one buffer in several layouts", () => {
  /** Written by the kernel one after the other from the same ring buffer. */
  const SAME = ["sched-tgid", "sched-noirq_tgid", "sched-latency_verbose", "sched-fields"];

  it("gives the same events", async () => {
    const tgid = await readLayout(fixture("sched-tgid"));
    for (const name of SAME) {
      const { events } = await readLayout(fixture(name));
      const named = events.map((event) => ({
        ...event,
        name: event.name === "print" ? "tracing_mark_write" : event.name,
      }));
      expect(named).toEqual(tgid.events);
    }
  });
});

describe("raw and hex layouts with the formats of the same boot beside them", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "layouts-"));
    mkdirSync(path.join(directory, "format/sched"), { recursive: true });
    writeFileSync(
      path.join(directory, "format/sched/sched_switch"),
      'name: sched_switch\nID: 372\nformat:\n\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\nprint fmt: ""\n',
    );
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("are the events of the other layouts, with more digits of their times", async () => {
    const tgid = await readLayout(fixture("sched-tgid"));
    for (const name of ["sched-raw", "sched-hex"]) {
      cpSync(fixture(name), path.join(directory, `${name}.txt.gz`));
      const reading = await readLayout(path.join(directory, `${name}.txt.gz`));
      expect(reading.problems).toEqual([]);
      expect(reading.info?.layout).toContain("event types by format/");
      // The text layouts round to µs.
      const rounded = reading.events.map((event) => ({
        ...event,
        time: ((event.time + 500n) / 1000n) * 1000n,
      }));
      expect(rounded).toEqual(tgid.events);
    }
  });

  it("say which numbers nothing names", async () => {
    cpSync(fixture("kvmx86-raw"), path.join(directory, "trace.txt.gz"));
    const { counts, problems, info } = await readLayout(path.join(directory, "trace.txt.gz"));
    expect(problems).toEqual([]);
    expect(info?.events).toBe(238);
    expect(info?.eventsByName.get("type 82")).toBe(3);
    expect(counts.get("MISSING_ARGUMENT")).toBe(238);
  });
});

describe("the suite over a folder of layouts", () => {
  it("passes for the fixtures", async () => {
    const results = await checkLayouts(FOLDER);
    expect(results).toHaveLength(Object.keys(READ).length + Object.keys(REFUSED).length);
    expect(results.flatMap(({ problems }) => problems)).toEqual([]);
  });

  it("finds an event that the two readings have differently", async () => {
    const directory = mkdtempSync(path.join(tmpdir(), "layouts-"));
    const event = "               a-1       [000] d....     1.000001: x: y\n";
    // No kernel prints seven decimals; the slow reading takes any number of them.
    writeFileSync(path.join(directory, "a.txt"), event + event.replace("1.000001", "1.0000012"));
    const [result] = await checkLayouts(directory);
    rmSync(directory, { recursive: true });
    expect(result?.problems).toEqual(["1 events instead of 2 (default layout)"]);
  });

  it("reads slowly what a line end in a comm splits", () => {
    const text = "             a\nb-7       [001] d....     1.000001: x: y\n";
    expect(readSlowly(text).events).toEqual([{ pid: 7, cpu: 1, time: 1_000_001_000n, name: "x" }]);
  });
});
