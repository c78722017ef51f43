import type { Interval } from "../../replay/migration/intervals.ts";

/** Cells that a row of whiskers takes. */
export const WHISKER_WIDTH = 34;

export interface WhiskerAxis {
  readonly low: number;
  readonly high: number;
}

/** An axis that all intervals fit on, logarithmic. Undefined where nothing is above zero. */
export function axisOf(intervals: readonly Interval[]): WhiskerAxis | undefined {
  const ends = intervals.flatMap(({ p5, p95 }) => [p5, p95]).filter((value) => value > 0);
  if (ends.length === 0) return undefined;
  const low = Math.min(...ends);
  const high = Math.max(...ends);
  // Equal ends would be an axis without a length.
  return low === high ? { low: low / 2, high: high * 2 } : { low, high };
}

/** `├───●──┤` from the 5 % to the 95 % value with the median between, on the axis. */
export function whisker({ p5, p50, p95 }: Interval, axis: WhiskerAxis): string {
  const at = (value: number): number => {
    if (value <= axis.low) return 0;
    const share = Math.log(value / axis.low) / Math.log(axis.high / axis.low);
    return Math.min(WHISKER_WIDTH - 1, Math.round(share * (WHISKER_WIDTH - 1)));
  };
  const [left, middle, right] = [at(p5), at(p50), at(p95)];
  let text = "";
  for (let cell = 0; cell <= right; cell += 1) {
    if (cell === middle) text += "●";
    else if (cell === left) text += "├";
    else if (cell === right) text += "┤";
    else text += cell < left ? " " : "─";
  }
  return text;
}
