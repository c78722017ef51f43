import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { diffResults, isResult } from "./diff.ts";
import { resultPage } from "./html/page.ts";
import { readResultFolder } from "./result-folder.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const CLI = path.join(ROOT, "dist/bin/tlbi-replay.js");

let folder = "";
function run(...args: readonly string[]): { status: number; stdout: string; stderr: string } {
  try {
    const stdout = execFileSync(process.execPath, [CLI, ...args], { cwd: ROOT, stdio: "pipe" });
    return { status: 0, stdout: stdout.toString(), stderr: "" };
  } catch (error) {
    const { status, stdout, stderr } = error as Error & {
      status: number;
      stdout: Buffer;
      stderr: Buffer;
    };
    return { status, stdout: stdout.toString(), stderr: stderr.toString() };
  }
}

const at = (name: string): string => path.join(folder, name);
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "results-"));
  const capture = "fixtures/captures/tiny-612";
  run("analyze", capture, "--out", at("a"), "--html", at("a.html"), "--quiet");
  run("analyze", capture, "--out", at("b"), "--quiet", "--cpu", "fwb,ttl");
  run("analyze", "fixtures/captures/tiny-612-lost-overwrite", "--out", at("lost"), "--quiet");
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

describe("report of a result folder", () => {
  it("makes the page that analyze makes, byte for byte", () => {
    expect(run("report", at("a"), "--quiet").status).toBe(0);
    const page = fs.readFileSync(at("a/report.html"), "utf8");
    expect(page.replace("--html", "")).toBe(
      fs.readFileSync(at("a.html"), "utf8").replace("--html", ""),
    );
    expect(run("report", at("a"), "--html", "-", "--quiet").stdout).toBe(page);
  });

  it("says with its exit code that the results are bounds", () => {
    expect(run("report", at("lost"), "--quiet").status).toBe(3);
  });

  it("draws what is there, and says why the rest is not", async () => {
    fs.cpSync(at("a"), at("old"), { recursive: true });
    for (const table of ["timeline", "stalls", "heat"]) fs.rmSync(at(`old/${table}.arrow`));
    const page = await resultPage(await readResultFolder(at("old")));
    expect(page).not.toContain('<section id="timeline">');
    expect(page).toContain("<strong>Flush timeline</strong>: These results have no timeline");
    expect(page).toContain("<strong>Miss curves</strong>: No TLB was modelled");
    expect(page).toContain('<section id="policies">');
  });

  it.each([
    ["no results", (dir: string) => fs.mkdirSync(dir), "no finished results"],
    ["no JSON", (dir: string) => write(dir, "summary.json", "{"), "is not JSON"],
    ["another shape", (dir: string) => write(dir, "summary.json", "{}"), "Invalid key"],
    [
      "a cut table",
      (dir: string) => {
        fs.cpSync(at("b"), dir, { recursive: true });
        const file = path.join(dir, "heat.arrow");
        fs.writeFileSync(file, fs.readFileSync(file).subarray(0, 2000));
      },
      "is not a heat table",
    ],
  ])("refuses %s", (name, make, sentence) => {
    const dir = at(name);
    make(dir);
    const { status, stderr } = run("report", dir);
    expect(status).toBe(1);
    expect(stderr).toContain(sentence);
    expect(fs.existsSync(path.join(dir, "report.html"))).toBe(false);
  });
});

function write(dir: string, name: string, text: string): void {
  fs.mkdirSync(dir);
  fs.writeFileSync(path.join(dir, name), text);
}

describe("diff", () => {
  it("finds nothing between a run and itself", () => {
    const { status, stdout } = run("diff", at("a"), at("a"));
    expect(status).toBe(0);
    expect(stdout).toBe("no difference\n");
  });

  it("tells what a CPU without range instructions changes, and why", async () => {
    const rows = diffResults(await readResultFolder(at("a")), await readResultFolder(at("b")));
    expect(rows.find(({ name }) => name === "cpu")).toMatchObject({
      kind: "configuration",
      before: expect.stringContaining("tlbirange"),
      after: "fwb,ttl (--cpu)",
    });
    const unmaps = rows.filter(({ name }) => /^range-6.9 unmap .*calls$/.test(name));
    expect(unmaps.map(({ name, before }) => [name, before])).toContainEqual([
      "range-6.9 unmap RANGE calls",
      "6",
    ]);
    expect(rows.filter(isResult).every(({ before, after }) => before !== after)).toBe(true);
    // The recorded calls do not depend on what CPU is assumed, but their instructions may.
    expect(rows.some(({ name }) => /^recorded .* calls$/.test(name))).toBe(false);
  });

  it("tells losses, in every format, with exit code 4", () => {
    const table = run("diff", at("a"), at("lost"));
    expect(table.status).toBe(4);
    expect(table.stdout).toContain("Losses (times)");
    const json: unknown = JSON.parse(run("diff", at("a"), at("lost"), "--format", "json").stdout);
    expect(json).toMatchObject({ is_equal: false, schema_version: 1 });
    expect(run("diff", at("a"), at("lost"), "--format", "csv").stdout).toMatch(
      /^kind,name,before,after,difference,unit\n/,
    );
  });
});
