import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const PROGRAM = path.join(ROOT, "dist/bin/tlbi-replay.js");
const capture = (name: string): string => path.join(ROOT, "fixtures/captures", name);
const MACHINE = ["--kernel", "6.12", "--cpu", "tlbirange,fwb,ttl", "--page-size", "4k"];

let folder: string;
beforeAll(() => {
  expect(existsSync(PROGRAM), "npm run build comes first").toBe(true);
  folder = mkdtempSync(path.join(tmpdir(), "nested-e2e-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(...args: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  return { code: status, out: stdout, err: stderr };
}

describe("a guest hypervisor's trace", () => {
  it("analyze says who recorded it and why, and what each nested policy would have cost", () => {
    const { code, out } = run("analyze", capture("nv-tiny-72"));
    expect(code).toBe(0);
    expect(out).toContain("recorded on L0, because it emulates TLBIs of a guest hypervisor");
    expect(out).toMatch(/^ {2}level: L0 \(it emulates/m);
    for (const policy of ["recorded", "nv-blow-away", "nv-shadow-level", "nv-exact"]) {
      expect(out).toMatch(new RegExp(`^${policy} +ipas2 +13 +13 `, "m"));
    }
    expect(out).toMatch(/^kernel +13 +5 +4 +3 /m);
    expect(out).toContain("2 shadow leaves stayed of guest blocks");
  });

  it("analyze --out writes both tables as CSV and Arrow, and the summary has them", () => {
    const out = path.join(folder, "out");
    expect(
      run("analyze", capture("nv-tiny-72"), "--policy", "auto,nv-max", "--out", out).code,
    ).toBe(0);
    const lines = readFileSync(path.join(out, "nested.csv"), "utf8").trimEnd().split("\n");
    expect(lines[0]).toMatch(
      /^policy,cause,events,contexts,calls,leaves_dropped,over_invalidated,/,
    );
    // The policies that were asked for, and what was recorded.
    expect(new Set(lines.slice(1).map((line) => line.split(",")[0]))).toEqual(
      new Set(["recorded", "nv-max"]),
    );
    expect(readFileSync(path.join(out, "nested_hints.csv"), "utf8")).toMatch(/^kernel,13,5,4,3,/m);
    for (const name of ["nested.arrow", "nested_hints.arrow"]) {
      expect(existsSync(path.join(out, name))).toBe(true);
    }
    const summary: unknown = JSON.parse(readFileSync(path.join(out, "summary.json"), "utf8"));
    expect(summary).toMatchObject({
      nested: { level: "L0", contexts: 2, verification: { unmaps: { matched: 16, missed: 0 } } },
    });
    // The policy's own calls on shadow tables stand in the common table.
    const flushes = readFileSync(path.join(out, "flushes.csv"), "utf8");
    expect(flushes).toMatch(/^nv-max,nested,IPA,28,/m);
    expect(flushes).toMatch(/^recorded,nested,IPA,17,/m);
  });

  it("verify compares every unmap of a shadow table, and fails where one does not fit", () => {
    const { code, out } = run("verify", capture("nv-tiny-72"), "--format", "json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      missed: 0,
      nested: {
        level: "L0",
        guest_tlbis: { ipas2: 13, ripas2: 3, stage1: 4 },
        unmaps: { predicted: 16, recorded: 16, matched: 16, missed: 0, spurious: 0 },
        hints: { ttl: 5, page: 4, head: 3, elsewhere: 1 },
      },
    });
  });

  it("verify --policy takes a nested policy too", () => {
    const { code, out } = run("verify", capture("nv-tiny-72"), "--policy", "nv-shadow-level");
    expect(code).toBe(0);
    expect(out).toContain("33 calls matched");
    const other = run("verify", capture("nv-tiny-72"), "--policy", "nv-max");
    expect(other.code).toBe(4);
    expect(other.out).toMatch(
      /ipas2e1is: predicted 262144 pages from page 0x\w+, recorded 512 pages/,
    );
  });

  it("a trace without one says so", () => {
    const { out } = run("analyze", capture("tiny-612"));
    expect(out).toContain("level: L0 or L1 (nothing in it is about guest hypervisors");
    expect(out).not.toContain("Nested guests");
  });
});

describe("generate --nested", () => {
  it("writes a trace that verify agrees with, whatever the granule", () => {
    for (const granule of ["4k", "16k", "64k"]) {
      const file = path.join(folder, `${granule}.txt.gz`);
      const made = run("generate", "--nested", granule, "--events", "4000", "--out", file);
      expect(made.code).toBe(0);
      expect(made.err).toMatch(/TLBIs of the guest hypervisor: ipas2 \d+/);
      const { code, out } = run("verify", file, ...MACHINE);
      expect(out).toContain("no disagreement");
      expect(code).toBe(0);
    }
  });

  it.each([
    [["--nested", "8k"], /--nested: '8k' is not one of/],
    [["--nested", "4k", "--pa-bits", "48"], /--pa-bits: '48' is not a whole number from 36 to 42/],
    [["--nested", "4k", "--size", "1M"], /--size: is not for --nested/],
    [["--guests", "2"], /--guests: is for --nested/],
  ])("refuses %j", (args, message) => {
    const { code, err } = run("generate", ...args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});
