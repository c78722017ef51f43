import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readRates } from "../testing/read-accesses.ts";
import { RegionSums } from "./region-sums.ts";

function regions(table: Awaited<ReturnType<typeof readRates>>["table"]): readonly string[] {
  return Array.from(table.firstPage, (page, i) => {
    const owner = table.spaces[table.space[i]!]!;
    return `${owner} ${page.toString(16)}+${table.lenPages[i]!} ${table.ratePerPage[i]!}`;
  });
}

const head = (pid: string, time: string): string => ` CPU 0/KVM x  ${pid} [003] ${time}: `;

const speLine = (event: string): string => `${head("7", "1.000001")}${event}:  5000  45000\n`;

describe("samples of perf script", () => {
  it("are counted by page and task, the kernel's half for all", async () => {
    const text = [
      "# captured on: today",
      `${head("12/13", "10.000001")}cpu/mem-loads,ldlat=30/P:     7f0000001010     12341000`,
      `${head("12/14", "10.500001")}cpu/mem-loads,ldlat=30/P:     7f0000001ff8     12341ff8`,
      `${head("12/13", "11.000001")}cpu/mem-stores/P:     7f0000002000     12342000`,
      `${head("99", "11.000002")}cpu/mem-loads,ldlat=30/P: ffff800000001000 45000`,
      `${head("12/13", "11.000003")}cpu/mem-loads,ldlat=30/P:     7f0000001010     68100142 |OP LOAD|LVL L1 hit|SNP None|TLB L1 or L2 hit|LCK No|BLK  N/A     12341000`,
      `${head("12/13", "11.000003")}cpu/mem-stores/P:     7f0000003010     68100144 |OP STORE|LVL L1 hit|SNP None|TLB L1 or L2 hit|LCK No|BLK  N/A`,
      `${head("12/13", "11.000004")}cpu/mem-loads,ldlat=30/P:                0                0`,
      "",
    ].join("\n");
    const { table, counts, info } = await readRates(text);
    expect(regions(table)).toEqual([
      "kernel 1f800000001+1 1",
      "12 7f0000001+1 3",
      "12 7f0000002+1 1",
      "12 7f0000003+1 1",
    ]);
    expect(table).toMatchObject({ unit: "samples", model: "independent-reference model" });
    expect(table.notes.join(" ")).toContain("1 samples have no address");
    expect(counts).toEqual({});
    expect(info).toMatchObject({ format: "perf-mem", counts: { reads: 5, writes: 1, others: 2 } });
  });

  it("are counted by physical address where that is wanted", async () => {
    const text = `${head("12", "1.000001")}l1d-access:  7f0000001010  45010\n${head("12", "1.000001")}l1d-access:  7f0000001010\n`;
    const { table, counts } = await readRates(text, { sampledAddress: "ipa" });
    expect(regions(table)).toEqual(["kernel 45+1 1"]);
    expect(table.address).toBe("ipa");
    expect(counts).toEqual({ UNPARSED_LINE: 1 });
  });

  it("are counted once where SPE makes several events of one", async () => {
    const { table } = await readRates(
      ["l1d-access", "tlb-access", "tlb-miss", "memory"].map(speLine).join(""),
    );
    expect(regions(table)).toEqual(["7 5+1 1"]);
    expect(table.notes.join(" ")).toContain("only memory is counted");
  });

  it("are refused where another column cannot be told from an address", async () => {
    const good = `${head("7", "1.000001")}memory:  5000\n`;
    const bad = [
      `${head("7", "1.000001")}memory:  5000  45000  46000`,
      `${head("7", "1.000001")}memory:  5000 ffff800000000000 schedule+0x10 ([kernel])`,
      `${head("7", "1.000001")}memory:  xyz`,
      `${head("7", "1.000001")}memory:`,
      `${head("7", "1.000001")}memory:  0040000000000000`,
      "no event",
      " ".repeat(5000),
      `a ${": ".repeat(500)}`,
    ];
    const lost = `${head("7", "1.000001")}PERF_RECORD_LOST lost 12`;
    const { table, counts } = await readRates(`${good}${bad.join("\n")}\n${lost}\n`);
    expect(regions(table)).toEqual(["7 5+1 1"]);
    expect(counts).toEqual({ UNPARSED_LINE: bad.length, EVENTS_LOST: 12 });
  });
});

const damonLine = (fields: string): string =>
  `  kdamond.0  1234 [001]  10.000000: damon:damon_aggregated: ${fields}\n`;

describe("DAMON", () => {
  it("is shares of sampling intervals, turned into rates", async () => {
    // Two snapshots of two regions each; of 20 samples a region was seen accessed 10 and 0, then 5 and 20.
    const text = [
      damonLine("target_id=0 nr_regions=2 40960-81920: 10 3"),
      damonLine("target_id=0 nr_regions=2 81920-122880: 0 3"),
      damonLine("target_id=0 nr_regions=2 40960-61440: 5 0"),
      damonLine("target_id=0 nr_regions=2 61440-122880: 20 0"),
    ].join("");
    const { table, counts, info } = await readRates(text);
    expect(Array.from(table.firstPage)).toEqual([10, 15, 20]);
    expect(Array.from(table.lenPages)).toEqual([5, 5, 10]);
    const share = [15 / 40, 30 / 40, 20 / 40];
    for (const [i, p] of share.entries()) {
      // p = 1 − e^(−λ · 5 ms)
      expect(table.ratePerPage[i]).toBeCloseTo(-Math.log(1 - p) / 0.005, 9);
    }
    expect(table.unit).toBe("accesses/s");
    expect(counts).toEqual({});
    expect(info.format).toBe("damon");
  });

  it("says that the rate of what was always seen is a lower bound", async () => {
    const { table } = await readRates(damonLine("target_id=0 nr_regions=1 0-4096: 20 1"));
    expect(table.ratePerPage[0]).toBeCloseTo(-Math.log(0.5 / 20) / 0.005, 9);
    expect(table.notes.join(" ")).toContain("lower bound");
  });

  it("says that the intervals are others where there are more accesses than samples", async () => {
    const { counts } = await readRates(damonLine("target_id=0 nr_regions=1 0-4096: 30"));
    expect(counts).toEqual({ ASSUMED: 1 });
    await expect(
      readRates(damonLine("target_id=0 nr_regions=1 0-4096: 30"), { damonSampleNs: 0 }),
    ).rejects.toThrow(RangeError);
  });

  it("counts lines that are none", async () => {
    const bad = [
      "target_id=0 nr_regions=1 4096-4096: 1 1",
      "target_id=0 nr_regions=0 0-4096: 1 1",
      "target_id=0 nr_regions=1 8192-4096: 1 1",
      "target_id=0 nr_regions=1 0-99999999999999999999: 1 1",
      "target_id=0 nr_regions=1 0-4096: x 1",
      "target_id=0 nr_regions=1 0-40",
    ].map(damonLine);
    const good = damonLine("target_id=0 nr_regions=1 0-4096: 1 1");
    const { table, counts } = await readRates(`${good}${bad.join("")}what\n`);
    expect(table.firstPage).toHaveLength(1);
    expect(counts).toEqual({ UNPARSED_LINE: bad.length + 1 });
  });
});

describe("sums of regions", () => {
  it("are those of every page by itself", () => {
    const region = fc.record({
      first: fc.nat(40),
      length: fc.integer({ min: 1, max: 20 }),
      value: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(region, { maxLength: 20 }), (list) => {
        const sums = new RegionSums();
        const pages = Array.from({ length: 80 }, () => 0);
        for (const { first, length, value } of list) {
          sums.add(first, first + length, value);
          for (let page = first; page < first + length; page += 1) pages[page]! += value;
        }
        const found = Array.from({ length: 80 }, () => 0);
        for (const { firstPage, endPage, sum } of sums.parts()) found.fill(sum, firstPage, endPage);
        expect(found).toEqual(pages);
      }),
    );
  });
});
