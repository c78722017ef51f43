import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { type ReplayedCapture, replayCapture } from "./replayed.ts";

const CAPTURES = fileURLToPath(new URL("../../fixtures/captures/", import.meta.url));

const PAIRS = [
  ["tiny-612", "trace.v7.dat"],
  ["tiny-612", "trace.v6.dat.gz"],
  ["tiny-61", "trace.v7.nocomp.dat.gz"],
] as const;

/** What verify says; its lines are numbered differently, without the text's header. */
function verdictOf({ result, predictedByCpu }: ReplayedCapture): object {
  const { counts, fits, instructions } = result;
  return { counts, fits, instructions, predictedByCpu };
}

describe.skipIf(!existsSync(CAPTURES))("trace.dat and text of one buffer", () => {
  for (const [capture, name] of PAIRS) {
    it(`${capture}/${name} is verified as the text is, operand by operand`, async () => {
      const text = await replayCapture(`${CAPTURES}${capture}/trace.txt.gz`, undefined);
      const dat = await replayCapture(`${CAPTURES}${capture}/${name}`, undefined);
      expect(verdictOf(dat)).toEqual(verdictOf(text));
      expect(dat.result.fits[0]).toMatchObject({ missed: 0, spurious: 0, unknown: 0 });
    });
  }
});
