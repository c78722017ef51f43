import { describe, expect, it } from "vitest";

import { NameTable } from "../../ingest/events/names.ts";
import { UNKNOWN_CPU } from "../../ingest/events/kinds.ts";
import { type EventRow, feedRows } from "../testing/rows.ts";
import { EventSurvey } from "./event-survey.ts";
import { KindCounts } from "./kind-counts.ts";
import { LossSurvey } from "./loss-survey.ts";

const at = (tsNs: number, rest: Partial<EventRow> = {}): EventRow => ({
  kind: "other",
  pid: 1,
  cpu: 0,
  tsNs,
  ...rest,
});
const lost = (cpu: number, count: number, tsNs: number): EventRow =>
  at(tsNs, { kind: "lost", pid: -1, cpu, arg0: count });

function surveyed(rows: readonly EventRow[]): EventSurvey {
  const survey = new EventSurvey();
  feedRows(rows, (batch) => survey.consume(batch));
  return survey;
}

describe("EventSurvey", () => {
  it("counts by kind and by CPU, without rows of losses", () => {
    const survey = surveyed([
      at(0),
      at(1, { kind: "map", cpu: 3 }),
      lost(0, 5, 1),
      at(2, { cpu: UNKNOWN_CPU }),
    ]);
    expect([...survey.byCpu()]).toEqual([
      [0, 1],
      [3, 1],
      [-1, 1],
    ]);
    expect(survey.byKind().get("map")).toBe(1);
    expect(survey.byKind().get("other")).toBe(2);
  });

  it("tells how fine the times are, from the base as well", () => {
    expect(surveyed([at(0), at(4_000), at(5_000_000)]).resolution(2_000n)).toBe("us");
    expect(surveyed([at(0), at(4_000)]).resolution(2_001n)).toBe("ns");
    expect(surveyed([at(0), at(4_001)]).resolution(0n)).toBe("ns");
    expect(surveyed([at(0), at(20_000_000)]).resolution(10_000_000n)).toBe("ms");
    expect(surveyed([at(0), at(2_000_000_000)]).resolution(0n)).toBe("s");
    expect(surveyed([at(0)]).resolution(1n)).toBe("unknown");
  });

  it("equal and backward times of neighbours", () => {
    const survey = surveyed([at(0), at(0), at(5), at(4), at(4)]);
    expect(survey.equalStampShare).toBe(0.5);
    expect(survey.backwards).toBe(1);
  });

  it("more names than it began with", () => {
    const names = new NameTable();
    const survey = new EventSurvey();
    feedRows(
      Array.from({ length: 200 }, (_, i) => at(i)),
      (batch) => {
        for (let row = 0; row < batch.length; row += 1) {
          batch.name[row] = names.idOf(`event${(batch.line[row]! * 7) % 150}`);
        }
        survey.consume(batch);
      },
    );
    const byName = survey.byName(names);
    expect(byName).toHaveLength(150);
    expect(byName[0]).toMatchObject({ kind: "other", count: 2 });
    expect(byName.reduce((sum, { count }) => sum + count, 0)).toBe(200);
  });
});

describe("KindCounts", () => {
  it("what stage2_apply_range was called for, where the probe tells it", () => {
    const counts = new KindCounts();
    const rows = [
      at(0, { kind: "apply_range", arg0: 1 }),
      at(1, { kind: "apply_range" }),
      at(2, { kind: "apply_range", arg0: 3 }),
    ];
    feedRows(rows, (batch) => counts.consume(batch));
    expect([...counts.applied()]).toEqual(["kvm_pgtable_stage2_unmap", "kvm_pgtable_stage2_flush"]);
    expect([...counts.byKind()]).toEqual([["apply_range", 3]]);
  });
});

function intervals(rows: readonly EventRow[]): LossSurvey["intervals"] {
  const survey = new LossSurvey();
  feedRows(rows, (batch) => survey.consume(batch));
  survey.finish();
  return survey.intervals;
}

describe("LossSurvey", () => {
  it("lies between the CPU's own events, not those of others", () => {
    const rows = [
      at(10, { cpu: 0 }),
      at(20, { cpu: 1 }),
      lost(1, 7, 20),
      at(30, { cpu: 0 }),
      at(40, { cpu: 1 }),
    ];
    expect(intervals(rows)).toEqual([{ cpu: 1, count: 7, fromNs: 20, toNs: 40, line: 3 }]);
  });

  it("of no CPU: up to the next event of any; a late buffer has no beginning", () => {
    const rows = [
      lost(UNKNOWN_CPU, 100, 0),
      at(10, { cpu: 0 }),
      lost(1, Number.NaN, 10),
      at(30, { cpu: 1 }),
    ];
    expect(intervals(rows)).toEqual([
      { cpu: undefined, count: 100, fromNs: undefined, toNs: 10, line: 1 },
      { cpu: 1, count: undefined, fromNs: undefined, toNs: 30, line: 3 },
    ]);
  });

  it("two with nothing between them are one; one at the end has no end", () => {
    const rows = [at(10), lost(0, 3, 10), lost(0, 4, 10), at(20), lost(0, 5, 20)];
    expect(intervals(rows)).toEqual([
      { cpu: 0, count: 7, fromNs: 10, toNs: 20, line: 2 },
      { cpu: 0, count: 5, fromNs: 20, toNs: undefined, line: 5 },
    ]);
  });

  it("keeps 256, counts all", () => {
    const survey = new LossSurvey();
    const rows = Array.from({ length: 300 }, (_, i) => [lost(0, 1, i), at(i)]).flat();
    feedRows(rows, (batch) => survey.consume(batch));
    survey.finish();
    expect(survey.count).toBe(300);
    expect(survey.intervals).toHaveLength(256);
  });
});
