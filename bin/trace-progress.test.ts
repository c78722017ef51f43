import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TraceProgress } from "./trace-progress.ts";

let folder = "";
let file = "";
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "progress-"));
  file = path.join(folder, "trace.txt");
  fs.writeFileSync(file, "x".repeat(4_000_000));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

/** Reads half of the file within so many seconds, and says what a stream was told. */
function toldOf(isTTY: boolean, seconds: number, name: string = file): string {
  let text = "";
  let nowMs = 0;
  const stream = {
    isTTY,
    columns: 200,
    write: (part: string): void => {
      text += part;
    },
  };
  const progress = new TraceProgress(stream, () => nowMs);
  progress.begin(name);
  progress.stored(2_000_000);
  nowMs = seconds * 1000;
  progress.events(3_000_000);
  progress.events(0);
  progress.end();
  return text;
}

describe("the progress of a trace", () => {
  it("says share, rates and what is left, on a terminal, and takes its line away", () => {
    const told = toldOf(true, 2);
    expect(told).toContain(`${file}: 50 %, 1.0 MB/s, 1.50 million events/s, about 2 s left`);
    expect(told.endsWith("\r\u001b[K")).toBe(true);
    expect(told.match(/left/g)).toHaveLength(1);
  });

  it("says nothing elsewhere, nor of what is over at once", () => {
    expect(toldOf(false, 2)).toBe("");
    expect(toldOf(true, 0.3)).toBe("");
  });

  it("gives no share of what comes from a pipe", () => {
    const told = toldOf(true, 2, "-");
    expect(told).toContain("-: 1.50 million events/s");
    expect(told).not.toContain("left");
  });
});
