import type { Diagnostics } from "../diagnostics.ts";
import type { PageNumbers } from "./page-numbers.ts";

/** Says that addresses had something in their top byte that was taken for a tag. */
export function noteTags(pages: PageNumbers, diagnostics: Diagnostics): void {
  if (pages.tagged === 0) return;
  const detail = `the top byte of ${pages.tagged} addresses was taken for a tag (TBI, MTE)`;
  diagnostics.add("ASSUMED", detail);
}
