import { evidenceOf } from './evidence.ts';
import type { KernelOption, NodeFacts } from './facts.ts';
import type { Evidence } from './finding.ts';
import type { NamespaceType } from './namespace.ts';

/** The option that builds each namespace type in (init/Kconfig); mount namespaces come with NAMESPACES alone. */
export const OPTION_OF_NAMESPACE = {
  user: 'USER_NS',
  pid: 'PID_NS',
  net: 'NET_NS',
  ipc: 'IPC_NS',
  uts: 'UTS_NS',
  mnt: 'NAMESPACES',
  cgroup: 'CGROUPS',
  time: 'TIME_NS',
} as const satisfies Record<NamespaceType, KernelOption>;

/** Whether the kernel has a namespace type, and by whose word. */
export interface NamespaceSupport {
  readonly supported: boolean | undefined;
  readonly evidence: readonly Evidence[];
  /** The config file and the running kernel disagree; the kernel is believed. */
  readonly contradiction: boolean;
}

/** /proc/self/ns is the running kernel's own word; the config speaks where there is no procfs, and is checked against it. */
export function namespaceSupport(facts: NodeFacts, type: NamespaceType): NamespaceSupport {
  const option = OPTION_OF_NAMESPACE[type];
  const config = facts.kernelConfig.options[option];
  const files = facts.namespaceFiles;
  const shown = files.ok ? files.value.includes(type) : undefined;
  const built = config.ok ? configured(config.value) : undefined;
  const evidence = [
    evidenceOf(
      config,
      (value) =>
        `CONFIG_${option}${value === 'not-set' || value === 'absent' ? ` is ${value === 'absent' ? 'absent' : 'not set'}` : `=${value}`}`,
    ),
    evidenceOf(files, (types) => (types.includes(type) ? `has ${type}` : `has no ${type}`)),
  ];
  return {
    supported: shown ?? built,
    evidence,
    contradiction: shown !== undefined && built !== undefined && shown !== built,
  };
}

/** `m` is no value of a boolean option: such a file says nothing. */
function configured(value: string): boolean | undefined {
  return value === 'm' ? undefined : value === 'y';
}
