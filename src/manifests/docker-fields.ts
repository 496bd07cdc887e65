import type { FieldPath, PodSpec } from '../core/workload.ts';
import { definedOnly } from './field-reader.ts';

/** What Compose and `docker inspect` say of a container, in words they share. */
export interface DockerContainer {
  readonly name: string;
  readonly image: string | undefined;
  readonly pid: string | undefined;
  readonly ipc: string | undefined;
  readonly uts: string | undefined;
  readonly network: string | undefined;
  readonly userns: string | undefined;
  readonly privileged: boolean | undefined;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  /** `1000`, `1000:1000`, `root`, `app`. */
  readonly user: string | undefined;
  readonly unmasked: boolean;
}

/** The container as a pod spec: `host` is true, any other mode false, nothing said is left out. */
export function podSpecOf(container: DockerContainer): PodSpec {
  const { name, image, capAdd, capDrop } = container;
  const capabilities = definedOnly({
    add: capAdd.length > 0 ? capAdd : undefined,
    drop: capDrop.length > 0 ? capDrop : undefined,
  });
  const [user, group] = (container.user ?? '').split(':');
  const securityContext = definedOnly({
    privileged: container.privileged,
    capabilities: capAdd.length + capDrop.length > 0 ? capabilities : undefined,
    procMount: container.unmasked ? 'Unmasked' : undefined,
    runAsUser: idOf(user),
    runAsGroup: idOf(group),
  });
  return {
    ...definedOnly({
      hostUsers: isHost(container.userns),
      hostPID: isHost(container.pid),
      hostIPC: isHost(container.ipc),
      hostUTS: isHost(container.uts),
      hostNetwork: isHost(container.network),
    }),
    initContainers: [],
    containers: [
      { name, ...definedOnly({ image }), ...(Object.keys(securityContext).length > 0 ? { securityContext } : {}) },
    ],
    ephemeralContainers: [],
    volumes: [],
  };
}

/** `userns_mode: host` gives up remapping; without it the daemon's setting decides. */
function isHost(mode: string | undefined): boolean | undefined {
  return mode === undefined || mode === '' ? undefined : mode === 'host';
}

function idOf(user: string | undefined): number | undefined {
  if (user === 'root') return 0;
  return user !== undefined && /^\d+$/.test(user) ? Number(user) : undefined;
}

/** Names of one dialect for the fields of a pod spec. */
export interface DockerFieldNames {
  readonly pid: FieldPath;
  readonly ipc: FieldPath;
  readonly uts: FieldPath;
  readonly network: FieldPath;
  readonly userns: FieldPath;
  readonly privileged: FieldPath;
  readonly capAdd: FieldPath;
  readonly capDrop: FieldPath;
  readonly user: FieldPath;
  readonly securityOptions: FieldPath;
  readonly image: FieldPath;
}

const POD_FIELDS: Readonly<Record<string, keyof DockerFieldNames>> = {
  hostPID: 'pid',
  hostIPC: 'ipc',
  hostUTS: 'uts',
  hostNetwork: 'network',
  hostUsers: 'userns',
  image: 'image',
  privileged: 'privileged',
  allowPrivilegeEscalation: 'securityOptions',
  procMount: 'securityOptions',
  runAsUser: 'user',
  runAsGroup: 'user',
  runAsNonRoot: 'user',
  add: 'capAdd',
  drop: 'capDrop',
};

/** A path in the pod spec in the words of a dialect, from the container; empty where it has none. */
export function dockerPath(path: FieldPath, names: DockerFieldNames): FieldPath {
  const at = path.findIndex((step) => typeof step === 'string' && Object.hasOwn(POD_FIELDS, step));
  const step = path[at];
  const field = typeof step === 'string' ? POD_FIELDS[step] : undefined;
  return field === undefined ? [] : [...names[field], ...path.slice(at + 1)];
}
