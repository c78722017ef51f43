import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { type ReplayedCapture, replayCapture } from "./replayed.ts";

const CAPTURES = fileURLToPath(new URL("../../fixtures/captures/", import.meta.url));

/** What trace-cmd and perf printed of a run, beside the kernel's own text of it. */
const PRINTED: readonly (readonly [string, string])[] = [
  ["tiny-612", "trace-cmd.report.txt.gz"],
  ["tiny-612", "trace-cmd.report.raw.txt.gz"],
  ["tiny-61", "trace-cmd.report.txt.gz"],
  ["tiny-612-perf", "perf.script.ns.txt.gz"],
];

/** Everything that the replay found out, without the lines of the text at which it did. */
function findings({ result, predictedByCpu }: ReplayedCapture): object {
  const fit = result.fits[0]!;
  return {
    calls: fit.calls,
    mismatches: fit.mismatches.length,
    hintMismatches: fit.hintMismatches,
    instructions: result.instructions,
    predictedByCpu,
    counts: result.counts,
  };
}

describe("the replay of what another program printed", () => {
  for (const [capture, file] of PRINTED) {
    it(`finds what it finds in the kernel's own text: ${capture}/${file}`, async () => {
      const kernel = await replayCapture(`${CAPTURES}${capture}/trace.txt.gz`, undefined);
      const printed = await replayCapture(`${CAPTURES}${capture}/${file}`, undefined);
      expect(findings(printed)).toEqual(findings(kernel));
      const { missed, spurious, unknown, matched } = printed.result.fits[0]!;
      expect({ missed, spurious, unknown }).toEqual({ missed: 0, spurious: 0, unknown: 0 });
      expect(matched).toBeGreaterThan(200);
    });
  }
});
