/**
 * How often pages are accessed, without an order: regions of pages of equal rate. Whatever is made of it
 * rests on the independent-reference model (each access independent of those before it).
 */
export interface RateTable {
  readonly model: "independent-reference model";
  /** `accesses/s` of each page, or `samples`: popularity that says nothing of the absolute rate. */
  readonly unit: "accesses/s" | "samples";
  readonly address: "va" | "ipa";
  /** Regions by space, then by page; none overlap, and none has rate 0. */
  readonly space: Uint16Array;
  readonly firstPage: Float64Array;
  readonly lenPages: Float64Array;
  readonly ratePerPage: Float64Array;
  /** What each space stands for: a pid, a DAMON target, the kernel. */
  readonly spaces: readonly string[];
  /** What was assumed or left out, as sentences. */
  readonly notes: readonly string[];
}

/** One region while a table is being made. */
export interface RateRegion {
  readonly space: number;
  readonly firstPage: number;
  readonly lenPages: number;
  readonly ratePerPage: number;
}

export function rateTable(
  regions: readonly RateRegion[],
  about: Pick<RateTable, "unit" | "address" | "spaces" | "notes">,
): RateTable {
  const used = regions
    .filter(({ ratePerPage }) => ratePerPage > 0)
    .sort((a, b) => a.space - b.space || a.firstPage - b.firstPage);
  return {
    model: "independent-reference model",
    ...about,
    space: Uint16Array.from(used, ({ space }) => space),
    firstPage: Float64Array.from(used, ({ firstPage }) => firstPage),
    lenPages: Float64Array.from(used, ({ lenPages }) => lenPages),
    ratePerPage: Float64Array.from(used, ({ ratePerPage }) => ratePerPage),
  };
}
