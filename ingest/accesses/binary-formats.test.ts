import { tableFromArrays, tableToIPC } from "apache-arrow";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readAccesses } from "./testing/read-accesses.ts";

interface Instruction {
  readonly ip: bigint;
  readonly branch?: number;
  readonly taken?: number;
  readonly destinations?: readonly bigint[];
  readonly sources?: readonly bigint[];
}

function champsim(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(64 * instructions.length);
  for (const [
    i,
    { ip, branch = 0, taken = 0, destinations = [], sources = [] },
  ] of instructions.entries()) {
    const at = i * 64;
    bytes.writeBigUInt64LE(ip, at);
    bytes.writeUInt8(branch, at + 8);
    bytes.writeUInt8(taken, at + 9);
    for (const [j, address] of destinations.entries())
      bytes.writeBigUInt64LE(address, at + 16 + j * 8);
    for (const [j, address] of sources.entries()) bytes.writeBigUInt64LE(address, at + 32 + j * 8);
  }
  return bytes;
}

const LOAD: Instruction = { ip: 0x401000n, sources: [0x5000n, 0x6000n], destinations: [0x6008n] };

describe("ChampSim", () => {
  it("is sources, then destinations, of 64-byte records", async () => {
    const many = Array.from(
      { length: 20 },
      (): Instruction => ({ ip: 0x401000n, branch: 1, taken: 1 }),
    );
    const { rows, records, counts, info } = await readAccesses(
      champsim([LOAD, ...many]),
      {},
      [50, 7],
    );
    expect(rows).toEqual(["read 5×1", "read 6×1", "write 6×1"]);
    expect(records).toEqual([1, 1, 1]);
    expect(counts).toEqual({});
    expect(info).toMatchObject({
      format: "champsim",
      records: 21,
      counts: { reads: 2, writes: 1, fetches: 21, others: 20 },
    });
  });

  it("needs its name where a file is too short to tell", async () => {
    const bytes = champsim([LOAD]);
    await expect(readAccesses(bytes)).rejects.toMatchObject({ code: "WRONG_FORMAT" });
    expect((await readAccesses(bytes, { format: "champsim" })).rows).toHaveLength(3);
    await expect(readAccesses(Buffer.alloc(64 * 40))).rejects.toMatchObject({
      code: "WRONG_FORMAT",
    });
  });

  it("counts damaged records and a cut last one", async () => {
    const bytes = champsim([
      LOAD,
      { ip: 1n, branch: 7 },
      { ip: 1n, sources: [1n << 53n, 0x7000n] },
      LOAD,
    ]);
    const { rows, counts } = await readAccesses(
      bytes.subarray(0, -1),
      { format: "champsim" },
      [64],
    );
    expect(rows).toEqual(["read 5×1", "read 6×1", "write 6×1", "read 7×1"]);
    expect(counts).toEqual({ DAMAGED_RECORD: 2, TRUNCATED: 1 });
  });

  it("gives the same in chunks of any size, over many batches", async () => {
    const instructions = Array.from(
      { length: 9000 },
      (_, i): Instruction => ({
        ip: 0x1000n,
        sources: [0x10000n + BigInt(i % 99) * 4096n, 0x2000n],
      }),
    );
    const bytes = champsim(instructions);
    const whole = await readAccesses(bytes);
    expect(whole.rows).toHaveLength(18_000);
    expect((await readAccesses(bytes, {}, [63, 65, 1, 4096])).rows).toEqual(whole.rows);
  });
});

function arrow(columns: Record<string, ArrayLike<number | bigint | string>>): Uint8Array {
  return tableToIPC(tableFromArrays(columns as Parameters<typeof tableFromArrays>[0]), "file");
}

const TABLE = {
  ts_ns: BigInt64Array.of(100n, 101n, 101n),
  vcpu: Int32Array.of(0, 1, 1),
  va: BigUint64Array.of(0x1000n, 0xffff_8000_0000_1ffcn, 0x5000n),
  rw: Uint8Array.of(0, 1, 2),
  size: Uint16Array.of(1, 8, 1),
  repeat: Uint32Array.of(1, 2, 1),
};

describe("our own Arrow", () => {
  it("takes integer columns of any width", async () => {
    const { rows, counts, info } = await readAccesses(arrow(TABLE), { withFetches: true });
    expect(rows).toEqual([
      "@0 read 1×1",
      "@1 t1 write 1f800000001×2",
      "@1 t1 write 1f800000002×2",
      "@1 t1 fetch 5×1",
    ]);
    expect(counts).toEqual({});
    expect(info).toMatchObject({ format: "access-arrow", records: 3, baseNs: 100n });
  });

  it("counts rows that do not fit", async () => {
    const { rows, counts } = await readAccesses(
      arrow({
        ipa_page: BigInt64Array.of(1n, -1n, 1n << 52n, 4n),
        rw: Int8Array.of(0, 0, 0, -1),
      }),
    );
    expect(rows).toEqual(["read 1×1"]);
    expect(counts).toEqual({ BAD_NUMBER: 3 });
  });

  it("refuses columns that are no integers, and streams", async () => {
    const texts = arrow({ va: Int32Array.of(1), rw: ["r"] });
    await expect(readAccesses(texts)).rejects.toMatchObject({ code: "WRONG_FORMAT" });
    const stream = tableToIPC(tableFromArrays({ va: Int32Array.of(1) }), "stream");
    await expect(readAccesses(stream)).rejects.toMatchObject({ code: "WRONG_FORMAT" });
  });

  it("says where a file is cut", async () => {
    const bytes = arrow(TABLE);
    for (const cut of [20, bytes.length / 2, bytes.length - 400, bytes.length - 2]) {
      const outcome = await readAccesses(bytes.subarray(0, Math.floor(cut))).catch(
        (error: Error) => error,
      );
      if (outcome instanceof Error) expect(outcome).toMatchObject({ code: "WRONG_FORMAT" });
      else expect((outcome.counts.TRUNCATED ?? 0) + (outcome.counts.DAMAGED_BATCH ?? 0)).toBe(1);
    }
  });

  it("ends on any damage with an answer", async () => {
    const bytes = arrow(TABLE);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
        const damaged = bytes.slice();
        damaged[at] = value;
        const options = { format: "access-arrow" } as const;
        const outcome = await readAccesses(damaged, options).catch((error: Error) => error);
        if (outcome instanceof Error) expect(outcome).toMatchObject({ name: "TraceError" });
        // A longer access may go over the end of its page: a row for each page, of the same record.
        else expect(new Set(outcome.records).size).toBeLessThanOrEqual(4);
      }),
      { numRuns: 300 },
    );
  });
});
