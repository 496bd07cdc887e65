import { closeSync, constants, fstatSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs';
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

/** A process by its pid, or one of its threads: `12/task/15`. */
export type Task = number | `${number}/task/${number}`;

/**
 * Per-process files of one procfs, read synchronously into one reused buffer: there is nothing to wait for in procfs, and the
 * thread pool behind promises costs 6 to 15 times more than the read itself (docs/benchmarks.md).
 */
export interface ProcFs {
  /** All process ids this procfs shows, in no order. */
  pids(): Reading<readonly number[]>;
  /** The threads of a process, its leader among them. */
  threads(pid: number): Reading<readonly number[]>;
  /** Text of /proc/PID/FILE, Latin-1 so that no byte is lost; NUL bytes stay. */
  readText(task: Task, file: string): Reading<string>;
  readLink(task: Task, file: string): Reading<string>;
  /** Inode number of /proc/PID/FILE. */
  inode(task: Task, file: string): Reading<number>;
  /**
   * Runs `observe` and then reads /proc/PID/FILE (one of stat, status) through a handle opened before. It is `absent` when the
   * process ended meanwhile, so that what `observe` read by pid is of one process and not of another that got its number.
   */
  pinned<T>(task: Task, file: string, observe: () => T): Reading<{ readonly observed: T; readonly text: string }>;
  /** Text of a small regular file at an absolute path below the root of a process. Whatever else stands there is not touched. */
  readContainerFile(task: Task, path: string, maxBytes: number): Reading<string>;
}

/** `root` is the host's root as the reader sees it: its procfs is at `<root>/proc`. */
export function createProcFs(root = '/'): ProcFs {
  const above = posix.resolve(root) === '/' ? '' : posix.resolve(root);
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);

  function attempt<T>(source: string, operation: (path: string) => T | undefined): Reading<T> {
    try {
      const value = operation(above + source);
      return value === undefined ? unread(source, 'too-large', `more than ${BUFFER_BYTES} bytes`) : read(source, value);
    } catch (error) {
      return unreadFromError(source, error);
    }
  }

  function listNumbers(source: string): Reading<readonly number[]> {
    try {
      const names = readdirSync(above + source);
      return read(source, names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number));
    } catch (error) {
      return unreadFromError(source, error);
    }
  }

  return {
    pids: () => listNumbers('/proc'),
    threads: (pid) => listNumbers(`/proc/${pid}/task`),
    readText: (task, file) => attempt(`/proc/${task}/${file}`, (path) => readWhole(path, buffer)),
    readLink: (task, file) => attempt(`/proc/${task}/${file}`, (path) => readlinkSync(path)),
    inode: (task, file) => attempt(`/proc/${task}/${file}`, (path) => statSync(path).ino),
    pinned(task, file, observe) {
      const source = `/proc/${task}/${file}`;
      try {
        return holdOpen(above + source, (fd) => {
          const observed = observe();
          // An open file of a process stays with that process: once it is gone, reading says ESRCH, whoever has its pid now.
          const text = buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0));
          return read(source, { observed, text });
        });
      } catch (error) {
        return unreadFromError(source, error);
      }
    },
    readContainerFile(task, path, maxBytes) {
      const source = `/proc/${task}/root${path}`;
      try {
        return openBeneath(`${above}/proc/${task}/root`, path, (handle) => readSmall(handle, source, maxBytes));
      } catch (error) {
        return unreadFromError(source, error);
      }
    },
  };
}

function holdOpen<T>(path: string, use: (fd: number) => T, flags: number = constants.O_RDONLY): T {
  const fd = openSync(path, flags);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** The file as Latin-1 text, `undefined` when it fills the whole buffer. */
function readWhole(path: string, buffer: Buffer): string | undefined {
  return holdOpen(path, (fd) => {
    let length = 0;
    while (length < buffer.length) {
      const count = readSync(fd, buffer, length, buffer.length - length, null);
      length += count;
      if (count < SHORT_READ) return buffer.toString('latin1', 0, length);
    }
    return undefined;
  });
}

/** Opens without touching (open(2)): a device file's driver is not called. Node names all flags but this one. */
const O_PATH = 0o10000000;

/** Opens component by component and follows no link: an absolute one would lead into the reader's own root. */
function openBeneath<T>(directory: string, path: string, use: (handle: number) => T): T {
  const [, name = '', rest] = /^\/([^/]+)(\/.+)?$/.exec(path) ?? [];
  return holdOpen(
    `${directory}/${name}`,
    (handle) => (rest === undefined ? use(handle) : openBeneath(`/proc/self/fd/${handle}`, rest, use)),
    O_PATH | constants.O_NOFOLLOW,
  );
}

/**
 * The file may be anything its container likes to put there, and merely opening a device can do harm (a watchdog reboots the
 * machine). So it comes opened by O_PATH, and is read through that handle only if it is a regular file.
 */
function readSmall(handle: number, source: string, maxBytes: number): Reading<string> {
  const stat = fstatSync(handle);
  if (!stat.isFile()) return unread(source, 'malformed', 'not a regular file');
  if (stat.size > maxBytes) return unread(source, 'too-large', `${stat.size} bytes, at most ${maxBytes} are read`);
  const bytes = Buffer.allocUnsafe(maxBytes);
  const length = holdOpen(`/proc/self/fd/${handle}`, (fd) => readSync(fd, bytes, 0, maxBytes, 0));
  return read(source, bytes.toString('utf8', 0, length));
}
