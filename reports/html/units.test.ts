import { describe, expect, it } from "vitest";
import { stallOfRow, stallText } from "./units.ts";

describe("a stall in words", () => {
  it.each([
    [{ low: 175.283, median: 285.659, high: 591.664 }, "290 µs [180 to 590]"],
    [{ low: 990.845, median: 1364.24, high: 1879.88 }, "1.4 ms [990 µs to 1.9 ms]"],
    [{ low: -35_206.7, median: -23_553.9, high: -15_684.9 }, "−24 ms [−35 to −16]"],
    [{ low: -380.538, median: 78.1654, high: 168.186 }, "78 µs [−380 to 170]"],
  ])("%o is %s", (range, text) => {
    expect(stallText(range)).toBe(text);
  });

  it("is none where the row has none, or is of results that were not priced", () => {
    expect(
      stallOfRow({ stall_us_low: null, stall_us_median: null, stall_us_high: null }),
    ).toBeUndefined();
  });
});
