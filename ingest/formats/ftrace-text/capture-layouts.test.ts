import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { openTrace } from "../../open-trace.ts";
import { readAll, type ReadTrace, type Row } from "../../testing/read-text.ts";

const CAPTURES = fileURLToPath(new URL("../../../fixtures/captures/", import.meta.url));

async function read(capture: string, file: string): Promise<ReadTrace> {
  return readAll(await openTrace(`${CAPTURES}${capture}/${file}`));
}

/** A row without what depends on where its file's first event stands. */
function comparable(row: Row, firstLine: number): object {
  const { tsNs: _, ...rest } = row;
  return { ...rest, line: row.line - firstLine };
}

/** One ring buffer each, saved under several trace options. */
const VARIANTS: readonly (readonly [string, string, string])[] = [
  ["tiny-61", "latency", "latency format, 5 flag letters, times count from the buffer's start"],
  ["tiny-61", "noirqinfo", "default layout, no irq-info, no TGID column"],
  ["tiny-612", "latency", "latency format, 5 flag letters, times count from the buffer's start"],
  ["tiny-612", "tgid", "default layout, irq-info on (5 letters), TGID column"],
  [
    "tiny-612",
    "fields",
    "default layout, irq-info on (5 letters), no TGID column, fields option (functions by the saved kallsyms and probe list)",
  ],
];

describe.skipIf(!existsSync(CAPTURES))("one buffer in several layouts", () => {
  for (const [capture, option, layout] of VARIANTS) {
    it(`${capture}: ${option} gives the rows of the default layout`, async () => {
      const wanted = await read(capture, "trace.txt.gz");
      const got = await read(capture, `trace.${option}.txt.gz`);
      expect(got.info.layout).toBe(layout);
      expect(got.counts).toEqual(wanted.counts);
      expect([...got.info.eventsByName]).toEqual([...wanted.info.eventsByName]);
      expect(got.info.entriesWritten).toBe(wanted.info.entriesWritten);
      const rows = got.rows.map((row) => comparable(row, got.rows[0]!.line));
      expect(rows).toEqual(wanted.rows.map((row) => comparable(row, wanted.rows[0]!.line)));
      // The latency format rounds the time since the buffer's start, the others the time itself.
      const tolerated = option === "latency" ? 1000 : 0;
      const off = got.rows.map(({ tsNs }, i) => Math.abs(tsNs - wanted.rows[i]!.tsNs));
      expect(Math.max(...off)).toBeLessThanOrEqual(tolerated);
    });
  }
});
