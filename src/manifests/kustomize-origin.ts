import { readFileSync, statSync } from 'node:fs';
import { relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { FieldPath, Place, PodSpec, Workload } from '../core/workload.ts';
import { sourceBytes } from './chunk.ts';
import { shownPath } from './inputs.ts';
import type { InputFile, ReadOptions } from './manifest.ts';
import { readSource } from './read-source.ts';
import { kustomizationsOf, patchesOf, resourcesOf } from './rendered-directory.ts';

/** A workload as it stands in a file that a kustomization is built from. */
interface Original {
  readonly workload: Workload;
  /** The file is below the directory that is read anyway, and so is judged on its own. */
  readonly inside: boolean;
}

/**
 * What kustomize built, as far as it says something new: a workload that a file below the directory already declares in the same
 * way is left to that file. The fields of the others have the places where they were written: in a patch, or in the resource where
 * that says the same; what neither says is told at the kustomization.
 */
export function withOrigins(input: InputFile, built: readonly Workload[], options: ReadOptions): readonly Workload[] {
  const chain = kustomizationsOf(input.absolutePath);
  const originals = chain.flatMap(resourcesOf).flatMap((file) => readOriginals(input, file, options, false));
  const patches = chain.flatMap(patchesOf).flatMap((file) => readOriginals(input, file, options, true));
  return built.flatMap((workload) => {
    const named = originals.filter((original) => isNamedAfter(workload, original.workload));
    const same = named.find((original) => isSame(workload, original.workload));
    if (same?.inside === true) return [];
    const overlays = patches.map((patch) => patch.workload).filter((patch) => isNamedAfter(workload, patch));
    return [placedAt(workload, (same ?? named[0])?.workload, overlays)];
  });
}

function placedAt(built: Workload, original: Workload | undefined, patches: readonly Workload[]): Workload {
  return {
    ...built,
    derived: true,
    locate: (path) => placeOfField(built, original, patches, path),
    locateAnnotation: (key) => original?.locateAnnotation?.(key) ?? built.locate([]),
  };
}

function placeOfField(
  built: Workload,
  original: Workload | undefined,
  patches: readonly Workload[],
  path: FieldPath,
): Place {
  const value = valueAt(built.podSpec, path);
  const before = original && pathIn(built.podSpec, original.podSpec, path);
  if (original && before && (path.length === 0 || isDeepStrictEqual(value, valueAt(original.podSpec, before)))) {
    return original.locate(before);
  }
  for (const patch of patches.toReversed()) {
    const there = pathIn(built.podSpec, patch.podSpec, path);
    if (there !== undefined && valueAt(patch.podSpec, there) !== undefined) return patch.locate(there);
  }
  return built.locate(path);
}

/** The same path in another pod spec, whose containers and volumes may stand in another order; undefined where there is no such element. */
function pathIn(from: PodSpec, to: PodSpec, path: FieldPath): FieldPath | undefined {
  const [list, index, ...rest] = path;
  if (list === undefined || typeof index !== 'number') return path;
  const name = valueAt(from, [list, index, 'name']);
  const elements: unknown = valueAt(to, [list]);
  const found = Array.isArray(elements) ? elements.findIndex((element) => valueAt(element, ['name']) === name) : -1;
  return name === undefined || found === -1 ? undefined : [list, found, ...rest];
}

function valueAt(root: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null
        ? (value as Readonly<Record<string | number, unknown>>)[step]
        : undefined,
    root,
  );
}

function readOriginals(input: InputFile, file: string, options: ReadOptions, patch: boolean): readonly Original[] {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return [];
  const { workloads } = readSource({
    path: shownPath(options.cwd, file),
    bytes: sourceBytes(readFileSync(file)),
    found: true,
    podSpecPaths: options.podSpecPaths ?? [],
    patch,
  });
  const inside = !relative(input.readBeside ?? input.absolutePath, file).startsWith('..');
  return workloads.map((workload) => ({ workload, inside }));
}

/** kustomize adds prefixes and suffixes to names. */
function isNamedAfter(built: Workload, original: Workload): boolean {
  return built.kind === original.kind && original.name !== '' && built.name.includes(original.name);
}

/** Images aside, which kustomize sets. */
function isSame(built: Workload, original: Workload): boolean {
  return isDeepStrictEqual(withoutImages(built.podSpec), withoutImages(original.podSpec));
}

function withoutImages(podSpec: PodSpec): unknown {
  const strip = (containers: PodSpec['containers']): unknown =>
    containers.map((container) => ({ ...container, image: undefined }));
  const { containers, initContainers, ephemeralContainers, ...rest } = podSpec;
  return {
    ...rest,
    containers: strip(containers),
    initContainers: strip(initContainers),
    ephemeralContainers: strip(ephemeralContainers),
  };
}
