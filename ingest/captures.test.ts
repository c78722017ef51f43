import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { readHostFacts } from "./beside/read-host-facts.ts";
import { resolveTracePath } from "./beside/resolve-trace-path.ts";
import { EventKind } from "./events/kinds.ts";
import { openTrace } from "./open-trace.ts";

const CAPTURES = fileURLToPath(new URL("../fixtures/captures/", import.meta.url));
const names = existsSync(CAPTURES) ? readdirSync(CAPTURES).sort() : [];

/** What a capture's own record says about it. */
interface CaptureRecord {
  readonly events_by_type: Readonly<Record<string, number>>;
  readonly lost_events: number;
  readonly kernel: string;
  readonly page_size: number;
  readonly mode: string;
}

/** Losses that a capture declares; every other capture has none. */
const DECLARED: Readonly<Record<string, object>> = {
  "tiny-612-lost-overwrite": { EVENTS_OVERWRITTEN: 15_051, BUFFER_STARTED_LATE: 1 },
};
/** Notices, where a capture probes functions that the replay does not use. */
const NOTICED: Readonly<Record<string, object>> = {};

describe.skipIf(names.length === 0)("real captures", () => {
  for (const name of names) {
    it(`${name}: every line is accounted for`, async () => {
      const record: CaptureRecord = JSON.parse(
        await readFile(`${CAPTURES}${name}/capture.json`, "utf8"),
      );
      const path = await resolveTracePath(`${CAPTURES}${name}`);
      const reader = await openTrace(path);
      let rows = 0;
      let lostRows = 0;
      for await (const batch of reader.batches()) {
        rows += batch.length;
        for (let i = 0; i < batch.length; i += 1) {
          if (batch.kind[i] === EventKind.lost) lostRows += 1;
        }
      }
      const info = reader.info();
      expect(Object.fromEntries(info.eventsByName)).toEqual(record.events_by_type);
      expect(rows - lostRows).toBe(info.events);
      expect(info.events).toBe(info.entriesInBuffer);
      const expected = { ...DECLARED[name], ...NOTICED[name] };
      expect(Object.fromEntries(reader.diagnostics.counts())).toEqual(expected);

      const { facts, notes } = await readHostFacts(path);
      expect(notes).toEqual([]);
      expect(facts.kernelRelease?.value).toBe(record.kernel);
      expect(facts.pageSizeBytes?.value).toBe(record.page_size);
      expect(record.mode.startsWith(facts.hypMode?.value ?? "unknown")).toBe(true);
      expect(facts.probedFunctions?.value).toContain("kvm_pgtable_stage2_map");
    });
  }
});
