import { describe, expect, it } from "vitest";
import { readMigrationReport } from "../../ingest/migration/registry.ts";
import { factsOfReport, mergeFacts } from "./report-source.ts";

function queryMigrate(ram: object, status = "active"): string {
  return JSON.stringify({
    return: {
      status,
      "total-time": 60_000,
      ram: {
        total: 206_158_430_208,
        transferred: 30_000_000_000,
        remaining: 1000,
        mbps: 4000,
        "page-size": 4096,
        "dirty-sync-count": 2,
        ...ram,
      },
    },
  });
}

function facts(text: string): ReturnType<typeof factsOfReport> {
  return factsOfReport(readMigrationReport(text, "report"), "report");
}

describe("what a VMM's report gives an estimate", () => {
  it("bandwidth in megabits, a rate in pages", () => {
    const found = facts(queryMigrate({ "dirty-pages-rate": 1000 }));
    expect(found.bandwidth!.value).toMatchObject({ low: 5e8, high: 5e8 });
    expect(found.memoryBytes!.value).toBe(206_158_430_208);
    expect(found.dirtyRate!.value).toBe(4_096_000);
  });

  it("a rate of 0 is not taken for an idle guest", () => {
    const found = facts(queryMigrate({ "dirty-pages-rate": 0, "dirty-sync-count": 1 }));
    expect(found.dirtyRate).toBeUndefined();
  });

  it("a sampled rate says that it is no rate of writes", () => {
    const found = facts(
      JSON.stringify({
        return: {
          status: "measured",
          "dirty-rate": 200,
          "start-time": 1,
          "calc-time": 1,
          "sample-pages": 512,
          mode: "page-sampling",
        },
      }),
    );
    expect(found.dirtyRate!.value).toBe(200 * 2 ** 20);
    expect(found.warnings[0]!.text).toContain("sampled content changed");
  });

  it("of two sources the first that has a value is right", () => {
    const one = { vcpus: { value: 4, origin: "a" }, warnings: [{ text: "x" }] };
    const two = {
      vcpus: { value: 8, origin: "b" },
      memoryBytes: { value: 1, origin: "b" },
      warnings: [{ text: "y" }],
    };
    expect(mergeFacts([one, two])).toEqual({
      vcpus: { value: 4, origin: "a" },
      memoryBytes: { value: 1, origin: "b" },
      warnings: [{ text: "x" }, { text: "y" }],
    });
  });
});
