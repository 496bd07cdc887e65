import type { Container } from '../core/container.ts';
import { valueOf } from '../core/reading.ts';
import type { ProcFs } from '../host/procfs.ts';
import { sortProcesses } from './processes.ts';

/** Tells between two audits whether containers came or went, at the cost of a directory listing. */
export interface ContainerChanges {
  /** What an audit has seen. Processes stay as new as they are: those that came while it was busy it may have missed. */
  remember(containers: readonly Container[]): void;
  /** True when a container is there that was not, or one is gone. Reads the cgroups of new processes alone. */
  look(): boolean;
}

export function createContainerChanges(procfs: ProcFs): ContainerChanges {
  let known = new Map<string, number>();
  let pids = new Set<number>();
  // A runtime moves a process into its cgroup only after it was forked: what is new is looked at twice.
  let before = pids;

  function listPids(): readonly number[] {
    return valueOf(procfs.pids()) ?? [];
  }

  return {
    remember(containers) {
      known = new Map(
        containers.filter(({ state }) => state === 'running').map(({ cgroup, init }) => [cgroup, init.pid]),
      );
    },
    look() {
      const present = listPids();
      const fresh = present.filter((pid) => !before.has(pid));
      before = pids;
      pids = new Set(present);
      for (const pid of known.values()) if (!pids.has(pid)) return true;
      return fresh.length > 0 && newContainers(procfs, fresh, known);
    },
  };
}

function newContainers(procfs: ProcFs, fresh: readonly number[], known: ReadonlyMap<string, number>): boolean {
  const steps = sortProcesses(procfs, fresh);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value.groups.some(({ certain, reference }) => certain && !known.has(reference.cgroup));
  }
}
