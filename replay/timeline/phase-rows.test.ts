import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openTrace } from "../../ingest/open-trace.ts";
import { createPhaseRecorder } from "../phases/create.ts";
import { observersOf } from "../observers.ts";
import { Replay, type ReplayResult } from "../replay.ts";
import { phaseConfig } from "../testing/phases-of.ts";
import { FlushTimeline } from "./flush-timeline.ts";
import { phaseRows, type TimelinePhaseRow } from "./phase-rows.ts";
import { type TimelineResult, timelineResult } from "./timeline-rows.ts";

const FIXTURES = fileURLToPath(new URL("../../fixtures/", import.meta.url));
const POLICIES = ["range-6.9", "pgtable-5.10"];

/** Calls of operations that are under way at the ends of a phase. */
const ACROSS = 2;

interface Followed {
  readonly rows: readonly TimelinePhaseRow[];
  readonly timeline: TimelineResult;
  readonly result: ReplayResult;
}

async function follow(file: string): Promise<Followed> {
  const reader = await openTrace(`${FIXTURES}${file}.txt.gz`);
  const config = phaseConfig(POLICIES);
  const timeline = new FlushTimeline(config);
  const phases = createPhaseRecorder(config, { kernel: undefined });
  const observer = observersOf([timeline, phases]);
  const replay = new Replay(config, reader.pointers, reader.diagnostics, undefined, observer);
  for await (const batch of reader.batches()) replay.consume(batch);
  const result = replay.finish();
  return {
    rows: phaseRows(phases, reader.baseNs, [...POLICIES, "recorded"]),
    timeline: timelineResult(timeline, reader.names, result.primitivesRecorded),
    result,
  };
}

function sum(all: readonly { policy: string; tlbi: number }[], policy: string): number {
  return all.filter((row) => row.policy === policy).reduce((total, { tlbi }) => total + tlbi, 0);
}

describe("phases on the timeline", () => {
  it("follow each other without gap, each once a policy", async () => {
    const { rows } = await follow("migrations/migc-cut-612");
    const own = rows.filter(({ policy }) => policy === "recorded");
    expect(own.map(({ phase, pass }) => `${phase}${pass ?? ""}`)).toEqual(
      rows
        .filter(({ policy }) => policy === "range-6.9")
        .map(({ phase, pass }) => `${phase}${pass ?? ""}`),
    );
    expect(own.map(({ phase }) => phase)).toContain("rollback");
    for (const [at, { end_ns }] of own.slice(0, -1).entries()) {
      expect(own[at + 1]!.start_ns).toBe(end_ns);
    }
    expect(own.every(({ start_ns }) => start_ns >= 0)).toBe(true);
  });

  it("count what the timeline counts, in the bins of their time", async () => {
    const { rows, timeline } = await follow("migrations/migc-cut-612");
    expect(new Set(rows.map(({ vm }) => vm)).size).toBe(1);
    for (const policy of POLICIES) {
      for (const { start_ns, end_ns, calls } of rows.filter((row) => row.policy === policy)) {
        const bins = timeline.timeline.filter((row) => row.policy === policy);
        const callsIn = (inside: (from: number, to: number) => boolean): number =>
          bins
            .filter((row) => inside(row.start_ns, row.start_ns + row.bin_ns))
            .reduce((total, row) => total + row.calls, 0);
        // Bins that a boundary cuts may be of either phase; so may an operation, which the phases count where
        // it began and the timeline where it ended.
        expect(calls + ACROSS).toBeGreaterThanOrEqual(
          callsIn((from, to) => from > start_ns && to <= end_ns),
        );
        expect(calls - ACROSS).toBeLessThanOrEqual(
          callsIn((from, to) => to > start_ns && from <= end_ns),
        );
      }
    }
  });

  it("add up to the flushes of the trace, where all of its VMs log", async () => {
    const { rows, result } = await follow("captures/s2-huge-612/trace");
    expect(new Set(rows.map(({ vm }) => vm)).size).toBe(2);
    for (const policy of POLICIES) {
      expect(sum(rows, policy), policy).toBe(sum(result.flushes, policy));
      expect(sum(rows, policy)).toBeGreaterThan(0);
    }
    // Recorded calls outside of any operation are of no VM.
    const left = sum(result.flushes, "recorded") - sum(rows, "recorded");
    expect(left).toBeGreaterThanOrEqual(0);
    expect(left).toBeLessThan(10);
  });

  it("are none where nothing was logged", async () => {
    const { rows } = await follow("captures/mms-4M-612/trace");
    expect(rows).toEqual([]);
  });
});

describe("stalls of kept operations", () => {
  it("have a price where each of their calls has one, and only there", async () => {
    const { timeline } = await follow("captures/s2-huge-612/trace");
    const priced = timeline.stalls.filter(({ stall_us_median }) => stall_us_median !== null);
    const relaxed = timeline.stalls.filter(
      ({ policy, path }) => policy === "recorded" && path === "relax",
    );
    expect(priced.length).toBeGreaterThan(50);
    for (const row of priced) {
      expect(row.stall_us_low!).toBeLessThanOrEqual(row.stall_us_median!);
      expect(row.stall_us_median!).toBeLessThanOrEqual(row.stall_us_high!);
      // No published flush takes less than 0.7 µs, or more than 50 µs and its contention.
      expect(row.stall_us_low!).toBeGreaterThan(0.7 * row.calls);
      expect(row.stall_us_high!).toBeLessThan(120 * (row.calls + row.unknown_calls));
    }
    // Local invalidations: no cost of them is published.
    expect(relaxed.every(({ stall_us_median }) => stall_us_median === null)).toBe(true);
  });
});
