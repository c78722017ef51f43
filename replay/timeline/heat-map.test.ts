import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Diagnostics } from "../../ingest/diagnostics.ts";
import { NameTable } from "../../ingest/events/names.ts";
import { Replay } from "../replay.ts";
import type { ReplayState } from "../state.ts";
import { anyStep, RandomGuest } from "../testing/random-guest.ts";
import { modelOf } from "../testing/refills-of.ts";
import { feedRows } from "../testing/rows.ts";
import { dumpTable } from "../testing/table-dump.ts";
import { GIB, KIB, MIB, Trace } from "../testing/trace-builder.ts";
import { FlushTimeline } from "./flush-timeline.ts";
import { type HeatTableRow, timelineResult } from "./timeline-rows.ts";

/** Keeps hold of what the timeline is attached to, so that a test can look into the tables. */
class WatchedTimeline extends FlushTimeline {
  state: ReplayState | undefined;

  override attach(state: ReplayState): void {
    super.attach(state);
    this.state = state;
  }
}

function follow(trace: Trace, policies: readonly string[]): WatchedTimeline {
  const { config } = modelOf(policies);
  const timeline = new WatchedTimeline(config);
  const replay = new Replay(config, trace.pointers, new Diagnostics("x"), undefined, timeline);
  feedRows(trace.rows, (batch) => replay.consume(batch));
  replay.finish();
  return timeline;
}

function heatOf(trace: Trace, policies: readonly string[]): readonly HeatTableRow[] {
  return timelineResult(follow(trace, policies), new NameTable(), false).heat;
}

function sum(rows: readonly HeatTableRow[], layer: string, policy = ""): number {
  return rows
    .filter((row) => row.layer === layer && row.policy === policy)
    .reduce((pages, row) => pages + row.pages, 0);
}

describe("the heat map", () => {
  it("knows at every moment what is mapped at which level, as the table does", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
        const timeline = follow(new RandomGuest(steps).trace, ["range-6.9"]);
        const mapped = [0, 0, 0, 0];
        for (const context of timeline.state?.contexts.live() ?? []) {
          for (const leaf of dumpTable(context.table, 0, (8 * GIB) / 4096).leaves) {
            const level = Number(leaf[0]);
            mapped[level]! += context.table.geometry.spanPages[level]!;
          }
        }
        const found = [0, 0, 0, 0];
        for (const grid of timeline.heat.grids()) {
          for (const row of grid.rows.values()) {
            for (const level of [1, 2, 3]) found[level]! += row.mapped[level - 1]!;
          }
        }
        expect(found).toEqual(mapped);
      }),
      { numRuns: 150 },
    );
  });

  it("calls over-invalidated what a whole-VM flush names besides what changed", () => {
    const trace = new Trace();
    const vm = trace.vm().create({ base: GIB, size: GIB });
    vm.populate(GIB, 8 * MIB, 2 * MIB);
    vm.unmap(GIB, 2 * MIB);
    const heat = heatOf(trace, ["vmid-wide", "per-page", "range"]);
    expect(sum(heat, "changed")).toBe(512);
    expect(sum(heat, "invalidated", "vmid-wide")).toBe(4 * 512);
    expect(sum(heat, "over_invalidated", "vmid-wide")).toBe(3 * 512);
    for (const policy of ["per-page", "range"]) {
      expect(sum(heat, "invalidated", policy), policy).toBe(512);
      expect(sum(heat, "over_invalidated", policy), policy).toBe(0);
    }
  });

  it("calls the rest of a broken block changed, not over-invalidated", () => {
    const trace = new Trace();
    const vm = trace.vm().create({ base: GIB, size: GIB });
    vm.map(GIB, 2 * MIB, 4 * GIB).map(GIB + 20 * KIB, 4 * KIB, 4 * GIB + 20 * KIB);
    const heat = heatOf(trace, ["range-6.9"]);
    expect(sum(heat, "over_invalidated", "range-6.9")).toBe(0);
    expect(sum(heat, "invalidated", "range-6.9")).toBe(512);
  });

  it("doubles its parts where a VM uses many, and loses nothing by it", () => {
    const trace = new Trace();
    const vm = trace.vm().create({ base: 0, size: 512 * GIB });
    for (let i = 0; i < 300; i += 1) vm.map(i * GIB, 2 * MIB, 600 * GIB + i * GIB);
    const timeline = follow(trace, ["range-6.9"]);
    const [grid] = timeline.heat.grids();
    expect(grid?.rows.size).toBeLessThanOrEqual(96);
    let pages = 0;
    for (const row of grid?.rows.values() ?? []) pages += row.mappedPages;
    expect(pages).toBe(300 * 512);
  });

  it("forgets what was mapped where events were lost, and when a table is destroyed", () => {
    const lost = new Trace();
    lost
      .vm()
      .create({ base: GIB, size: GIB })
      .populate(GIB, 8 * MIB, 2 * MIB);
    lost.lost();
    const gone = new Trace();
    gone
      .vm()
      .create({ base: GIB, size: GIB })
      .populate(GIB, 8 * MIB, 2 * MIB)
      .destroy();
    for (const trace of [lost, gone]) {
      const timeline = follow(trace, ["range-6.9"]);
      for (const grid of timeline.heat.grids()) {
        for (const row of grid.rows.values()) expect(row.mappedPages).toBe(0);
      }
    }
  });
});
