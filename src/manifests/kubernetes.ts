import type { ScanProblem } from '../core/scan-finding.ts';
import type { FieldPath, Place, SecurityContextConstraints, Workload } from '../core/workload.ts';
import { findField } from './document.ts';
import type { ParsedChunk } from './document.ts';
import { definedOnly, readBoolean, readString } from './field-reader.ts';
import type { FieldReader, TypeFault } from './field-reader.ts';
import { formatPath } from './format-path.ts';
import { annotationPath, fromPodPath, locateField, openObject } from './located.ts';
import type { ObjectSource } from './located.ts';
import type { PodSpecPath } from './manifest.ts';
import { isWorkloadKind, reportMisplacedPodSpec } from './misplaced-pod-spec.ts';
import { groupOf, objectsOf, textOf } from './objects.ts';
import type { PlacedObject } from './objects.ts';
import { spanOf } from './place.ts';
import type { PlaceOf, Span } from './place.ts';
import { readPodSpec } from './pod-spec.ts';
import { podSources } from './pod-source.ts';
import type { PodSource } from './pod-source.ts';
import { rememberSource } from './workload-source.ts';
import { entriesOf } from './yaml/mapping.ts';
import type { Entry, Tree } from './yaml/mapping.ts';
import { NODE, resolveAlias } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';

/** What the objects of one document are read into. */
export interface Findings {
  readonly workloads: Workload[];
  readonly sccs: SecurityContextConstraints[];
  readonly problems: ScanProblem[];
}

export interface ReadObjectOptions {
  readonly placeOf: PlaceOf;
  readonly podSpecPaths: readonly PodSpecPath[];
  /** The objects are patches of others. */
  readonly patch: boolean;
}

/** Reads every workload and SCC of one document into `into`. */
export function readObjects(
  parsed: ParsedChunk,
  rootIndex: number,
  { placeOf, podSpecPaths, patch }: ReadObjectOptions,
  into: Findings,
): void {
  const root = parsed.roots[rootIndex];
  if (root === undefined) return;
  const { chunk, syntax } = parsed;
  for (const object of objectsOf(parsed, root)) {
    const source: ObjectSource = { chunk, syntax, rootIndex, objectPath: object.path, placeOf };
    const group = groupOf(object.apiVersion);
    if (object.kind === 'SecurityContextConstraints') readScc(parsed, object, source, into);
    const head = { group, kind: object.kind };
    const pods = podSources(parsed, object.node, head, podSpecPaths);
    const reader: FieldReader = { tree: parsed, faults: [] };
    reportMisplacedPodSpec(reader, object.node, head, pods.length);
    for (const fault of reader.faults) into.problems.push(wrongType(source, object, { path: [] }, fault));
    if (pods.length === 0) reportEmptyPaths(parsed, object, source, podSpecPaths, into);
    for (const pod of pods) {
      readWorkload(parsed, object, source, patch ? { ...pod, containersOnly: true } : pod, into);
    }
  }
}

/** A path of `--pod-spec-path` may be mistyped: an object of its kind without a pod is told, and does not fail the run. */
function reportEmptyPaths(
  { text }: ParsedChunk,
  { kind, node: value }: PlacedObject,
  { chunk, placeOf }: ObjectSource,
  podSpecPaths: readonly PodSpecPath[],
  into: Findings,
): void {
  const paths = podSpecPaths.filter((one) => one.kind === kind).map(({ path }) => path.join('.'));
  if (paths.length === 0) return;
  const message = `${kind} is not judged: nothing stands at ${paths.join(' or ')}, where --pod-spec-path looks for its pod spec`;
  const place = placeOf(chunk, spanOf(text, { key: undefined, value, parent: undefined }, false));
  into.problems.push({ kind: 'no-pod-spec', message, place, fatal: false });
}

/** True where a document holds an object whose kind describes pods, whether or not there are any. */
export function holdsWorkloadKind(parsed: ParsedChunk, root: YamlNode): boolean {
  return [...objectsOf(parsed, root)].some(({ apiVersion, kind }) =>
    isWorkloadKind({ group: groupOf(apiVersion), kind }),
  );
}

function readWorkload(
  parsed: ParsedChunk,
  object: PlacedObject,
  source: ObjectSource,
  found: PodSource,
  into: Findings,
): void {
  const reader: FieldReader = { tree: parsed, faults: [] };
  const { node } = object;
  const pod = withClaimTemplates(parsed, node, found);
  const podSpec = readPodSpec(reader, podEntries(parsed, node, pod), {
    ...definedOnly({
      initContainers: pod.containers?.initContainers?.flatMap((path) => nodeAt(parsed, node, path)),
      containers: pod.containers?.containers?.flatMap((path) => nodeAt(parsed, node, path)),
    }),
  });
  const annotationPaths = [
    ['metadata', 'annotations'],
    [...pod.path.slice(0, -1), 'metadata', 'annotations'],
  ];
  const name = textOf(parsed, node, 'metadata', 'name') ?? textOf(parsed, node, 'metadata', 'generateName') ?? '';
  const facts = {
    platform: 'kubernetes',
    apiVersion: object.apiVersion,
    kind: object.kind,
    namespace: textOf(parsed, node, 'metadata', 'namespace'),
    name: pod.part === undefined ? name : `${name}/${pod.part}`,
    podSpec,
    annotations: annotationsAt(parsed, node, annotationPaths),
    ...(pod.containersOnly === true ? { containersOnly: true } : {}),
  } as const;
  into.workloads.push(
    placeWorkload(facts, source, { pod, written: writtenFields(parsed, node, pod) }, annotationPaths),
  );
  for (const fault of reader.faults) into.problems.push(wrongType(source, object, pod, fault));
}

/** Which fields a pod spec has, and where one that is missing is told: most findings are of that kind, and need no second parse. */
interface WrittenFields {
  readonly names: ReadonlySet<string>;
  readonly span: Span;
}

function writtenFields(parsed: ParsedChunk, object: YamlNode, { path, fields }: PodSource): WrittenFields | undefined {
  const found = fields === undefined ? findField(parsed, object, path) : undefined;
  if (found === undefined || resolveAlias(found.value).type !== NODE.MAPPING) return undefined;
  return { names: new Set(entriesOf(parsed, found.value).keys()), span: spanOf(parsed.text, found, true) };
}

/** Apart from the reading, so that what finds a place again holds on to no node of the document. */
function placeWorkload(
  facts: Omit<Workload, 'fieldName' | 'locate' | 'locateAnnotation'>,
  source: ObjectSource,
  { pod, written }: { readonly pod: PodSource; readonly written: WrittenFields | undefined },
  annotationPaths: readonly FieldPath[],
): Workload {
  const pathOf = (path: FieldPath): FieldPath => fromPodPath(pod, path);
  const isMissing = ([field, ...rest]: FieldPath): boolean =>
    written !== undefined && typeof field === 'string' && rest.length === 0 && !written.names.has(field);
  const workload: Workload = {
    ...facts,
    fieldName: (path) => formatPath(pathOf(path)),
    locate: (path) =>
      written !== undefined && isMissing(path)
        ? source.placeOf(source.chunk, written.span)
        : locateField(source, pathOf(path)),
    locateAnnotation: (key) => locateAnnotation(source, annotationPaths, key),
  };
  rememberSource(workload, { ...source, dialect: 'pod', noPodFields: pod.noPodFields, pathOf });
  return workload;
}

/** The fields of the pod spec, with those that stand elsewhere put in. */
function podEntries(tree: Tree, object: YamlNode, pod: PodSource): ReadonlyMap<string, Entry> {
  const found = findField(tree, object, pod.path);
  const own = found === undefined ? new Map<string, Entry>() : entriesOf(tree, found.value);
  if (pod.fields === undefined) return own;
  const moved = Object.entries(pod.fields).flatMap(([name, path]): readonly [string, Entry][] => {
    const field = findField(tree, object, path);
    return field?.key === undefined ? [] : [[name, { key: field.key, value: field.value }]];
  });
  return new Map([...own, ...moved]);
}

/** A StatefulSet, and what is made like it, keeps the claims of its pods beside their template. */
function withClaimTemplates(tree: Tree, object: YamlNode, pod: PodSource): PodSource {
  const path = [...pod.path.slice(0, -2), 'volumeClaimTemplates'];
  if (pod.path.length < 3 || findField(tree, object, path) === undefined) return pod;
  return { ...pod, fields: { ...pod.fields, volumeClaimTemplates: path } };
}

function nodeAt(tree: Tree, object: YamlNode, path: FieldPath): readonly YamlNode[] {
  const found = findField(tree, object, path);
  return found === undefined ? [] : [found.value];
}

function annotationsAt(tree: Tree, object: YamlNode, paths: readonly FieldPath[]): Readonly<Record<string, string>> {
  const pairs = paths.flatMap((path) => {
    const found = findField(tree, object, path);
    if (found === undefined) return [];
    return [...entriesOf(tree, found.value).keys()].map((key) => [key, textOf(tree, found.value, key) ?? ''] as const);
  });
  return Object.fromEntries(pairs);
}

function locateAnnotation(source: ObjectSource, paths: readonly FieldPath[], key: string): Place {
  const path = annotationPath(openObject(source), source.objectPath, paths, key);
  return locateField(source, path ?? ['metadata']);
}

function wrongType(
  source: ObjectSource,
  { kind, templated }: PlacedObject,
  pod: PodSource,
  fault: TypeFault,
): ScanProblem {
  const { entry, name, expected, found } = fault;
  const { text } = source.chunk;
  const place = source.placeOf(source.chunk, spanOf(text, { ...entry, parent: undefined }, false));
  const field = `${[kind, formatPath(pod.path)].filter((part) => part !== '').join(' ')}: ${name}`;
  if (templated && fault.parameter) {
    const message = `${field} is the parameter ${found.replace(/^the text /, '')}: it is judged as if it were left out`;
    return { kind: 'wrong-type', message, place, fatal: false };
  }
  const message = `${field} must be ${expected}, not ${found}: the API server refuses it`;
  return { kind: 'wrong-type', message, place, fatal: true };
}

function readScc(parsed: ParsedChunk, object: PlacedObject, source: ObjectSource, into: Findings): void {
  const reader: FieldReader = { tree: parsed, faults: [] };
  const entries = entriesOf(parsed, object.node);
  const annotationPaths = [['metadata', 'annotations']];
  const facts = {
    name: textOf(parsed, object.node, 'metadata', 'name') ?? '',
    ...definedOnly({
      allowHostPID: readBoolean(reader, entries, 'allowHostPID'),
      allowHostIPC: readBoolean(reader, entries, 'allowHostIPC'),
      allowHostNetwork: readBoolean(reader, entries, 'allowHostNetwork'),
      userNamespaceLevel: readString(reader, entries, 'userNamespaceLevel'),
    }),
    annotations: annotationsAt(parsed, object.node, annotationPaths),
  };
  into.sccs.push(placeScc(facts, source, annotationPaths));
  for (const fault of reader.faults) into.problems.push(wrongType(source, object, { path: [] }, fault));
}

function placeScc(
  facts: Omit<SecurityContextConstraints, 'fieldName' | 'locate' | 'locateAnnotation'>,
  source: ObjectSource,
  annotationPaths: readonly FieldPath[],
): SecurityContextConstraints {
  const scc: SecurityContextConstraints = {
    ...facts,
    fieldName: formatPath,
    locate: (field) => locateField(source, field),
    locateAnnotation: (key) => locateAnnotation(source, annotationPaths, key),
  };
  rememberSource(scc, { ...source, dialect: 'scc', noPodFields: undefined, pathOf: (field) => field });
  return scc;
}
