import type { ContainerSpec, PodSpec, Volume } from '../core/workload.ts';

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
 * The fields of a pod spec that rules read, in a fixed order, so that pods made from one template have one text. What differs from
 * pod to pod without meaning is left out: images, and the suffix of the volume that holds the service account's token.
 */
export function podSpecOf(spec: ApiObject): PodSpec {
  const security = objectAt(spec, 'securityContext');
  return {
    ...pick(spec, ['hostUsers', 'hostPID', 'hostIPC', 'hostNetwork', 'shareProcessNamespace', 'runtimeClassName']),
    ...rename(objectAt(spec, 'os'), 'name', 'osName'),
    ...nonEmpty(
      'securityContext',
      pick(security, ['runAsUser', 'runAsGroup', 'runAsNonRoot', 'fsGroup', 'supplementalGroups']),
    ),
    containers: listAt(spec, 'containers').map(containerOf),
    initContainers: listAt(spec, 'initContainers').map(containerOf),
    ephemeralContainers: listAt(spec, 'ephemeralContainers').map(containerOf),
    volumes: listAt(spec, 'volumes').map(volumeOf),
  };
}

function containerOf(container: ApiObject): ContainerSpec {
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
  };
}

function volumeOf(volume: ApiObject): Volume {
  const name = textAt(volume, 'name') ?? '';
  let source: string | undefined;
  for (const key in volume)
    if (key !== 'name') {
      source = key;
      break;
    }
  const driver = source === undefined ? undefined : textAt(objectAt(volume, source), 'driver');
  return {
    name: name.startsWith('kube-api-access-') ? 'kube-api-access' : name,
    source,
    ...(driver === undefined ? {} : { driver }),
  };
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
