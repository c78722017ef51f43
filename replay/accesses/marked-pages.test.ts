import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseAccessMarker } from "../../ingest/accesses/access-marker.ts";
import { MarkedPages } from "./marked-pages.ts";

describe("markers that state accesses", () => {
  it("are read as the driver writes them", () => {
    expect(parseAccessMarker("s2drive vm=1 op=read ipa=101bba000 n=245", 4096)).toEqual({
      vm: 1,
      isWrite: false,
      ipaBytes: 0x101bba000,
      strideBytes: 4096,
      count: 245,
    });
    expect(parseAccessMarker("op=write ipa=0x1000 stride=1000 n=0", 65_536)).toEqual({
      vm: undefined,
      isWrite: true,
      ipaBytes: 0x1000,
      strideBytes: 0x1000,
      count: 0,
    });
  });

  it("are told from others, and from those that cannot be used", () => {
    for (const text of ["", "hello", "s2drive vm=0 op=mprotect-ro ipa=1 size=2", "loop=read n=3"]) {
      expect(parseAccessMarker(text, 4096)).toBeUndefined();
    }
    for (const text of [
      "op=read n=3",
      "op=read ipa=xyz n=3",
      "op=read ipa=1000",
      "op=read ipa=1000 n=-3",
      "op=read ipa=1000 n=99999999999",
      "op=read ipa=1000 n=3 stride=0",
      "op=read ipa=1000 n=3 stride=q",
      "op=read ipa=fffffffffffff n=3",
      "op=read ipa=1000 n=3 n=4",
      "op=read op=write ipa=1000 n=3",
      "op=read ipa=1000 n=3 vm=q",
    ]) {
      expect(parseAccessMarker(text, 4096), text).toBeTypeOf("string");
    }
  });
});

describe("pages of marked accesses", () => {
  it("are those of the accesses one by one", () => {
    const accesses = fc.record({
      vm: fc.constant(0),
      isWrite: fc.boolean(),
      ipaBytes: fc.nat(100_000),
      strideBytes: fc.integer({ min: 1, max: 20_000 }),
      count: fc.nat(300),
    });
    fc.assert(
      fc.property(accesses, fc.integer({ min: 1, max: 50 }), (range, step) => {
        const slow = Array.from({ length: range.count }, (_, i) =>
          Math.floor((range.ipaBytes + i * range.strideBytes) / 4096),
        );
        const one = new MarkedPages(range, 4096);
        const all: number[] = [];
        for (let page = one.nextPage(); page >= 0; page = one.nextPage()) {
          for (let i = 0; i < one.run; i += 1) all.push(page);
        }
        expect(all).toEqual(slow);
        const filled = new MarkedPages(range, 4096);
        const target = new Float64Array(step);
        const visits: number[] = [];
        for (let n = filled.fillPages(target); n > 0; n = filled.fillPages(target)) {
          visits.push(...target.subarray(0, n));
        }
        expect(visits).toEqual(slow.filter((page, i) => page !== slow[i - 1]));
        expect(filled.left).toBe(0);
      }),
    );
  });
});
