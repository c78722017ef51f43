import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openTrace } from "./open-trace.ts";
import { eventLine, inChunks, readAll } from "./testing/read-text.ts";

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
      ["zstd -dc", [0x28, 0xb5, 0x2f, 0xfd]],
      ["xz -dc", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
      ["lz4 -dc", [0x04, 0x22, 0x4d, 0x18]],
      ["bzip2 -dc", [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41]],
    ];
    for (const [command, magic] of cases) {
      expect(await refusalOf(Uint8Array.from(magic))).toMatchObject({
        code: "UNSUPPORTED_COMPRESSION",
        hint: expect.stringContaining(`${command} FILE | tlbi-replay analyze -`),
      });
    }
  });

  it("names binary files, also packed ones", async () => {
    const dat = Buffer.concat([Buffer.from([0x17, 0x08, 0x44]), Buffer.from("tracing6\0")]);
    const named = { code: "BINARY", message: expect.stringContaining("trace.dat") };
    expect(await refusalOf(dat)).toMatchObject(named);
    expect(await refusalOf(gzipSync(dat))).toMatchObject(named);
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

  it("does as it is told about the format", async () => {
    const stdin = inChunks(Buffer.from(ENTRY), [100]);
    await expect(openTrace("-", { stdin, inputFormat: "csv" })).rejects.toMatchObject({
      code: "WRONG_FORMAT",
    });
  });
});
