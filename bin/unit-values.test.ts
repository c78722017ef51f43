import { describe, expect, it } from "vitest";
import {
  duration,
  durationOrZero,
  numberRange,
  rateRange,
  sizeBytes,
  sizeRange,
} from "./unit-values.ts";

describe("sizes, rates and times with their units", () => {
  it.each([
    ["192G", 192 * 2 ** 30],
    ["192GiB", 192 * 2 ** 30],
    ["206GB", 206e9],
    ["10.5 MiB", 10.5 * 2 ** 20],
    ["4096B", 4096],
  ])("size %s", (text, bytes) => expect(sizeBytes("memory", text)).toBe(bytes));

  it.each([
    ["500MB/s", 500e6],
    ["477MiB/s", 477 * 2 ** 20],
    ["4Gbit/s", 5e8],
    ["10Gbps", 1.25e9],
    ["122070pages/s", 122_070 * 4096],
  ])("rate %s", (text, rate) => {
    expect(rateRange("bandwidth", text, false)).toEqual({ low: rate, high: rate, law: "uniform" });
  });

  it.each([
    ["300ms", 0.3],
    ["1.2s", 1.2],
    ["20us", 2e-5],
    ["20µs", 2e-5],
    ["10min", 600],
  ])("time %s", (text, seconds) => expect(duration("force-at", text)).toBeCloseTo(seconds, 12));

  it("ranges, where the unit of the higher end counts for both", () => {
    expect(rateRange("dirty-rate", "500..1000MB/s", true)).toMatchObject({ low: 5e8, high: 1e9 });
    expect(rateRange("dirty-rate", "500MB/s..1GB/s", true)).toMatchObject({ low: 5e8, high: 1e9 });
    expect(sizeRange("hot-set", "5.8..13.4GiB").low).toBeCloseTo(5.8 * 2 ** 30, 0);
    expect(numberRange("blocks", "4..16", 0, 1e6)).toMatchObject({ low: 4, high: 16 });
  });

  it("zero where it means something", () => {
    expect(rateRange("dirty-rate", "0MB/s", true).high).toBe(0);
    expect(durationOrZero("announce", "0ms")).toBe(0);
  });

  it.each([
    ["500", "has no unit"],
    ["500MB", "has the unit 'MB', which is not one of a rate"],
    ["0MB/s", "must be more than 0"],
    ["-5MB/s", "is negative"],
    ["abc", "is not a rate"],
    ["1e30MB/s", "cannot be meant"],
    ["9..5MB/s", "does not ascend"],
    ["1..2..3MB/s", "is not of the form LOW..HIGH"],
    ["NaNMB/s", "is not a rate"],
    ["", "needs a value"],
  ])("rate '%s' is refused", (text, why) => {
    expect(() => rateRange("bandwidth", text, false)).toThrow(why);
  });

  it("an option given twice is refused", () => {
    expect(() => sizeBytes("memory", ["1G", "2G"])).toThrow("is given 2 times");
  });
});
