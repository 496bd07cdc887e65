import { containersOf, type PlacedContainer, type PodSpec } from '../core/workload.ts';
import { NODE_CAPABILITIES } from '../rules/privileged-in-host-user-namespace.ts';
import type { AdoptionEvidence, RuntimeEvidence } from './adoption-evidence.ts';
import type { AdoptionObstacle } from './adoption-obstacles.ts';

const USER_NAMESPACES = 'https://man7.org/linux/man-pages/man7/user_namespaces.7.html';
const CAPABILITIES = 'https://man7.org/linux/man-pages/man7/capabilities.7.html';

/** What no namespace owns: the kernel asks for these in the initial user namespace (user_namespaces(7)). */
const KERNEL_WIDE: Readonly<Record<string, string>> = {
  SYS_MODULE: 'to load kernel modules',
  SYS_TIME: 'to set the clock of the node',
  MKNOD: 'to make device nodes',
};

/** Limits of the node that these lift in the initial user namespace only. */
const LIMITS = ['IPC_LOCK', 'PERFMON', 'SYSLOG', 'SYS_NICE', 'SYS_RESOURCE'];

/** Privileged containers, and capabilities whose reach shrinks to the namespaces the pod owns. */
export function capabilityObstacles(podSpec: PodSpec): readonly AdoptionObstacle[] {
  return containersOf(podSpec).flatMap((placed) => {
    const { container, path } = placed;
    const { privileged, capabilities } = container.securityContext ?? {};
    if (privileged === true)
      return [
        {
          cause: 'privileged',
          effect: 'change',
          path: [...path, 'securityContext', 'privileged'],
          message: `container ${container.name} is privileged, which would then hold inside its own namespace only`,
          remedy: 'Drop privileged: true, or see that it does its work without power over the node.',
          reference: 'https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/',
        },
      ];
    return (capabilities?.add ?? []).flatMap((written, index) => judgeCapability(written, index, placed));
  });
}

function judgeCapability(
  written: string,
  index: number,
  { container, path }: PlacedContainer,
): readonly AdoptionObstacle[] {
  const name = written.toUpperCase().replace(/^CAP_/, '');
  const at = [...path, 'securityContext', 'capabilities', 'add', index];
  const purpose = Object.hasOwn(KERNEL_WIDE, name) ? KERNEL_WIDE[name] : undefined;
  if (purpose !== undefined)
    return [
      {
        cause: 'capability',
        effect: 'blocked',
        path: at,
        message: `gives container ${container.name} ${written} ${purpose}, which no user namespace but the host's can`,
        remedy: `Drop ${written}, if it is not needed.`,
        reference: USER_NAMESPACES,
      },
    ];
  if (!Object.hasOwn(NODE_CAPABILITIES, name) && !LIMITS.includes(name)) return [];
  return [
    {
      cause: 'capability',
      effect: 'change',
      path: at,
      message: `gives container ${container.name} ${written}, which would then hold inside its own namespace only`,
      remedy: `Drop ${written}, or see that it does its work without power over the node.`,
      reference: CAPABILITIES,
    },
  ];
}

/** Vendors whose extended resources are devices. */
const DEVICE_VENDORS = [
  'amd.com',
  'aws.amazon.com',
  'cloud-tpus.google.com',
  'devices.kubevirt.io',
  'gpu.intel.com',
  'google.com',
  'habana.ai',
  'intel.com',
  'mellanox.com',
  'nvidia.com',
  'openshift.io',
  'qat.intel.com',
  'rdma',
  'smarter-devices',
  'squat.ai',
  'xilinx.com',
];

const CDI = 'https://github.com/kubernetes/kubernetes/issues/134604';

/** Devices: their nodes and the files mounted with them keep the ids of the host, which are nobody's in a user namespace. */
export function deviceObstacles(podSpec: PodSpec): readonly AdoptionObstacle[] {
  const asked = new Map(
    containersOf(podSpec)
      .toReversed()
      .flatMap(({ container, path }) =>
        (container.extendedResources ?? []).map((name) => [name, [...path, 'resources', 'limits', name]] as const),
      ),
  );
  const extended = [...asked].map(([name, path]): AdoptionObstacle => {
    const isDevice = DEVICE_VENDORS.includes(name.slice(0, name.indexOf('/')));
    return {
      cause: 'device',
      effect: isDevice ? 'blocked' : 'unknown',
      path,
      message: isDevice
        ? `asks for ${name}: what a device plugin mounts has no mapped ids, and belongs to nobody inside`
        : `asks for the extended resource ${name}`,
      remedy: isDevice
        ? 'Leave it until its device plugin says that it supports user namespaces.'
        : `Missing: whether ${name} brings a device or files of the node.`,
      reference: CDI,
    };
  });
  const claims = (podSpec.resourceClaims ?? []).map((name, index): AdoptionObstacle => ({
    cause: 'device',
    effect: 'unknown',
    path: ['resourceClaims', index],
    message: `claims the devices of ${name}`,
    remedy: 'Missing: whether its driver supports user namespaces; files mounted by CDI have no mapped ids.',
    reference: CDI,
  }));
  return [...extended, ...claims];
}

const NATIVE_HANDLERS = ['runc', 'crun'];

/** A runtime class may bring another runtime, and what that makes of a user namespace. */
export function runtimeObstacles(
  { runtimeClassName = '' }: PodSpec,
  { runtimeClasses, missing }: AdoptionEvidence,
): readonly AdoptionObstacle[] {
  if (runtimeClassName === '') return [];
  const known = runtimeClasses?.get(runtimeClassName);
  if (known !== undefined) return judgeHandler(runtimeClassName, known);
  return [
    {
      ...runtimeUnknown(`asks for runtime class ${runtimeClassName}`),
      remedy: `Missing: ${missing?.runtimeClasses ?? 'the handler of the class'} (--runtime-class ${runtimeClassName}=HANDLER).`,
    },
  ];
}

function judgeHandler(name: string, { handler, userNamespaces }: RuntimeEvidence): readonly AdoptionObstacle[] {
  const supported = userNamespaces ?? (NATIVE_HANDLERS.includes(handler) ? true : undefined);
  if (supported === true) return [];
  const isMachine = handler.startsWith('kata');
  if (supported === undefined && !isMachine)
    return [
      {
        ...runtimeUnknown(`asks for runtime class ${name}, handler ${handler}`),
        remedy: `Missing: whether ${handler} reports userNamespaces in status.runtimeHandlers of the nodes.`,
      },
    ];
  return [
    {
      cause: 'runtime-class',
      effect: 'blocked',
      path: ['runtimeClassName'],
      message: isMachine
        ? `runs in a virtual machine by ${handler}, which hostUsers: false does not speak of`
        : `runs by ${handler}, which has no user namespaces on the nodes`,
      remedy: 'Leave it, or use a runtime class whose handler reports userNamespaces.',
      reference: 'https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/',
    },
  ];
}

function runtimeUnknown(message: string): Omit<AdoptionObstacle, 'remedy'> {
  return {
    cause: 'runtime-class',
    effect: 'unknown',
    path: ['runtimeClassName'],
    message,
    reference: 'https://github.com/containerd/containerd/blob/main/docs/user-namespaces/README.md',
  };
}
