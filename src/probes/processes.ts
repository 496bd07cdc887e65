import type { ContainerReference } from '../core/container.ts';
import type { ProcFs } from '../host/procfs.ts';
import { type CgroupMembership, parseCgroup } from './cgroup.ts';

/** The processes of one cgroup that is, or may be, a container. */
export interface ProcessGroup {
  readonly reference: ContainerReference;
  /** Named by a runtime's pattern; otherwise its namespaces must tell. */
  readonly certain: boolean;
  readonly pids: number[];
}

/** Every process, sorted by its cgroup. */
export interface ProcessTable {
  readonly groups: readonly ProcessGroup[];
  /** Processes of the host itself, kernel threads included. */
  readonly hostPids: readonly number[];
  readonly total: number;
  /** Processes whose cgroup could not be read though they exist. */
  readonly denied: number;
}

/**
 * Sorts all processes by cgroup. Yields after every process, so that the caller can give the event loop its turn. Processes
 * that end meanwhile are left out.
 */
export function* sortProcesses(procfs: ProcFs, pids: readonly number[]): Generator<undefined, ProcessTable> {
  const groups = new Map<string, ProcessGroup>();
  const hostPids: number[] = [];
  // Processes of one container have equal cgroup files: parse each text once.
  const parsed = new Map<string, CgroupMembership>();
  let denied = 0;
  for (const pid of pids) {
    const text = procfs.readText(pid, 'cgroup');
    if (text.ok) {
      const membership = parsed.get(text.value) ?? parseCgroup(text.value);
      parsed.set(text.value, membership);
      if (membership.kind === 'host') hostPids.push(pid);
      else join(groups, membership, pid);
    } else if (text.why !== 'absent') {
      denied += 1;
    }
    yield;
  }
  return { groups: [...groups.values()], hostPids, total: pids.length, denied };
}

function join(
  groups: Map<string, ProcessGroup>,
  membership: Exclude<CgroupMembership, { kind: 'host' }>,
  pid: number,
): void {
  const { reference, kind } = membership;
  // By path and not by id: a process may name its own sub-cgroup after somebody else's container.
  const group = groups.get(reference.cgroup);
  if (group) group.pids.push(pid);
  else groups.set(reference.cgroup, { reference, certain: kind === 'container', pids: [pid] });
}
