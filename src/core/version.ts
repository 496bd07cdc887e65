/** True when a dotted version is at least `major.minor`. */
export function versionAtLeast(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map((part) => parseInt(part, 10));
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

const VERSION = /^["']*(?:\d+:)?v?(?!0\.0\.0)(\d+\.\d+(?:\.\d+)?(?:-(?:rc|beta|alpha)\.?\d+)?)/;

/**
 * `5:28.2.2-1~debian.12` or `v2.1.9+dfsg` as an upstream version `28.2.2`, `2.1.9`; `undefined` when there is no number, or
 * only the 0.0.0 that Go gives a build of no release.
 */
export function cleanVersion(text: string): string | undefined {
  return VERSION.exec(text.slice(0, 100))?.[1];
}
