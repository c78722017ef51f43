import type { Html } from "./markup.ts";
import type { ResultSet } from "../result-set.ts";

/** One part of the page: drawn where its numbers are there; where they are not, it says why. */
export interface Section {
  /** Anchor, of plain letters. */
  readonly id: string;
  readonly title: string;
  /** Short, for the row of links. */
  readonly link: string;
  /** Why it cannot be shown for these results, and what to do; undefined: it can. */
  missing(results: ResultSet): string | undefined;
  render(results: ResultSet): Promise<Html> | Html;
}
