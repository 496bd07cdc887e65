import type { ContainerSpec, PodSpec, Volume, VolumeMount } from '../core/workload.ts';

/** An object of the API server whose types are those of its schema, as far as it has the field. */
export type ApiObject = Readonly<Record<string, unknown>>;

/** The object behind a field, or an empty one. */
export function objectAt(value: unknown, key: string): ApiObject {
  const inner = isObject(value) ? value[key] : undefined;
  return isObject(inner) ? inner : {};
}

export function textAt(value: ApiObject, key: string): string | undefined {
  const text = value[key];
  return typeof text === 'string' ? text : undefined;
}

export function listAt(value: ApiObject, key: string): readonly ApiObject[] {
  const list = value[key];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

export function isObject(value: unknown): value is ApiObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The fields of a pod spec that rules and the adoption plan read, in a fixed order, so that pods made from one template have one
 * text. What differs from pod to pod without meaning is left out: images, the suffix of the volume that holds the service account's
 * token, and the number of a StatefulSet's claim.
 */
export function podSpecOf(spec: ApiObject): PodSpec {
  const volumes = listAt(spec, 'volumes').map(volumeOf);
  const hostPaths = new Set(volumes.flatMap(({ name, source }) => (source === 'hostPath' ? [name] : [])));
  const containers = (list: string): readonly ContainerSpec[] =>
    listAt(spec, list).map((container) => containerOf(container, hostPaths));
  const claims = listAt(spec, 'resourceClaims').map((claim) => textAt(claim, 'name') ?? '');
  const security = objectAt(spec, 'securityContext');
  return {
    ...pick(spec, ['hostUsers', 'hostPID', 'hostIPC', 'hostNetwork', 'shareProcessNamespace', 'runtimeClassName']),
    ...rename(objectAt(spec, 'os'), 'name', 'osName'),
    ...nonEmpty(
      'securityContext',
      pick(security, ['runAsUser', 'runAsGroup', 'runAsNonRoot', 'fsGroup', 'supplementalGroups']),
    ),
    containers: containers('containers'),
    initContainers: containers('initContainers'),
    ephemeralContainers: containers('ephemeralContainers'),
    volumes,
    ...(claims.length > 0 ? { resourceClaims: claims } : {}),
  };
}

function containerOf(container: ApiObject, hostPaths: ReadonlySet<string>): ContainerSpec {
  const mounts = hostPaths.size === 0 ? [] : mountsOf(container, hostPaths);
  const extended = extendedResourcesOf(objectAt(container, 'resources'));
  const security = objectAt(container, 'securityContext');
  const devices = listAt(container, 'volumeDevices');
  return {
    name: textAt(container, 'name') ?? '',
    ...nonEmpty('securityContext', {
      ...pick(security, [
        'privileged',
        'allowPrivilegeEscalation',
        'procMount',
        'runAsUser',
        'runAsGroup',
        'runAsNonRoot',
      ]),
      ...nonEmpty('capabilities', pick(objectAt(security, 'capabilities'), ['add', 'drop'])),
    }),
    ...(devices.length > 0 ? { volumeDevices: devices.map(() => ({})) } : {}),
    ...(mounts.length > 0 ? { volumeMounts: mounts } : {}),
    ...(extended.length > 0 ? { extendedResources: extended } : {}),
  };
}

function mountsOf(container: ApiObject, volumes: ReadonlySet<string>): readonly VolumeMount[] {
  return listAt(container, 'volumeMounts').flatMap((mount) => {
    const name = textAt(mount, 'name') ?? '';
    return volumes.has(name) ? [{ name, readOnly: mount['readOnly'] === true }] : [];
  });
}

/** Extended resources have a domain of their own (k8s.io/kubernetes, pkg/apis/core/v1/helper, IsExtendedResourceName). */
function extendedResourcesOf(resources: ApiObject): readonly string[] {
  const names = ['limits', 'requests'].flatMap((list) => Object.keys(objectAt(resources, list)));
  return [...new Set(names)].filter((name) => name.includes('/') && !name.includes('kubernetes.io/'));
}

function volumeOf(volume: ApiObject): Volume {
  const name = textAt(volume, 'name') ?? '';
  let source: string | undefined;
  for (const key in volume)
    if (key !== 'name') {
      source = key;
      break;
    }
  return {
    name: name.startsWith('kube-api-access-') ? 'kube-api-access' : name,
    source,
    ...(source === undefined ? {} : volumeDetails(source, objectAt(volume, source))),
  };
}

function volumeDetails(source: string, details: ApiObject): Partial<Volume> {
  switch (source) {
    case 'hostPath':
      return rename(details, 'path', 'hostPath');
    case 'persistentVolumeClaim':
      return { claimName: (textAt(details, 'claimName') ?? '').replace(/-\d+$/, '') };
    case 'emptyDir':
      return details['medium'] === '' ? {} : pick(details, ['medium']);
    case 'ephemeral':
      return rename(objectAt(objectAt(details, 'volumeClaimTemplate'), 'spec'), 'storageClassName', 'storageClass');
    default:
      return pick(details, ['driver']);
  }
}

function pick(object: ApiObject, keys: readonly string[]): ApiObject {
  const picked: Record<string, unknown> = {};
  for (const key of keys) if (object[key] !== undefined && object[key] !== null) picked[key] = object[key];
  return picked;
}

function rename(object: ApiObject, from: string, to: string): ApiObject {
  return object[from] === undefined ? {} : { [to]: object[from] };
}

function nonEmpty(key: string, object: ApiObject): ApiObject {
  for (const _ in object) return { [key]: object };
  return {};
}
