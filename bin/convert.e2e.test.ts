/** `convert` as a user runs it: child processes, real files, exit codes. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { tableFromIPC } from "@uwdata/flechette";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const ROOT = path.resolve(fileURLToPath(import.meta.url), "../..");
const EXECUTABLE = path.join(ROOT, "dist/bin/tlbi-replay.js");

let work: string;
beforeEach(() => {
  work = fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-convert-"));
});
afterEach(() => {
  fs.rmSync(work, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number | null;
  readonly bytes: Buffer;
  readonly out: string;
  readonly err: string;
}

function tool(words: readonly string[], stdin: string | Uint8Array = ""): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [EXECUTABLE, ...words], {
    cwd: work,
    input: stdin,
    maxBuffer: 1 << 28,
    env: { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "" },
  });
  return {
    code: status,
    bytes: stdout,
    out: stdout.toString("utf8"),
    err: stderr.toString("utf8"),
  };
}

function capture(name: string, file = ""): string {
  return path.join(ROOT, "fixtures/captures", name, file);
}

describe("convert", () => {
  it("writes Arrow to stdout by default, and CSV where the file is called so", () => {
    const arrow = tool(["convert", capture("tiny-612")]);
    expect([arrow.code, arrow.err]).toEqual([
      0,
      expect.stringMatching(/6940 events, 6940 rows\n$/),
    ]);
    expect(tableFromIPC(arrow.bytes).numRows).toBe(6940);
    const csv = tool(["convert", capture("tiny-612"), "--out", "events.csv", "--quiet"]);
    expect([csv.code, csv.out, csv.err]).toEqual([0, "", ""]);
    const text = fs.readFileSync(path.join(work, "events.csv"), "utf8");
    expect(text.split("\n")).toHaveLength(6942);
    expect(tool(["convert", capture("tiny-612"), "--format", "csv"]).out).toBe(text);
    expect(fs.readdirSync(work)).toEqual(["events.csv"]);
  });

  it("gives each of several traces a file in a folder, named after it", () => {
    const traces = [capture("tiny-612"), capture("tiny-61", "trace.latency.txt.gz")];
    const { code } = tool(["convert", ...traces, "--out", "tables", "--format", "csv"]);
    expect(code).toBe(0);
    expect(fs.readdirSync(path.join(work, "tables")).sort()).toEqual([
      "tiny-612.csv",
      "trace.latency.csv",
    ]);
  });

  it("analyze says of the converted trace what it says of the trace", () => {
    for (const name of ["tiny-612", "tiny-612-lost-overwrite"]) {
      tool(["convert", capture(name), "--out", "trace.arrow"]);
      fs.copyFileSync(capture(name, "capture.json"), path.join(work, "capture.json"));
      const policies = ["--policy", "auto,pgtable-5.10", "--format", "csv"];
      const [own, converted] = [capture(name), work].map((trace) =>
        tool(["analyze", trace, ...policies]),
      );
      expect(converted!.out).toBe(own!.out);
      expect(converted!.code).toBe(own!.code);
      expect(converted!.code).toBe(name === "tiny-612" ? 0 : 3);
    }
  });

  it("is 3 with data loss, and says what was lost", () => {
    const { code, err } = tool(["convert", capture("tiny-612-lost-overwrite"), "--out", "a.arrow"]);
    expect(code).toBe(3);
    expect(err).toMatch(/EVENTS_OVERWRITTEN at line 3.*1711 of 16762/);
    expect(err).toMatch(/1711 events, 1713 rows in a\.arrow/);
    expect(tool(["convert", "a.arrow", "--out", "b.csv"]).code).toBe(3);
    expect(tool(["convert", "b.csv", "--out", "c.arrow"]).code).toBe(3);
  });

  it("salvages a file of its own that was cut, and is 3", () => {
    tool(["convert", capture("s2-huge-61"), "--quiet", "--out", "big.arrow"]);
    const big = fs.readFileSync(path.join(work, "big.arrow"));
    fs.writeFileSync(path.join(work, "cut.arrow"), big.subarray(0, big.length - 1));
    const { code, out, err } = tool(["convert", "cut.arrow", "--format", "csv"]);
    expect(code).toBe(3);
    expect(out.split("\n").length).toBeGreaterThan(55_000);
    expect(err).toMatch(/TRUNCATED at line 0, byte \d+: the file was not written to its end/);
  });

  it.each([
    [["convert", "x.txt", "--format", "json"], 2, /--format: 'json' is not one of arrow, csv/],
    [["convert", "x.txt", "y.txt"], 2, /--out: is needed for several traces/],
    [["convert", "x/trace.txt", "x/", "--out", "d"], 2, /--out: would get two files/],
    [["convert", "x.txt", "--compare"], 2, /--compare: needs at least two traces/],
    [["convert", "no-such-file"], 1, /there is no such file/],
    [["convert", capture("tiny-72"), "--out", "no/such/a.csv"], 1, /there is no such folder/],
  ] as const)("%j is refused", (words, code, message) => {
    const outcome = tool(words);
    expect([outcome.code, outcome.out]).toEqual([code, ""]);
    expect(outcome.err).toMatch(message);
  });

  it("leaves nothing that looks whole when it fails or is interrupted", async () => {
    fs.writeFileSync(path.join(work, "a.arrow"), "an older file");
    expect(tool(["convert", "-", "--out", "a.arrow"], "no trace at all\n").code).toBe(1);
    const child = spawn(process.execPath, [EXECUTABLE, "convert", "-", "--out", "a.arrow"], {
      cwd: work,
      stdio: ["pipe", "ignore", "ignore"],
    });
    child.stdin.on("error", () => undefined);
    child.stdin.write(gunzipSync(fs.readFileSync(capture("tiny-612", "trace.txt.gz"))));
    while (!fs.readdirSync(work).some((name) => name.endsWith(".tmp"))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill("SIGINT");
    await once(child, "exit");
    expect(child.exitCode).toBe(130);
    expect(fs.readdirSync(work)).toEqual(["a.arrow"]);
    expect(fs.readFileSync(path.join(work, "a.arrow"), "utf8")).toBe("an older file");
  });
});

describe("convert --compare", () => {
  it("is 0 where two formats hold the same events, and says what was not compared", () => {
    const files = ["trace.v7.dat", "trace.txt.gz"].map((file) => capture("tiny-612", file));
    const { code, out } = tool(["convert", ...files, "--compare"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^equal: 6,940 events of .*\n {2}not compared: the kernel's text rounds/);
  });

  it("is 4 where they differ, and names the first difference", () => {
    const words = ["convert", capture("tiny-612"), capture("tiny-72"), "--compare"];
    const { code, out } = tool(words);
    expect(code).toBe(4);
    expect(out).toMatch(/^different: .*, event 1: pid\n {2}.*: 599\n {2}.*: \d+\n/);
  });
});
