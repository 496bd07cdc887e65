import type {
  Capabilities,
  ContainerSpec,
  PodSecurityContext,
  PodSpec,
  SecurityContext,
  Volume,
} from '../core/workload.ts';
import {
  definedOnly,
  readBoolean,
  readInteger,
  readIntegers,
  readList,
  readMapping,
  readString,
  readStrings,
  reportType,
} from './field-reader.ts';
import type { Entries, FieldReader } from './field-reader.ts';
import { entriesOf } from './yaml/mapping.ts';
import { NODE, resolveAlias } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';

/** Containers that stand outside the lists of the pod spec: an Argo template's, a Tekton task's steps. */
export interface PlacedContainers {
  readonly initContainers?: readonly YamlNode[];
  readonly containers?: readonly YamlNode[];
}

/** The fields of a pod spec the rules read. Those of a wrong type are left out and reported to the reader. */
export function readPodSpec(reader: FieldReader, pod: Entries, placed: PlacedContainers = {}): PodSpec {
  const containerLists = {
    initContainers: placed.initContainers ?? readList(reader, pod, 'initContainers'),
    containers: placed.containers ?? readList(reader, pod, 'containers'),
    ephemeralContainers: readList(reader, pod, 'ephemeralContainers'),
  };
  const os = readMapping(reader, pod, 'os');
  const securityContext = readMapping(reader, pod, 'securityContext');
  return {
    ...definedOnly({
      hostUsers: readBoolean(reader, pod, 'hostUsers'),
      hostPID: readBoolean(reader, pod, 'hostPID'),
      hostIPC: readBoolean(reader, pod, 'hostIPC'),
      hostNetwork: readBoolean(reader, pod, 'hostNetwork'),
      shareProcessNamespace: readBoolean(reader, pod, 'shareProcessNamespace'),
      osName: os && readString(reader, os, 'name'),
      runtimeClassName: readString(reader, pod, 'runtimeClassName'),
      securityContext: securityContext && readPodSecurityContext(reader, securityContext),
    }),
    initContainers: readContainers(reader, pod, 'initContainers', containerLists.initContainers),
    containers: readContainers(reader, pod, 'containers', containerLists.containers),
    ephemeralContainers: readContainers(reader, pod, 'ephemeralContainers', containerLists.ephemeralContainers),
    volumes: readVolumes(reader, pod),
  };
}

function readPodSecurityContext(reader: FieldReader, context: Entries): PodSecurityContext {
  const groups = context.has('supplementalGroups')
    ? { supplementalGroups: readIntegers(reader, context, 'supplementalGroups') }
    : {};
  return {
    ...definedOnly({
      runAsUser: readInteger(reader, context, 'runAsUser'),
      runAsGroup: readInteger(reader, context, 'runAsGroup'),
      runAsNonRoot: readBoolean(reader, context, 'runAsNonRoot'),
      fsGroup: readInteger(reader, context, 'fsGroup'),
    }),
    ...groups,
  };
}

/** Every element keeps its index, so that paths fit the document: one that is no mapping becomes an empty container. */
function readContainers(
  reader: FieldReader,
  pod: Entries,
  list: string,
  nodes: readonly YamlNode[],
): readonly ContainerSpec[] {
  return nodes.map((node) => {
    const entry = pod.get(list);
    if (resolveAlias(node).type !== NODE.MAPPING && entry !== undefined) {
      reportType(reader, list, { key: entry.key, value: node }, 'a list of containers');
    }
    return readContainer(reader, entriesOf(reader.tree, node));
  });
}

function readContainer(reader: FieldReader, container: Entries): ContainerSpec {
  const context = readMapping(reader, container, 'securityContext');
  const devices = readList(reader, container, 'volumeDevices');
  return {
    name: readString(reader, container, 'name') ?? '',
    ...definedOnly({
      image: readString(reader, container, 'image'),
      securityContext: context && readSecurityContext(reader, context),
      volumeDevices: devices.length > 0 ? devices.map(() => ({})) : undefined,
    }),
  };
}

function readSecurityContext(reader: FieldReader, context: Entries): SecurityContext {
  const capabilities = readMapping(reader, context, 'capabilities');
  return definedOnly({
    privileged: readBoolean(reader, context, 'privileged'),
    allowPrivilegeEscalation: readBoolean(reader, context, 'allowPrivilegeEscalation'),
    capabilities: capabilities && readCapabilities(reader, capabilities),
    procMount: readString(reader, context, 'procMount'),
    runAsUser: readInteger(reader, context, 'runAsUser'),
    runAsGroup: readInteger(reader, context, 'runAsGroup'),
    runAsNonRoot: readBoolean(reader, context, 'runAsNonRoot'),
  });
}

function readCapabilities(reader: FieldReader, capabilities: Entries): Capabilities {
  return definedOnly({
    add: capabilities.has('add') ? readStrings(reader, capabilities, 'add') : undefined,
    drop: capabilities.has('drop') ? readStrings(reader, capabilities, 'drop') : undefined,
  });
}

function readVolumes(reader: FieldReader, pod: Entries): readonly Volume[] {
  return readList(reader, pod, 'volumes').map((node) => {
    const volume = entriesOf(reader.tree, node);
    const source = [...volume.keys()].find((key) => key !== 'name');
    const details = source === undefined ? undefined : volume.get(source)?.value;
    const driver = details && readString({ ...reader, faults: [] }, entriesOf(reader.tree, details), 'driver');
    return {
      name: readString(reader, volume, 'name') ?? '',
      source,
      ...definedOnly({ driver }),
    };
  });
}
