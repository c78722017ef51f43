/** `capture` as a user runs it: the built tool, real files, exit codes. Nothing is recorded. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = path.resolve(fileURLToPath(import.meta.url), "../..");
const EXECUTABLE = path.join(ROOT, "dist/bin/tlbi-replay.js");

let work: string;
beforeAll(() => {
  work = fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-capture-"));
});
afterAll(() => {
  fs.rmSync(work, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function capture(...words: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [EXECUTABLE, "capture", ...words],
    {
      cwd: work,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "" },
    },
  );
  return { code: status, out: stdout, err: stderr };
}

function written(folder: string, name: string): string {
  return fs.readFileSync(path.join(work, folder, name), "utf8");
}

function isShell(script: string): boolean {
  return spawnSync("sh", ["-n"], { input: script }).status === 0;
}

describe("capture", () => {
  it("prints the recording script and nothing else", () => {
    const { code, out, err } = capture("--kernel", "6.12.107+deb13-arm64");
    expect(code).toBe(0);
    expect(err).toBe("");
    expect(out).toMatch(/^#!\/bin\/sh\n/);
    expect(out).toContain("MADE_FOR='6.12'\n");
    expect(out).toContain("probe needed entry map kvm_pgtable_stage2_map ");
    expect(isShell(out)).toBe(true);
  });

  it("prints the checking script on demand", () => {
    const { code, out } = capture("--kernel", "7.2", "--checker");
    expect(code).toBe(0);
    expect(out).toContain("NEEDED='map unmap wrprotect relax_perms split destroy ");
    expect(isShell(out)).toBe(true);
  });

  it("gives the same script every time", () => {
    expect(capture("--kernel", "6.1").out).toBe(capture("--kernel", "6.1").out);
  });

  it("writes both into a folder", () => {
    const { code, out, err } = capture("--kernel", "6.6", "--out", "scripts");
    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(err).toContain("wrote record.sh and check.sh to scripts");
    expect(written("scripts", "record.sh")).toBe(capture("--kernel", "6.6").out);
    expect(written("scripts", "check.sh")).toBe(capture("--kernel", "6.6", "--checker").out);
  });

  it("says on stderr what is assumed, unless it is to be quiet", () => {
    const said = capture("--kernel", "8.1");
    expect(said.code).toBe(0);
    expect(said.err).toMatch(/^assumed: 8\.1 is newer than 7\.2/);
    expect(said.out).toContain("# Assumed:\n# - 8.1 is newer than 7.2");
    expect(capture("--kernel", "8.1", "--quiet")).toMatchObject({ err: "", out: said.out });
  });

  it("records x86 too", () => {
    const { code, out, err } = capture("--kernel", "6.12", "--arch", "x86");
    expect(code).toBe(0);
    expect(err).toContain("does not replay x86");
    expect(out).toContain("GROUP='kvm_x'\n");
    expect(out).toContain("kvmmmu/kvm_tdp_mmu_spte_changed");
  });

  it("refuses what cannot be, with exit code 2", () => {
    for (const words of [
      [],
      ["--kernel", "5.4"],
      ["--kernel", "x"],
      ["--kernel", "6.12", "--mode", "on"],
    ]) {
      const { code, out, err } = capture(...words);
      expect({ code, out }).toEqual({ code: 2, out: "" });
      expect(err).toMatch(/kernel|mode/);
    }
  });
});
