import { readFileSync, statSync } from 'node:fs';
import { relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { PodSpec, Workload } from '../core/workload.ts';
import { sourceBytes } from './chunk.ts';
import { shownPath } from './inputs.ts';
import type { InputFile, ReadOptions } from './manifest.ts';
import { readSource } from './read-source.ts';
import { resourcesOf } from './rendered-directory.ts';

/** A workload as it stands in a file that a kustomization is built from. */
interface Original {
  readonly workload: Workload;
  /** The file is below the directory of the kustomization, and so is read on its own. */
  readonly inside: boolean;
}

/**
 * What kustomize built, as far as it says something new: a workload that a file below the directory already declares in the same
 * way is left to that file; one of a file elsewhere gets its places; one that was changed has those of the kustomization.
 */
export function withOrigins(input: InputFile, built: readonly Workload[], options: ReadOptions): readonly Workload[] {
  const originals = resourcesOf(input.absolutePath).flatMap((file) => readOriginals(input, file, options));
  return built.flatMap((workload) => {
    const original = originals.find((candidate) => isSame(workload, candidate.workload));
    if (original === undefined) return [workload];
    return original.inside ? [] : [placedAt(workload, original.workload)];
  });
}

function placedAt(built: Workload, original: Workload): Workload {
  return {
    ...built,
    fieldName: (path) => original.fieldName(path),
    locate: (path) => original.locate(path),
    locateAnnotation: (key) => original.locateAnnotation?.(key) ?? original.locate([]),
  };
}

function readOriginals(input: InputFile, file: string, options: ReadOptions): readonly Original[] {
  if (!statSync(file).isFile()) return [];
  const { workloads } = readSource({
    path: shownPath(options.cwd, file),
    bytes: sourceBytes(readFileSync(file)),
    found: true,
    podSpecPaths: options.podSpecPaths ?? [],
  });
  const inside = !relative(input.absolutePath, file).startsWith('..');
  return workloads.map((workload) => ({ workload, inside }));
}

/** kustomize adds prefixes and suffixes to names, and sets images. */
function isSame(built: Workload, original: Workload): boolean {
  return (
    built.kind === original.kind &&
    original.name !== '' &&
    built.name.includes(original.name) &&
    isDeepStrictEqual(withoutImages(built.podSpec), withoutImages(original.podSpec))
  );
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
