/** Results in a bucket: the tool as it is built, against a small server that checks every signature. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { tool, treeOf, writeFleet } from "../testing/fleet.ts";
import { s3Environment, SECRET_KEY, type S3Server, startS3 } from "../testing/s3-server.ts";

/** Many processes on a machine that others use too. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

let work: string;
let server: S3Server;
let manifest: string;

beforeAll(async () => {
  work = fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-s3-"));
  server = await startS3();
  const csv = await writeFleet(path.join(work, "traces"), 8, 100);
  fs.writeFileSync(path.join(work, "traces/zz-prose.txt"), "no trace\n".repeat(9));
  fs.appendFileSync(csv, "traces/zz-prose.txt,,,,\n");
  manifest = path.join(work, "fleet.json");
  await tool(["batch", "plan", "--csv", csv, "--out", manifest]);
});

afterAll(async () => {
  await server.close();
  fs.rmSync(work, { recursive: true, force: true });
});

describe("a store in a bucket", () => {
  it("holds what a folder holds, and merges to the same bytes", async () => {
    const folder = path.join(work, "results");
    const words = ["batch", "run", manifest, "--jobs", "2", "--retry-delay", "1"];
    await tool([...words, "--results", folder]);
    server.refuseWrites = 2;
    const run = await tool([...words, "--results", "s3://fleet/2026/nov"], s3Environment(server));
    expect(run.out).toMatch(/^9 traces: 8 computed, 0 done before, 1 failed\n/);
    expect(run.code).toBe(3);
    const stored = [...server.objects].map(
      ([name, bytes]) => [name.replace("/fleet/2026/nov/", ""), bytes.toString("latin1")] as const,
    );
    expect(new Map(stored.toSorted(([a], [b]) => (a < b ? -1 : 1)))).toStrictEqual(
      new Map([...treeOf(folder)].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    );

    const again = await tool([...words, "--results", "s3://fleet/2026/nov"], s3Environment(server));
    expect(again.out).toMatch(/^9 traces: 0 computed, 8 done before, 1 failed\n/);

    const merges = [
      ["--results", folder, "--out", path.join(work, "from-folder")],
      ["--results", "s3://fleet/2026/nov", "--out", path.join(work, "from-bucket")],
    ];
    for (const merge of merges) {
      const outcome = await tool(["batch", "merge", manifest, ...merge], s3Environment(server));
      expect(outcome.code).toBe(3);
    }
    expect(treeOf(path.join(work, "from-bucket"))).toStrictEqual(
      treeOf(path.join(work, "from-folder")),
    );
  });

  it("never shows credentials, not even when they are wrong", async () => {
    const wrong = "wr0ng/S3cret";
    const environment = s3Environment(server, wrong);
    const words = ["batch", "run", manifest, "--results", "s3://fleet/x", "--debug"];
    const outcome = await tool([...words, "--retries", "0"], environment);
    expect(outcome.code).toBe(1);
    expect(outcome.out + outcome.err).toMatch(/the store of results does not answer/);
    expect(outcome.out + outcome.err).not.toMatch(/wr0ng|S3cret|AKIA/);
    const kept = [...server.objects.values()].map((bytes) => bytes.toString("utf8")).join("");
    expect(kept.includes(SECRET_KEY)).toBe(false);
  });
});
