import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pickLines } from "./pick-lines.ts";

let folder = "";
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "lines-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

function fileOf(name: string, bytes: string | Uint8Array): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, bytes);
  return file;
}

describe("pickLines", () => {
  it("gives lines with the place at which they begin, also of a packed file", async () => {
    const text = "first\nsécond\n\nfourth";
    for (const file of [fileOf("a.txt", text), fileOf("a.gz", gzipSync(text))]) {
      const found = await pickLines(file, new Set([2, 3, 4, 9]));
      expect([...found]).toEqual([
        [2, { byteOffset: 6, text: "sécond" }],
        [3, { byteOffset: 14, text: "" }],
        [4, { byteOffset: 15, text: "fourth" }],
      ]);
    }
  });

  it("finds lines behind and across reads of the file, and cuts long ones", async () => {
    const line = "x".repeat(1_500_000);
    const file = fileOf("long.txt", `${line}\nshort\n${line}`);
    const found = await pickLines(file, new Set([1, 2, 3]));
    expect(found.get(1)).toEqual({ byteOffset: 0, text: "x".repeat(300) });
    expect(found.get(2)).toEqual({ byteOffset: 1_500_001, text: "short" });
    expect(found.get(3)).toEqual({ byteOffset: 1_500_007, text: "x".repeat(300) });
  });
});
