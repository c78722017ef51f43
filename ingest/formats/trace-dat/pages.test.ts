import { describe, expect, it } from "vitest";

import { payloads } from "../../testing/dat-events.ts";
import { buildDat, cpuStat, type DatFileSpec } from "../../testing/dat-file.ts";
import { DatPage } from "../../testing/dat-page.ts";
import { type ReadTrace, readText } from "../../testing/read-text.ts";

const T0 = 1_000_000_000_123n;

async function read(spec: DatFileSpec): Promise<ReadTrace> {
  return readText(buildDat(spec), [8192]);
}

/** Reads one page of one CPU. */
async function readPage(built: DatPage): Promise<ReadTrace> {
  return read({ cpus: [[built.build()]] });
}

/** A page with one event at its begin. */
function page(at: number): DatPage {
  return new DatPage(T0 + BigInt(at)).record(0, payloads.entry());
}

describe("records of a ring-buffer page", () => {
  it("reads a probe's fields into columns, a marker and a tracepoint", async () => {
    const { rows, info, counts } = await readPage(
      new DatPage(T0)
        .record(0, payloads.map(0x4000))
        .record(5, payloads.mapRet(-11))
        .record(7, payloads.applyRange())
        .record(1, payloads.entry())
        .record(1, payloads.print("hello")),
    );
    const at = { cpu: 0, pid: 7 };
    const mapped = { addr: 0x4000, len: 0x1000, phys: 0x8000_4000, prot: (1n << 55n) | 7n };
    const pgt = "0xffff000011110000";
    const object = { mmu: "0xffff000022220000", kvm: "0xffff000022220000" };
    const range = { addr: 0x10_0000, len: 0x10_0000, arg0: 1 };
    expect(rows).toEqual([
      { kind: "map", ...at, tsNs: 0, line: 1, pgt, ...mapped },
      { kind: "map_ret", ...at, tsNs: 5, line: 2, arg0: -11 },
      { kind: "apply_range", ...at, tsNs: 12, line: 3, ...object, ...range },
      { kind: "kvm_entry", ...at, tsNs: 13, line: 4 },
      { kind: "marker", ...at, tsNs: 14, line: 5 },
    ]);
    expect(info.baseNs).toBe(T0);
    expect([...info.eventsByName.keys()]).toEqual([
      "apply_range",
      "kvm_entry",
      "map",
      "map_ret",
      "tracing_mark_write",
    ]);
    expect(counts).toEqual({});
  });

  it("adds time extends, takes absolute stamps, skips discarded records and padding", async () => {
    const far = 3_000_000_000_000n;
    const { rows } = await readPage(
      new DatPage(T0)
        .record(0, payloads.entry())
        .timeExtend(5_000_000_000n)
        .record(3, payloads.entry())
        .discarded(10, 24)
        .longRecord(2, payloads.map(0x1000))
        .absoluteStamp(far)
        .record(0, payloads.entry())
        .endPadding()
        .head(1, 0),
    );
    const times = [0, 5_000_000_003, 5_000_000_015, Number(far - T0)];
    expect(rows.map(({ tsNs }) => tsNs)).toEqual(times);
  });

  it("keeps the upper five bits of the page's stamp in an absolute stamp", async () => {
    const wall = 1_700_000_000_000_000_123n;
    const { rows, info } = await readPage(
      new DatPage(wall)
        .record(0, payloads.entry())
        .absoluteStamp(wall + 77n)
        .record(1, payloads.entry()),
    );
    expect(rows.map(({ tsNs }) => tsNs)).toEqual([0, 78]);
    expect(info.baseNs).toBe(wall);
  });

  it("merges the CPUs by time, the lower first on equal stamps", async () => {
    const times = [[5, 9], [0, 5, 9], [5]];
    const { rows } = await read({
      cpus: times.map((ofCpu) => ofCpu.map((at) => page(at).build())),
    });
    expect(rows.map(({ tsNs, cpu }) => `${tsNs}/${cpu}`)).toEqual([
      "0/1",
      "5/0",
      "5/1",
      "5/2",
      "9/0",
      "9/1",
    ]);
  });

  for (const version of [6, 7] as const) {
    for (const littleEndian of [true, false]) {
      for (const longBytes of [4, 8] as const) {
        const name = `version ${version}, ${littleEndian ? "little" : "big"}-endian, long of ${longBytes}`;
        it(`reads ${name}, pages of 8 KiB`, async () => {
          const pageBytes = 8192;
          const built = new DatPage(T0, littleEndian, longBytes)
            .record(0, payloads.map(0x4000, littleEndian))
            .record(9, payloads.mapRet(-1, littleEndian))
            .missed(3)
            .build(pageBytes);
          const spec = { version, littleEndian, longBytes, pageBytes, cpus: [[built]] };
          const { rows, counts } = await read(spec);
          expect(rows.map(({ kind }) => kind)).toEqual(["lost", "map", "map_ret"]);
          expect(rows[0]).toMatchObject({ arg0: 3, cpu: 0, pid: -1 });
          expect(rows[1]).toMatchObject({ addr: 0x4000, pgt: "0xffff000011110000" });
          expect(rows[2]).toMatchObject({ arg0: -1, tsNs: 9 });
          expect(counts).toEqual({ EVENTS_LOST: 3 });
        });
      }
    }
  }
});

describe("losses", () => {
  it("takes a count that the page lacks from the statistics, and counts each loss once", async () => {
    const first = [page(0).missed().build(), page(9).build()];
    const second = [page(5).missed(40).build()];
    const { rows, counts } = await read({
      cpus: [first, second],
      statistics: [cpuStat(0, 2, 70), cpuStat(1, 1, 40, 6)],
    });
    const lost = rows.filter(({ kind }) => kind === "lost");
    expect(lost.map(({ cpu, arg0 }) => [cpu, arg0])).toEqual([
      [0, 70],
      [1, 40],
      [1, 6],
    ]);
    expect(counts).toEqual({ EVENTS_OVERWRITTEN: 110, EVENTS_LOST: 6 });
  });

  it("tells of events that the statistics count and the file lacks, of whole CPUs too", async () => {
    const { rows, counts } = await read({
      cpus: [[page(0).build()], []],
      statistics: [cpuStat(0, 3), cpuStat(1, 5)],
    });
    expect(rows.filter(({ kind }) => kind === "lost").map(({ arg0 }) => arg0)).toEqual([2, 5]);
    expect(counts).toEqual({ EVENTS_LOST: 7 });
  });

  it("says that a loss of unknown size is one", async () => {
    const { rows, counts } = await read({ cpus: [[page(0).missed().build()]] });
    expect(rows[0]).not.toHaveProperty("arg0");
    expect(counts).toEqual({ EVENTS_LOST: 1 });
  });

  it("names an event that the file does not describe, with its place", async () => {
    const { rows, examples, byteOffsets, counts } = await readPage(
      page(0).record(1, payloads.unknown()).record(1, payloads.entry()),
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["kvm_entry", "lost", "kvm_entry"]);
    expect(examples).toEqual(["UNKNOWN_EVENT CPU 0: event id 999 is not described"]);
    expect(byteOffsets[0]! % 4096).toBe(16 + 4 + 16 + 4);
    expect(counts).toEqual({ UNKNOWN_EVENT: 1 });
  });

  it("tells of another buffer, and reads the only one with events", async () => {
    const instance = { name: "kv", pages: [page(3).build()] };
    const both = await read({ cpus: [[page(0).build()]], instance });
    expect(both.rows).toHaveLength(1);
    expect(both.counts).toEqual({ OTHER_BUFFER: 1 });
    const only = await read({ cpus: [[]], instance });
    expect(only.rows).toHaveLength(1);
    expect(only.info.layout).toContain("buffer kv");
  });
});
