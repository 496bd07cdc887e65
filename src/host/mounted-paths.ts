import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

/**
 * Which parts of a host an agent was given: the mount points below the directory that stands for its root. `undefined` where that
 * question does not arise: the root is the reader's own, is mounted as a whole, or is an ordinary directory such as an unpacked image.
 * @param mountInfo text of /proc/self/mountinfo (proc_pid_mountinfo(5))
 */
export function mountedPaths(root: string, mountInfo = ownMountInfo()): readonly string[] | undefined {
  const base = posix.resolve(root);
  if (base === '/') return undefined;
  const points = mountInfo.split('\n').map((line) => unescapePath(line.split(' ')[4] ?? ''));
  if (points.includes(base)) return undefined;
  const below = points.filter((point) => point.startsWith(`${base}/`));
  return below.length === 0 ? undefined : below;
}

function ownMountInfo(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

/** Blanks, tabs, newlines and backslashes stand as octal numbers. */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
