// The cgroup directories that containers leave behind, in whichever hierarchies this machine has (v1, hybrid, v2).
import { readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Hierarchy {
  readonly mountPoint: string;
  /** Controllers of a v1 hierarchy, as /proc/PID/cgroup names them; none for v2. */
  readonly controllers: readonly string[];
}

function hierarchies(): readonly Hierarchy[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, mountPoint = '', type, options = '']) => ({
      mountPoint,
      controllers: type === 'cgroup' ? options.split(',') : [],
    }));
}

/** The directories that a cgroup path can be in, one for each hierarchy. */
export function cgroupDirectories(path: string): readonly string[] {
  return hierarchies().map(({ mountPoint }) => join(mountPoint, path));
}

/** The cgroup directories a process is in, except the roots. */
export function cgroupDirectoriesOf(pid: number): readonly string[] {
  const all = hierarchies();
  return readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (path === '' || path === '/' || path.startsWith('/..')) return [];
      return all
        .filter((one) =>
          controllers === ''
            ? one.controllers.length === 0
            : controllers.split(',').every((name) => one.controllers.includes(name)),
        )
        .map((one) => join(one.mountPoint, path));
    });
}

/**
 * The processes in the given cgroup directories and below, to be ended. A directory that this process is in, or that a
 * hierarchy begins with, is none of a container's.
 */
export function processesInCgroups(directories: readonly string[]): readonly number[] {
  const ours = [...cgroupDirectoriesOf(process.pid), ...hierarchies().map(({ mountPoint }) => mountPoint)];
  const theirs = directories.filter((dir) => !ours.some((own) => own === dir || own.startsWith(`${dir}/`)));
  const pids = theirs.flatMap(subtree).flatMap((dir) => read(join(dir, 'cgroup.procs')).split('\n'));
  return [...new Set(pids.map(Number))].filter((pid) => pid > 0);
}

/**
 * Removes cgroup directories, what is below them, and every parent that is empty then. The kernel refuses to remove a
 * cgroup in use, so a parent that anybody else uses stays.
 */
export function removeCgroups(directories: readonly string[]): void {
  const roots = new Set(hierarchies().map(({ mountPoint }) => mountPoint));
  for (const dir of new Set(directories)) {
    for (const child of subtree(dir).reverse()) remove(child);
    for (let parent = dirname(dir); inside(parent, roots) && remove(parent); parent = dirname(parent));
  }
}

function inside(dir: string, roots: ReadonlySet<string>): boolean {
  return !roots.has(dir) && [...roots].some((root) => dir.startsWith(`${root}/`));
}

/** A directory and all below it, parents first. */
function subtree(dir: string): string[] {
  try {
    const children = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [dir, ...children.flatMap((entry) => subtree(join(dir, entry.name)))];
  } catch {
    return [];
  }
}

/** True when the directory is gone, whoever removed it. */
function remove(dir: string): boolean {
  // A killed process leaves its cgroup a moment after it is gone from /proc.
  for (const end = Date.now() + 500; ;) {
    try {
      rmdirSync(dir);
      return true;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT') return true;
      if (code !== 'EBUSY' || isUsed(dir) || Date.now() > end) return false;
    }
  }
}

/** EBUSY means children, processes, or a process on its way out; only the last is worth another try. */
function isUsed(dir: string): boolean {
  return subtree(dir).length > 1 || read(join(dir, 'cgroup.procs')) !== '';
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
