import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { openTrace } from "../../open-trace.ts";
import { type ReadTrace, readAll, readText, type Row } from "../../testing/read-text.ts";

const CAPTURES = fileURLToPath(new URL("../../../fixtures/captures/", import.meta.url));

/** Files of one ring buffer, each with the text of the same. */
const PAIRS = [
  ["tiny-612", "trace.v7.dat", "version 7, zstd"],
  ["tiny-612", "trace.v6.dat.gz", "version 6"],
  ["tiny-61", "trace.v7.nocomp.dat.gz", "version 7, not packed"],
] as const;

async function readFileOf(capture: string, name: string): Promise<ReadTrace> {
  return readAll(await openTrace(`${CAPTURES}${capture}/${name}`));
}

/** The kernel rounds to µs where it prints. */
function withMicroseconds({ rows, info }: ReadTrace): readonly (Row & { readonly us: bigint })[] {
  return rows.map((row) => ({
    ...row,
    us: (info.baseNs + BigInt(row.tsNs) + 500n) / 1000n,
    tsNs: 0,
    line: 0,
  }));
}

describe("trace.dat against the kernel's text of the same buffer", () => {
  for (const [capture, name, what] of PAIRS) {
    it(`${capture}, ${what}: every column of every row is equal`, async () => {
      const text = await readFileOf(capture, "trace.txt.gz");
      const dat = await readFileOf(capture, name);
      expect(withMicroseconds(dat)).toEqual(withMicroseconds(text));
      expect(dat.info.eventsByName).toEqual(text.info.eventsByName);
      expect(dat.info.events).toBe(text.info.events);
      expect(dat.counts).toEqual({});
      const order = dat.rows.map(({ tsNs }) => tsNs);
      expect(order).toEqual([...order].sort((a, b) => a - b));
    });
  }

  it.each([1, 40])(
    "names a last section that is cut by %i bytes, and loses no event",
    async (n) => {
      const bytes = await readFile(`${CAPTURES}tiny-612/trace.v7.dat`);
      const whole = await readText(bytes, [100_000]);
      const cut = await readText(bytes.subarray(0, bytes.length - n), [100_000]);
      expect(cut.rows).toEqual(whole.rows);
      expect(cut.counts).toEqual({ DAMAGED_METADATA: 1 });
    },
  );

  it("reads standard input and files alike", async () => {
    const bytes = await readFile(`${CAPTURES}tiny-612/trace.v7.dat`);
    const piped = await readText(bytes, [100_000]);
    const direct = await readFileOf("tiny-612", "trace.v7.dat");
    expect(piped.rows).toEqual(direct.rows);
    expect(piped.info.sha256).toBe(direct.info.sha256);
  });
});

describe("a damaged real file, packed with zstd", () => {
  it("accounts for every event, whatever is damaged among the pages: 40 cases", async () => {
    const whole = await readFile(`${CAPTURES}tiny-612/trace.v7.dat`);
    const { events } = (await readText(whole, [1 << 20])).info;
    const pagesFrom = 0x16_6d3f;
    let state = 4711;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 4_294_967_296;
    };
    for (let i = 0; i < 40; i += 1) {
      const at = pagesFrom + Math.floor(random() * (whole.length - pagesFrom));
      let bytes = Buffer.from(whole);
      if (i % 4 === 0) bytes = bytes.subarray(0, at);
      else bytes[at]! ^= 1 << (i % 8);
      const { info, hasDataLoss } = await readText(bytes, [1 << 20]);
      expect([i, at, info.events === events || hasDataLoss]).toEqual([i, at, true]);
    }
  });

  for (const [capture, name, what, cutBytes] of [
    ["tiny-612", "trace.v7.dat", "packed", 121],
    ["tiny-61", "trace.v7.nocomp.dat.gz", "not packed", 160],
  ] as const) {
    it(`finds each CPU's pages without the list at the end, ${what}`, async () => {
      const stored = await readFile(`${CAPTURES}${capture}/${name}`);
      const whole = name.endsWith(".gz") ? gunzipSync(stored) : stored;
      const full = await readText(whole, [1 << 20]);
      const cut = await readText(whole.subarray(0, whole.length - cutBytes), [1 << 20]);
      expect(cut.rows).toEqual(full.rows);
      expect(cut.counts).toMatchObject({ ASSUMED: 1, DAMAGED_METADATA: expect.any(Number) });
    });
  }
});
