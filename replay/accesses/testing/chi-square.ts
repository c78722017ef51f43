/**
 * How far counts are from what is expected, in standard deviations: Pearson's sum, brought to a normal
 * distribution (Wilson and Hilferty). Above 4 is one case in 30 000.
 */
export function deviationOf(counts: ArrayLike<number>, expected: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i += 1) {
    sum += (counts[i]! - expected[i]!) ** 2 / expected[i]!;
  }
  const degrees = counts.length - 1;
  const spread = 2 / (9 * degrees);
  return (Math.cbrt(sum / degrees) - (1 - spread)) / Math.sqrt(spread);
}
