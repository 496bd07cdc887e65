import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { posix } from 'node:path';
import { type Reading, read, unread } from '../core/reading.ts';
import { unreadFromError } from './errno.ts';

/** Files larger than this are not what a probe looks for. */
const DEFAULT_MAX_BYTES = 1 << 20;

/** `NSFS_MAGIC` (include/uapi/linux/magic.h): a mounted namespace file. */
const NSFS_MAGIC = 0x6e736673;

/** Links of procfs that lead to an open file rather than to a name (proc_pid_exe(5)). */
const MAGIC_LINK = /^\/proc\/\d+\/exe$/;

/** Symbolic links followed in one path, as in the kernel (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * The host's files below one root. Paths are absolute as the host names them; symbolic links are resolved inside the root,
 * so that an absolute link of a mounted host never leads to the reader's own files. Nothing throws for what a host may contain.
 */
export interface HostFs {
  readonly root: string;
  /** Whole content; `too-large` above `maxBytes` (1 MiB unless told), never cut. */
  readBytes(path: string, maxBytes?: number): Reading<Uint8Array>;
  /** UTF-8 text; `malformed` when it holds NUL bytes. */
  readText(path: string, maxBytes?: number): Reading<string>;
  /** `length` bytes from `offset`; fewer only at the end of the file. For parts of large binaries. */
  readAt(path: string, offset: number, length: number): Reading<Uint8Array>;
  /** Names in a directory, sorted. */
  list(path: string): Reading<readonly string[]>;
  readLink(path: string): Reading<string>;
  exists(path: string): boolean;
  /** Whether anything stands there, where that can be known at all. */
  presence(path: string): Reading<boolean>;
  /** Inode of a namespace that is bind-mounted on this path; `malformed` when the file is not a namespace. */
  namespaceInode(path: string): Reading<number>;
}

/**
 * @param mounted the only places of the host that are visible below the root (`mountedPaths`); all of it where left out. What
 * lies elsewhere is `denied`, and never `absent`: that it is not seen says nothing.
 */
export function createHostFs(root = '/', mounted?: readonly string[]): HostFs {
  const base = posix.resolve(root);
  const isVisible = (real: string): boolean =>
    mounted === undefined || mounted.some((point) => real === point || real.startsWith(`${point}/`));
  const locate = (path: string): string => {
    if (base === '/') return path;
    // The kernel follows these links by itself, into the mount namespace of the process; their text would mislead.
    return MAGIC_LINK.test(path) ? posix.join(base, path) : resolveInRoot(base, path);
  };

  function attempt<T>(path: string, operation: (real: string) => Reading<T>): Reading<T> {
    try {
      const real = locate(path);
      return isVisible(real) ? operation(real) : unread(path, 'denied', 'not mounted below the host root');
    } catch (error) {
      return unreadFromError(path, error);
    }
  }

  function readBytes(path: string, maxBytes = DEFAULT_MAX_BYTES): Reading<Uint8Array> {
    return attempt(path, (real) =>
      withFile(path, real, (fd, size) => {
        if (size > maxBytes) return unread(path, 'too-large', `${size} bytes, at most ${maxBytes} are read`);
        const bytes = readUpTo(fd, maxBytes + 1, size);
        if (bytes.length > maxBytes) return unread(path, 'too-large', `more than ${maxBytes} bytes`);
        return read(path, bytes);
      }),
    );
  }

  const presence = (path: string): Reading<boolean> =>
    attempt(path, (real) => read(path, lstatSync(real, { throwIfNoEntry: false }) !== undefined));

  return {
    root: base,
    readBytes,
    readText(path, maxBytes) {
      const bytes = readBytes(path, maxBytes);
      if (!bytes.ok) return bytes;
      if (bytes.value.includes(0)) return unread(path, 'malformed', 'binary data where text is expected');
      return read(path, new TextDecoder().decode(bytes.value));
    },
    readAt(path, offset, length) {
      return attempt(path, (real) =>
        withFile(path, real, (fd, size) => {
          // What a file says of its own layout may be a lie: never allocate more than it holds.
          const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
          return read(
            path,
            bytes.length === 0 ? bytes : bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, offset)),
          );
        }),
      );
    },
    list: (path) => attempt(path, (real) => read(path, readdirSync(real).sort())),
    readLink: (path) =>
      attempt(path, () => read(path, readlinkSync(posix.join(locate(posix.dirname(path)), posix.basename(path))))),
    presence,
    exists(path) {
      const found = presence(path);
      return found.ok && found.value;
    },
    namespaceInode(path) {
      return attempt(path, (real) => {
        if (statfsSync(real).type !== NSFS_MAGIC) return unread(path, 'malformed', 'not a mounted namespace');
        return read(path, statSync(real).ino);
      });
    },
  };
}

function withFile<T>(path: string, real: string, use: (fd: number, size: number) => Reading<T>): Reading<T> {
  // O_NONBLOCK: a FIFO planted where a file is expected must not stop the audit.
  const fd = openSync(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) return unread(path, 'malformed', 'is a directory');
    if (!stat.isFile()) return unread(path, 'malformed', 'not a regular file');
    return use(fd, stat.size);
  } finally {
    closeSync(fd);
  }
}

/** Reads until the end or `limit` bytes: procfs and sysfs files say a size of 0 or 4096 whatever they hold. */
function readUpTo(fd: number, limit: number, sizeHint: number): Uint8Array {
  let buffer = Buffer.allocUnsafe(Math.min(limit, Math.max(sizeHint + 1, 4096)));
  let length = 0;
  for (;;) {
    const count = readSync(fd, buffer, length, buffer.length - length, null);
    if (count === 0) return buffer.subarray(0, length);
    length += count;
    if (length < buffer.length) continue;
    if (length >= limit) return buffer.subarray(0, length);
    const grown = Buffer.allocUnsafe(Math.min(limit, buffer.length * 4));
    buffer.copy(grown, 0, 0, length);
    buffer = grown;
  }
}

/** The real path of `path` below `root`, every symbolic link resolved as if `root` were `/` (openat2(2), RESOLVE_IN_ROOT). */
function resolveInRoot(root: string, path: string): string {
  let pending = path.split('/').filter(Boolean);
  let resolved: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const [name = '', ...rest] = pending;
    pending = rest;
    if (name === '.') continue;
    if (name === '..') {
      resolved = resolved.slice(0, -1);
      continue;
    }
    const link = linkTarget(posix.join(root, ...resolved, name));
    if (link === undefined) {
      resolved.push(name);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw Object.assign(new Error('too many symbolic links'), { code: 'ELOOP' });
    if (link.startsWith('/')) resolved = [];
    pending = [...link.split('/').filter(Boolean), ...pending];
  }
  return posix.join(root, ...resolved);
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // Not a link, or not there: opening it will tell which.
    return undefined;
  }
}
