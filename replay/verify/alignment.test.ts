/** Pairing of predicted and recorded calls, drawn: what was predicted above, what was recorded below. */
import { describe, expect, it } from "vitest";
import { RecordedCalls } from "../operations/recorded-calls.ts";
import { Certainty, FlushQueue, UNKNOWN_LEVEL } from "../policies/flush-queue.ts";
import { PRIMITIVES, type PrimitiveName, Primitive } from "../tlbi/primitives.ts";
import { Aligner, alignedPage } from "./alignment.ts";

const OWN_MMU = 7;
const OTHER_MMU = 8;

interface Predicted {
  readonly is: PrimitiveName;
  readonly page?: number;
  readonly pages?: number;
  readonly count?: number;
  readonly stride?: number;
  readonly level?: number;
  readonly certainty?: number;
}

interface Recorded {
  readonly is: PrimitiveName;
  readonly page?: number;
  readonly pages?: number;
  readonly level?: number;
  readonly mmu?: number;
}

const ipa = (page: number, level = 3): Predicted & Recorded => ({ is: "IPA", page, level });
const range = (page: number, pages: number): Predicted & Recorded => ({ is: "RANGE", page, pages });
const vm: Predicted & Recorded = { is: "VM" };
const upTo = (count: number, is: PrimitiveName): Predicted => ({
  is,
  count,
  level: UNKNOWN_LEVEL,
  certainty: Certainty.atMost,
});

interface Outcome {
  readonly matched?: number;
  readonly missed?: number;
  readonly spurious?: number;
  readonly unknown?: number;
  readonly hints?: number;
}

function sum(counts: Float64Array): number {
  return counts.reduce((a, b) => a + b, 0);
}

/** Aligns and tells each kind of outcome, summed over primitives; kinds that did not occur are left out. */
function align(
  predicted: readonly Predicted[],
  recorded: readonly Recorded[],
  options: { readonly includeConditional?: boolean; readonly contextMmu?: number } = {},
): Outcome {
  const queue = new FlushQueue();
  for (const call of predicted) {
    const pages = call.is === "RANGE" ? (call.pages ?? 1) : call.is === "VM" ? 0 : 1;
    const { certainty = Certainty.certain, page = 0, count = 1, stride = 0, level = 0 } = call;
    queue.push(Primitive[call.is], 0, certainty, page, pages, count, stride, level);
  }
  const calls = new RecordedCalls();
  for (const [line, call] of recorded.entries()) {
    const pages = call.is === "RANGE" ? (call.pages ?? 1) : call.is === "VM" ? 0 : 1;
    calls.push(
      Primitive[call.is],
      call.mmu ?? OWN_MMU,
      call.page ?? 0,
      pages,
      call.level ?? 0,
      line,
    );
  }
  const aligner = new Aligner();
  const { includeConditional = false, contextMmu = OWN_MMU } = options;
  aligner.align(queue, calls, contextMmu, includeConditional, undefined);
  const { report } = aligner;
  const outcome = {
    matched: sum(report.matched),
    missed: sum(report.missed),
    spurious: sum(report.spurious),
    unknown: sum(report.unknown),
    hints: report.hintMismatches,
  };
  expect(aligner.isPerfect).toBe(outcome.missed === 0 && outcome.spurious === 0);
  return Object.fromEntries(Object.entries(outcome).filter(([, count]) => count > 0));
}

describe("calls agree", () => {
  it("in primitive, page and order", () => {
    expect(align([ipa(1), ipa(2), vm, range(5, 3)], [ipa(1), ipa(2), vm, range(5, 3)])).toEqual({
      matched: 4,
    });
  });
  it("of a range, in start and length", () => {
    expect(align([range(5, 3)], [range(5, 4)])).toEqual({ missed: 1, spurious: 1 });
    expect(align([range(5, 3)], [range(6, 3)])).toEqual({ missed: 1, spurious: 1 });
  });
  it("but for their level hints, which are counted apart", () => {
    expect(align([ipa(1, 3)], [ipa(1, 2)])).toEqual({ matched: 1, hints: 1 });
    expect(align([ipa(1, UNKNOWN_LEVEL)], [ipa(1, 2)])).toEqual({ matched: 1 });
  });
  it("only in the operation's own stage-2 context", () => {
    expect(align([ipa(1)], [{ ...ipa(1), mmu: OTHER_MMU }])).toEqual({ missed: 1, spurious: 1 });
  });
  it("where the context's mmu is not known, or the call names none", () => {
    expect(align([ipa(1)], [{ ...ipa(1), mmu: OTHER_MMU }], { contextMmu: 0 })).toEqual({
      matched: 1,
    });
    expect(align([ipa(1)], [{ ...ipa(1), mmu: 0 }])).toEqual({ matched: 1 });
  });
});

describe("what finds no partner", () => {
  it("is missed if it was recorded", () => {
    expect(align([ipa(1)], [ipa(1), ipa(2)])).toEqual({ matched: 1, missed: 1 });
  });
  it("is spurious if it was predicted", () => {
    expect(align([ipa(1), ipa(2), ipa(3)], [ipa(1), ipa(3)])).toEqual({ matched: 2, spurious: 1 });
  });
  it("is both where another primitive was recorded", () => {
    expect(align([vm], [range(0, 512)])).toEqual({ missed: 1, spurious: 1 });
  });
  it("is told with what it was", () => {
    const queue = new FlushQueue();
    queue.push(Primitive.IPA, 0, Certainty.certain, 16, 1, 3, 1, 3);
    const calls = new RecordedCalls();
    calls.push(Primitive.RANGE, OWN_MMU, 5, 3, 0, 99);
    const told: string[] = [];
    new Aligner().align(queue, calls, OWN_MMU, false, {
      missed: (p, page, pages, _, line) =>
        told.push(`missed ${PRIMITIVES[p]} ${page}+${pages} line ${line}`),
      spurious: (p, page, _, __, count) =>
        told.push(`spurious ${count} × ${PRIMITIVES[p]} ${page}`),
    });
    expect(told).toEqual(["missed RANGE 5+3 line 99", "spurious 3 × IPA 16"]);
  });
});

describe("runs", () => {
  const run: Predicted = { is: "IPA", page: 16, count: 4, stride: 1, level: 3 };

  it("are matched call by call", () => {
    expect(align([run], [ipa(16), ipa(17), ipa(18), ipa(19)])).toEqual({ matched: 4 });
  });
  it("count what is left of them as spurious", () => {
    expect(align([run], [ipa(16), ipa(17)])).toEqual({ matched: 2, spurious: 2 });
  });
  it("count what is skipped in them as spurious", () => {
    expect(align([run], [ipa(18), ipa(19)])).toEqual({ matched: 2, spurious: 2 });
  });
  it("match each of their calls once", () => {
    // predicted  16 17 18 19
    // recorded         18 18
    expect(align([run], [ipa(18), ipa(18)])).toEqual({ matched: 1, missed: 1, spurious: 3 });
  });
  it("do not match pages outside them or between their strides", () => {
    const blocks: Predicted = { is: "IPA", page: 512, count: 2, stride: 512, level: 2 };
    expect(align([blocks], [ipa(513, 2)])).toEqual({ missed: 1, spurious: 2 });
    expect(align([blocks], [ipa(1536, 2)])).toEqual({ missed: 1, spurious: 2 });
    expect(align([blocks], [ipa(0, 2)])).toEqual({ missed: 1, spurious: 2 });
  });

  it("may begin in the middle of a block: only the first call keeps that address", () => {
    // │ block 0 │ block 1 │ block 2 │      entered at page 100
    const blocks: Predicted = { is: "IPA", page: 100, count: 3, stride: 512, level: 2 };
    expect(align([blocks], [ipa(100, 2), ipa(512, 2), ipa(1024, 2)])).toEqual({ matched: 3 });
    expect(align([blocks], [ipa(0, 2)])).toEqual({ missed: 1, spurious: 3 });
    expect(align([blocks], [ipa(612, 2)])).toEqual({ missed: 1, spurious: 3 });
  });
  it("tell the page of each call", () => {
    const queue = new FlushQueue();
    queue.push(Primitive.IPA, 0, Certainty.certain, 100, 1, 3, 512, 2);
    expect([1, 2].map((call) => alignedPage(queue, 0, call))).toEqual([512, 1024]);
  });
  it("without a stride match any page of theirs, as often as they count", () => {
    const somewhere: Predicted = { is: "IPA", page: 512, count: 2, level: 0 };
    expect(align([somewhere], [ipa(600, 0), ipa(512, 0), ipa(700, 0)])).toEqual({
      matched: 2,
      missed: 1,
    });
  });
});

describe("order", () => {
  it("is searched ahead: what is skipped is spurious, what comes too late is missed", () => {
    // predicted  1 2 3
    // recorded   3 1 2
    expect(align([ipa(1), ipa(2), ipa(3)], [ipa(3), ipa(1), ipa(2)])).toEqual({
      matched: 1,
      missed: 2,
      spurious: 2,
    });
  });
  it("is searched 256 runs ahead, no further", () => {
    const many = Array.from({ length: 300 }, (_, page) => ipa(page));
    expect(align(many, [ipa(255)])).toEqual({ matched: 1, spurious: 299 });
    expect(align(many, [ipa(256)])).toEqual({ missed: 1, spurious: 300 });
  });
  it("of a wrong context's call does not move the search", () => {
    expect(align([ipa(1), ipa(2)], [{ ...ipa(2), mmu: OTHER_MMU }, ipa(1), ipa(2)])).toEqual({
      matched: 2,
      missed: 1,
    });
  });
});

describe("calls that were predicted at most so often", () => {
  it("absorb recorded ones as unknown, and are not spurious", () => {
    expect(align([upTo(3, "IPA")], [ipa(1), ipa(9)])).toEqual({ unknown: 2 });
    expect(align([upTo(3, "IPA")], [])).toEqual({});
  });
  it("absorb no more than that, and no other primitive", () => {
    expect(align([upTo(1, "IPA")], [ipa(1), ipa(9)])).toEqual({ unknown: 1, missed: 1 });
    expect(align([upTo(1, "IPA")], [vm])).toEqual({ missed: 1 });
  });
  it("do not stand in for a certain one that fits", () => {
    expect(align([upTo(1, "IPA"), ipa(4)], [ipa(4)])).toEqual({ matched: 1 });
  });
});

describe("calls that count only if the root is higher", () => {
  const conditional: Predicted = { ...ipa(4), certainty: Certainty.ifRootIsHigher };

  it("are left out as long as it is not", () => {
    expect(align([ipa(1), conditional], [ipa(1)])).toEqual({ matched: 1 });
    expect(align([ipa(1), conditional], [ipa(1), ipa(4)])).toEqual({ matched: 1, missed: 1 });
  });
  it("are expected once it is", () => {
    const options = { includeConditional: true };
    expect(align([ipa(1), conditional], [ipa(1), ipa(4)], options)).toEqual({ matched: 2 });
    expect(align([ipa(1), conditional], [ipa(1)], options)).toEqual({ matched: 1, spurious: 1 });
  });
});
