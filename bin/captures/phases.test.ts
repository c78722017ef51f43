import { readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readCapture, traceOf } from "./capture.ts";
import { checkPhases, problemsOf, readPhases } from "./phases.ts";

const CAPTURES = fileURLToPath(new URL("../../fixtures/captures/", import.meta.url));

describe("phases agree with the events, read without the recorder", () => {
  for (const name of readdirSync(CAPTURES).sort()) {
    it(name, async () => {
      const results = await checkPhases(readCapture(path.join(CAPTURES, name))!);
      expect(results).toHaveLength(1);
      expect(results.flatMap(({ problems }) => problems)).toEqual([]);
    });
  }
});

describe("the check can fail", () => {
  it("where a time, a count or an order is wrong", async () => {
    const { inputs, slow } = await readPhases(
      traceOf(readCapture(path.join(CAPTURES, "s2-huge-eager-612"))!)!,
    );
    expect(problemsOf(inputs, slow)).toEqual([]);
    const [vm] = inputs.vms;
    const changed = (part: Partial<typeof vm>): readonly string[] =>
      problemsOf({ ...inputs, vms: [{ ...vm!, ...part }] }, slow);
    expect(changed({ collapses: vm!.collapses.slice(1) })).not.toEqual([]);
    expect(changed({ logging: { ...vm!.logging!, startNs: 1 } })).not.toEqual([]);
    expect(changed({ phases: vm!.phases.slice(0, 2).toReversed() })).not.toEqual([]);
    const other = await readPhases(traceOf(readCapture(path.join(CAPTURES, "s2-huge-612"))!)!);
    const [first] = other.inputs.vms;
    const fewer = other.inputs.vms.map((one) =>
      one === first ? { ...one, passes: one.passes.slice(1) } : one,
    );
    expect(problemsOf({ ...other.inputs, vms: fewer }, other.slow)).not.toEqual([]);
  });
});
