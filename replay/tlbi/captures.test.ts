/**
 * The listing against TLBI instructions that real kernels executed: each capture records the arguments of the
 * flush functions (P rows: x1 = IPA in bytes, x2 = pages or level, hexadecimal) and every TLBI with its
 * operand (T rows).
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { PrimitiveCall } from "./instructions.ts";
import { listInstructions } from "./listing.ts";
import { decodeIpaOperand, decodeRangeOperand, ttlHint } from "./operands.ts";
import { Primitive } from "./primitives.ts";
import type { RangeEncoding } from "./range-encoder.ts";

interface RecordedCall {
  name: string;
  ipaBytes: number;
  lengthOrLevel: number;
  ops: string[];
}

const CODES: Readonly<Record<string, number>> = {
  __kvm_tlb_flush_vmid: Primitive.VM,
  __kvm_tlb_flush_vmid_ipa: Primitive.IPA,
  __kvm_tlb_flush_vmid_ipa_nsh: Primitive.IPA_LOCAL,
  __kvm_tlb_flush_vmid_range: Primitive.RANGE,
};

function readCalls(capture: string): RecordedCall[] {
  const file = new URL(`../../fixtures/captures/${capture}/tlbi.tsv.gz`, import.meta.url);
  const calls: RecordedCall[] = [];
  const openByCpu = new Map<string, RecordedCall>();
  for (const line of gunzipSync(readFileSync(file)).toString("latin1").split("\n")) {
    const [kind, , cpu = "", name = "", a = "", b = "", c = ""] = line.split("\t");
    if (kind === "P" && name in CODES) {
      const ops: string[] = [];
      const call = { name, ipaBytes: parseInt(b, 16), lengthOrLevel: parseInt(c, 16) | 0, ops };
      calls.push(call);
      openByCpu.set(cpu, call);
      if (a === "") throw new Error(`incomplete row: ${line}`);
    } else if (kind === "T") {
      const open = openByCpu.get(cpu);
      // Rows without the function's own P row (kvm_flush_cpu_context) belong to no call here.
      if (open !== undefined && open.name === name) open.ops.push(`${a} ${b}`);
    }
  }
  return calls;
}

function expectedOps(call: RecordedCall, encoding: RangeEncoding, is68: boolean): string[] {
  const primitive = CODES[call.name] ?? -1;
  const isRange = primitive === Primitive.RANGE;
  const rules = { ttlFeature: true, levelZeroIsHint: is68 };
  const flushCall: PrimitiveCall = {
    encoding,
    ipaPage: primitive === Primitive.VM ? 0 : call.ipaBytes / 2 ** encoding.pageShift,
    lenPages: isRange ? call.lengthOrLevel : 1,
    hintLevel: ttlHint(call.lengthOrLevel, rules),
  };
  const rows = listInstructions(primitive, flushCall);
  return rows.map((row) => `${row.instruction} ${row.operand.toString(16)}`);
}

describe("executed instructions", () => {
  it.each([
    ["tiny-61", "ascending", false, 12, 532],
    ["s2-huge-61", "ascending", false, 12, 1],
    ["tiny-612", "clamped", true, 12, 269],
    ["tiny-612-lpa2off", "clamped", false, 12, 269],
    ["tiny-72", "clamped", true, 12, 269],
    ["s2-huge-612", "clamped", true, 12, 218],
    ["mms-4M-612", "clamped", true, 12, 1],
  ] as const)("%s", (capture, algorithm, lpa2, pageShift, minCalls) => {
    const encoding: RangeEncoding = { algorithm, pageShift, lpa2 };
    const calls = readCalls(capture);
    expect(calls.length).toBeGreaterThanOrEqual(minCalls);
    for (const call of calls) {
      expect(call.ops).toEqual(expectedOps(call, encoding, algorithm === "clamped"));
    }
  });
});

/** Range flushes of a capture without P rows, cut after each `vmalle1is`; CPUs are kept apart. */
function readRangeGroups(capture: string): [instruction: string, operand: bigint][][] {
  const file = new URL(`../../fixtures/captures/${capture}/tlbi.tsv.gz`, import.meta.url);
  const groups: [string, bigint][][] = [];
  const openByCpu = new Map<string, [string, bigint][]>();
  for (const line of gunzipSync(readFileSync(file)).toString("latin1").split("\n")) {
    const [kind, , cpu = "", name = "", instruction = "", operand = ""] = line.split("\t");
    if (kind !== "T" || !name.endsWith("__kvm_tlb_flush_vmid_range")) continue;
    const open = openByCpu.get(cpu) ?? [];
    open.push([instruction, BigInt(`0x${operand}`)]);
    openByCpu.set(cpu, open);
    if (instruction !== "vmalle1is") continue;
    groups.push(open);
    openByCpu.delete(cpu);
  }
  return groups;
}

describe("executed range flushes, taken apart and encoded again", () => {
  it.each([
    ["tiny-612-16k", 14],
    ["tiny-612-nvhe", 12],
    ["s2-huge-612", 12],
  ] as const)("%s", (capture, pageShift) => {
    const encoding: RangeEncoding = { algorithm: "clamped", pageShift, lpa2: true };
    const groups = readRangeGroups(capture);
    expect(groups.length).toBeGreaterThanOrEqual(7);
    for (const group of groups) {
      const pieces = group.slice(0, -1).map(([instruction, operand]) => {
        if (instruction === "ipas2e1is") return { ipa: decodeIpaOperand(operand).ipa, pages: 1 };
        return decodeRangeOperand(operand, true);
      });
      const ipaPage = Number(pieces[0]?.ipa) / 2 ** pageShift;
      const lenPages = pieces.reduce((sum, piece) => sum + piece.pages, 0);
      const rows = listInstructions(Primitive.RANGE, { encoding, ipaPage, lenPages });
      expect(rows.map((row) => [row.instruction, row.operand])).toEqual(group);
    }
  });
});
