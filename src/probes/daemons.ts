import { type Reading, unread } from '../core/reading.ts';
import type { ProcFs } from '../host/procfs.ts';
import { parseProcessStatus } from './process-status.ts';

/** A running program the audit asks about. */
export interface Daemon {
  readonly name: DaemonName;
  readonly pid: number;
  /** Its arguments, program name first. */
  readonly args: readonly string[];
}

export type DaemonName = 'dockerd' | 'containerd' | 'crio' | 'kubelet';

/**
 * The daemon of each name among processes that are in no container. Anyone may call a process of his own `dockerd`, so one of
 * root outranks any other; only where there is none may it be a rootless engine.
 */
export function findDaemons(procfs: ProcFs, pids: readonly number[]): ReadonlyMap<DaemonName, Daemon> {
  const found = pids.flatMap((pid): (Daemon & { readonly isRoot: boolean })[] => {
    const cmdline = procfs.readText(pid, 'cmdline');
    if (!cmdline.ok || cmdline.value === '') return [];
    const args = cmdline.value.replace(/\0$/, '').split('\0');
    const name = daemonName(args);
    return name ? [{ name, pid, args, isRoot: isRoot(procfs, pid) }] : [];
  });
  const strongestLast = found.toReversed().toSorted((a, b) => Number(a.isRoot) - Number(b.isRoot));
  return new Map(strongestLast.map(({ name, pid, args }) => [name, { name, pid, args }]));
}

function isRoot(procfs: ProcFs, pid: number): boolean {
  const status = procfs.readText(pid, 'status');
  return status.ok && parseProcessStatus(status.value)?.uid === 0;
}

/** Which daemon a command line is: also RHEL 7's `dockerd-current` and Docker 1.x's `docker daemon`. */
export function daemonName(args: readonly string[]): DaemonName | undefined {
  const base = (args[0] ?? '').split('/').at(-1) ?? '';
  if (/^dockerd(?:-current|-latest|-ce|-ee)?$/.test(base)) return 'dockerd';
  // Only as the first argument: the client's `docker run -d` is no daemon.
  if (/^docker(?:-current|-latest)?$/.test(base) && /^(?:daemon|-d|--daemon)$/.test(args[1] ?? '')) return 'dockerd';
  if (base === 'containerd' || base === 'docker-containerd') return 'containerd';
  if (base === 'crio') return 'crio';
  if (base === 'kubelet' || base === 'kubelite') return 'kubelet';
  return base === 'hyperkube' && args[1] === 'kubelet' ? 'kubelet' : undefined;
}

/**
 * The last value of a flag on a command line, in the forms Go programs take: `--name=value`, `--name value`; short flags
 * `-g value`. A flag without a value, as the last word, is the empty text.
 */
export function flagValue(args: readonly string[], ...names: readonly string[]): string | undefined {
  let value: string | undefined;
  for (const [index, argument] of args.entries()) {
    for (const name of names) {
      if (argument === name) value = args[index + 1] ?? '';
      else if (argument.startsWith(`${name}=`)) value = argument.slice(name.length + 1);
    }
  }
  return value;
}

/** The missing daemon as a reading. */
export function notRunning(name: string): Reading<never> {
  return unread('/proc', 'absent', `no ${name} process`);
}
