/** A trace that begins in the middle of an operation, or has a hole, refutes nothing that the kernel did. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openTrace } from "../../../ingest/open-trace.ts";
import { openBytes } from "../../../ingest/source/open-bytes.ts";
import { inChunks } from "../../../ingest/testing/read-text.ts";
import type { PolicyFit } from "../../../replay/replay.ts";
import { X86_POLICIES } from "../../../replay/x86/policies/registry.ts";
import { X86Replay } from "../../../replay/x86/replay.ts";

const CAPTURES = fileURLToPath(new URL("../../../fixtures/x86-captures/", import.meta.url));
const HEADER_LINES = 11;

async function linesOf(name: string): Promise<readonly string[]> {
  const source = await openBytes(path.join(CAPTURES, name, "trace.txt.xz"));
  const parts: Buffer[] = [];
  for await (const chunk of source.chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts).toString("latin1").split("\n");
}

async function fitOf(lines: readonly string[], policy: string): Promise<PolicyFit> {
  const reader = await openTrace("-", {
    stdin: inChunks(Buffer.from(lines.join("\n"), "latin1"), [65536]),
  });
  const replay = new X86Replay(
    {
      policies: X86_POLICIES.filter(({ id }) => id === policy),
      compare: true,
      operationsOnly: false,
      presentForm: undefined,
      flushesProbed: undefined,
    },
    reader.diagnostics,
  );
  for await (const batch of reader.batches()) replay.consume(batch);
  return replay.finish().fits[0]!;
}

describe.each([
  ["x86-s2-mini-510", "x86-per-table-5.10", 34],
  ["x86-s2-mini-72", "x86-collapsible-batch", 12],
] as const)("%s", (name, policy, flushes) => {
  it("whole: every flush is predicted", async () => {
    const fit = await fitOf(await linesOf(name), policy);
    expect(fit).toMatchObject({ matched: flushes, missed: 0, spurious: 0, unknown: 0 });
  });

  it("begun anywhere: what was flushed in the operation that was under way is unknown", async () => {
    const lines = await linesOf(name);
    let isSomeUnknown = false;
    for (let share = 4; share < 100; share += 8) {
      const from = Math.floor((lines.length * share) / 100);
      const fit = await fitOf([...lines.slice(0, HEADER_LINES), ...lines.slice(from)], policy);
      expect(fit, `from line ${from}`).toMatchObject({ missed: 0, spurious: 0 });
      isSomeUnknown ||= fit.unknown > 0;
    }
    expect(isSomeUnknown).toBe(true);
  });

  it("with a hole anywhere that the trace names", async () => {
    const lines = await linesOf(name);
    for (let share = 5; share < 95; share += 9) {
      const from = Math.floor((lines.length * share) / 100);
      const to = from + Math.floor(lines.length / 30);
      const hole = ["CPU:0 [LOST 100 EVENTS]", "CPU:1 [LOST 100 EVENTS]"];
      const fit = await fitOf([...lines.slice(0, from), ...hole, ...lines.slice(to)], policy);
      expect(fit, `lines ${from} to ${to}`).toMatchObject({ missed: 0, spurious: 0 });
    }
  });
});
