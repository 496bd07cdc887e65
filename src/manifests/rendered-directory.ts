import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Place } from '../core/workload.ts';
import { chunksOf, sourceBytes } from './chunk.ts';
import { findField, parseChunk } from './document.ts';
import { textOf } from './objects.ts';
import { placeIn } from './place.ts';
import { isSyntaxFault } from './syntax-error.ts';
import { entriesOf } from './yaml/mapping.ts';
import { NODE, resolveAlias } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';
import type { Tree } from './yaml/mapping.ts';

const KUSTOMIZATION_FILES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

export function isHelmChart(directory: string): boolean {
  return existsSync(join(directory, 'Chart.yaml'));
}

/** A library chart holds no objects of its own, and Helm refuses to render it. */
export function isLibraryChart(directory: string): boolean {
  try {
    return /^type:\s*["']?library\b/m.test(readFileSync(join(directory, 'Chart.yaml'), 'utf8'));
  } catch {
    return false;
  }
}

export function isKustomization(directory: string): boolean {
  return kustomizationFile(directory) !== undefined;
}

/** Name of the kustomization file of a directory; undefined where there is none. */
export function kustomizationFile(directory: string): string | undefined {
  return KUSTOMIZATION_FILES.find((name) => existsSync(join(directory, name)));
}

/** Absolute paths of the files a kustomization lists as patches; none for a directory that is no kustomization. */
export function patchesOf(directory: string): readonly string[] {
  return pathsIn(directory, (tree, root) => {
    const named = ['patches', 'patchesJson6902'].flatMap((list) =>
      elements(tree, root, list).map((patch) => textOf(tree, patch, 'path')),
    );
    return [...named, ...elements(tree, root, 'patchesStrategicMerge').map((patch) => textOf(tree, patch))];
  });
}

/** The kustomizations that one is built from, itself first. */
export function kustomizationsOf(directory: string, seen = new Set<string>()): readonly string[] {
  if (seen.has(directory) || !isKustomization(directory)) return [];
  seen.add(directory);
  return [directory, ...resourcesOf(directory).flatMap((path) => kustomizationsOf(path, seen))];
}

/** Absolute paths a kustomization lists as what it is built from, kustomizations among them. */
export function resourcesOf(directory: string): readonly string[] {
  return pathsIn(directory, (tree, root) => resourceTexts(tree, root).map(({ text }) => text));
}

const RESOURCE_LISTS = ['resources', 'bases', 'components'];

function resourceTexts(tree: Tree, root: YamlNode): readonly { readonly text: string; readonly node: YamlNode }[] {
  return RESOURCE_LISTS.flatMap((list) => elements(tree, root, list)).flatMap((node) => {
    const text = textOf(tree, node);
    return text === undefined ? [] : [{ text, node }];
  });
}

/** What reading the files of a kustomization one by one would miss. */
export interface KustomizationOutline {
  /** It changes what it is built from in more than names, labels, images and the like. */
  readonly changes: boolean;
  /** What it is built from and is not on this machine. */
  readonly remote: readonly { readonly text: string; readonly place: Place }[];
}

/** Fields that change nothing the rules read. */
const HARMLESS = new Set(
  'apiVersion kind metadata namespace namePrefix nameSuffix commonLabels labels commonAnnotations images replicas resources bases configMapGenerator secretGenerator generatorOptions crds configurations openapi buildMetadata sortOptions vars'.split(
    ' ',
  ),
);

/**
 * Undefined for a directory that cannot be built by itself: it is no kustomization, one that cannot be read (which its file tells),
 * a component, which others build, or an object of Flux in a file of the same name. `shown`: the path of the directory as people see it.
 */
export function outlineKustomization(directory: string, shown: string): KustomizationOutline | undefined {
  const file = kustomizationFile(directory);
  if (file === undefined) return undefined;
  try {
    const parsed = [...chunksOf(sourceBytes(readFileSync(join(directory, file))))].map((chunk) =>
      parseChunk(chunk, 'yaml'),
    );
    const [tree] = parsed;
    const [root] = tree?.roots ?? [];
    if (tree === undefined || root === undefined || (textOf(tree, root, 'kind') ?? 'Kustomization') !== 'Kustomization')
      return undefined;
    if (!/^(?:kustomize\.config\.k8s\.io\/.*)?$/.test(textOf(tree, root, 'apiVersion') ?? '')) return undefined;
    const keys = [...entriesOf(tree, root)].filter(([, { value }]) => resolveAlias(value).children.length > 0);
    const absent = resourceTexts(tree, root).filter(({ text }) => !existsSync(resolve(directory, text)));
    return {
      changes: keys.some(([key]) => !HARMLESS.has(key)),
      remote: absent.map(({ text, node }) => ({
        text,
        place: placeIn(shown === '.' ? file : `${shown}/${file}`, tree.chunk, node),
      })),
    };
  } catch (error) {
    if (isSyntaxFault(error)) return undefined;
    throw error;
  }
}

/** Paths a kustomization names, from its directory; none where it cannot be read: it is an input like any other. */
function pathsIn(
  directory: string,
  select: (tree: Tree, root: YamlNode) => readonly (string | undefined)[],
): readonly string[] {
  const name = kustomizationFile(directory);
  if (name === undefined) return [];
  try {
    return (
      [...chunksOf(sourceBytes(readFileSync(join(directory, name))))]
        .map((chunk) => parseChunk(chunk, 'yaml'))
        .flatMap((parsed) => parsed.roots.flatMap((root) => select(parsed, root)))
        // A patch may stand in the kustomization itself, on several lines, and a resource on another machine.
        .flatMap((path) => (path === undefined || /\n|:\/\//.test(path) ? [] : [resolve(directory, path)]))
    );
  } catch {
    return [];
  }
}

function elements(tree: Tree, root: YamlNode, list: string): readonly YamlNode[] {
  const found = findField(tree, root, [list]);
  const node = found && resolveAlias(found.value);
  return node?.type === NODE.SEQUENCE ? node.children : [];
}
