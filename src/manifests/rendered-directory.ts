import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chunksOf, sourceBytes } from './chunk.ts';
import { findField, parseChunk } from './document.ts';
import { textOf } from './objects.ts';
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

/** Absolute paths of the files a kustomization is built from, those of the kustomizations it builds on included. */
export function resourcesOf(directory: string, seen = new Set<string>()): readonly string[] {
  if (seen.has(directory)) return [];
  seen.add(directory);
  const listed = pathsIn(directory, (tree, root) =>
    ['resources', 'bases', 'components'].flatMap((list) =>
      elements(tree, root, list).map((resource) => textOf(tree, resource)),
    ),
  );
  return listed
    .filter((path) => existsSync(path))
    .flatMap((path) => (isKustomization(path) ? resourcesOf(path, seen) : [path]));
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
