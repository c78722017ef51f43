import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateNested } from "../../fixtures/generator/nested/generate-nested.ts";
import { DEFAULT_NESTED, type NestedOptions } from "../../fixtures/generator/nested/options.ts";
import type { NestedResult, NestedRow } from "./nested-result.ts";
import { runNested } from "./testing-run.ts";

const row = (result: NestedResult, policy: string, cause: string): NestedRow | undefined =>
  result.rows.find((one) => one.policy === policy && one.cause === cause);
const total = (result: NestedResult, policy: string, of: keyof NestedRow): number =>
  result.rows.filter((one) => one.policy === policy).reduce((sum, one) => sum + Number(one[of]), 0);

describe("generated guests of a guest hypervisor", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "nested-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const cases: readonly (readonly [name: string, options: Partial<NestedOptions>])[] = [
    ["4 KiB", { seed: 1 }],
    ["16 KiB", { seed: 2, granule: "16k" }],
    ["64 KiB", { seed: 3, granule: "64k" }],
    ["two vCPUs", { seed: 4, vcpus: 2, guests: 6 }],
    ["contexts of 2^40", { seed: 5, paBits: 40, events: 30_000 }],
  ];
  it.each(cases)(
    "%s: every unmap is predicted, and every number is the generator's",
    async (name, options) => {
      const { text, truth } = generateNested({ ...DEFAULT_NESTED, ...options });
      const file = path.join(folder, `${name.replaceAll(/\W/g, "")}.txt`);
      writeFileSync(file, text);
      const { nested, replayed } = await runNested(file, "6.12.107");
      const { agreement } = nested!;
      expect(agreement.mismatches).toEqual([]);
      expect(agreement.isClean).toBe(true);
      expect(agreement.unreadable).toBe(0);
      for (const [of, count] of Object.entries(truth.tlbis)) {
        expect(agreement.tlbiCounts()[of]).toBe(count);
      }
      const recycled = row(nested!, "recorded", "recycle")?.contexts ?? 0;
      expect(agreement.unmaps.matched + recycled).toBe(truth.unmaps);
      const protects = row(nested!, "recorded", "write_protect")?.contexts ?? 0;
      expect(agreement.protects).toMatchObject({ matched: protects, recorded: protects });
      for (const policy of ["recorded", "nv-shadow-level", "nv-range"]) {
        expect(row(nested!, policy, "ipas2")?.leaves_dropped ?? 0).toBe(truth.droppedByIpa);
        expect(row(nested!, policy, "ripas2")?.leaves_dropped ?? 0).toBe(truth.droppedByRange);
        expect(row(nested!, policy, "host_unmap")?.leaves_dropped ?? 0).toBe(truth.droppedByHost);
        expect(total(nested!, policy, "leaves_dropped")).toBe(truth.dropped);
        expect(total(nested!, policy, "refaults")).toBe(truth.refaults);
        expect(total(nested!, policy, "refaults_most")).toBe(truth.refaults);
        expect(total(nested!, policy, "leaves_protected")).toBe(truth.protected);
      }
      // All accesses are announced, so nothing is left to guess; and a lower bound is below the rest.
      const byPolicy = new Map<string, number>();
      for (const { policy } of nested!.rows)
        byPolicy.set(policy, total(nested!, policy, "refaults"));
      for (const policy of byPolicy.keys()) {
        expect(total(nested!, policy, "refaults_most")).toBe(byPolicy.get(policy));
        // What a policy leaves of invalidated mappings does not fault again, and should have.
        const left = total(nested!, policy, "leaves_left");
        expect(byPolicy.get("nv-exact")).toBeLessThanOrEqual(byPolicy.get(policy)! + left);
      }
      expect(byPolicy.get("nv-blow-away")).toBeGreaterThan(byPolicy.get("nv-shadow-level")!);
      // A reverse map knows what each leaf maps: the walk's output is recorded.
      expect(total(nested!, "nv-revmap", "target_unknown")).toBe(0);
      // What the model of the kernel's own policy issues on shadow tables is what was issued there.
      const own = nested!.flushes.find(({ policy }) => policy === "nv-shadow-level")!;
      const issued = replayed.flushes
        .filter((one) => one.policy === "recorded")
        .filter(({ path: of }) => of === "nested");
      expect(
        own.flushes.map(({ primitive, calls, tlbi, dsb }) => [primitive, calls, tlbi, dsb]),
      ).toEqual(issued.map(({ primitive, calls, tlbi, dsb }) => [primitive, calls, tlbi, dsb]));
      const fit = replayed.fits[0]!;
      expect([fit.missed, fit.spurious, fit.unknown]).toEqual([0, 0, 0]);
      expect(fit.calls.RANGE.matched).toBe(truth.calls.RANGE);
      expect(fit.calls.IPA.matched).toBe(truth.calls.IPA);
      expect(fit.calls.IPA_LOCAL.matched).toBe(truth.calls.IPA_LOCAL);
    },
  );
});

describe("a trace that begins in the middle", () => {
  it.each([3000, 9001, 15_500])(
    "from line %i on: what is not known is unknown, not wrong",
    async (from) => {
      const folder = mkdtempSync(path.join(tmpdir(), "nested-cut-"));
      try {
        const { text } = generateNested({ ...DEFAULT_NESTED, seed: 7, vcpus: 2, guests: 5 });
        const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
        const file = path.join(folder, "cut.txt");
        writeFileSync(file, `# tracer: nop\n#\n${lines.slice(from).join("\n")}\n`);
        const { nested } = await runNested(file, "6.12.107");
        const { agreement, findings } = nested!;
        expect(agreement.mismatches).toEqual([]);
        expect(agreement.isClean).toBe(true);
        expect(agreement.unmaps.matched).toBeGreaterThan(0);
        expect(agreement.unmaps.unknown + agreement.reached.unknown).toBeGreaterThan(0);
        expect(findings.join()).toMatch(
          /held leaves that the trace does not show|stayed|write-protected/,
        );
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});

describe("a real hypervisor (nv-tiny-72)", () => {
  it("what its host unmapped is predicted, TLBI by TLBI", async () => {
    const { nested } = await runNested("fixtures/captures/nv-tiny-72/trace.txt.gz", undefined);
    const { agreement, level, contexts } = nested!;
    expect(level.level).toBe("L0");
    expect(contexts).toBe(2);
    expect(agreement.isClean).toBe(true);
    expect(agreement.unmaps).toMatchObject({ predicted: 16, recorded: 16, matched: 16 });
    expect(agreement.tlbiCounts()).toMatchObject({ ipas2: 13, ripas2: 3, stage1: 4 });
    expect(row(nested!, "recorded", "ipas2")).toMatchObject({
      events: 13,
      leaves_dropped: 42,
      over_invalidated: 6,
      refaults: 29,
    });
    expect(row(nested!, "recorded", "ripas2")).toMatchObject({ leaves_dropped: 5, leaves_left: 2 });
    // The workload's own order: 5 with a TTL, 7 found in the shadow table, one that met another mapping.
    expect(agreement.hintCounts()).toMatchObject({ ttl: 5, page: 4, head: 3, elsewhere: 1 });
  });

  it("a trace without guest hypervisors has nothing of them", async () => {
    const { nested } = await runNested("fixtures/captures/tiny-72/trace.txt.gz", undefined);
    expect(nested).toBeUndefined();
  });
});
