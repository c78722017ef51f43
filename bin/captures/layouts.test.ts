import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { replayCapture } from "./replayed.ts";

const CAPTURES = fileURLToPath(new URL("../../fixtures/captures/", import.meta.url));

/** What a replay found, without the places that depend on how the trace was written down. */
async function outcomeOf(trace: string): Promise<object> {
  const { result, predictedByCpu, unmaps } = await replayCapture(`${CAPTURES}${trace}`, undefined);
  const { flushes, counts, fits, instructions } = result;
  return {
    flushes,
    counts,
    fits: fits.map(({ mismatches, ...fit }) => [fit, mismatches.length]),
    instructions,
    predictedByCpu,
    unmaps: unmaps.map(({ table, addr, len }) => [table, addr, len]),
  };
}

const VARIANTS: readonly (readonly [string, string])[] = [
  ["tiny-61", "latency"],
  ["tiny-61", "noirqinfo"],
  ["tiny-612", "latency"],
  ["tiny-612", "tgid"],
  ["tiny-612", "fields"],
];

describe.skipIf(!existsSync(CAPTURES))("the layout of a trace", () => {
  for (const [capture, option] of VARIANTS) {
    it(`does not change the replay: ${capture}, ${option}`, async () => {
      const outcome = await outcomeOf(`${capture}/trace.${option}.txt.gz`);
      expect(outcome).toEqual(await outcomeOf(`${capture}/trace.txt.gz`));
    });
  }
});
