/** What `convert` writes of an x86 trace is replayed as the trace itself, whichever format it is in. */
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openTrace } from "../../../ingest/open-trace.ts";
import { X86_POLICIES } from "../../../replay/x86/policies/registry.ts";
import { X86Replay } from "../../../replay/x86/replay.ts";
import { convertTrace } from "../../convert-trace.ts";

const CAPTURES = fileURLToPath(new URL("../../../fixtures/x86-captures/", import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "x86-tables-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function replayed(file: string): Promise<readonly unknown[]> {
  const reader = await openTrace(file);
  const replay = new X86Replay(
    {
      policies: X86_POLICIES,
      compare: true,
      operationsOnly: false,
      presentForm: undefined,
      flushesProbed: undefined,
    },
    reader.diagnostics,
  );
  for await (const batch of reader.batches()) replay.consume(batch);
  const { flushes, fits, tablesRemoved } = replay.finish();
  const counts = fits.map(({ matched, missed, spurious }) => [matched, missed, spurious]);
  return [flushes, counts, tablesRemoved];
}

it.each(["csv", "arrow"] as const)("%s: every flush as in the trace", async (format) => {
  for (const name of ["x86-s2-mini-510", "x86-s2-mini-72"]) {
    const trace = path.join(CAPTURES, name, "trace.txt.xz");
    const file = path.join(folder, `${name}.${format}`);
    await convertTrace(trace, format, {
      write: async (parts) => {
        for (const part of parts) appendFileSync(file, part);
        return Promise.resolve();
      },
    });
    expect(await replayed(file)).toEqual(await replayed(trace));
  }
});
