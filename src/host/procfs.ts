import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs';
import { posix } from 'node:path';
import { type Reading, read, unread } from '../core/reading.ts';
import { unreadFromError } from './errno.ts';

/** Larger than any file the scan reads; cgroup files of hybrid hosts stay below 8 KiB. */
const BUFFER_BYTES = 64 * 1024;

/**
 * A read shorter than this was the last: status, stat and cgroup are one seq_file record, returned whole by one read(2), and
 * the records of uid_map and gid_map are 33 bytes, cut only at the end of a page (fs/seq_file.c). It saves a syscall a file.
 */
const SHORT_READ = 3072;

/**
 * Per-process files of one procfs, read synchronously into one reused buffer: there is nothing to wait for in procfs, and the
 * thread pool behind promises costs 6 to 15 times more than the read itself (docs/benchmarks.md).
 */
export interface ProcFs {
  /** All process ids this procfs shows, in no order. */
  pids(): Reading<readonly number[]>;
  /** Text of /proc/PID/FILE, Latin-1 so that no byte is lost; NUL bytes stay. */
  readText(pid: number, file: string): Reading<string>;
  readLink(pid: number, file: string): Reading<string>;
  /** Inode number of /proc/PID/FILE. */
  inode(pid: number, file: string): Reading<number>;
  /** Text of a small regular file below the root of a process; refused when a component is a link, for it would lead the reader astray. */
  readContainerFile(pid: number, path: readonly string[], maxBytes: number): Reading<string>;
}

/** `root` is the host's root as the reader sees it: its procfs is at `<root>/proc`. */
export function createProcFs(root = '/'): ProcFs {
  const base = posix.join(posix.resolve(root), 'proc');
  const prefix = `${base}/`;
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);

  function attempt<T>(pid: number, file: string, operation: (path: string) => T | undefined): Reading<T> {
    const source = `/proc/${pid}/${file}`;
    try {
      const value = operation(`${prefix}${pid}/${file}`);
      return value === undefined ? unread(source, 'too-large', `more than ${BUFFER_BYTES} bytes`) : read(source, value);
    } catch (error) {
      return unreadFromError(source, error);
    }
  }

  return {
    pids() {
      try {
        return read(
          '/proc',
          readdirSync(base)
            .filter((name) => /^[1-9]\d*$/.test(name))
            .map(Number),
        );
      } catch (error) {
        return unreadFromError('/proc', error);
      }
    },
    readText: (pid, file) => attempt(pid, file, (path) => readWhole(path, buffer)),
    readLink: (pid, file) => attempt(pid, file, (path) => readlinkSync(path)),
    inode: (pid, file) => attempt(pid, file, (path) => statSync(path).ino),
    readContainerFile(pid, path, maxBytes) {
      const source = `/proc/${pid}/root/${path.join('/')}`;
      try {
        const directories = path
          .slice(0, -1)
          .map((_, index) => `${prefix}${pid}/root/${path.slice(0, index + 1).join('/')}`);
        const astray = directories.some((directory) => !lstatSync(directory).isDirectory());
        if (astray) return unread(source, 'malformed', 'leads through a symbolic link');
        return readSmall(`${prefix}${pid}/root/${path.join('/')}`, source, maxBytes);
      } catch (error) {
        return unreadFromError(source, error);
      }
    },
  };
}

/** The file as Latin-1 text, `undefined` when it fills the whole buffer. */
function readWhole(path: string, buffer: Buffer): string | undefined {
  const fd = openSync(path, 'r');
  try {
    let length = 0;
    while (length < buffer.length) {
      const count = readSync(fd, buffer, length, buffer.length - length, null);
      length += count;
      if (count < SHORT_READ) return buffer.toString('latin1', 0, length);
    }
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** O_NOFOLLOW against links, O_NONBLOCK against pipes that would wait for a writer. */
function readSmall(path: string, source: string, maxBytes: number): Reading<string> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return unread(source, 'malformed', 'not a regular file');
    if (stat.size > maxBytes) return unread(source, 'too-large', `${stat.size} bytes, at most ${maxBytes} are read`);
    const bytes = Buffer.allocUnsafe(maxBytes);
    return read(source, bytes.toString('utf8', 0, readSync(fd, bytes, 0, maxBytes, 0)));
  } finally {
    closeSync(fd);
  }
}
