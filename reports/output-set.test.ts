import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TraceError } from "../ingest/errors.ts";
import { writeOutputSet } from "./output-set.ts";

const built = path.resolve(fileURLToPath(import.meta.url), "../../dist/reports/output-set.js");

let dir = "";
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "output-set-"));
});
afterEach(() => {
  fs.rmSync(dir, { recursive: true, force: true });
});

const read = (name: string): string => fs.readFileSync(path.join(dir, name), "utf8");

/** A file whose text tells its generation and whether it is whole. */
function setOf(generation: number): { name: string; bytes: string }[] {
  const body = `${generation} ${"x".repeat(5000)} end`;
  return ["a.csv", "summary.json", "b.arrow"].map((name) => ({ name, bytes: body }));
}

/** Lets a function of node:fs fail once, after so many calls; returns what undoes it. */
function failAfter(step: string, successes: number): () => void {
  const real: unknown = Reflect.get(fs, step);
  if (typeof real !== "function") throw new Error(`node:fs has no ${step}`);
  let calls = 0;
  Reflect.set(fs, step, (...args: unknown[]): unknown => {
    calls += 1;
    if (calls === successes + 1) throw Object.assign(new Error("full"), { code: "ENOSPC" });
    return Reflect.apply(real, fs, args);
  });
  return () => void Reflect.set(fs, step, real);
}

function errorOf(action: () => void): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** What must hold at every moment: visible files whole, and a marker only beside its own set. */
function expectSound(names: readonly string[]): void {
  const generations = new Map<string, string>();
  for (const name of fs.readdirSync(dir).filter((entry) => !entry.startsWith("."))) {
    const [generation = "", ...rest] = read(name).split(" ");
    expect(rest.at(-1), `${name} is whole`).toBe("end");
    generations.set(name, generation);
  }
  if (!generations.has("summary.json")) return;
  expect([...generations.keys()].sort()).toEqual([...names].sort());
  expect(new Set(generations.values()).size, "generations beside the marker").toBe(1);
}

describe("writeOutputSet", () => {
  it("makes the folder and writes text and bytes", () => {
    const inner = path.join(dir, "deep", "out");
    writeOutputSet(inner, [
      { name: "a.csv", bytes: "é\n" },
      { name: "a.arrow", bytes: Uint8Array.of(1, 2, 3) },
      { name: "summary.json", bytes: "{}\n" },
    ]);
    expect(fs.readdirSync(inner).sort()).toEqual(["a.arrow", "a.csv", "summary.json"]);
    expect(fs.readFileSync(path.join(inner, "a.csv"), "utf8")).toBe("é\n");
    expect([...fs.readFileSync(path.join(inner, "a.arrow"))]).toEqual([1, 2, 3]);
  });

  it("replaces an older set and leaves other files alone", () => {
    fs.writeFileSync(path.join(dir, "mine.txt"), "kept");
    writeOutputSet(dir, setOf(1));
    writeOutputSet(dir, setOf(2));
    expect(read("mine.txt")).toBe("kept");
    expect(setOf(2).every(({ name, bytes }) => read(name) === bytes)).toBe(true);
    expect(fs.readdirSync(dir)).toHaveLength(4);
  });

  it("removes what an older set had and this one has not, and nothing else", () => {
    writeOutputSet(dir, [...setOf(1), { name: "old.csv", bytes: "old" }]);
    fs.writeFileSync(path.join(dir, "mine.csv"), "kept");
    writeOutputSet(dir, setOf(2), undefined, ["old.csv", "a.csv", "never.csv"]);
    const names = [...setOf(2).map(({ name }) => name), "mine.csv"];
    expect(fs.readdirSync(dir).sort()).toEqual(names.sort());
    expect(setOf(2).every(({ name, bytes }) => read(name) === bytes)).toBe(true);
  });

  it("does not write through a link that lies where a temporary file goes", () => {
    const victim = path.join(dir, "victim");
    fs.writeFileSync(victim, "kept");
    fs.symlinkSync(victim, path.join(dir, `.a.csv.${process.pid}.tmp`));
    writeOutputSet(dir, setOf(1));
    expect(fs.readFileSync(victim, "utf8")).toBe("kept");
  });

  it.each([
    ["a name with a folder", [{ name: "../a", bytes: "" }]],
    ["a hidden name", [{ name: ".a", bytes: "" }]],
    ["one name twice", [...setOf(1), ...setOf(1)]],
    ["a set without its marker", [{ name: "a", bytes: "" }]],
  ])("refuses %s", (_, files) => {
    expect(() => writeOutputSet(dir, files)).toThrow(Error);
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  it.each(["openSync", "writeFileSync", "fsyncSync", "renameSync", "rmSync"])(
    "is sound, and leaves nothing behind, whichever %s fails",
    (step) => {
      for (let successes = 0; ; successes += 1) {
        writeOutputSet(dir, setOf(1));
        const restore = failAfter(step, successes);
        const error = errorOf(() => writeOutputSet(dir, setOf(2)));
        restore();
        expectSound(setOf(2).map((file) => file.name));
        expect(fs.readdirSync(dir).filter((entry) => entry.startsWith("."))).toEqual([]);
        if (error === undefined) break;
        expect(error).toBeInstanceOf(TraceError);
      }
      expect(setOf(2).every(({ name, bytes }) => read(name) === bytes)).toBe(true);
    },
  );
});

function failureIn(folder: string): TraceError {
  const error = errorOf(() => writeOutputSet(folder, setOf(1)));
  if (error instanceof TraceError) return error;
  throw new Error("not refused as it should be", { cause: error });
}

describe("a folder that cannot be written", () => {
  it.each([
    ["a file", "file", "is a file, not a folder"],
    ["below a file", "file/deep", "or a part of it, is a file, not a folder"],
    ["nowhere", "/proc/none/out", "the folder cannot be made there"],
  ])("is reported in words: %s", (_, where, sentence) => {
    fs.writeFileSync(path.join(dir, "file"), "");
    const folder = path.resolve(dir, where);
    const error = failureIn(folder);
    expect(error.code).toBe("UNWRITABLE");
    expect(error.where).toBe(folder);
    expect(error.message).toContain(sentence);
    expect(error.hint).toContain("--out");
  });

  it("is reported where a folder has the name of a result, and its marker is gone", () => {
    fs.mkdirSync(path.join(dir, "b.arrow", "x"), { recursive: true });
    fs.writeFileSync(path.join(dir, "summary.json"), "old");
    expect(failureIn(dir).message).toContain("a folder has the name of a result file");
    expect(fs.readdirSync(dir).sort()).toEqual(["a.csv", "b.arrow"]);
  });

  it("is reported where the file system is full of limits", () => {
    const script = `
      const { writeOutputSet } = await import(${JSON.stringify(pathToFileURL(built))});
      try { writeOutputSet(${JSON.stringify(dir)}, [{ name: "summary.json", bytes: "x".repeat(100000) }]); }
      catch (error) { console.log(error.code, error.message); }`;
    const text = execFileSync(
      "sh",
      ["-c", 'ulimit -f 8; exec "$0" --input-type=module -e "$1"', process.execPath, script],
      { encoding: "utf8" },
    );
    expect(text).toContain("UNWRITABLE cannot write the results: a result file is larger than");
    expect(fs.readdirSync(dir)).toEqual([]);
  });
});

describe("a killed process", () => {
  const files = Array.from({ length: 12 }, (_, i) => `table-${i}.csv`).concat("summary.json");

  /** Writes set after set, each file naming its generation, until it is killed. */
  function startWriter(start: number): ChildProcess {
    const script = `
      const { writeOutputSet } = await import(${JSON.stringify(pathToFileURL(built))});
      console.log("ready");
      for (let g = ${start}; ; g += 1) {
        const bytes = g + " " + "x".repeat(20000 + (g % 7) * 9000) + " end";
        writeOutputSet(${JSON.stringify(dir)}, ${JSON.stringify(files)}.map((name) => ({ name, bytes })));
      }`;
    return spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
  }

  it("leaves whole files, and a marker only beside a complete set", async () => {
    let withMarker = 0;
    for (let round = 0; round < 20; round += 1) {
      const writer = startWriter(round * 1000);
      if (writer.stdout) await once(writer.stdout, "data");
      await sleep(Math.random() * 60);
      writer.kill("SIGKILL");
      await once(writer, "exit");
      expectSound(files);
      if (fs.existsSync(path.join(dir, "summary.json"))) withMarker += 1;
    }
    expect(withMarker, "rounds in which a complete set was found").toBeGreaterThan(0);
  });
});
