import { existsSync, globSync, readdirSync, statSync } from 'node:fs';
import type { Dirent, Stats } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import type { ScanProblem } from '../core/scan-finding.ts';
import { collectIgnores, excludeBy, isIgnored, withIgnoreFile } from './ignored.ts';
import type { Exclusion, IgnoreStack } from './ignored.ts';
import type { InputFile, InputOptions } from './manifest.ts';
import { isHelmChart, isKustomization, isLibraryChart, patchesOf } from './rendered-directory.ts';

const MANIFEST_FILE = /\.(?:ya?ml|json)$/i;
/** Never walked into. */
const SKIPPED_DIRECTORIES = new Set(['.git', 'node_modules']);
/** Directories of a chart that only Helm can read. */
const CHART_DIRECTORIES = new Set(['templates', 'charts']);

interface Walk {
  readonly options: InputOptions;
  readonly excluded: Exclusion;
  /** Absolute paths given out already. */
  readonly seen: Set<string>;
  /** Absolute paths of the patches of the kustomizations met so far. */
  readonly patches: Set<string>;
}

/**
 * The inputs behind command-line paths, each once, sorted within a directory. Directories are walked for .yaml, .yml and .json
 * files without .git and node_modules; a directory with a Chart.yaml is one input of its own, and so is a kustomization that
 * is named as a path.
 */
export function* scanInputs(paths: readonly string[], options: InputOptions): Iterable<InputFile> {
  const walk: Walk = {
    options,
    excluded: excludeBy(options.cwd, options.exclude ?? []),
    seen: new Set(),
    patches: new Set(),
  };
  for (const path of paths) yield* inputsOf(walk, path);
}

function* inputsOf(walk: Walk, path: string): Iterable<InputFile> {
  const { options } = walk;
  if (path === '-') {
    yield { origin: 'stdin', path: '<stdin>', absolutePath: '<stdin>', named: true };
    return;
  }
  const absolutePath = resolve(options.cwd, path);
  const stats = statOf(absolutePath);
  if (stats?.isDirectory()) yield* directoryInputs(walk, absolutePath);
  else if (stats !== undefined) yield* take(walk, makeInput(walk, 'file', absolutePath, true));
  else if (/[*?[\]{}!()]/.test(path)) yield* globInputs(walk, path);
  else yield unreadable(walk, absolutePath, 'there is no such file or directory');
}

function* directoryInputs(walk: Walk, directory: string): Iterable<InputFile> {
  const { options } = walk;
  if (options.render !== false && isKustomization(directory)) {
    yield* take(walk, makeInput(walk, 'kustomize', directory, true));
  }
  const ignores = options.gitignore === false ? undefined : collectIgnores(directory);
  yield* walkDirectory(walk, directory, ignores, true);
}

function* globInputs(walk: Walk, pattern: string): Iterable<InputFile> {
  const { cwd } = walk.options;
  const files = globSync(pattern, { cwd })
    .filter((match) => !match.split(sep).some((name) => SKIPPED_DIRECTORIES.has(name)))
    .map((match) => resolve(cwd, match))
    .filter((match) => statOf(match)?.isFile());
  if (files.length === 0) yield unreadable(walk, resolve(cwd, pattern), 'no file matches this pattern');
  for (const file of files.toSorted()) yield* take(walk, makeInput(walk, 'file', file, false));
}

function* walkDirectory(
  walk: Walk,
  directory: string,
  outer: IgnoreStack | undefined,
  named: boolean,
): Iterable<InputFile> {
  const ignores = outer && withIgnoreFile(outer, directory);
  let entries: readonly Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    yield unreadable(walk, directory, (error as Error).message);
    return;
  }
  for (const patch of patchesOf(directory)) walk.patches.add(patch);
  const isChart = walk.options.render !== false && isHelmChart(directory);
  if (isChart && !isLibraryChart(directory)) yield* take(walk, makeInput(walk, 'helm', directory, named));
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (isLeftOut(entry, isChart)) continue;
    if (ignores !== undefined && isIgnored(ignores, path, entry.isDirectory())) continue;
    if (entry.isDirectory()) {
      if (!walk.excluded(path, true)) yield* walkDirectory(walk, path, ignores, false);
    } else if (MANIFEST_FILE.test(entry.name)) yield* takeEntry(walk, path, entry);
  }
}

function isLeftOut(entry: Dirent, inChart: boolean): boolean {
  return SKIPPED_DIRECTORIES.has(entry.name) || (inChart && entry.isDirectory() && CHART_DIRECTORIES.has(entry.name));
}

/** A link to a file is followed, one to a directory is not: it may lead back. */
function* takeEntry(walk: Walk, path: string, entry: Dirent): Iterable<InputFile> {
  const stats = entry.isSymbolicLink() ? statOf(path) : undefined;
  if (entry.isSymbolicLink() && stats === undefined) {
    if (!walk.excluded(path, false)) yield unreadable(walk, path, 'the link leads nowhere');
  } else if (entry.isFile() || stats?.isFile()) yield* take(walk, makeInput(walk, 'file', path, false));
}

function* take(walk: Walk, input: InputFile): Iterable<InputFile> {
  const key = `${input.origin} ${input.absolutePath}`;
  const isDirectory = input.origin !== 'file';
  if (walk.seen.has(key) || walk.excluded(input.absolutePath, isDirectory)) return;
  walk.seen.add(key);
  yield input;
}

function makeInput(
  { options, patches }: Walk,
  origin: InputFile['origin'],
  absolutePath: string,
  named: boolean,
): InputFile {
  const path = shownPath(options.cwd, absolutePath);
  return { origin, path, absolutePath, named, ...(patches.has(absolutePath) ? { patch: true } : {}) };
}

/** Relative to `cwd` where it is below it, with `/` between. */
export function shownPath(cwd: string, absolutePath: string): string {
  const path = relative(resolve(cwd), absolutePath);
  const shown = path === '' ? '.' : path.startsWith('..') ? absolutePath : path;
  return shown.split(sep).join('/');
}

function unreadable({ options }: Walk, absolutePath: string, reason: string): InputFile {
  const path = shownPath(options.cwd, absolutePath);
  return { origin: 'file', path, absolutePath, named: true, problem: unreadableProblem(path, reason) };
}

export function unreadableProblem(file: string, reason: string): ScanProblem {
  const place = { file, line: 1, column: 1, endLine: 1, endColumn: 1 };
  return { kind: 'unreadable', message: `cannot be read: ${reason}`, place, fatal: true };
}

function statOf(path: string): Stats | undefined {
  return existsSync(path) ? statSync(path, { throwIfNoEntry: false }) : undefined;
}
