import { readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

import { readCapture, traceOf } from "./capture.ts";
import { checkStock, checkWithin, replayStripped } from "./stock.ts";

const CAPTURES = fileURLToPath(new URL("../../fixtures/captures/", import.meta.url));

describe("bounds from stock tracepoints hold what real kernels did", () => {
  for (const name of readdirSync(CAPTURES).sort()) {
    it(name, async () => {
      const results = await checkStock(readCapture(path.join(CAPTURES, name))!);
      expect(results).toHaveLength(2);
      expect(results.flatMap(({ problems }) => problems)).toEqual([]);
    });
  }
});

describe("the check can fail", () => {
  it("where a bound is too low or too high", async () => {
    const trace = traceOf(readCapture(path.join(CAPTURES, "tiny-612"))!)!;
    const stripped = await replayStripped(trace, "commits");
    // From capture.json: 256 IPA_LOCAL, 9 RANGE (one of them by the dirty log), 4 IPA.
    const local = stripped.inferred.flushes.filter(
      ({ policy, path: why }) => policy === stripped.recordedPolicy && why === "relax",
    );
    expect(local).toMatchObject([{ primitive: "IPA_LOCAL", calls: 256, unknown_calls: 0 }]);
    const changed = (calls: number) => ({
      ...stripped,
      inferred: {
        ...stripped.inferred,
        flushes: stripped.inferred.flushes.map((row) =>
          row === local[0] ? { ...row, calls } : row,
        ),
      },
    });
    expect(checkWithin("same", changed(256)).problems).toEqual([]);
    expect(checkWithin("low", changed(255)).problems).not.toEqual([]);
    expect(checkWithin("high", changed(257)).problems).not.toEqual([]);
  });
});
