import type { FieldPath, Place } from '../core/workload.ts';
import type { Chunk } from './chunk.ts';
import { findNearest, parseAgain } from './document.ts';
import type { FoundField, ParsedChunk, Syntax } from './document.ts';
import { spanOf } from './place.ts';
import type { PlaceOf } from './place.ts';
import type { PodSource } from './pod-source.ts';
import { resolveAlias } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';

/** How an object is found again in its file: enough to look up the place of any field. */
export interface ObjectSource {
  readonly chunk: Chunk;
  readonly syntax: Syntax;
  /** Which document of the chunk. */
  readonly rootIndex: number;
  /** From the root of the document to the object. */
  readonly objectPath: FieldPath;
  readonly placeOf: PlaceOf;
}

/** The object a source speaks of, parsed again if need be. */
export function openObject(source: ObjectSource): { readonly parsed: ParsedChunk; readonly root: YamlNode } {
  const parsed = parseAgain(source.chunk, source.syntax);
  const root = parsed.roots[source.rootIndex];
  if (root === undefined) throw new Error('A document is gone that was there before.');
  return { parsed, root };
}

/** The field at a path from the object, or the nearest of its parents that is there. */
export function nearestField(source: ObjectSource, path: FieldPath): FoundField & { readonly missing: boolean } {
  const { parsed, root } = openObject(source);
  const full = [...source.objectPath, ...path];
  const found = findNearest(parsed, root, full);
  return { ...found, missing: found.depth < full.length };
}

/** The place of a field at a path from the object, or of the nearest parent that is there. */
export function locateField(source: ObjectSource, path: FieldPath): Place {
  const found = nearestField(source, path);
  return source.placeOf(source.chunk, spanOf(source.chunk.text, found, found.missing));
}

/** A path in the pod spec as the path from the object. */
export function fromPodPath(source: PodSource, path: FieldPath): FieldPath {
  const [field, index, ...rest] = path;
  if (typeof field !== 'string') return [...source.path, ...path];
  if (typeof index === 'number' && (field === 'containers' || field === 'initContainers')) {
    const placed = source.containers?.[field]?.[index];
    if (placed !== undefined) return [...placed, ...rest];
  }
  const moved = source.fields !== undefined && Object.hasOwn(source.fields, field) ? source.fields[field] : undefined;
  return moved === undefined ? [...source.path, ...path] : [...moved, ...path.slice(1)];
}

/** The annotation's place among the paths that may hold it, the last winning. */
export function annotationPath(
  { parsed, root }: { readonly parsed: ParsedChunk; readonly root: YamlNode },
  objectPath: FieldPath,
  paths: readonly FieldPath[],
  key: string,
): FieldPath | undefined {
  const full = paths.map((path) => [...path, key]);
  return full.findLast((path) => {
    const { depth, value } = findNearest(parsed, root, [...objectPath, ...path]);
    return depth === objectPath.length + path.length && resolveAlias(value).end >= 0;
  });
}
