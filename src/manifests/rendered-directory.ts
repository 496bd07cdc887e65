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
  return KUSTOMIZATION_FILES.some((name) => existsSync(join(directory, name)));
}

/** Absolute paths of the files a kustomization lists as patches; none for a directory that is no kustomization. */
export function patchesOf(directory: string): readonly string[] {
  const name = KUSTOMIZATION_FILES.find((file) => existsSync(join(directory, file)));
  if (name === undefined) return [];
  try {
    return [...chunksOf(sourceBytes(readFileSync(join(directory, name))))]
      .flatMap((chunk) => {
        const parsed = parseChunk(chunk, 'yaml');
        return parsed.roots.flatMap((root) => patchPaths(parsed, root));
      })
      .map((path) => resolve(directory, path));
  } catch {
    // It is an input like any other, and reported as one where it cannot be read.
    return [];
  }
}

function patchPaths(tree: Tree, root: YamlNode): readonly string[] {
  const named = ['patches', 'patchesJson6902'].flatMap((list) =>
    elements(tree, root, list).map((patch) => textOf(tree, patch, 'path')),
  );
  const listed = elements(tree, root, 'patchesStrategicMerge').map((patch) => textOf(tree, patch));
  // A patch may stand in the kustomization itself, on several lines.
  return [...named, ...listed].flatMap((path) => (path === undefined || path.includes('\n') ? [] : [path]));
}

function elements(tree: Tree, root: YamlNode, list: string): readonly YamlNode[] {
  const found = findField(tree, root, [list]);
  const node = found && resolveAlias(found.value);
  return node?.type === NODE.SEQUENCE ? node.children : [];
}
