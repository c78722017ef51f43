import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Diagnostics } from "../../ingest/diagnostics.ts";
import { openTrace } from "../../ingest/open-trace.ts";
import type { PathName } from "../paths.ts";
import { Replay, type ReplayResult } from "../replay.ts";
import { modelOf } from "../testing/refills-of.ts";
import { FlushTimeline } from "./flush-timeline.ts";
import { type TimelineResult, timelineResult } from "./timeline-rows.ts";

const CAPTURES = fileURLToPath(new URL("../../fixtures/captures/", import.meta.url));
const NAMES = readdirSync(CAPTURES).filter((name) => !/16k|perf|nv-|nvhe/.test(name));
const POLICIES = ["range-6.9", "pgtable-5.10", "legacy-5.8"];

interface Followed {
  readonly result: ReplayResult;
  readonly timeline: TimelineResult;
}

async function follow(name: string): Promise<Followed> {
  const reader = await openTrace(`${CAPTURES}${name}/trace.txt.gz`);
  const { config } = modelOf(POLICIES);
  const timeline = new FlushTimeline(config);
  const replay = new Replay(config, reader.pointers, new Diagnostics("x"), undefined, timeline);
  for await (const batch of reader.batches()) replay.consume(batch);
  const result = replay.finish();
  return { result, timeline: timelineResult(timeline, reader.names, result.primitivesRecorded) };
}

type Sums = Record<string, readonly number[]>;

function sumsOf(
  rows: readonly {
    policy: string;
    path: PathName;
    primitive: string;
    calls: number;
    tlbi: number;
    dsb: number;
    unknown_calls: number;
  }[],
): Sums {
  const sums: Record<string, [number, number, number, number]> = {};
  for (const { policy, path, primitive, calls, tlbi, dsb, unknown_calls } of rows) {
    const sum = (sums[`${policy} ${path} ${primitive}`] ??= [0, 0, 0, 0]);
    sum[0] += calls;
    sum[1] += tlbi;
    sum[2] += dsb;
    sum[3] += unknown_calls;
  }
  return sums;
}

describe("the timeline of a capture", () => {
  it.each(NAMES)("%s: adds up to the flushes table", async (name) => {
    const { result, timeline } = await follow(name);
    expect(sumsOf(timeline.timeline)).toEqual(sumsOf(result.flushes));
    expect(timeline.timeline.length).toBeGreaterThan(0);
  });
});
