import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Diagnostics } from "../../diagnostics.ts";
import { createEventBatch, type EventBatch } from "../../events/columns.ts";
import { EventKind, UNKNOWN_CPU } from "../../events/kinds.ts";
import { NameTable } from "../../events/names.ts";
import { PointerTable } from "../../events/pointers.ts";
import { emptyBatch } from "../../events/rows.ts";
import type { TraceInfo, TraceReader } from "../../reader.ts";
import { addLostRow } from "../text/lost-row.ts";
import { TimeOrder } from "./time-order.ts";

/** What a reader finds in its lines: the time of an event, a loss, or a line that cannot be read. */
type Item = number | "lost" | "gap";

const INFO: TraceInfo = {
  path: "-",
  format: "test",
  layout: "",
  compression: "none",
  bytes: 0,
  sha256: "",
  lines: 0,
  events: 0,
  baseNs: 0n,
  firstTsNs: 0,
  lastTsNs: 0,
  eventsByName: new Map(),
  entriesInBuffer: undefined,
  entriesWritten: undefined,
};

function readerOf(items: readonly Item[], rowsPerBatch: number): TraceReader {
  const diagnostics = new Diagnostics("-");
  const batch = createEventBatch(rowsPerBatch);
  emptyBatch(batch, batch.capacity);
  return {
    pointers: new PointerTable(),
    names: new NameTable(),
    diagnostics,
    baseNs: 0n,
    info: () => INFO,
    async *batches(): AsyncGenerator<EventBatch> {
      let last = 0;
      for (const [i, item] of items.entries()) {
        if (item === "gap") diagnostics.add("UNPARSED_LINE", "x", i + 1);
        else if (item === "lost") addLostRow(batch, UNKNOWN_CPU, 1, last, i + 1);
        else {
          const row = batch.length;
          batch.kind[row] = EventKind.unmap;
          batch.tsNs[row] = item;
          batch.line[row] = i + 1;
          batch.addr[row] = item * 2;
          batch.length = row + 1;
          last = item;
        }
        if (batch.length < rowsPerBatch) continue;
        yield await Promise.resolve(batch);
        emptyBatch(batch, rowsPerBatch);
      }
      if (batch.length > 0) yield batch;
    },
  };
}

interface Ordered {
  /** Line of each row; negative for a loss. */
  readonly lines: readonly number[];
  readonly late: number;
}

async function ordered(items: readonly Item[], window: number, rowsPerBatch = 3): Promise<Ordered> {
  const reader = new TimeOrder(readerOf(items, rowsPerBatch), window);
  const lines: number[] = [];
  for await (const batch of reader.batches()) {
    for (let row = 0; row < batch.length; row += 1) {
      const line = batch.line[row]!;
      const isLoss = batch.kind[row] === EventKind.lost;
      lines.push(isLoss ? -line : line);
      // A row goes as a whole.
      if (!isLoss) expect(batch.addr[row]).toBe(batch.tsNs[row]! * 2);
    }
  }
  return { lines, late: reader.diagnostics.count("OUT_OF_ORDER") };
}

describe("events out of the order of time", () => {
  it("are put into it, equal times in the order of their lines", async () => {
    expect(await ordered([10, 30, 20, 20, 5, 40], 8)).toEqual({
      lines: [5, 1, 3, 4, 2, 6],
      late: 0,
    });
  });

  it("are not moved over a loss or a line that could not be read", async () => {
    // Line 5 happened before line 4 of the other side: what was lost lies between them.
    expect(await ordered([30, 10, "lost", 50, 40], 8)).toEqual({
      lines: [2, 1, -3, 5, 4],
      late: 0,
    });
    expect(await ordered([30, 10, "gap", 50, 40], 8)).toEqual({ lines: [2, 1, 5, 4], late: 0 });
    expect(await ordered([30, "gap", 40, "gap", 60, 50], 8)).toEqual({
      lines: [1, 3, 6, 5],
      late: 0,
    });
    expect(await ordered([30, "gap", 20, 25], 8)).toEqual({ lines: [1, -3, 3, 4], late: 1 });
  });

  it("are a loss where they come later than is waited for, each time", async () => {
    const { lines, late } = await ordered([10, 20, 30, 40, 5, 6, 50, 60, 7], 1);
    expect(late).toBe(2);
    expect(lines.filter((line) => line > 0).sort((a, b) => a - b)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
    expect(lines.filter((line) => line < 0)).toEqual([-5, -9]);
  });

  it("come out as a stable sort would have them, if no place is farther off than the window", async () => {
    const events = fc.array(fc.record({ at: fc.nat(40), cpu: fc.nat(3) }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(events, fc.integer({ min: 1, max: 5 }), async (list, rowsPerBatch) => {
        const times = list.map(({ at }) => at);
        const wanted = times.map((at, i) => ({ at, line: i + 1 })).sort((a, b) => a.at - b.at);
        const found = await ordered(times, 64, rowsPerBatch);
        expect(found).toEqual({ lines: wanted.map(({ line }) => line), late: 0 });
      }),
    );
  });

  it("are never dropped or doubled, and nothing runs backwards without a loss between", async () => {
    const item = fc.oneof(
      { weight: 8, arbitrary: fc.nat(30) },
      { weight: 1, arbitrary: fc.constantFrom("lost" as const, "gap" as const) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(item, { maxLength: 60 }),
        fc.integer({ min: 1, max: 6 }),
        async (items, window) => {
          const { lines } = await ordered(items, window);
          const events = items.flatMap((one, i) => (typeof one === "number" ? [i + 1] : []));
          expect(lines.filter((line) => line > 0).sort((a, b) => a - b)).toEqual(events);
          let last = Number.NEGATIVE_INFINITY;
          for (const line of lines) {
            const time = items[line - 1];
            if (line < 0 || typeof time !== "number") last = Number.NEGATIVE_INFINITY;
            else {
              expect(time).toBeGreaterThanOrEqual(last);
              last = time;
            }
          }
        },
      ),
    );
  });
});
