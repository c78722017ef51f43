import { describe, expect, it } from "vitest";

import { ByteWriter } from "../../testing/byte-writer.ts";
import { payloads } from "../../testing/dat-events.ts";
import { buildDat, type DatFileSpec } from "../../testing/dat-file.ts";
import { DatPage } from "../../testing/dat-page.ts";
import { type ReadTrace, readText } from "../../testing/read-text.ts";

const OFFSET = 7;
const TIME_SHIFT = 12;
const TSC2NSEC = 14;
const T0 = 1_000_000n;

/** Reads events of each CPU at these times behind T0, in a file with these options. */
async function readAt(
  times: readonly (readonly number[])[],
  options: NonNullable<DatFileSpec["options"]>,
  spec: Partial<DatFileSpec> = {},
): Promise<ReadTrace> {
  const cpus = times.map((ofCpu) => [
    ofCpu
      .reduce(
        (page, at, i) => page.record(at - (ofCpu[i - 1] ?? 0), payloads.entry()),
        new DatPage(T0),
      )
      .build(),
  ]);
  return readText(buildDat({ cpus, options, ...spec }));
}

/** Clock values by CPU, as the file's corrections make them, less T0. */
function clocksOf({ rows, info }: ReadTrace): readonly string[] {
  return rows.map(({ cpu, tsNs }) => `${cpu}: ${info.baseNs + BigInt(tsNs) - T0}`);
}

interface Sample {
  readonly at: bigint;
  readonly offset: number;
  readonly scaling?: number;
  readonly fraction?: number;
}

/** A TIME_SHIFT option; fraction bits are stored only where one is given. */
function timeShift(flags: number, cpus: readonly (readonly Sample[])[]): readonly [number, Buffer] {
  const out = new ByteWriter().u64(0x1234).u32(flags).u32(cpus.length);
  for (const samples of cpus) {
    out.u32(samples.length);
    for (const { at } of samples) out.u64(at);
    for (const { offset } of samples) out.u64(offset);
    for (const { scaling } of samples) out.u64(scaling ?? 1);
  }
  if (cpus.flat().some(({ fraction }) => fraction !== undefined)) {
    for (const { fraction } of cpus.flat()) out.u64(fraction ?? 0);
  }
  return [TIME_SHIFT, out.build()];
}

function ticks(multiplier: number, shift: number): readonly [number, Buffer] {
  return [TSC2NSEC, new ByteWriter().u32(multiplier).u32(shift).u64(77).build()];
}

/** What `ticks(2_981_765_431, 31)` makes of a clock value. */
function expected(ts: bigint): bigint {
  return (ts * 2_981_765_431n) >> 31n;
}

describe("options that change the times of a trace.dat", () => {
  for (const version of [6, 7] as const) {
    it(`adds each offset to the clock, version ${version}`, async () => {
      const options = ["5000", "-0x10"].map((text) => [OFFSET, Buffer.from(`${text}\0`)] as const);
      const trace = await readAt([[0, 7]], options, { version });
      expect(trace.rows.map(({ tsNs }) => tsNs)).toEqual([0, 7]);
      expect(trace.info.baseNs).toBe(T0 + 5000n - 16n);
      expect(trace.info.layout).toContain("4984 ns added to times");
      expect(trace.counts).toEqual({});
    });
  }

  it("turns ticks into ns: times the multiplier, shifted, rounded down", async () => {
    const trace = await readAt([[0, 1, 2, 3, 1000]], [ticks(3, 1)]);
    // 1 000 000 ticks are 1 500 000 ns, one more 1.5 of them.
    expect(trace.info.baseNs).toBe(1_500_000n);
    expect(trace.rows.map(({ tsNs }) => tsNs)).toEqual([0, 1, 3, 4, 1500]);
    expect(trace.info.layout).toContain("ticks turned into ns");
    expect(trace.counts).toEqual({});
  });

  it("adds a CPU's only offset, leaves CPUs without any, and merges by what comes out", async () => {
    const shift = timeShift(0, [[{ at: T0, offset: 1000, scaling: 5 }], [], []]);
    const trace = await readAt([[0, 50], [20], [30], [40]], [shift]);
    expect(clocksOf(trace)).toEqual(["1: 20", "2: 30", "3: 40", "0: 1000", "0: 1050"]);
    expect(trace.counts).toEqual({});
    expect(trace.info.layout).toContain("times shifted to another trace's");
  });

  const SAMPLES: readonly Sample[] = [
    { at: T0 + 300n, offset: -20 },
    { at: T0, offset: 10 },
    { at: T0 + 100n, offset: 20 },
    { at: T0 + 100n, offset: 20 },
  ];

  it("lets an offset hold until the next sample, and the last but one for ever", async () => {
    const trace = await readAt([[0, 99, 100, 299, 300, 400]], [timeShift(0, [SAMPLES])]);
    const clocks = [0 + 10, 99 + 10, 100 + 20, 299 + 20, 300 + 20, 400 + 20];
    expect(clocksOf(trace)).toEqual(clocks.map((at) => `0: ${at}`));
  });

  it("draws a line from sample to sample where the option says so", async () => {
    const trace = await readAt([[50, 100, 200, 400]], [timeShift(1, [SAMPLES])]);
    const clocks = [
      50 + 10 + 5, // (50·10 + 50) / 100 = 5.5
      100 + 20,
      200 + 20 - 19, // (100·-40 + 100) / 200 = -19.5
      400 + 20 - 59, // (300·-40 + 100) / 200 = -59.5
    ];
    expect(clocksOf(trace)).toEqual(clocks.map((at) => `0: ${at}`));
  });

  it("scales by a factor with fraction bits, then turns ticks into ns, then adds the offset", async () => {
    const samples = [
      { at: T0, offset: -500, scaling: 3, fraction: 1 },
      { at: T0 + 9000n, offset: 0, scaling: 9, fraction: 2 },
    ];
    const trace = await readAt(
      [[0, 101]],
      [[OFFSET, Buffer.from("100\0")], ticks(1, 2), timeShift(0, [samples])],
    );
    // (1 000 000 · 3 >> 1) - 500 = 1 499 500, >> 2 = 374 875; (1 000 101 · 3 >> 1) - 500 = 1 499 651,
    // >> 2 = 374 912.
    expect(trace.info.baseNs).toBe(374_875n + 100n);
    expect(trace.rows.map(({ tsNs }) => tsNs)).toEqual([0, 374_912 - 374_875]);
  });

  it("is exact for ticks of a machine that runs long, in both halves of the number", async () => {
    const far = (1n << 52n) + 12_345n;
    const page = new DatPage(far).record(0, payloads.entry()).record(999, payloads.entry());
    const file = buildDat({ cpus: [[page.build()]], options: [ticks(2_981_765_431, 31)] });
    const { info, rows } = await readText(file);
    expect(info.baseNs).toBe(expected(far));
    expect(BigInt(rows[1]!.tsNs)).toBe(expected(far + 999n) - expected(far));
  });

  it("tells where corrections set a CPU's time back, and keeps the kernel's order", async () => {
    const samples = [
      { at: T0, offset: 1000 },
      { at: T0 + 50n, offset: 0 },
      { at: T0 + 90n, offset: 0 },
    ];
    const trace = await readAt([[0, 49, 50]], [timeShift(0, [samples])]);
    expect(clocksOf(trace)).toEqual(["0: 1000", "0: 1049", "0: 50"]);
    expect(trace.counts).toEqual({ TIME_BACKWARDS: 1 });
    expect(trace.examples[0]).toContain("set its time back by 999 ns");
  });

  it("says what it does not apply because it is damaged, and applies the rest", async () => {
    const cut = timeShift(0, [SAMPLES])[1].subarray(0, 40);
    const endless = new ByteWriter().u64(1).u32(0).u32(1).u32(0xffff_ffff).build();
    const options = [
      [TIME_SHIFT, cut],
      [TIME_SHIFT, endless],
      [TSC2NSEC, ticks(1, 40)[1]],
      [OFFSET, Buffer.from("soon\0")],
      [OFFSET, Buffer.from("11\0")],
    ] as const;
    const trace = await readAt([[0, 10]], options);
    expect(trace.info.baseNs).toBe(T0 + 11n);
    expect(trace.rows.map(({ tsNs }) => tsNs)).toEqual([0, 10]);
    expect(trace.counts).toEqual({ ASSUMED: 4 });
    expect(trace.examples[0]).toMatch(/shift of its times.*\(damaged: .*which is not applied/);
  });
});
