import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openTrace } from "./open-trace.ts";
import { payloads } from "./testing/dat-events.ts";
import { buildDat } from "./testing/dat-file.ts";
import { DatPage } from "./testing/dat-page.ts";
import { eventLine, inChunks, readAll, readText } from "./testing/read-text.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "ingest-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

const ENTRY = eventLine("kvm_entry: PC: 0x0");

async function refusalOf(content: Uint8Array | string): Promise<unknown> {
  return openTrace("-", { stdin: inChunks(Buffer.from(content), [4096]) }).then(
    () => "read",
    (error: unknown) => error,
  );
}

describe("openTrace", () => {
  it("reads a file in reads of any size, and tells size and digest as stored", async () => {
    const path = join(directory, "trace.txt");
    const text = ENTRY.repeat(100);
    await writeFile(path, text);
    for (const readBytes of [1, 7, 100, 1 << 20]) {
      const { rows, info } = await readAll(await openTrace(path, { readBytes }));
      expect(rows).toHaveLength(100);
      expect(info).toMatchObject({
        path,
        format: "ftrace-text",
        compression: "none",
        bytes: text.length,
        sha256: createHash("sha256").update(text).digest("hex"),
        lines: 100,
        events: 100,
        eventsByName: new Map([["kvm_entry", 100]]),
      });
    }
  });

  it("recognises gzip by content, whatever the name", async () => {
    const path = join(directory, "packed.log");
    const packed = gzipSync(ENTRY.repeat(3));
    await writeFile(path, packed);
    const { rows, info } = await readAll(await openTrace(path));
    expect(rows).toHaveLength(3);
    expect(info).toMatchObject({
      compression: "gzip",
      bytes: packed.length,
      sha256: createHash("sha256").update(packed).digest("hex"),
    });
  });

  it("says what is wrong with a path", async () => {
    await expect(openTrace(join(directory, "absent"))).rejects.toMatchObject({
      code: "UNREADABLE",
      message: "there is no such file",
      where: join(directory, "absent"),
    });
    await expect(openTrace(directory)).rejects.toMatchObject({ code: "UNREADABLE" });
    await writeFile(join(directory, "empty"), "");
    await expect(openTrace(join(directory, "empty"))).rejects.toMatchObject({ code: "EMPTY" });
  });

  it("refuses other compressions with a command", async () => {
    const cases: readonly (readonly [string, readonly number[]])[] = [
      ["bzip2 -dc", [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41]],
      ["unzip -p", [0x50, 0x4b, 0x03, 0x04, 0x14]],
    ];
    for (const [command, magic] of cases) {
      expect(await refusalOf(Uint8Array.from(magic))).toMatchObject({
        code: "UNSUPPORTED_COMPRESSION",
        hint: expect.stringContaining(`${command} FILE | tlbi-replay analyze -`),
      });
    }
  });

  it("names binary files, also packed ones", async () => {
    expect(await refusalOf("PERFILE2rest")).toMatchObject({
      code: "BINARY",
      message: expect.stringContaining("perf.data"),
    });
    expect(await refusalOf("a\0b")).toMatchObject({
      code: "BINARY",
      message: expect.stringContaining("offset 1"),
    });
    expect(await refusalOf(Buffer.from([0xff, 0xfe, 0x41, 0x00]))).toMatchObject({
      code: "BINARY",
      message: expect.stringContaining("UTF-16"),
    });
  });

  it("says that nothing could be unpacked", async () => {
    expect(await refusalOf(gzipSync(""))).toMatchObject({ code: "EMPTY" });
    expect(await refusalOf(gzipSync(ENTRY).subarray(0, 10))).toMatchObject({ code: "EMPTY" });
  });

  it("quotes the first line of what is no trace", async () => {
    expect(await refusalOf("dear diary\nrest\n")).toMatchObject({
      code: "WRONG_FORMAT",
      message: expect.stringContaining("dear diary"),
    });
  });

  it("reads trace.dat from a file, a pipe and gzip alike, and leaves no temporary file", async () => {
    const path = join(directory, "trace.dat");
    const page = new DatPage(1000).record(0, payloads.entry()).build();
    const dat = buildDat({ cpus: [[page]] });
    const packed = gzipSync(dat);
    await writeFile(path, dat);
    await writeFile(`${path}.gz`, packed);
    const before = await readdir(tmpdir());
    const results = [
      await readAll(await openTrace(path)),
      await readAll(await openTrace(`${path}.gz`)),
      await readAll(await openTrace("-", { stdin: inChunks(packed, [100]) })),
    ];
    for (const { rows, info } of results) {
      expect(rows).toMatchObject([{ kind: "kvm_entry", tsNs: 0 }]);
      expect(info).toMatchObject({ format: "trace-dat", events: 1, baseNs: 1000n });
    }
    expect(results[0]!.info).toMatchObject({ compression: "none", bytes: dat.length });
    expect(results[1]!.info).toMatchObject({
      compression: "gzip",
      sha256: createHash("sha256").update(packed).digest("hex"),
    });
    const left = (await readdir(tmpdir())).filter((name) => !before.includes(name));
    expect(left.filter((name) => name.startsWith("tlbi-replay-"))).toEqual([]);
  });

  it("reads text and trace.dat whatever packed them", async () => {
    const packed = fileURLToPath(new URL("../fixtures/packed/", import.meta.url));
    const plain = await readAll(await openTrace(`${packed}text.gz`));
    expect(plain.info).toMatchObject({ events: 688, compression: "gzip" });
    for (const [suffix, compression] of [
      ["zst", "zstd"],
      ["xz", "xz"],
      ["lz4", "lz4"],
    ] as const) {
      const text = await readAll(await openTrace(`${packed}text.${suffix}`));
      expect(text.rows).toEqual(plain.rows);
      expect(text.info).toMatchObject({ events: 688, compression });
      const dat = await readAll(await openTrace(`${packed}trace.dat.${suffix}`));
      expect(dat.info).toMatchObject({ format: "trace-dat", events: 4, compression });
      expect(dat.hasDataLoss).toBe(false);
    }
  });

  it("reads CSV whatever packed it, and tells where a cut is", async () => {
    const packed = fileURLToPath(new URL("../fixtures/packed/", import.meta.url));
    for (const suffix of ["zst", "xz", "lz4"]) {
      const stored = await readFile(`${packed}rows.csv.${suffix}`);
      const whole = await readText(stored, [500]);
      expect(whole.info).toMatchObject({ format: "csv", events: 1000 });
      expect(whole.hasDataLoss).toBe(false);
      const cut = await readText(stored.subarray(0, stored.length - 50), [500]);
      expect(cut.counts).toMatchObject({ DAMAGED_COMPRESSION: 1 });
      expect(cut.byteOffsets).toContain(stored.length - 50);
      expect(cut.rows).toEqual(whole.rows.slice(0, cut.rows.length));
      expect(cut.rows.length).toBeLessThan(1000);
    }
  });

  it("uses what a cut gzip of a trace.dat still gives", async () => {
    const pages = [0, 1, 2, 3].map((i) => new DatPage(1000 + i).record(0, payloads.map(i)).build());
    const packed = gzipSync(buildDat({ version: 6, cpus: [pages] }), { level: 0 });
    const { info, counts } = await readText(packed.subarray(0, packed.length - 5000), [4096]);
    expect(info.events).toBeGreaterThan(0);
    expect(counts).toMatchObject({ DAMAGED_COMPRESSION: 1, TRUNCATED: 1 });
  });

  it("does as it is told about the format", async () => {
    const stdin = inChunks(Buffer.from(ENTRY), [100]);
    await expect(openTrace("-", { stdin, inputFormat: "csv" })).rejects.toMatchObject({
      code: "WRONG_FORMAT",
    });
    const text = inChunks(Buffer.from(ENTRY), [100]);
    await expect(openTrace("-", { stdin: text, inputFormat: "trace-dat" })).rejects.toMatchObject({
      code: "WRONG_FORMAT",
    });
    const dat = inChunks(buildDat({ cpus: [] }), [100]);
    await expect(openTrace("-", { stdin: dat, inputFormat: "csv" })).rejects.toMatchObject({
      code: "BINARY",
    });
  });
});
