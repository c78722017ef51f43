import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTrace } from "../../ingest/open-trace.ts";
import { Replay } from "../replay.ts";
import { modelOf } from "../testing/refills-of.ts";
import { refillResult } from "../tlb/refills/refill-rows.ts";

const FIXTURE = fileURLToPath(new URL("../../fixtures/nested/nv-wp-72.csv", import.meta.url));
const TRUTH = fileURLToPath(new URL("../../fixtures/nested/nv-wp-72.tlbi.tsv.gz", import.meta.url));
/** kvm_stage2_wp_range of the shadow context. */
const SHADOW_PROTECT = /,wp_range,wp_range,.*,0xffff0000c0236600,/;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "gap-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function staleHits(file: string): Promise<readonly (number | null)[]> {
  const { model, config, ids } = modelOf(["range-6.9"], { stream: "proven" });
  const reader = await openTrace(file);
  const replay = new Replay(config, reader.pointers, reader.diagnostics, undefined, model);
  for await (const batch of reader.batches()) replay.consume(batch);
  replay.finish();
  return refillResult(model, ids).totals.map((total) => total.staleHits);
}

describe("write-protection of shadow tables on 7.2 (nv-wp-72)", () => {
  it("the CPU executed no broadcast TLBI for the shadow's hardware VMID", () => {
    const executed = gunzipSync(readFileSync(TRUTH))
      .toString("latin1")
      .split("\n")
      .map((line) => line.split("\t"))
      .filter(([type, , , , instruction = ""]) => type === "T" && instruction.endsWith("is"));
    expect(executed.map(([, , , , instruction, , vmid]) => `${vmid} ${instruction}`)).toEqual([
      "1 ripas2e1is",
      "1 vmalle1is",
      "1 ripas2e1is",
      "1 vmalle1is",
    ]);
  });

  it("so the nested guest's next writes hit entries that are writable no more: 4 + 4, and 2 after the second", async () => {
    // The workload writes 8 pages, logging begins, it writes them again; then the log is read, and 2 more.
    expect(await staleHits(FIXTURE)).toEqual([10, 10, 10]);
  });

  it("without the shadow's write-protection there is nothing stale", async () => {
    const lines = readFileSync(FIXTURE, "utf8").split("\n");
    const file = path.join(folder, "unprotected.csv");
    const kept = lines.filter((line) => !SHADOW_PROTECT.test(line));
    expect(lines.length - kept.length).toBe(3);
    writeFileSync(file, kept.join("\n"));
    expect(await staleHits(file)).toEqual([0, 0, 0]);
  });
});
