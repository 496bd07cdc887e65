import { couldAddHostUsers, hasOwnUserNamespace, isLinux, onPlatform } from '../core/pod-user-namespace.ts';
import type { Violation, WorkloadRule } from '../core/rule.ts';
import { containersOf, type PlacedContainer, type Workload } from '../core/workload.ts';

/**
 * Capabilities that, held in the host's user namespace, hand over the node, and how. Outside of this list stay those whose reach
 * ends at the container's other namespaces, as CAP_NET_ADMIN does (capabilities(7)).
 */
export const NODE_CAPABILITIES: Readonly<Record<string, string>> = {
  ALL: 'every capability',
  SYS_ADMIN: 'mounts file systems, enters other namespaces, sets cgroup and kernel handlers that run on the node',
  SYS_MODULE: 'loads code into the kernel',
  SYS_RAWIO: 'reads and writes memory and I/O ports of the machine',
  SYS_PTRACE: 'reads and changes other processes, and walks into their files through /proc/PID/root',
  SYS_BOOT: 'reboots the machine or loads another kernel',
  BPF: 'loads programs into the kernel all containers share',
  DAC_READ_SEARCH: 'opens any file of a mounted file system by its handle, also outside of the container',
  MAC_ADMIN: 'replaces AppArmor and Smack policy for the whole node',
};

export const privilegedInHostUserNamespace: WorkloadRule = {
  kind: 'workload',
  id: 'privileged-in-host-user-namespace',
  title: 'No container holds power over the node in the host’s user namespace',
  severity: 'critical',
  rationale:
    'A privileged container, or one with a capability such as CAP_SYS_ADMIN, is root of the node in all but name. In a user namespace of its own the same capability reaches only what that namespace owns.',
  remediation:
    'Add hostUsers: false: privileged and every capability then hold inside the pod’s user namespace only. Where it must act on the node: ask for the one capability it needs, and record the exception.',
  references: [
    'https://man7.org/linux/man-pages/man7/capabilities.7.html',
    'https://man7.org/linux/man-pages/man7/user_namespaces.7.html',
    'https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/',
  ],
  *check(workload, target) {
    if (!isLinux(workload) || hasOwnUserNamespace(workload, target)) return;
    for (const placed of containersOf(workload.podSpec)) yield* judgeContainer(placed, workload);
  },
};

function* judgeContainer({ container, path }: PlacedContainer, workload: Workload): Iterable<Violation> {
  const { privileged, capabilities } = container.securityContext ?? {};
  const orHostUsers = couldAddHostUsers(workload) ? ', or add hostUsers: false' : '';
  if (privileged === true) {
    yield {
      path: [...path, 'securityContext', 'privileged'],
      message: "is privileged in the host's user namespace: root of the node in all but name",
      fix: onPlatform(workload, {
        kubernetes: `Drop privileged: true${orHostUsers}.`,
        docker: 'Drop privileged: true; ask for the devices and capabilities it needs.',
      }),
    };
    return;
  }
  for (const [index, written] of (capabilities?.add ?? []).entries()) {
    const name = written.toUpperCase().replace(/^CAP_/, '');
    const power = Object.hasOwn(NODE_CAPABILITIES, name) ? NODE_CAPABILITIES[name] : undefined;
    if (power === undefined) continue;
    yield {
      path: [...path, 'securityContext', 'capabilities', 'add', index],
      message: `holds ${name === 'ALL' ? 'ALL' : `CAP_${name}`} in the host's user namespace: ${power}`,
      fix: onPlatform(workload, {
        kubernetes: `Drop ${written}${orHostUsers}.`,
        docker: `Drop ${written} from cap_add.`,
      }),
    };
  }
}
