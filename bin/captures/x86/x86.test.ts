/** Real x86 captures: `kvm_flush_remote_tlbs` as the kernel called it, and its own statistics. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { findX86Policy, X86_POLICIES } from "../../../replay/x86/policies/registry.ts";
import { type Capture, readCapture, traceOf } from "../capture.ts";
import { checkX86Capture } from "./checks.ts";
import { checkX86CrossPredictions } from "./cross.ts";
import { replayX86 } from "./replayed.ts";

const CAPTURES = fileURLToPath(new URL("../../../fixtures/x86-captures/", import.meta.url));

function capture(name: string): Capture {
  return readCapture(path.join(CAPTURES, name))!;
}

async function flushesOf(name: string, policy: string): Promise<number> {
  const { result } = await replayX86(traceOf(capture(name))!, findX86Policy(policy));
  return result.fits[0]!.calls.VM.predicted;
}

describe("each capture on its own", () => {
  it.each(["x86-s2-mini-510", "x86-s2-mini-72"])("%s", async (name) => {
    const results = await checkX86Capture(capture(name));
    expect(results.flatMap(({ problems }) => problems)).toEqual([]);
    expect(results.map((result) => result.name.slice(name.length + 2))).toEqual([
      "flushes",
      "flushes, operations only",
      "counts of the kernel",
      "tables",
      ...(name.endsWith("510") ? ["collapses"] : []),
    ]);
  });

  it("is told apart from every other policy", async () => {
    for (const [name, own] of [
      ["x86-s2-mini-510", "x86-per-table-5.10"],
      ["x86-s2-mini-72", "x86-collapsible-batch"],
    ] as const) {
      for (const policy of X86_POLICIES) {
        const { result } = await replayX86(traceOf(capture(name))!, policy);
        const { missed, spurious } = result.fits[0]!;
        expect(missed + spurious === 0, `${name} as ${policy.id}`).toBe(policy.id === own);
      }
    }
  });

  // The kernels' own counts, from their captures: 34 on 5.10, 13 on 6.1 and 6.12, 12 on 7.2.
  it("is replayed as another kernel: its counts, or each difference accounted for", async () => {
    const results = await checkX86CrossPredictions([
      capture("x86-s2-mini-510"),
      capture("x86-s2-mini-72"),
    ]);
    expect(results.flatMap(({ problems }) => problems)).toEqual([]);
    expect(results.map(({ name }) => name)).toEqual([
      "x86-s2-mini-510 replayed as x86-s2-mini-72 (x86-collapsible-batch)",
      "x86-s2-mini-72 replayed as x86-s2-mini-510 (x86-per-table-5.10)",
    ]);
    expect(await flushesOf("x86-s2-mini-72", "x86-collapsible-per-spte")).toBe(13);
  });
});
