import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

import { openTrace } from "../../ingest/open-trace.ts";
import { inChunks } from "../../ingest/testing/read-text.ts";
import { checkEventTables, compareFolder } from "../captures/event-tables.ts";
import { compareEvents, type Comparison } from "./compare-events.ts";
import { describeComparison } from "./describe.ts";

const CAPTURES = fileURLToPath(new URL("../../fixtures/captures/", import.meta.url));

describe("the event tables of one ring buffer saved in several formats", () => {
  it("are equal, up to what each format cannot carry", async () => {
    const { pairs, left } = await compareFolder(`${CAPTURES}tiny-612`);
    expect(left).toEqual([]);
    expect(
      pairs.map(({ other, comparison: { events, difference, limits } }) => [
        other,
        events,
        difference,
        limits.map(({ limit }) => limit.type),
      ]),
    ).toEqual([
      ["trace.v7.dat", 6940, undefined, []],
      ["trace.txt.gz", 6940, undefined, ["time step"]],
      ["trace-cmd.report.raw.txt.gz", 6940, undefined, ["time step"]],
      ["trace-cmd.report.txt.gz", 6940, undefined, ["time step", "columns"]],
      ["trace.fields.txt.gz", 6940, undefined, ["time step"]],
      ["trace.latency.txt.gz", 6940, undefined, ["time from first event"]],
      ["trace.tgid.txt.gz", 6940, undefined, ["time step"]],
    ]);
  });

  it.each([
    ["tiny-61", ["trace.txt.gz", "trace-cmd.report.txt.gz", "latency", "noirqinfo"]],
    ["tiny-612-perf", ["perf.script.ns.txt.gz"]],
  ])("%s: %j", async (name, others) => {
    const results = await checkEventTables(`${CAPTURES}${name}`);
    expect(results.flatMap(({ problems }) => problems)).toEqual([]);
    expect(results).toHaveLength(others.length);
    for (const [i, other] of others.entries()) expect(results[i]!.name).toContain(other);
  });

  it("one file alone proves nothing, and the check says so", async () => {
    expect(await checkEventTables(`${CAPTURES}tiny-72`)).toMatchObject([
      { skipped: "no two files of one ring buffer" },
    ]);
  });
});

const HEADER = "ts_ns,cpu,pid,event,kind,pgt,addr,len,phys,prot,arg0\n";
const ROWS = [
  "1000,0,7,mine,unmap,0x10,4096,8192,,,",
  "2000,1,7,theirs,map,0x10,4096,4096,0,0x8000000000000001,3",
  "3000,,,x,kvm_exit,,,,,,-1",
];

async function compare(a: readonly string[], b: readonly string[]): Promise<Comparison> {
  const [left, right] = [a, b].map((rows) =>
    openTrace("-", { stdin: inChunks(Buffer.from(`${HEADER}${rows.join("\n")}\n`), [64]) }),
  );
  return compareEvents(await left!, await right!);
}

const text = (micros: string): string =>
  `# tracer: nop\n#\n            vcpu-7       [000] d....  1.${micros}: kvm_exit: x\n`;
const open = (bytes: string): ReturnType<typeof openTrace> =>
  openTrace("-", { stdin: inChunks(Buffer.from(bytes), [64]) });

describe("a comparison of two event tables", () => {
  it("finds nothing where there is nothing", async () => {
    expect(await compare(ROWS, ROWS)).toEqual({
      events: 3,
      difference: undefined,
      limits: [],
      lostRows: [0, 0],
    });
  });

  it.each([
    ["ts_ns", 1, "2000,", "2001,", ["2000", "2001"]],
    ["cpu", 1, ",1,7", ",,7", ["1", "unknown"]],
    ["pid", 1, ",7,", ",8,", ["7", "8"]],
    ["event", 1, "theirs", "Theirs", ["theirs", "Theirs"]],
    ["kind", 0, "unmap", "wrprotect", ["unmap", "wrprotect"]],
    ["pgt", 1, "0x10", "0x11", ["0x10", "0x11"]],
    ["addr", 0, "4096", "4097", ["4096", "4097"]],
    ["len", 0, "8192", "8193", ["8192", "8193"]],
    ["prot", 1, "0x8", "0x9", ["0x8000000000000001", "0x9000000000000001"]],
    ["arg0", 2, "-1", "", ["-1", "absent"]],
  ] as const)("names a difference in %s", async (column, row, from, to, values) => {
    const other = ROWS.with(row, ROWS[row]!.replace(from, to));
    const { events, difference } = await compare(ROWS, other);
    const lines = [row + 2, row + 2];
    expect([events, difference]).toEqual([row, { event: row + 1, column, values, lines }]);
  });

  it("names the trace that ends first, and passes rows of losses", async () => {
    const longer = [...ROWS, "4000,0,7,,lost,,,,,,5"];
    expect(await compare(ROWS, longer)).toMatchObject({ difference: undefined, lostRows: [0, 1] });
    const shorter = await compare(ROWS, ROWS.slice(0, 2));
    expect(shorter.difference).toEqual({
      event: 3,
      column: "events",
      values: ["goes on", "has ended"],
      lines: [4, 0],
    });
    expect(describeComparison(["a", "b"], shorter)).toBe(
      "different: a and b, event 3: events\n  a:4: goes on\n  b: has ended\n",
    );
  });

  it("holds the kernel's text to the microsecond, not to more and not to less", async () => {
    const dat = `${HEADER}1000001499,0,7,kvm_exit,kvm_exit,,,,,,\n`;
    const same = await compareEvents(await open(dat), await open(text("000001")));
    expect(same).toMatchObject({ difference: undefined, events: 1 });
    const other = await compareEvents(await open(dat), await open(text("000002")));
    expect(other.difference).toMatchObject({ column: "ts_ns" });
  });
});
