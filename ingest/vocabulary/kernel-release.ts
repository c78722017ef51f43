/** A kernel's release as data writes it: `6.12`. Stable levels do not change a prototype. */
export type Release = `${number}.${number}`;

/** Order of two releases: negative where the first is older. */
export function compareReleases(a: Release, b: Release): number {
  const [majorA = 0, minorA = 0] = a.split(".").map(Number);
  const [majorB = 0, minorB = 0] = b.split(".").map(Number);
  return majorA === majorB ? minorA - minorB : majorA - majorB;
}

/** Is `release` at least `since`? */
export function isSince(release: Release, since: Release): boolean {
  return compareReleases(release, since) >= 0;
}
