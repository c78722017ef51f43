/**
 * Version of a kernel, from `uname -r` and, where it was saved, the whole version text: distributors
 * keep their stable level only there (`6.1.0-56-arm64 … Debian 6.1.192-1`).
 */
export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
  /** Stable level; undefined where only the distributor's package would tell. */
  readonly patch: number | undefined;
  /** Distributor whose text was recognised; `vanilla` where none was. */
  readonly distributor: "vanilla" | "debian" | "ubuntu" | "rhel";
}

const RELEASE = /^v?(\d+)\.(\d+)(?:\.(\d+))?(.*)$/;
const DEBIAN = /Debian (\d+)\.(\d+)\.(\d+)-/;

/** Undefined where the text does not begin with a version number. */
export function parseKernelVersion(release: string, versionText = ""): KernelVersion | undefined {
  const match = RELEASE.exec(release.trim());
  if (match === null) return undefined;
  const major = Number(match[1]);
  const minor = Number(match[2]);
  const patch = match[3] === undefined ? undefined : Number(match[3]);
  const rest = match[4] ?? "";
  const debian = DEBIAN.exec(versionText);
  if (debian !== null && Number(debian[1]) === major && Number(debian[2]) === minor) {
    return { major, minor, patch: Number(debian[3]), distributor: "debian" };
  }
  if (/\+deb\d+|-\d+-(?:[a-z0-9]+-)*(?:arm64|amd64)$/.test(rest) && !/Ubuntu/.test(versionText)) {
    // Debian's ABI name has patch 0 (6.1.0-56-arm64) until 12; from 13 on it is the real level.
    return { major, minor, patch: patch === 0 ? undefined : patch, distributor: "debian" };
  }
  // An ABI number and a flavour (6.8.0-45-generic, 6.8.0-1012-nvidia); the release has patch 0.
  if (/Ubuntu/.test(versionText) || /^-\d+-[a-z]/.test(rest)) {
    return { major, minor, patch: patch === 0 ? undefined : patch, distributor: "ubuntu" };
  }
  if (/\.el\d/.test(rest)) return { major, minor, patch: undefined, distributor: "rhel" };
  return { major, minor, patch: patch ?? 0, distributor: "vanilla" };
}

/** Is the version at least major.minor(.patch)? An unknown stable level counts as a late one. */
export function isAtLeast(
  version: KernelVersion,
  major: number,
  minor: number,
  patch = 0,
): boolean {
  if (version.major !== major) return version.major > major;
  if (version.minor !== minor) return version.minor > minor;
  return (version.patch ?? Number.POSITIVE_INFINITY) >= patch;
}

export function formatKernelVersion(version: KernelVersion): string {
  const patch = version.patch === undefined ? "" : `.${version.patch}`;
  const by = version.distributor === "vanilla" ? "" : ` (${version.distributor})`;
  return `${version.major}.${version.minor}${patch}${by}`;
}
