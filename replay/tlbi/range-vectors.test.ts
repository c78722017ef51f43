/** The 417 recorded encodings of fixtures/vectors, operand bits included. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { listInstructions } from "./listing.ts";
import { ipaOperand } from "./operands.ts";
import { Primitive } from "./primitives.ts";
import { countRangeOps } from "./range-encoder.ts";
import type { PageShift, RangeEncoding } from "./range-encoder.ts";

interface VectorOp {
  op: "ipas2e1is" | "ripas2e1is";
  scale: number | null;
  num: number | null;
  page_off: number;
  pages: number;
  operand: string | null;
}

interface Vector {
  algo: "asc" | "clamp";
  page: 4096 | 16384 | 65536;
  lpa2: boolean;
  start: number;
  pages: number;
  ops: VectorOp[];
}

const PAGE_SHIFT_OF: Readonly<Record<Vector["page"], PageShift>> = {
  4096: 12,
  16384: 14,
  65536: 16,
};
const vectorsFile = new URL("../../fixtures/vectors/tlbirange-vectors.json", import.meta.url);
const vectors: readonly Vector[] = JSON.parse(readFileSync(vectorsFile, "utf8"));

function encodingOf(vector: Vector): RangeEncoding {
  const algorithm = vector.algo === "asc" ? "ascending" : "clamped";
  return { algorithm, pageShift: PAGE_SHIFT_OF[vector.page], lpa2: vector.lpa2 };
}

describe("recorded range encodings", () => {
  it("has all 417", () => expect(vectors).toHaveLength(417));

  it.each(vectors.map((vector, index) => [index, vector] as const))("vector %i", (_, vector) => {
    const encoding = encodingOf(vector);
    const ipaPage = vector.start / vector.page;
    const call = { encoding, ipaPage, lenPages: vector.pages };
    const rows = listInstructions(Primitive.RANGE, call);
    expect(rows.at(-1)?.instruction).toBe("vmalle1is");
    const got = rows.slice(0, -1).map((row) => ({
      op: row.instruction,
      scale: row.scale,
      num: row.num,
      page_off: (row.ipaPage ?? Number.NaN) - ipaPage,
      pages: row.pages,
      operand: row.operand,
    }));
    const wanted = vector.ops.map((op) => ({
      ...op,
      operand:
        op.operand === null
          ? ipaOperand(ipaPage + op.page_off, encoding.pageShift, null)
          : BigInt(op.operand),
    }));
    expect(got).toEqual(wanted);
    const singles = vector.ops.filter((op) => op.op === "ipas2e1is").length;
    const ranges = vector.ops.length - singles;
    expect(countRangeOps(encoding, ipaPage, vector.pages)).toEqual({ singles, ranges });
  });
});
