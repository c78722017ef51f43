import { expect, it } from "vitest";
import { createAccessBatch } from "../../../ingest/accesses/access-batch.ts";
import { type RecordedSequence, SequenceRecorder } from "../../accesses/recorded-sequence.ts";
import { refillsOf } from "../../testing/refills-of.ts";
import { Trace } from "../../testing/trace-builder.ts";

const PAGE = 4096;
const GIB = 2 ** 30;
const TOUCHED = GIB;
const OTHER = GIB + 64 * PAGE;
const PAGES = 4;

/** Four pages from TOUCHED on, over and over. */
function fourPages(visits: number): RecordedSequence {
  const recorder = new SequenceRecorder(false);
  const batch = createAccessBatch(visits);
  for (let i = 0; i < visits; i += 1) {
    batch.page[i] = TOUCHED / PAGE + (i % PAGES);
    batch.repeat[i] = 1;
    batch.tsNs[i] = Number.NaN;
  }
  batch.length = visits;
  recorder.add(batch);
  return recorder.finish();
}

it("costs each flush the pages that are used, whatever the seed, and nothing of what was not used", () => {
  const trace = new Trace();
  const vm = trace.vm().create({ base: GIB, size: GIB });
  for (let page = 0; page < PAGES; page += 1) {
    const ipa = TOUCHED + page * PAGE;
    vm.entry()
      .exit()
      .fault(ipa, 3, "translation")
      .map(ipa, PAGE, 2 ** 40 + ipa);
  }
  vm.fault(OTHER, 3, "translation").map(OTHER, PAGE, 2 ** 40 + OTHER);
  const flushes = 3;
  for (let i = 0; i < flushes; i += 1) {
    vm.entry().exit();
    // A page that the sequence never touches.
    vm.unmap(OTHER, PAGE);
    vm.fault(OTHER, 3, "translation").map(OTHER, PAGE, 2 ** 40 + OTHER);
  }
  vm.entry().exit();
  const result = refillsOf(trace, ["range-6.9", "vmid-wide"], {
    recorded: {
      kind: "sequence",
      sequence: fourPages(400),
      placing: { mode: "offset", offsetPages: 0 },
    },
    knobs: new Map([["capVisits", 100_000]]),
  });
  for (const { policy, hypothesis, combined } of result.totals) {
    expect(combined, `${policy}, ${hypothesis}`).toMatchObject({
      seedMin: PAGES * flushes,
      median: PAGES * flushes,
      seedMax: PAGES * flushes,
    });
  }
  // Seven times 1 µs in the guest. Before its pages are mapped, ¾, ½ and ¼ of 125 visits lie outside.
  const { visits, visitsOutside, visitsUnmapped, seeds } = result.counts;
  expect(visits + visitsOutside).toBe(7 * 125);
  expect(Math.abs(visitsOutside - 1.5 * 125)).toBeLessThanOrEqual(2);
  expect([visitsUnmapped, seeds]).toEqual([0, 9]);
});
