import type { PageKeys } from "./page-keys.ts";

/** Key classes: 0…2 leaves, 3 a coalesced group, 4… pointers to tables whose entries have class 0…3. */
export const GROUP = 3;
export const TABLES = 4;

/** Leaves of a range of pages: entries of every size up to theirs may have been cut from them. */
export interface Leaves {
  readonly space: number;
  readonly page: number;
  readonly lenPages: number;
  readonly leafClass: number;
}

/** Tells keys of translations that such leaves gave. @param spanOf pages of an entry of a class. */
export function leafMatcher(
  keys: PageKeys,
  { space, page, lenPages, leafClass }: Leaves,
  spanOf: (size: number) => number,
): (key: number) => boolean {
  const end = page + lenPages;
  return (key) => {
    if (keys.spaceOf(key) !== space) return false;
    const size = keys.sizeOf(key);
    if (size > GROUP || (size !== GROUP && size > leafClass)) return false;
    const span = spanOf(size);
    const first = keys.pageOf(key) * span;
    return first < end && first + span > page;
  };
}
