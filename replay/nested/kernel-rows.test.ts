import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Line, Task, traceHeader } from "../../fixtures/generator/line.ts";
import { NestedLines, tableOf } from "../../fixtures/generator/nested/lines.ts";
import { Shadow } from "../../fixtures/generator/nested/shadow.ts";
import type { NestedResult } from "./nested-result.ts";
import { runNested } from "./testing-run.ts";

const PAGE = 4096;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

let folder: string;
let made = 0;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "rows-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function shadow(index: number, vttbr: bigint): Shadow {
  const context = new Shadow(
    0x1_c023_6600 + index * 0x78,
    0x1_c095_b940 + index * 0x180,
    2 + index,
  );
  context.vttbr = vttbr;
  return context;
}

/** A trace by hand: two contexts of one guest VMID, and one of another. */
async function traceOf(
  kernel: string,
  write: (lines: NestedLines, shadows: readonly [Shadow, Shadow, Shadow]) => void,
  judged?: string,
): Promise<NestedResult> {
  const texts: string[] = [];
  const task = new Task("qemu", 540, 0);
  const emit = ({ task: { columns }, flags, text }: Line): void => {
    texts.push(`${columns}${flags}    30.${String(100_000 + texts.length)}: ${text}\n`);
  };
  const lines = new NestedLines(emit, [task]);
  const shadows = [
    shadow(0, 0x1_0000_8002_0000n),
    shadow(1, 0x1_0000_9002_0000n),
    shadow(2, 0x2_0000_8002_0000n),
  ] as const;
  lines.commit(0, 0, 0, 2 ** 21);
  lines.mapOwn(2 ** 21 - 1);
  for (const one of shadows) {
    lines.lookup(undefined);
    lines.cpuContext(one);
    lines.fault(GIB, false);
    // The first page of a guest block of 2 MiB, and one of the next block.
    lines.map(one, GIB / PAGE, 1, 2 ** 20, 2, 7);
    lines.fault(GIB + 2 * MIB, false);
    lines.map(one, (GIB + 2 * MIB) / PAGE, 1, 2 ** 20 + 512, 2, 8);
  }
  // A stage-1 TLBI of each VMID: which guest a context stands for shows with the first TLBI that reaches it.
  for (const [vmid, reached] of [
    [1, shadows.slice(0, 2)],
    [2, shadows.slice(2)],
  ] as const) {
    lines.handler("handle_tlbi_el1", 0n, 0, 3, 0);
    lines.iterate(vmid, "s2_mmu_tlbi_s1e1");
    for (const one of reached) lines.callback("s2_tlbi_s1e1", "s2_mmu_tlbi_s1e1", one, "");
    lines.entry();
  }
  write(lines, shadows);
  const file = path.join(folder, `${(made += 1)}.txt`);
  writeFileSync(file, traceHeader(texts.length, 1) + texts.join(""));
  return (await runNested(file, kernel, judged)).nested!;
}

/** IPAS2E1IS of an operand that reaches a context, which unmaps `bytes` at `start`. */
function byIpa(
  lines: NestedLines,
  reached: readonly Shadow[],
  operand: bigint,
  start: number,
  bytes: number,
): void {
  lines.handler("handle_ipas2e1is", operand, 4, 0, 1);
  lines.iterate(1, "s2_mmu_unmap_ipa");
  for (const one of reached) {
    lines.callback("s2_unmap_ipa", "s2_mmu_unmap_ipa", one, ` info0=0x${operand.toString(16)}`);
    lines.computed(one, operand, bytes);
    lines.unmap(tableOf(one), start / PAGE, (start + bytes) / PAGE, () => []);
  }
  lines.entry();
}

const TTL_2M = 6n << 44n;

describe("which contexts a TLBI reaches", () => {
  it("every one of the VMID, whatever table it stands for", async () => {
    const { agreement } = await traceOf("6.12", (lines, [a, b]) => {
      byIpa(lines, [a, b], TTL_2M | BigInt(GIB / PAGE), GIB, 2 * MIB);
    });
    expect(agreement.unmaps).toMatchObject({ matched: 2, missed: 0, spurious: 0, unknown: 0 });
    expect(agreement.reached).toMatchObject({ matched: 2, missed: 0, spurious: 0, unknown: 3 });
  });

  it("a kernel that forgot one is told of", async () => {
    const { agreement } = await traceOf("6.12", (lines, [a]) => {
      byIpa(lines, [a], TTL_2M | BigInt(GIB / PAGE), GIB, 2 * MIB);
    });
    expect(agreement.reached.spurious).toBe(1);
    expect(agreement.mismatches[0]!.detail).toBe(
      "ipas2e1is: a context of that VMID was not reached",
    );
  });

  it("ALLE1 reaches all, and an unmap by the host too, however small", async () => {
    const { agreement, rows } = await traceOf("6.12", (lines, shadows) => {
      const wholes = (): void => {
        for (const one of shadows) lines.unmap(tableOf(one), 0, 2 ** 24, () => []);
      };
      lines.handler("handle_alle1is", 0n, 4, 3, 4);
      wholes();
      lines.entry();
      lines.unmapGfn(0, 1);
      lines.nestedUnmap();
      wholes();
      lines.entry();
    });
    expect(agreement.unmaps).toMatchObject({ matched: 6, missed: 0, spurious: 0 });
    const recorded = rows.filter(({ policy }) => policy === "recorded");
    expect(recorded.find(({ cause }) => cause === "alle1")).toMatchObject({
      contexts: 3,
      // 2^36 bytes in pieces of 1 GiB, empty or not.
      calls: 3 * 64,
      leaves_dropped: 6,
    });
    expect(recorded.find(({ cause }) => cause === "host_unmap")).toMatchObject({
      contexts: 3,
      calls: 3 * 64,
      leaves_dropped: 0,
    });
  });
});

describe("how much of a context", () => {
  it("the last-level form and every shareability do the same", async () => {
    const { agreement } = await traceOf("6.12", (lines, [a, b]) => {
      for (const [crm, op2] of [
        [0, 5],
        [4, 0],
        [4, 1],
        [4, 4],
        [4, 5],
      ] as const) {
        const operand = TTL_2M | BigInt((GIB + 2 * MIB) / PAGE);
        lines.handler("handle_ipas2e1is", operand, 4, crm, op2);
        lines.iterate(1, "s2_mmu_unmap_ipa");
        for (const one of [a, b]) {
          lines.callback("s2_unmap_ipa", "s2_mmu_unmap_ipa", one, "");
          lines.computed(one, operand, 2 * MIB);
          const start = (GIB + 2 * MIB) / PAGE;
          lines.unmap(tableOf(one), start, start + 512, () => []);
        }
        lines.entry();
      }
    });
    expect(agreement.unmaps).toMatchObject({ matched: 10, missed: 0, spurious: 0 });
  });

  it("a guest without FEAT_TTL: the level in its operands counts for nothing, and that is told", async () => {
    const { agreement, findings } = await traceOf("6.12", (lines, [a, b]) => {
      // Level 3 in the operand; the leaf that is shadowed there is of level 2.
      byIpa(lines, [a, b], (7n << 44n) | BigInt(GIB / PAGE), GIB, 2 * MIB);
      byIpa(lines, [a, b], (7n << 44n) | BigInt((3 * GIB) / PAGE), 3 * GIB, GIB);
    });
    expect(agreement.unmaps).toMatchObject({ matched: 4, missed: 0, spurious: 0 });
    expect(findings.join()).toContain("no FEAT_TTL");
  });

  it.each([
    ["6.12", 1, 0],
    ["7.3", 0, 1],
  ])("a range beyond the guest's addresses, on %s", async (kernel, matched, ignored) => {
    // SCALE 3, NUM 31 of 4 KiB at 2^36 − 1 GiB: 8 GiB, of which 1 GiB is left below 2^36.
    const start = 2 ** 36 - GIB;
    const operand = (1n << 46n) | (3n << 44n) | (31n << 39n) | BigInt(start / PAGE);
    const { agreement } = await traceOf(kernel, (lines, [a]) => {
      lines.unmapGfn(0, 1);
      lines.nestedUnmap();
      lines.unmap(tableOf(a), 0, 2 ** 24, () => []);
      lines.entry();
      lines.handler("handle_ripas2e1is", operand, 4, 0, 2);
      lines.iterate(1, "s2_mmu_unmap_range");
      lines.callback("s2_unmap_range", "s2_mmu_unmap_range", a, "");
      lines.unmap(tableOf(a), start / PAGE, (start + 8 * GIB) / PAGE, () => []);
      lines.entry();
    });
    const told = agreement.mismatches.filter(({ detail }) => detail.startsWith("ripas2e1is: pred"));
    expect([told.length === 0 ? 1 : 0, told.length]).toEqual([matched, ignored]);
  });
});

function oneBlock(lines: NestedLines, [a, b]: readonly [Shadow, Shadow, Shadow]): void {
  byIpa(lines, [a, b], TTL_2M | BigInt(GIB / PAGE), GIB, 2 * MIB);
}

describe("another policy than the kernel's", () => {
  it.each([
    ["nv-shadow-level", true],
    ["nv-ttl-hint", true],
    ["nv-max", false],
    ["nv-blow-away", false],
    ["nv-exact", false],
  ])("%s: fits %s", async (policy, fits) => {
    const { agreement } = await traceOf("6.12", oneBlock, policy);
    expect(agreement.isClean).toBe(fits);
  });
});
