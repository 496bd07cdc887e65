import type { FieldPath, Workload } from '../core/workload.ts';
import { serviceFields } from './compose-extends.ts';
import type { ComposeFile, Following, ServiceFields, ServicePart } from './compose-extends.ts';
import { misshapenFields, misshapenServices } from './compose-shape.ts';
import { interpolated } from './compose-variables.ts';
import { dockerPath, podSpecOf } from './docker-fields.ts';
import type { DockerFieldNames } from './docker-fields.ts';
import type { ParsedChunk } from './document.ts';
import type { Findings } from './kubernetes.ts';
import { formatPath } from './format-path.ts';
import { locateField, nearestField } from './located.ts';
import type { ObjectSource } from './located.ts';
import { textOf } from './objects.ts';
import type { PlaceOf } from './place.ts';
import { rememberSource } from './workload-source.ts';
import { entriesOf } from './yaml/mapping.ts';
import type { Tree } from './yaml/mapping.ts';
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
  if (FILE_NAME.test(path)) return true;
  if (resolveAlias(services.value).type !== NODE.MAPPING) return false;
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

/** Reads every service of a Compose file; what a service extends is taken in, from other files too. */
export function readCompose(
  parsed: ParsedChunk,
  rootIndex: number,
  { placeOf, path, directory }: ReadComposeOptions,
  into: Findings,
): void {
  const root = parsed.roots[rootIndex];
  const services = root && entriesOf(parsed, root).get('services');
  if (root === undefined || services === undefined) return;
  const { chunk, syntax } = parsed;
  const source: ObjectSource = { chunk, syntax, rootIndex, objectPath: [], placeOf };
  const file: ComposeFile = { parsed, source, services: services.value, path, directory };
  const following: Following = { files: new Map(), report: (problem) => into.problems.push(problem) };
  const hostNetworks = namesOfHostNetwork(parsed, root);
  into.problems.push(...misshapenServices(file, services));
  for (const [name] of entriesOf(parsed, services.value)) {
    into.workloads.push(makeService(source, name, serviceFields(file, name, following), hostNetworks));
    into.problems.push(...misshapenFields(file, name));
  }
}

export interface ReadComposeOptions {
  readonly placeOf: PlaceOf;
  /** The file as shown to people. */
  readonly path: string;
  /** Absolute path of the directory that `extends` starts from. */
  readonly directory: string | undefined;
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
  source: ObjectSource,
  name: string,
  fields: ServiceFields,
  hostNetworks: ReadonlySet<string>,
): Workload {
  const joined = keysOrItems(fields.get('networks')).find((network) => hostNetworks.has(network));
  const mode = scalarOf(fields, 'network_mode');
  const podSpec = podSpecOf({
    name,
    image: scalarOf(fields, 'image'),
    pid: scalarOf(fields, 'pid'),
    ipc: scalarOf(fields, 'ipc'),
    uts: scalarOf(fields, 'uts'),
    network: mode ?? (joined === undefined ? undefined : 'host'),
    userns: scalarOf(fields, 'userns_mode'),
    privileged: booleanOf(scalarOf(fields, 'privileged')),
    capAdd: keysOrItems(fields.get('cap_add')),
    capDrop: keysOrItems(fields.get('cap_drop')),
    user: scalarOf(fields, 'user'),
    unmasked: keysOrItems(fields.get('security_opt')).some((option) => /^systempaths[=:]unconfined$/.test(option)),
  });
  const written = new Map([...fields].map(([key, parts]) => [key, parts.map(writtenPart)] as const));
  const network = mode === undefined && joined !== undefined ? written.get('networks') : undefined;
  if (network !== undefined) written.set('network_mode', network);
  return placeService({ name, podSpec, annotations: labelsOf(fields) }, source, written);
}

/** Where a part of a field was written. */
interface WrittenPart {
  readonly source: ObjectSource;
  readonly file: string;
  readonly path: FieldPath;
  /** How many items of the list it has. */
  readonly items: number;
}

function writtenPart({ file, value, path }: ServicePart): WrittenPart {
  return { source: file.source, file: file.path, path, items: resolveAlias(value).children.length };
}

/** The place of a field in the part it was written in. */
interface PlacedField {
  readonly source: ObjectSource;
  readonly path: FieldPath;
  readonly file: string | undefined;
}

/** Apart from the reading, so that no node of the document is held on to. */
function placeService(
  facts: Pick<Workload, 'name' | 'podSpec' | 'annotations'>,
  source: ObjectSource,
  written: ReadonlyMap<string, readonly WrittenPart[]>,
): Workload {
  const { name } = facts;
  const fieldAt = (path: FieldPath): PlacedField => {
    const [key, index, ...rest] = dockerPath(path, NAMES);
    const own: PlacedField = { source, path: ['services', name], file: undefined };
    if (key === undefined) return own;
    const found = partAt(written.get(String(key)) ?? [], index);
    const below = [found?.index ?? index, ...rest].filter((step) => step !== undefined);
    if (found === undefined) return { ...own, path: [...own.path, key, ...below] };
    const { part } = found;
    return { source: part.source, path: [...part.path, ...below], file: part.file };
  };
  const workload: Workload = {
    platform: 'docker',
    apiVersion: 'compose',
    kind: 'Service',
    namespace: undefined,
    ...facts,
    fieldName: (path) => formatPath(fieldAt(path).path),
    locate: (path) => {
      const field = fieldAt(path);
      return locateField(field.source, field.path);
    },
    locateAnnotation: (key) => {
      const parts = written.get('labels') ?? [];
      const part = parts.findLast((one) => !nearestField(one.source, [...one.path, key]).missing) ?? parts.at(-1);
      return locateField(part?.source ?? source, [...(part?.path ?? ['services', name]), key]);
    },
  };
  const elsewhere = (path: FieldPath): string | undefined => {
    const field = fieldAt(path);
    return field.source.chunk === source.chunk ? undefined : field.file;
  };
  rememberSource(workload, {
    ...source,
    dialect: 'compose',
    noPodFields: undefined,
    pathOf: (path) => (elsewhere(path) === undefined ? fieldAt(path).path : ['services', name]),
    elsewhere,
  });
  return workload;
}

/** The part that an item of a combined list is in, and which it is there; the last part for the field as a whole. */
function partAt(
  parts: readonly WrittenPart[],
  index: string | number | undefined,
): { readonly part: WrittenPart; readonly index: string | number | undefined } | undefined {
  if (typeof index === 'number') {
    let rest = index;
    for (const part of parts) {
      if (rest < part.items) return { part, index: rest };
      rest -= part.items;
    }
  }
  const last = parts.at(-1);
  return last && { part: last, index };
}

function scalarOf(fields: ServiceFields, key: string): string | undefined {
  const part = fields.get(key)?.at(-1);
  if (part === undefined) return undefined;
  const node = resolveAlias(part.value);
  if (node.type !== NODE.SCALAR || node.end === node.start) return undefined;
  const text = interpolated(scalarText(part.file.parsed.text, node));
  return text === '' ? undefined : text;
}

/** Compose takes `"true"` for true. */
function booleanOf(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (/^(?:true|yes|on|y|1)$/i.test(text)) return true;
  return /^(?:false|no|off|n|0)$/i.test(text) ? false : undefined;
}

/** The texts of a list, or the keys of a mapping, of every part. */
function keysOrItems(parts: readonly ServicePart[] = []): readonly string[] {
  return parts.flatMap(({ file: { parsed }, value }) => {
    const node = resolveAlias(value);
    if (node.type === NODE.MAPPING) return [...entriesOf(parsed, node).keys()];
    return node.children.map((child) => interpolated(textOf(parsed, child) ?? ''));
  });
}

/** Labels, written as a mapping or as `key=value`. */
function labelsOf(fields: ServiceFields): Readonly<Record<string, string>> {
  const pairs = (fields.get('labels') ?? []).flatMap((part) => {
    const { parsed } = part.file;
    const node = resolveAlias(part.value);
    return node.type === NODE.MAPPING
      ? [...entriesOf(parsed, node).keys()].map((key) => [key, textOf(parsed, node, key) ?? ''] as const)
      : keysOrItems([part]).map((label) => splitLabel(label));
  });
  return Object.fromEntries(pairs);
}

function splitLabel(label: string): readonly [string, string] {
  const at = label.indexOf('=');
  return at === -1 ? [label, ''] : [label.slice(0, at), label.slice(at + 1)];
}
