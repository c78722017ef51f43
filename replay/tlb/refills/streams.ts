import { GeneratedStream } from "../../accesses/access-generator.ts";
import type { GuestStream } from "../../accesses/access-source.ts";
import { PlacedPages, type Placing } from "../../accesses/page-placing.ts";
import { PlacedRegions, RateStream } from "../../accesses/rate-stream.ts";
import type { RecordedSequence } from "../../accesses/recorded-sequence.ts";
import { PacedSequence, TimedSequence } from "../../accesses/sequence-stream.ts";
import type { RateTable } from "../../../ingest/accesses/statistics/rate-table.ts";
import type { Scenario } from "./scenarios.ts";

/** Where guest accesses come from; `timed` is a sequence whose times are those of the trace's clock. */
export type StreamKind = "generated" | "proven" | "sequence" | "timed" | "statistics";

/** What a file of accesses holds, in its pages of 4 KiB. */
export type RecordedAccesses =
  | { readonly kind: "sequence"; readonly sequence: RecordedSequence; readonly placing: Placing }
  | {
      readonly kind: "timed";
      readonly sequence: RecordedSequence;
      readonly placing: Placing;
      /** Time of the trace minus the file's; called once the trace is being read. */
      readonly offsetNs: () => number;
    }
  | {
      readonly kind: "statistics";
      readonly table: RateTable;
      readonly placing: Placing;
      /** The knob says how fast; otherwise the table's absolute rates do. */
      readonly isPaced: boolean;
    };

/** Pages of the file are of this size. */
const FILE_PAGE_SHIFT = 12;

/** Makes the streams of guests. */
export function streamMaker(
  recorded: RecordedAccesses | undefined,
  pageShift: number,
): (scenario: Scenario, vm: number) => GuestStream {
  if (recorded === undefined) {
    return ({ knobs, seed }, vm) => new GeneratedStream(knobs, seed * 1000 + vm, 2 ** pageShift);
  }
  const divisor = 2 ** (pageShift - FILE_PAGE_SHIFT);
  if (recorded.kind === "statistics") {
    const { table, placing, isPaced } = recorded;
    const placed = new PlacedRegions(table, divisor, placing);
    return ({ knobs, seed }, vm) => {
      const pace = isPaced ? knobs.visitsPerUs : undefined;
      return new RateStream(placed, seed * 1000 + vm, knobs.writeShare, pace);
    };
  }
  const { sequence, placing } = recorded;
  const placed = new PlacedPages(sequence.pageKeys, divisor, placing);
  if (recorded.kind === "timed") {
    return () => new TimedSequence(sequence, placed, recorded.offsetNs);
  }
  return ({ knobs, start }) => new PacedSequence(sequence, placed, start, knobs.visitsPerUs);
}
