import type { FieldPath, PodSpec, Workload } from '../core/workload.ts';
import { dockerPath, podSpecOf } from './docker-fields.ts';
import type { DockerFieldNames } from './docker-fields.ts';
import { findField } from './document.ts';
import type { ParsedChunk } from './document.ts';
import type { Findings } from './kubernetes.ts';
import { formatPath } from './format-path.ts';
import { locateField } from './located.ts';
import type { ObjectSource } from './located.ts';
import { textOf } from './objects.ts';
import type { PlaceOf } from './place.ts';
import { rememberSource } from './workload-source.ts';
import { entriesOf } from './yaml/mapping.ts';
import type { Tree } from './yaml/mapping.ts';
import { NODE, resolveAlias } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';

const NAMES: DockerFieldNames = {
  pid: ['HostConfig', 'PidMode'],
  ipc: ['HostConfig', 'IpcMode'],
  uts: ['HostConfig', 'UTSMode'],
  network: ['HostConfig', 'NetworkMode'],
  userns: ['HostConfig', 'UsernsMode'],
  privileged: ['HostConfig', 'Privileged'],
  capAdd: ['HostConfig', 'CapAdd'],
  capDrop: ['HostConfig', 'CapDrop'],
  user: ['Config', 'User'],
  securityOptions: ['HostConfig', 'SecurityOpt'],
  image: ['Config', 'Image'],
};

/** The output of `docker inspect` on containers: a list of objects with a HostConfig, or by `--format '{{json .}}'` one of them. */
export function isDockerInspect(tree: Tree, root: YamlNode): boolean {
  if (root.type === NODE.MAPPING) return isContainer(tree, root);
  return root.type === NODE.SEQUENCE && root.children.some((node) => isContainer(tree, node));
}

function isContainer(tree: Tree, node: YamlNode): boolean {
  const entries = entriesOf(tree, node);
  return entries.has('HostConfig') && entries.has('Id') && !entries.has('kind');
}

/** Reads every container of `docker inspect`; images and networks among them are none. */
export function readDockerInspect(
  parsed: ParsedChunk,
  rootIndex: number,
  { placeOf }: { readonly placeOf: PlaceOf },
  into: Findings,
): void {
  const { chunk, syntax } = parsed;
  const root = parsed.roots[rootIndex];
  if (root?.type === NODE.MAPPING) {
    into.workloads.push(makeContainer(parsed, root, { chunk, syntax, rootIndex, objectPath: [], placeOf }));
    return;
  }
  for (const [index, node] of (root?.children ?? []).entries()) {
    if (!isContainer(parsed, node)) continue;
    into.workloads.push(makeContainer(parsed, node, { chunk, syntax, rootIndex, objectPath: [index], placeOf }));
  }
}

function makeContainer(tree: Tree, node: YamlNode, source: ObjectSource): Workload {
  const text = (path: FieldPath): string | undefined => textOf(tree, node, ...path);
  const name = (text(['Name']) ?? text(['Id']) ?? '').replace(/^\//, '');
  const podSpec = podSpecOf({
    name,
    image: text(NAMES.image),
    pid: text(NAMES.pid),
    ipc: text(NAMES.ipc),
    uts: text(NAMES.uts),
    network: text(NAMES.network),
    userns: text(NAMES.userns),
    privileged: text(NAMES.privileged) === 'true',
    capAdd: textsAt(tree, node, NAMES.capAdd),
    capDrop: textsAt(tree, node, NAMES.capDrop),
    user: text(NAMES.user),
    unmasked: textsAt(tree, node, NAMES.securityOptions).includes('systempaths=unconfined') || isUnmasked(tree, node),
  });
  return placeContainer(name, podSpec, source);
}

function placeContainer(name: string, podSpec: PodSpec, source: ObjectSource): Workload {
  const pathOf = (path: FieldPath): FieldPath => dockerPath(path, NAMES);
  const workload: Workload = {
    platform: 'docker',
    apiVersion: 'docker',
    kind: 'Container',
    namespace: undefined,
    name,
    podSpec,
    annotations: {},
    fieldName: (path) => formatPath(pathOf(path)),
    locate: (path) => locateField(source, pathOf(path)),
  };
  rememberSource(workload, { ...source, dialect: 'inspect', noPodFields: undefined, pathOf });
  return workload;
}

function textsAt(tree: Tree, node: YamlNode, path: FieldPath): readonly string[] {
  const found = findField(tree, node, path);
  return found === undefined ? [] : resolveAlias(found.value).children.map((child) => textOf(tree, child) ?? '');
}

/** `--security-opt systempaths=unconfined` is recorded as an empty list of masked paths; privileged has null there. */
function isUnmasked(tree: Tree, node: YamlNode): boolean {
  const masked = findField(tree, node, ['HostConfig', 'MaskedPaths']);
  return masked?.value.type === NODE.SEQUENCE && masked.value.children.length === 0;
}
