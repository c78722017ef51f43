import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

import { beforeAll, describe, expect, it } from "vitest";

import { payloads } from "../testing/dat-events.ts";
import { buildDat, cpuStat } from "../testing/dat-file.ts";
import { DatPage } from "../testing/dat-page.ts";
import { type ReadTrace, readText } from "../testing/read-text.ts";

const CAPTURE = fileURLToPath(new URL("../../fixtures/captures/tiny-612/", import.meta.url));
/** What the kernel's text of the same buffer holds (`entries-in-buffer`). */
const EVENTS = 6940;
const PAGE_BYTES = 4096;

let v7: Uint8Array = new Uint8Array(0);
let v6: Uint8Array = new Uint8Array(0);
let wholeV6: ReadTrace;
beforeAll(async () => {
  v7 = await readFile(`${CAPTURE}trace.v7.dat`);
  v6 = gunzipSync(await readFile(`${CAPTURE}trace.v6.dat.gz`));
  wholeV6 = await read(v6);
});

async function read(bytes: Uint8Array): Promise<ReadTrace> {
  return readText(bytes, [1 << 20]);
}

/** Events that were read, those that are declared lost, and those that nothing describes. */
function accountedFor({ info, counts }: ReadTrace): number {
  return info.events + (counts.EVENTS_LOST ?? 0) + (counts.UNKNOWN_EVENT ?? 0);
}

function changed(bytes: Uint8Array, at: number, bits = 0x40): Uint8Array {
  const damaged = Uint8Array.from(bytes);
  damaged[at]! ^= bits;
  return damaged;
}

/** One event at its begin. */
const page = (at: number): DatPage => new DatPage(1000 + at).record(0, payloads.entry());

/** Three events of one time, told apart by their addresses. */
const pageOf = (first: number): Uint8Array =>
  [0, 1, 2]
    .reduce((built, i) => built.record(0, payloads.map((first + i) * 4096)), new DatPage(1000))
    .build();

describe("1. truncated trace.dat", () => {
  it("gives every event of a version 7 file without its last 121 bytes, and exit code 3", async () => {
    for (const cut of [120, 121, 122]) {
      const { info, hasDataLoss, counts } = await read(v7.subarray(0, v7.length - cut));
      expect(info.events).toBe(EVENTS);
      // What exit code 3 is made of.
      expect(hasDataLoss).toBe(true);
      expect(counts).toMatchObject({ DAMAGED_METADATA: expect.any(Number) });
    }
  });

  it("gives the events of every whole chunk of a version 7 file, and counts the others", async () => {
    let before = EVENTS;
    for (const cut of [1000, 5000, 20_000]) {
      const outcome = await read(v7.subarray(0, v7.length - cut));
      expect(outcome.hasDataLoss).toBe(true);
      expect(accountedFor(outcome)).toBe(EVENTS);
      expect(outcome.info.events).toBeLessThan(before);
      expect(outcome.info.events).toBeGreaterThan(1000);
      before = outcome.info.events;
    }
  });

  it("gives every whole page of a version 6 file without its last byte", async () => {
    const { info, counts, hasDataLoss } = await read(v6.subarray(0, v6.length - 1));
    // The last page of the last CPU holds 79 records.
    expect(info.events).toBe(EVENTS - 79);
    expect(counts).toEqual({ TRUNCATED: 1, EVENTS_LOST: 79 });
    expect(hasDataLoss).toBe(true);
    const onePage = await read(v6.subarray(0, v6.length - PAGE_BYTES));
    expect(onePage.info.events).toBe(EVENTS - 79);
  });
});

describe("2. one damaged byte", () => {
  it("does not stop the read where it stands in what is not needed", async () => {
    const text = Buffer.from(v6);
    // A symbol that no event needs, the names of tasks, texts of printk, how an event is printed.
    const places = [
      text.indexOf("_stext"),
      text.indexOf("print fmt") + 4,
      text.lastIndexOf("kvm_page_table") + 3,
    ];
    for (const at of places) {
      expect(at).toBeGreaterThan(16);
      const { rows, info } = await read(changed(v6, at, 0x02));
      expect(info.events, `byte ${at}`).toBe(EVENTS);
      expect(rows, `byte ${at}`).toEqual(wholeV6.rows);
    }
  });

  it("never loses an event in silence, wherever it stands: 16 places", async () => {
    for (let i = 0; i < 16; i += 1) {
      // Spread over the pages, which begin behind the metadata.
      const at = 7_980_000 + Math.floor(((v6.length - 7_980_000) * i) / 16);
      const outcome = await read(changed(v6, at));
      const isWhole = outcome.info.events >= EVENTS;
      expect([at, isWhole || outcome.hasDataLoss]).toEqual([at, true]);
      expect(isWhole ? EVENTS : accountedFor(outcome), `byte ${at}`).toBeGreaterThanOrEqual(EVENTS);
    }
  });
});

describe("3. silent loss: what the pages of a buffer tell", () => {
  it("takes the count from the statistics where a page only says that there was a loss", async () => {
    const { rows, counts } = await read(
      buildDat({ cpus: [[page(0).missed().build()]], statistics: [cpuStat(0, 1, 8390)] }),
    );
    expect(rows).toMatchObject([{ kind: "lost", cpu: 0, arg0: 8390 }, { kind: "kvm_entry" }]);
    expect(counts).toEqual({ EVENTS_OVERWRITTEN: 8390 });
  });

  it("takes the count that is stored behind the records of a page", async () => {
    const { rows, counts } = await read(
      buildDat({ cpus: [[page(0).build(), page(10).missed(9011).build()]] }),
    );
    expect(rows).toMatchObject([
      { kind: "kvm_entry" },
      { kind: "lost", cpu: 0, arg0: 9011 },
      { kind: "kvm_entry" },
    ]);
    expect(Object.values(counts)).toEqual([9011]);
  });

  it("declares what a full buffer refused, although every page is whole", async () => {
    const { counts, hasDataLoss } = await read(
      buildDat({ cpus: [[page(0).build()]], statistics: [cpuStat(0, 1, 0, 21_351)] }),
    );
    expect(counts).toEqual({ EVENTS_LOST: 21_351 });
    expect(hasDataLoss).toBe(true);
  });
});

describe("(+) equal time stamps", () => {
  it("keep the order of a CPU's buffer, and the lower CPU comes first", async () => {
    const { rows } = await read(buildDat({ cpus: [pageOf(0), pageOf(10)].map((one) => [one]) }));
    expect(rows.map(({ cpu, addr }) => [cpu, addr! / 4096])).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 10],
      [1, 11],
      [1, 12],
    ]);
    expect(new Set(rows.map(({ tsNs }) => tsNs))).toEqual(new Set([0]));
  });
});
