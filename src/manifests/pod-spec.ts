import type {
  Capabilities,
  ClaimTemplate,
  ContainerSpec,
  NodeRequirement,
  NodeSelectorTerm,
  PodSecurityContext,
  PodSpec,
  SecurityContext,
  Volume,
  VolumeMount,
} from '../core/workload.ts';
import {
  definedOnly,
  isUnset,
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
  const volumes = readVolumes(reader, pod);
  const withMounts = volumes.some(({ source }) => source === 'hostPath');
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
    ...readPlacement(unheard(reader), pod),
    initContainers: readContainers(reader, pod, 'initContainers', containerLists.initContainers, withMounts),
    containers: readContainers(reader, pod, 'containers', containerLists.containers, withMounts),
    ephemeralContainers: readContainers(
      reader,
      pod,
      'ephemeralContainers',
      containerLists.ephemeralContainers,
      withMounts,
    ),
    volumes,
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
  withMounts: boolean,
): readonly ContainerSpec[] {
  return nodes.map((node) => {
    const entry = pod.get(list);
    if (resolveAlias(node).type !== NODE.MAPPING && entry !== undefined) {
      reportType(reader, list, { key: entry.key, value: node }, 'a list of containers');
    }
    return readContainer(reader, entriesOf(reader.tree, node), withMounts);
  });
}

function readContainer(reader: FieldReader, container: Entries, withMounts: boolean): ContainerSpec {
  const context = readMapping(reader, container, 'securityContext');
  const devices = readList(reader, container, 'volumeDevices');
  return {
    name: readString(reader, container, 'name') ?? '',
    ...definedOnly({
      image: readString(reader, container, 'image'),
      securityContext: context && readSecurityContext(reader, context),
      volumeDevices: devices.length > 0 ? devices.map(() => ({})) : undefined,
      volumeMounts: withMounts ? readMounts(unheard(reader), container) : undefined,
      extendedResources: container.has('resources') ? readExtendedResources(unheard(reader), container) : undefined,
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
    const source = [...volume.keys()].find((key) => key !== 'name' && !isUnset(reader, volume.get(key)));
    const details = source === undefined ? undefined : volume.get(source)?.value;
    return {
      name: readString(reader, volume, 'name') ?? '',
      source,
      ...(source === undefined || details === undefined
        ? {}
        : readVolumeDetails(unheard(reader), source, entriesOf(reader.tree, details))),
    };
  });
}

function readVolumeDetails(reader: FieldReader, source: string, details: Entries): Partial<Volume> {
  switch (source) {
    case 'hostPath':
      return definedOnly({ hostPath: readString(reader, details, 'path') });
    case 'persistentVolumeClaim':
      return definedOnly({ claimName: readString(reader, details, 'claimName') });
    case 'emptyDir':
      return definedOnly({ medium: readString(reader, details, 'medium') });
    case 'ephemeral': {
      const template = readMapping(reader, details, 'volumeClaimTemplate');
      return definedOnly({ storageClass: template && readStorageClass(reader, template) });
    }
    default:
      return definedOnly({ driver: readString(reader, details, 'driver') });
  }
}

function readStorageClass(reader: FieldReader, template: Entries): string | undefined {
  const spec = readMapping(reader, template, 'spec');
  return spec && readString(reader, spec, 'storageClassName');
}

function readMounts(reader: FieldReader, container: Entries): readonly VolumeMount[] {
  return readList(reader, container, 'volumeMounts').map((node) => {
    const mount = entriesOf(reader.tree, node);
    return {
      name: readString(reader, mount, 'name') ?? '',
      readOnly: readBoolean(reader, mount, 'readOnly') ?? false,
    };
  });
}

/** Extended resources have a domain of their own (k8s.io/kubernetes, pkg/apis/core/v1/helper, IsExtendedResourceName). */
function readExtendedResources(reader: FieldReader, container: Entries): readonly string[] | undefined {
  const resources = readMapping(reader, container, 'resources') ?? new Map<string, never>();
  const names = ['limits', 'requests'].flatMap((list) => [...(readMapping(reader, resources, list)?.keys() ?? [])]);
  const extended = names.filter((name) => name.includes('/') && !name.includes('kubernetes.io/'));
  return extended.length > 0 ? [...new Set(extended)] : undefined;
}

/** What says where the pod runs, and on what; most pods say nothing. */
function readPlacement(reader: FieldReader, pod: Entries): Partial<PodSpec> {
  if (!PLACEMENT.some((field) => pod.has(field))) return {};
  const selector = readMapping(reader, pod, 'nodeSelector');
  const elementsOf = (list: string): readonly Entries[] | undefined =>
    pod.has(list) ? readList(reader, pod, list).map((node) => entriesOf(reader.tree, node)) : undefined;
  return definedOnly({
    nodeSelector:
      selector && Object.fromEntries([...selector.keys()].map((key) => [key, readString(reader, selector, key) ?? ''])),
    requiredNodeTerms: readRequiredNodeTerms(reader, pod),
    tolerations: elementsOf('tolerations')?.map((toleration) =>
      definedOnly({
        key: readString(reader, toleration, 'key'),
        operator: readString(reader, toleration, 'operator'),
        value: readString(reader, toleration, 'value'),
        effect: readString(reader, toleration, 'effect'),
      }),
    ),
    resourceClaims: elementsOf('resourceClaims')?.map((claim) => readString(reader, claim, 'name') ?? ''),
    volumeClaimTemplates: elementsOf('volumeClaimTemplates')?.map((template) => readClaimTemplate(reader, template)),
  });
}

const PLACEMENT = ['nodeSelector', 'affinity', 'tolerations', 'resourceClaims', 'volumeClaimTemplates'] as const;

/** Absent where nothing is required; a list without terms is kept, for it leaves no node. */
function readRequiredNodeTerms(reader: FieldReader, pod: Entries): readonly NodeSelectorTerm[] | undefined {
  const affinity = readMapping(reader, pod, 'affinity');
  const nodes = affinity && readMapping(reader, affinity, 'nodeAffinity');
  const required = nodes && readMapping(reader, nodes, 'requiredDuringSchedulingIgnoredDuringExecution');
  const requirements = (term: Entries, list: string): readonly NodeRequirement[] =>
    readList(reader, term, list).map((node) => {
      const requirement = entriesOf(reader.tree, node);
      return {
        key: readString(reader, requirement, 'key') ?? '',
        operator: readString(reader, requirement, 'operator') ?? '',
        values: readStrings(reader, requirement, 'values') ?? [],
      };
    });
  return (
    required &&
    readList(reader, required, 'nodeSelectorTerms').map((node) => {
      const term = entriesOf(reader.tree, node);
      return {
        matchExpressions: requirements(term, 'matchExpressions'),
        matchFields: requirements(term, 'matchFields'),
      };
    })
  );
}

function readClaimTemplate(reader: FieldReader, template: Entries): ClaimTemplate {
  const metadata = readMapping(reader, template, 'metadata');
  return {
    name: (metadata && readString(reader, metadata, 'name')) ?? '',
    ...definedOnly({ storageClass: readStorageClass(reader, template) }),
  };
}

/** For fields that no rule judges: a wrong type in them is left to the API server. */
function unheard({ tree }: FieldReader): FieldReader {
  return { tree, faults: [] };
}
