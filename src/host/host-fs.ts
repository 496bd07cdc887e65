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
  /** Inode of a namespace that is bind-mounted on this path; `malformed` when the file is not a namespace. */
  namespaceInode(path: string): Reading<number>;
}

export interface HostFsOptions {
  /** The root holds only some of the host's directories, as a container mounts them: what is below the others is hidden, not absent. */
  readonly partial?: boolean;
}

export function createHostFs(root = '/', { partial = false }: HostFsOptions = {}): HostFs {
  const base = posix.resolve(root);
  const locate = (path: string): string => {
    if (base === '/') return path;
    // The kernel follows these links by itself, into the mount namespace of the process; their text would mislead.
    return MAGIC_LINK.test(path) ? posix.join(base, path) : resolveInRoot(base, path);
  };

  function attempt<T>(path: string, operation: (real: string) => Reading<T>): Reading<T> {
    try {
      return operation(locate(path));
    } catch (error) {
      const reading = unreadFromError(path, error);
      return partial && reading.why === 'absent' && isHidden(base, path)
        ? unread(path, 'denied', 'its directory is not mounted here')
        : reading;
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
    exists(path) {
      const found = attempt(path, (real) => read(path, lstatSync(real, { throwIfNoEntry: false })));
      return found.ok && found.value !== undefined;
    },
    namespaceInode(path) {
      return attempt(path, (real) => {
        if (statfsSync(real).type !== NSFS_MAGIC) return unread(path, 'malformed', 'not a mounted namespace');
        return read(path, statSync(real).ino);
      });
    },
  };
}

/** Whether no part of a path is there but what every root has: each directory of a host holds something. */
function isHidden(root: string, path: string): boolean {
  const top = posix.join(root, path.split('/')[1] ?? '');
  try {
    // A mount point for something below it (`/var` for `/var/lib/kubelet`) shows nothing of itself.
    return readdirSync(top).length === 0 || isMountPointOnly(root, path);
  } catch {
    return true;
  }
}

/** True where a directory on the way is only there to hold a mount further down, and the path leads elsewhere. */
function isMountPointOnly(root: string, path: string): boolean {
  const { dev } = lstatSync(root);
  const parts = path.split('/').filter(Boolean);
  // As long as the file system is that of the root itself, nothing of the host has been mounted yet.
  return parts.slice(0, -1).every((_, index) => {
    const stat = lstatSync(posix.join(root, ...parts.slice(0, index + 1)), { throwIfNoEntry: false });
    return stat === undefined || stat.dev === dev;
  });
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
