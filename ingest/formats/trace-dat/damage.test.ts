import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { TraceError } from "../../errors.ts";
import { openTrace } from "../../open-trace.ts";
import { payloads, TEST_KALLSYMS } from "../../testing/dat-events.ts";
import { buildDat, cpuStat, type DatFileSpec } from "../../testing/dat-file.ts";
import { DatPage } from "../../testing/dat-page.ts";
import { readAll, type ReadTrace, readText } from "../../testing/read-text.ts";

const T0 = 5_000_000_000n;
const PAGES = 6;
const PER_PAGE = 5;
const TOTAL = 2 * PAGES * PER_PAGE;

/** Two CPUs that take turns. */
function pagesOf(cpu: number): Uint8Array[] {
  return Array.from({ length: PAGES }, (_, i) => {
    const page = new DatPage(T0 + BigInt(i * 10_000 + cpu * 1000));
    for (let n = 0; n < PER_PAGE; n += 1) page.record(n, payloads.map((i * PER_PAGE + n) * 4096));
    return page.build();
  });
}

const SPECS: readonly (readonly [string, DatFileSpec])[] = (
  [
    ["version 6", { version: 6 }],
    ["version 7", { version: 7 }],
    ["version 7, packed", { version: 7, isPacked: true }],
  ] as const
).map(([name, spec]) => [
  name,
  {
    ...spec,
    cpus: [pagesOf(0), pagesOf(1)],
    statistics: [cpuStat(0, PAGES * PER_PAGE), cpuStat(1, PAGES * PER_PAGE)],
  },
]);

/** A small generator with a seed, so that a failing case can be run again. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

async function outcomeOf(bytes: Uint8Array): Promise<ReadTrace | TraceError> {
  try {
    return await readText(bytes, [65536]);
  } catch (error) {
    if (error instanceof TraceError) return error;
    throw error;
  }
}

/** Reads what is expected to give something. */
async function salvaged(bytes: Uint8Array): Promise<ReadTrace> {
  return readText(bytes, [65536]);
}

/** Nothing is silent: an event that is not there, or not where it was, is a declared loss. */
function expectAccounted(outcome: ReadTrace | TraceError, what: string): void {
  if (outcome instanceof TraceError) return;
  const { events } = outcome.info;
  if (events < TOTAL) expect([what, events, outcome.hasDataLoss]).toEqual([what, events, true]);
  expect(events, what).toBeLessThanOrEqual(TOTAL + PAGES * 200);
  expect(
    outcome.rows.every(({ tsNs }) => Number.isFinite(tsNs)),
    what,
  ).toBe(true);
}

for (const [name, spec] of SPECS) {
  describe(name, () => {
    const whole = buildDat(spec);

    it("reads everything of the sound file", async () => {
      const { info, counts } = await readText(whole, [65536]);
      expect(info.events).toBe(TOTAL);
      expect(counts).toEqual({});
    });

    it("accounts for every event after a flipped bit: 200 cases", async () => {
      const random = seeded(whole.length);
      for (let i = 0; i < 200; i += 1) {
        const bytes = Buffer.from(whole);
        const at = Math.floor(random() * bytes.length);
        bytes[at]! ^= 1 << Math.floor(random() * 8);
        expectAccounted(await outcomeOf(bytes), `bit flip ${i} at ${at}`);
      }
    });

    it("accounts for every event after bytes are overwritten: 100 cases", async () => {
      const random = seeded(whole.length + 1);
      for (let i = 0; i < 100; i += 1) {
        const bytes = Buffer.from(whole);
        const at = Math.floor(random() * bytes.length);
        const end = Math.min(bytes.length, at + 1 + Math.floor(random() * 600));
        bytes.fill(Math.floor(random() * 256), at, end);
        expectAccounted(await outcomeOf(bytes), `overwritten ${i} at ${at}`);
      }
    });

    it("accounts for every event wherever the file is cut: 100 cases", async () => {
      const random = seeded(whole.length + 2);
      for (let i = 0; i < 100; i += 1) {
        const size = 11 + Math.floor(random() * (whole.length - 11));
        expectAccounted(await outcomeOf(whole.subarray(0, size)), `cut to ${size}`);
      }
    });
  });
}

describe("salvage", () => {
  it("keeps every whole page of a cut version 6", async () => {
    const whole = buildDat(SPECS[0]![1]);
    const { info, counts, byteOffsets } = await salvaged(whole.subarray(0, whole.length - 1));
    expect(info.events).toBe(TOTAL - PER_PAGE);
    expect(counts).toEqual({ TRUNCATED: 1, EVENTS_LOST: PER_PAGE });
    expect(byteOffsets[0]).toBe(whole.length - 4096);
  });

  for (const [name, spec] of SPECS.slice(1)) {
    it(`finds the pages of ${name} without its last options`, async () => {
      const whole = buildDat(spec);
      const { info, rows, counts } = await salvaged(whole.subarray(0, whole.length - 20));
      expect(info.events).toBe(TOTAL);
      expect(counts).toMatchObject({ ASSUMED: 1, DAMAGED_METADATA: expect.any(Number) });
      expect(new Set(rows.map(({ cpu }) => cpu))).toEqual(new Set([0, 1]));
    });
  }

  for (const [name, spec] of SPECS.slice(1)) {
    it(`finds the sections of ${name} behind bytes that were put in or taken out`, async () => {
      const whole = buildDat(spec);
      const inside = whole.indexOf(Buffer.from("header_event")) + 20;
      const at = inside > 20 ? inside : 120;
      const longer = Buffer.concat([
        whole.subarray(0, at),
        Buffer.from("some bytes too many"),
        whole.subarray(at),
      ]);
      const shorter = Buffer.concat([whole.subarray(0, at), whole.subarray(at + 7)]);
      for (const bytes of [longer, shorter]) {
        const { info, rows, hasDataLoss, examples } = await salvaged(bytes);
        expect(info.events).toBe(TOTAL);
        expect(new Set(rows.map(({ cpu }) => cpu))).toEqual(new Set([0, 1]));
        expect(hasDataLoss).toBe(true);
        expect(examples.join("\n")).toMatch(/no section begins here; the next one stands at \d+/);
      }
    });
  }

  it("skips a damaged chunk, says where, and goes on behind it", async () => {
    const whole = buildDat(SPECS[2]![1]);
    const first = whole.indexOf(Buffer.from([0x78, 0x9c]), whole.indexOf("mono") + 4096);
    const chunk = whole.indexOf(Buffer.from([0x78, 0x9c]), first + 2);
    for (const at of [chunk - 8 + 2, chunk + 20]) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 0x7f;
      const { info, rows, counts, byteOffsets } = await salvaged(bytes);
      expect(info.events).toBe(TOTAL - 2 * PER_PAGE);
      expect(counts).toMatchObject({ DAMAGED_CHUNK: 1, EVENTS_LOST: 2 * PER_PAGE });
      expect(byteOffsets[0]).toBe(chunk - 8);
      expect(rows.filter(({ kind }) => kind === "lost").length).toBeGreaterThan(0);
    }
  });

  it("mends a page's time between its neighbours and says so", async () => {
    const pages = pagesOf(0);
    const damaged = Buffer.from(pages[2]!);
    damaged[5]! ^= 0x10;
    const bytes = buildDat({
      cpus: [[...pages.slice(0, 2), damaged, ...pages.slice(3)], pagesOf(1)],
    });
    const { rows, counts } = await salvaged(bytes);
    expect(counts).toEqual({ DAMAGED_TIME: 1 });
    const times = rows.map(({ tsNs }) => tsNs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.at(-1)).toBeLessThan(100_000);
  });

  it("does not judge all pages by the first one's damaged time", async () => {
    const pages = pagesOf(0);
    const damaged = Buffer.from(pages[0]!);
    damaged[7]! ^= 0x40;
    const { info, counts } = await salvaged(
      buildDat({ cpus: [[damaged, ...pages.slice(1)], pagesOf(1)] }),
    );
    expect(info.events).toBe(TOTAL - PER_PAGE);
    expect(counts).toEqual({ DAMAGED_PAGE: 1 });
  });

  it("tells a probe's function by the list beside the trace where the symbols do not", async () => {
    const cpus = [pagesOf(0)];
    const zeros = "0000000000000000 T _text\n";
    const damaged = TEST_KALLSYMS.replace("ffff80008009f450", "ffff8000f009f450");
    const directory = await mkdtemp(join(tmpdir(), "dat-"));
    try {
      for (const kallsyms of [zeros, damaged]) {
        const path = join(directory, "trace.dat");
        await writeFile(path, buildDat({ cpus, kallsyms }));
        await rm(join(directory, "kprobes.txt"), { force: true });
        const alone = await readAll(await openTrace(path));
        expect(alone.rows[0]).toMatchObject({ kind: "other" });
        const code = kallsyms === zeros ? "UNRESOLVED_PROBE" : "UNSUPPORTED_EVENT";
        expect(alone.counts).toEqual({ [code]: PAGES * PER_PAGE });
        await writeFile(
          join(directory, "kprobes.txt"),
          "p:kvm_s2/map kvm_pgtable_stage2_map pgt=%x0:x64\nr64:kvm_s2/map_ret kvm_pgtable_stage2_map\n",
        );
        const listed = await readAll(await openTrace(path));
        expect(listed.rows[0]).toMatchObject({ kind: "map", addr: 0, len: 4096 });
        expect(listed.counts).toEqual({});
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("refuses what holds nothing that can be read", async () => {
    const whole = buildDat(SPECS[1]![1]);
    expect(await outcomeOf(whole.subarray(0, 400))).toMatchObject({ code: "WRONG_FORMAT" });
    expect(await outcomeOf(whole.subarray(0, 14))).toMatchObject({ code: "WRONG_FORMAT" });
    const version5 = Buffer.from(whole);
    version5[10] = 0x35;
    expect(await outcomeOf(version5)).toMatchObject({ code: "UNSUPPORTED_LAYOUT" });
    const lz5 = Buffer.from(whole.toString("latin1").replace("none\0", "lzxx\0"), "latin1");
    expect(await outcomeOf(lz5)).toMatchObject({ code: "UNSUPPORTED_COMPRESSION" });
  });
});
