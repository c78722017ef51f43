import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FolderStore } from "./folder-store.ts";
import { openStore } from "./open-store.ts";
import { parseS3Place } from "./s3-store.ts";

const KEY = `ab${"0".repeat(62)}`;

let folder: string;
let store: FolderStore;
const at = (...parts: readonly string[]): string => path.join(folder, ...parts);

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-store-"));
  store = new FolderStore(at("store"));
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

describe("FolderStore", () => {
  it("keeps documents by kind and key", async () => {
    expect(await store.has("results", KEY)).toBe(false);
    expect(await store.read("results", KEY)).toBeUndefined();
    await store.write("results", KEY, "one");
    await store.write("results", KEY, "two");
    await store.write("failures", KEY, "why");
    expect(await store.read("results", KEY)).toBe("two");
    expect(fs.readFileSync(at("store/results/ab", `${KEY}.json`), "utf8")).toBe("two");
    await store.remove("failures", KEY);
    await store.remove("failures", KEY);
    expect(await store.has("failures", KEY)).toBe(false);
    expect(fs.readdirSync(at("store/results/ab"))).toEqual([`${KEY}.json`]);
  });

  it.each(["../../etc/x", "", "/etc/passwd", `${"0".repeat(63)}/`, "A".repeat(64)])(
    "takes no key such as %j",
    async (key) => {
      await expect(store.write("results", key, "x")).rejects.toThrow(/not a key/);
      await expect(store.read("results", key)).rejects.toThrow(/not a key/);
      await expect(store.remove("results", key)).rejects.toThrow(/not a key/);
    },
  );

  it("does not write through links that somebody laid", async () => {
    fs.mkdirSync(at("elsewhere"));
    fs.mkdirSync(at("store"));
    fs.symlinkSync(at("elsewhere"), at("store/results"));
    await expect(store.write("results", KEY, "x")).rejects.toMatchObject({
      code: "UNWRITABLE",
      message: expect.stringMatching(/a link or a file stands in the place/) as string,
    });
    expect(fs.readdirSync(at("elsewhere"))).toEqual([]);
    fs.rmSync(at("store/results"));
    fs.mkdirSync(at("store/results/ab"), { recursive: true });
    fs.writeFileSync(at("elsewhere/victim"), "mine");
    fs.symlinkSync(at("elsewhere/victim"), at("store/results/ab", `${KEY}.json`));
    expect(await store.has("results", KEY)).toBe(false);
    expect(await store.read("results", KEY)).toBeUndefined();
    await store.write("results", KEY, "x");
    expect(fs.readFileSync(at("elsewhere/victim"), "utf8")).toBe("mine");
    expect(await store.read("results", KEY)).toBe("x");
  });

  it("sweeps up what killed processes left, and nothing else", async () => {
    await store.write("results", KEY, "x");
    const old = at("store/results/ab", `.${KEY}.123.abc.tmp`);
    const young = at("store/results/ab", `.${KEY}.124.abc.tmp`);
    const foreign = at("store/results/ab/notes.tmp");
    for (const file of [old, young, foreign]) fs.writeFileSync(file, "half");
    const longAgo = new Date(Date.now() - 2 * 3600 * 1000);
    fs.utimesSync(old, longAgo, longAgo);
    fs.utimesSync(foreign, longAgo, longAgo);
    expect(store.sweep(Date.now())).toBe(1);
    expect([old, young, foreign].map((file) => fs.existsSync(file))).toEqual([false, true, true]);
    expect(await store.has("results", KEY)).toBe(true);
  });
});

describe("the place of a store", () => {
  it("is a folder, or a bucket without credentials", async () => {
    expect(parseS3Place("results/s3")).toBeUndefined();
    expect(parseS3Place("s3://bucket/a/b/")).toStrictEqual({ bucket: "bucket", prefix: "a/b" });
    expect(parseS3Place("s3://bucket")).toStrictEqual({ bucket: "bucket", prefix: "" });
    for (const text of [
      "s3://AKIA123:hunter2@bucket/x",
      "s3://",
      "s3://b",
      "s3:bucket",
      "S3://a b/c",
    ]) {
      let message = "";
      try {
        parseS3Place(text);
      } catch (error) {
        message = String(error);
      }
      expect(message).toMatch(/without credentials/);
      expect(message).not.toMatch(/hunter2|AKIA123/);
    }
    expect((await openStore(at("store"))).description).toBe(at("store"));
  });
});
