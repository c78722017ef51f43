import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { argvOf, parameterFilesOf, parametersOf, parseParameters } from "./analysis.ts";
import { type BatchItem, keyOf, type Manifest, manifestJson, parseManifest } from "./manifest.ts";
import { planBatch, type PlanRequest } from "./plan/plan.ts";
import { traceInRoot } from "./trace-root.ts";

let folder: string;
const at = (...parts: readonly string[]): string => path.join(folder, ...parts);

beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-manifest-")));
  fs.mkdirSync(at("in/deep"), { recursive: true });
  for (const name of ["a.txt", "deep/b.txt"]) fs.writeFileSync(at("in", name), `trace ${name}\n`);
  fs.writeFileSync(at("secret.txt"), "secret\n");
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

async function planOf(request: Partial<PlanRequest>): Promise<Manifest> {
  const all = { inputs: [], csv: [], root: undefined, parameters: {}, ...request };
  return (await planBatch(all)).manifest;
}

function csv(text: string): string {
  fs.writeFileSync(at("in/fleet.csv"), text);
  return at("in/fleet.csv");
}

const names = ({ items }: Manifest): readonly string[] => items.map(({ trace }) => trace);
const refusals = ({ refused }: Manifest): readonly (readonly string[])[] =>
  refused.map(({ trace, code }) => [trace, code]);

describe("planBatch", () => {
  it("finds traces in folders, globs and captures, each once, and leaves out what stands beside them", async () => {
    fs.mkdirSync(at("in/capture"));
    for (const name of ["trace.txt", "trace.dat", "capture.json", "perf.script.txt"]) {
      fs.writeFileSync(at("in/capture", name), `{"${name}": 0}`);
    }
    for (const name of ["dmesg.txt", "kprobes.txt", "notes.md"])
      fs.writeFileSync(at("in", name), "x");
    fs.symlinkSync(at("secret.txt"), at("in/link.txt"));
    const request = {
      inputs: [at("in"), at("in/**/*.txt")],
      csv: [],
      root: undefined,
      parameters: {},
    };
    const { manifest, leftOut } = await planBatch(request);
    expect(names(manifest)).toEqual(
      // By the glob, what is in a capture's folder is a trace like any other.
      ["a.txt", "capture/perf.script.txt", "capture/trace.txt", "deep/b.txt"].toSorted(),
    );
    expect(names(await planOf({ inputs: [at("in")] }))).toEqual([
      "a.txt",
      "capture/trace.txt",
      "deep/b.txt",
    ]);
    expect(leftOut).toBeGreaterThan(0);
    expect(manifest.refused).toEqual([]);
    expect(manifest.root).toBe(at("in"));
    expect(manifest.items[0]).toMatchObject({
      bytes: 12,
      companions: [{ name: "dmesg.txt", bytes: 1 }, { name: "kprobes.txt" }],
    });
  });

  it("reads machines, options and free columns from a CSV", async () => {
    const file = csv(
      "\uFEFFtrace,host_model,vm_type,kernel,page_size,rack\na.txt, Altra ,small,6.1.0,16k,=1+1\ndeep/b.txt,,,,,\n",
    );
    const { items, label_names } = await planOf({ csv: [file] });
    expect(label_names).toEqual(["rack"]);
    expect(items[0]).toMatchObject({
      trace: "a.txt",
      host_model: "Altra",
      vm_type: "small",
      kernel: "6.1.0",
      labels: { rack: "=1+1" },
      options: { kernel: "6.1.0", "page-size": "16k" },
    });
    expect(items[1]).toMatchObject({
      host_model: null,
      kernel: null,
      labels: { rack: "" },
      options: {},
    });
  });

  it.each([
    ["host_model\nx\n", /:1$/, /no column 'trace'/],
    ["trace,trace\na,b\n", /:1$/, /'trace' stands in the header twice/],
    ["trace,path\na,b\n", /:1$/, /'trace' stands in the header twice/],
    ["trace,=cmd()\na.txt,1\n", /:1$/, /not a name of a column/],
    ["trace,x\na.txt\n", /:2$/, /Invalid Record Length/],
    ["trace,x\n,1\n", /:2$/, /no trace is named/],
    ['trace,x\n"a.txt,1\n', /:\d$/, /Quote Not Closed/],
    ["", /:1$/, /no header/],
    [`trace\n${"x".repeat(70_000)}\n`, /:\d$/, /Max Record Size/],
  ])("refuses a CSV such as %j", async (text, where, message) => {
    await expect(planOf({ csv: [csv(text.slice())] })).rejects.toMatchObject({
      code: "BAD_MANIFEST",
      where: expect.stringMatching(where) as string,
      message: expect.stringMatching(message) as string,
    });
  });

  it("lists rows whose trace leads out of the root, or whose options are wrong", async () => {
    fs.symlinkSync(at("secret.txt"), at("in/link.txt"));
    fs.symlinkSync(folder, at("in/up"));
    fs.writeFileSync(at("in/empty.txt"), "");
    const bad = [
      "../secret.txt",
      at("secret.txt"),
      "link.txt",
      "up/secret.txt",
      "gone.txt",
      "empty.txt",
    ];
    const file = csv(
      `trace,kernel\n${bad.map((trace) => `${trace},`).join("\n")}\na.txt,not a kernel\ndeep/b.txt,6.1\n`,
    );
    const manifest = await planOf({ csv: [file] });
    expect(names(manifest)).toEqual(["deep/b.txt"]);
    expect(refusals(manifest)).toEqual(
      [
        [at("secret.txt"), "OUTSIDE_ROOT"],
        [at("secret.txt"), "OUTSIDE_ROOT"],
        ["a.txt", "BAD_OPTION"],
        ["empty.txt", "EMPTY"],
        ["gone.txt", "UNREADABLE"],
        ["link.txt", "OUTSIDE_ROOT"],
        ["up/secret.txt", "OUTSIDE_ROOT"],
      ].toSorted((a, b) => (a[0]! < b[0]! ? -1 : 1)),
    );
    // Who owns the machine may say otherwise.
    const trusted = await planOf({ csv: [file], root: folder });
    // The link and what it leads to are one trace.
    expect(names(trusted)).toEqual(["in/deep/b.txt", "in/link.txt"]);
    expect(trusted.duplicates.map(({ trace }) => trace)).toContain("secret.txt");
  });

  it("does not open what never ends", async () => {
    const fifo = at("in/pipe.txt");
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", [fifo]);
    expect(refusals(await planOf({ inputs: [fifo, at("in/a.txt")] }))).toEqual([
      ["pipe.txt", "UNREADABLE"],
    ]);
  });
});

async function changed(
  change: (manifest: Manifest & { items: BatchItem[] }) => unknown,
): Promise<string> {
  const manifest = await planOf({ inputs: [at("in")] });
  const copy = structuredClone(manifest) as Manifest & { items: BatchItem[] };
  return JSON.stringify(change(copy));
}

describe("parseManifest", () => {
  it("reads what a plan wrote, and the bytes do not depend on when", async () => {
    const manifest = await planOf({ inputs: [at("in")] });
    expect(parseManifest(manifestJson(manifest), "m.json")).toStrictEqual(manifest);
    expect(manifestJson(await planOf({ inputs: [at("in")] }))).toBe(manifestJson(manifest));
    const empty = { ...manifest, items: [] };
    expect(parseManifest(manifestJson(empty), "m.json")).toStrictEqual(empty);
  });

  it("refuses keys that are not those of what they stand for", async () => {
    const forged = await changed((manifest) => {
      const [item, ...rest] = manifest.items;
      return { ...manifest, items: [{ ...item, key: "0".repeat(64) }, ...rest] };
    });
    expect(() => parseManifest(forged, "m.json")).toThrow(/the key of a\.txt is not that/);
    for (const key of ["../../x", "", "A".repeat(64), `${"0".repeat(63)}/`]) {
      const text = await changed((manifest) => ({
        ...manifest,
        items: [{ ...manifest.items[0], key }],
      }));
      expect(() => parseManifest(text, "m.json")).toThrow(/items\.0\.key/);
    }
    const twice = await changed((manifest) => ({
      ...manifest,
      items: [manifest.items[0], manifest.items[0]],
    }));
    expect(() => parseManifest(twice, "m.json")).toThrow(/stands in it twice/);
  });

  it("lets no entry name a file that is read as an option", async () => {
    const text = await changed((manifest) => {
      const item = { ...manifest.items[0]!, options: { "policy-file": "/etc/passwd" } };
      return { ...manifest, items: [{ ...item, key: keyOf(item, manifest) }] };
    });
    expect(() => parseManifest(text, "m.json")).toThrow(/items\.0\.options/);
    const unknown = await changed((manifest) => ({ ...manifest, surprise: 1 }));
    expect(() => parseManifest(unknown, "m.json")).toThrow(/surprise/);
    expect(() => parseManifest("[1", "m.json")).toThrow(/not JSON/);
  });
});

describe("traceInRoot", () => {
  it("keeps every trace in the root, by name and by link", async () => {
    const root = at("in");
    expect(await traceInRoot(root, "deep/b.txt")).toBe(at("in/deep/b.txt"));
    expect(await traceInRoot(root, "deep/../a.txt")).toBe(at("in/a.txt"));
    for (const trace of ["../secret.txt", "/etc/passwd", "..", ".", "", "deep/../../secret.txt"]) {
      await expect(traceInRoot(root, trace)).rejects.toMatchObject({ code: "OUTSIDE_ROOT" });
    }
    // A file whose name begins with dots is a file like any other.
    fs.writeFileSync(at("in/..odd.txt"), "x");
    expect(await traceInRoot(root, "..odd.txt")).toBe(at("in/..odd.txt"));
    fs.symlinkSync("../../secret.txt", at("in/deep/link"));
    await expect(traceInRoot(root, "deep/link")).rejects.toMatchObject({ code: "OUTSIDE_ROOT" });
    await expect(traceInRoot(root, "gone")).rejects.toMatchObject({ code: "UNREADABLE" });
  });
});

describe("keyOf", () => {
  it("depends on everything that decides a result, and on nothing else", async () => {
    const manifest = await planOf({ inputs: [at("in")] });
    const item = manifest.items[0]!;
    const key = keyOf(item, manifest);
    expect(
      keyOf({ ...item, trace: "elsewhere", host_model: "x", labels: { a: "b" } }, manifest),
    ).toBe(key);
    expect(keyOf(item, { ...manifest, root: "/elsewhere" })).toBe(key);
    const others = [
      keyOf({ ...item, sha256: "0".repeat(64) }, manifest),
      keyOf(
        { ...item, companions: [{ name: "uname.txt", bytes: 1, sha256: "1".repeat(64) }] },
        manifest,
      ),
      keyOf({ ...item, options: { kernel: "6.1" } }, manifest),
      keyOf(item, { ...manifest, parameters: { policy: "ideal" } }),
      keyOf(item, { ...manifest, tool: { name: "tlbi-replay", version: "9" } }),
      keyOf(item, {
        ...manifest,
        parameter_files: [{ option: "probes", path: "p", sha256: "2".repeat(64) }],
      }),
    ];
    expect(new Set([key, ...others]).size).toBe(7);
  });
});

describe("parameters", () => {
  it("keep what was typed, and are checked as a command line is", async () => {
    const typed = { quiet: true, policy: "ideal", flag: ["unmap=leaf", "a=b"], inputs: ["x"] };
    const parameters = parametersOf(typed);
    expect(parameters).toStrictEqual({ flag: ["unmap=leaf", "a=b"], policy: "ideal" });
    expect(argvOf(parameters)).toStrictEqual([
      "analyze",
      "--flag",
      "unmap=leaf",
      "--flag",
      "a=b",
      "--policy",
      "ideal",
    ]);
    expect(parseParameters({ "page-size": "64K" }).replay["page-size"]).toBe(65_536);
    expect(() => parseParameters({ "page-size": "5k" })).toThrow(/is not one of/);
    expect(() => parseParameters({ out: "/etc" })).toThrow(/not an option of an analysis/);
    expect(() => parseParameters({ stream: "generated" })).toThrow(/there is none/);
    await expect(parameterFilesOf({ probes: at("gone") })).rejects.toMatchObject({
      code: "UNREADABLE",
    });
  });
});
