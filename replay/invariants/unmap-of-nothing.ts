import type { Invariant } from "./invariant.ts";

/** Taken from the replay: a call on a table of which everything is known. */
export const unmapOfNothing: Invariant = {
  id: "UNMAP_OF_NOTHING",
  sentence: "an unmap call where nothing is mapped",
  meaning:
    "kernels ask more often than they must (hugetlb twice in 6.1, memslots that were never touched); many in a row can mean that maps are missing",
  kinds: [],
  needs: [["map"], ["unmap"]],
  observe(violations) {
    return {
      unmapFoundNothing({ line, tsNs, startPage, endPage, pid }) {
        violations.add(
          line,
          tsNs,
          () => `pages 0x${startPage.toString(16)} to 0x${endPage.toString(16)} by pid ${pid}`,
        );
      },
    };
  },
};
