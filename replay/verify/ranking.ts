import type { PolicyFit } from "../replay.ts";

/**
 * Policies by how well they explain what was recorded: fewest disagreements first, then fewest calls
 * left undecided, then fewest differing hints; ties keep the order given.
 */
export function rankFits(fits: readonly PolicyFit[]): readonly PolicyFit[] {
  return [...fits].sort(
    (a, b) =>
      a.missed + a.spurious - (b.missed + b.spurious) ||
      a.unknown - b.unknown ||
      a.hintMismatches - b.hintMismatches,
  );
}

export function bestFit(fits: readonly PolicyFit[]): PolicyFit {
  const best = rankFits(fits)[0];
  if (best === undefined) throw new Error("nothing to rank");
  return best;
}
