import type { FieldPath, Workload } from '../core/workload.ts';
import { dockerPath, podSpecOf } from './docker-fields.ts';
import type { DockerFieldNames } from './docker-fields.ts';
import type { ParsedChunk } from './document.ts';
import type { Findings } from './kubernetes.ts';
import { formatPath } from './format-path.ts';
import { locateField } from './located.ts';
import type { ObjectSource } from './located.ts';
import { textOf } from './objects.ts';
import type { PlaceOf } from './place.ts';
import { rememberSource } from './workload-source.ts';
import { entriesOf } from './yaml/mapping.ts';
import type { Entry, Tree } from './yaml/mapping.ts';
import { NODE, resolveAlias } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';
import { scalarText } from './yaml/scalar-text.ts';

const FILE_NAME = /(?:^|\/)(?:docker-)?compose[^/]*\.ya?ml$/;
const TOP_LEVEL = /^(?:version|name|services|networks|volumes|configs|secrets|include|models|x-.*)$/;

/** A Compose file: by its name, or by `services` with images and nothing that Compose does not know. */
export function isCompose(tree: Tree, root: YamlNode, path: string): boolean {
  const entries = entriesOf(tree, root);
  const services = entries.get('services');
  if (services === undefined || entries.has('apiVersion') || entries.has('kind')) return false;
  if (resolveAlias(services.value).type !== NODE.MAPPING) return false;
  if (FILE_NAME.test(path)) return true;
  return (
    [...entries.keys()].every((key) => TOP_LEVEL.test(key)) &&
    [...entriesOf(tree, services.value).values()].some(({ value }) => {
      const service = entriesOf(tree, value);
      return service.has('image') || service.has('build') || service.has('extends');
    })
  );
}

const NAMES: DockerFieldNames = {
  pid: ['pid'],
  ipc: ['ipc'],
  uts: ['uts'],
  network: ['network_mode'],
  userns: ['userns_mode'],
  privileged: ['privileged'],
  capAdd: ['cap_add'],
  capDrop: ['cap_drop'],
  user: ['user'],
  securityOptions: ['security_opt'],
  image: ['image'],
};

/** Reads every service of a Compose file; what a service extends in the same file is taken in. */
export function readCompose(
  parsed: ParsedChunk,
  rootIndex: number,
  { placeOf }: { readonly placeOf: PlaceOf },
  into: Findings,
): void {
  const root = parsed.roots[rootIndex];
  const services = root && entriesOf(parsed, root).get('services');
  if (root === undefined || services === undefined) return;
  const { chunk, syntax } = parsed;
  const hostNetworks = namesOfHostNetwork(parsed, root);
  for (const [name] of entriesOf(parsed, services.value)) {
    const fields = serviceFields(parsed, services.value, name, new Set());
    const source: ObjectSource = { chunk, syntax, rootIndex, objectPath: [], placeOf };
    into.workloads.push(makeService(parsed, source, name, fields, hostNetworks));
  }
}

/** A field of a service with the service it was written in, its own or one it extends. */
interface ServiceField extends Entry {
  readonly path: FieldPath;
}

type ServiceFields = ReadonlyMap<string, ServiceField>;

/** Services that extend each other further than this are not followed: nobody writes them. */
const MAX_EXTENDS = 20;

function serviceFields(tree: Tree, services: YamlNode, name: string, seen: ReadonlySet<string>): ServiceFields {
  const service = entriesOf(tree, services).get(name);
  if (service === undefined || seen.has(name) || seen.size > MAX_EXTENDS) return new Map();
  const own = entriesOf(tree, service.value);
  const base = extendedService(tree, own.get('extends')?.value);
  const inherited = base === undefined ? [] : serviceFields(tree, services, base, new Set([...seen, name]));
  const written = [...own].map(([key, entry]) => [key, { ...entry, path: ['services', name, key] }] as const);
  return new Map([...inherited, ...written]);
}

/** The service of the same file that `extends` names. */
function extendedService(tree: Tree, extending: YamlNode | undefined): string | undefined {
  if (extending === undefined) return undefined;
  const node = resolveAlias(extending);
  if (node.type === NODE.SCALAR) return scalarText(tree.text, node);
  return entriesOf(tree, node).has('file') ? undefined : textOf(tree, node, 'service');
}

/** Keys of `networks` that stand for the host's network, which a service may join without `network_mode`. */
function namesOfHostNetwork(tree: Tree, root: YamlNode): ReadonlySet<string> {
  const networks = entriesOf(tree, root).get('networks');
  if (networks === undefined) return new Set();
  const names = [...entriesOf(tree, networks.value)].filter(([key, { value }]) => {
    const isExternal = entriesOf(tree, value).has('external');
    const name = textOf(tree, value, 'name') ?? textOf(tree, value, 'external', 'name') ?? key;
    return (isExternal && name === 'host') || textOf(tree, value, 'driver') === 'host';
  });
  return new Set(names.map(([key]) => key));
}

function makeService(
  tree: Tree,
  source: ObjectSource,
  name: string,
  fields: ServiceFields,
  hostNetworks: ReadonlySet<string>,
): Workload {
  const joined = keysOrItems(tree, fields.get('networks')?.value).find((network) => hostNetworks.has(network));
  const mode = scalarOf(tree, fields, 'network_mode');
  const podSpec = podSpecOf({
    name,
    image: scalarOf(tree, fields, 'image'),
    pid: scalarOf(tree, fields, 'pid'),
    ipc: scalarOf(tree, fields, 'ipc'),
    uts: scalarOf(tree, fields, 'uts'),
    network: mode ?? (joined === undefined ? undefined : 'host'),
    userns: scalarOf(tree, fields, 'userns_mode'),
    privileged: booleanOf(scalarOf(tree, fields, 'privileged')),
    capAdd: keysOrItems(tree, fields.get('cap_add')?.value),
    capDrop: keysOrItems(tree, fields.get('cap_drop')?.value),
    user: scalarOf(tree, fields, 'user'),
    unmasked: keysOrItems(tree, fields.get('security_opt')?.value).some((option) =>
      /^systempaths[=:]unconfined$/.test(option),
    ),
  });
  const paths = new Map([...fields].map(([key, { path }]) => [key, path] as const));
  const network = mode === undefined && joined !== undefined ? paths.get('networks') : undefined;
  if (network !== undefined) paths.set('network_mode', network);
  return placeService({ name, podSpec, annotations: labelsOf(tree, fields) }, source, paths);
}

/** `paths`: where each field was written. Apart from the reading, so that no node of the document is held on to. */
function placeService(
  facts: Pick<Workload, 'name' | 'podSpec' | 'annotations'>,
  source: ObjectSource,
  paths: ReadonlyMap<string, FieldPath>,
): Workload {
  const { name } = facts;
  const pathOf = (path: FieldPath): FieldPath => {
    const [key, ...rest] = dockerPath(path, NAMES);
    if (key === undefined) return ['services', name];
    return [...(paths.get(String(key)) ?? ['services', name, key]), ...rest];
  };
  const workload: Workload = {
    platform: 'docker',
    apiVersion: 'compose',
    kind: 'Service',
    namespace: undefined,
    ...facts,
    fieldName: (path) => formatPath(pathOf(path)),
    locate: (path) => locateField(source, pathOf(path)),
    locateAnnotation: (key) => locateField(source, [...(paths.get('labels') ?? ['services', name]), key]),
  };
  rememberSource(workload, { ...source, dialect: 'compose', noPodFields: undefined, pathOf });
  return workload;
}

function scalarOf(tree: Tree, fields: ServiceFields, key: string): string | undefined {
  const value = fields.get(key)?.value;
  if (value === undefined) return undefined;
  const node = resolveAlias(value);
  return node.type === NODE.SCALAR && node.end > node.start ? scalarText(tree.text, node) : undefined;
}

/** Compose takes `"true"` for true; a variable (`${PRIVILEGED}`) says nothing. */
function booleanOf(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (/^(?:true|yes|on|y|1)$/i.test(text)) return true;
  return /^(?:false|no|off|n|0)$/i.test(text) ? false : undefined;
}

/** The texts of a list, or the keys of a mapping. */
function keysOrItems(tree: Tree, value: YamlNode | undefined): readonly string[] {
  if (value === undefined) return [];
  const node = resolveAlias(value);
  if (node.type === NODE.MAPPING) return [...entriesOf(tree, node).keys()];
  return node.children.map((child) => textOf(tree, child) ?? '');
}

/** Labels, written as a mapping or as `key=value`. */
function labelsOf(tree: Tree, fields: ServiceFields): Readonly<Record<string, string>> {
  const labels = fields.get('labels');
  if (labels === undefined) return {};
  const node = resolveAlias(labels.value);
  const pairs =
    node.type === NODE.MAPPING
      ? [...entriesOf(tree, node).keys()].map((key) => [key, textOf(tree, node, key) ?? ''] as const)
      : keysOrItems(tree, node).map((label) => splitLabel(label));
  return Object.fromEntries(pairs);
}

function splitLabel(label: string): readonly [string, string] {
  const at = label.indexOf('=');
  return at === -1 ? [label, ''] : [label.slice(0, at), label.slice(at + 1)];
}
