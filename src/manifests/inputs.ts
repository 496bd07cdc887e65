import { existsSync, globSync, readdirSync, realpathSync, statSync } from 'node:fs';
import type { Dirent, Stats } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { ScanProblem } from '../core/scan-finding.ts';
import { collectIgnores, excludeBy, isIgnored, withIgnoreFile } from './ignored.ts';
import type { Exclusion, IgnoreStack } from './ignored.ts';
import type { InputFile, InputOptions } from './manifest.ts';
import {
  isHelmChart,
  isLibraryChart,
  kustomizationFile,
  kustomizationsOf,
  outlineKustomization,
  patchesOf,
  resourcesOf,
} from './rendered-directory.ts';
import type { KustomizationOutline } from './rendered-directory.ts';

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
  /** Absolute paths of the directories that are named, without links. */
  readonly roots: readonly string[];
}

/**
 * The inputs behind command-line paths, each once, sorted within a directory. Directories are walked for .yaml, .yml and .json
 * files without .git and node_modules; a directory with a Chart.yaml is one input of its own. So is a kustomization that is named
 * as a path, and one that is met and makes of its files what cannot be seen in them.
 */
export function* scanInputs(paths: readonly string[], options: InputOptions): Iterable<InputFile> {
  const walk: Walk = {
    options,
    excluded: excludeBy(options.cwd, options.exclude ?? []),
    seen: new Set(),
    patches: new Set(),
    roots: paths
      .map((path) => resolve(options.cwd, path))
      .filter((path) => statOf(path)?.isDirectory())
      .map((path) => realpathSync(path)),
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
  else if (stats !== undefined) yield* takeFile(walk, absolutePath, true);
  else if (/[*?[\]{}!()]/.test(path)) yield* globInputs(walk, path);
  else yield unreadable(walk, absolutePath, 'there is no such file or directory');
}

function* directoryInputs(walk: Walk, directory: string): Iterable<InputFile> {
  const { options } = walk;
  const ignores = options.gitignore === false ? undefined : collectIgnores(directory);
  const walked: DirectoryWalk = { ...walk, root: directory };
  // All of them first: a patch may stand before the kustomization that lists it.
  for (const input of [...walkDirectory(walked, directory, ignores)]) {
    yield walk.patches.has(input.absolutePath) ? { ...input, patch: true } : input;
  }
}

/** How far above a file that is named the kustomization may be that lists it as a patch. */
const LEVELS_ABOVE = 2;

function* takeFile(walk: Walk, path: string, named: boolean): Iterable<InputFile> {
  for (let directory = dirname(path), level = 0; level < LEVELS_ABOVE; directory = dirname(directory), level++) {
    for (const patch of patchesOf(directory)) walk.patches.add(patch);
  }
  yield* take(walk, makeInput(walk, 'file', path, named));
}

function* globInputs(walk: Walk, pattern: string): Iterable<InputFile> {
  const { cwd } = walk.options;
  const files = globSync(pattern, { cwd })
    .filter((match) => !match.split(sep).some((name) => SKIPPED_DIRECTORIES.has(name)))
    .map((match) => resolve(cwd, match))
    .filter((match) => statOf(match)?.isFile());
  if (files.length === 0) yield unreadable(walk, resolve(cwd, pattern), 'no file matches this pattern');
  for (const file of files.toSorted()) yield* takeFile(walk, file, false);
}

interface DirectoryWalk extends Walk {
  /** Absolute path of the directory that was named. */
  readonly root: string;
}

function* walkDirectory(walk: DirectoryWalk, directory: string, outer: IgnoreStack | undefined): Iterable<InputFile> {
  const ignores = outer && withIgnoreFile(outer, directory);
  let entries: readonly Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    yield unreadable(walk, directory, (error as Error).message);
    return;
  }
  for (const patch of patchesOf(directory)) walk.patches.add(patch);
  if (walk.options.render !== false) yield* kustomizationInputs(walk, directory, ignores);
  const isChart = walk.options.render !== false && isHelmChart(directory);
  if (isChart && !isLibraryChart(directory))
    yield* take(walk, makeInput(walk, 'helm', directory, directory === walk.root));
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (isLeftOut(entry, isChart)) continue;
    if (ignores !== undefined && isIgnored(ignores, path, entry.isDirectory())) continue;
    if (entry.isDirectory()) {
      if (!walk.excluded(path, true)) yield* walkDirectory(walk, path, ignores);
    } else if (MANIFEST_FILE.test(entry.name)) yield* takeEntry(walk, path, entry);
    else if (entry.isSymbolicLink()) yield* linkedDirectory(walk, path);
  }
}

/** The kustomization of a directory: to be built, or why it is not; nothing where its files say all there is. */
function* kustomizationInputs(
  walk: DirectoryWalk,
  directory: string,
  ignores: IgnoreStack | undefined,
): Iterable<InputFile> {
  const file = join(directory, kustomizationFile(directory) ?? '');
  if (file === directory || walk.excluded(file, false) || (ignores && isIgnored(ignores, file, false))) return;
  const input: InputFile = {
    ...makeInput(walk, 'kustomize', directory, directory === walk.root),
    readBeside: walk.root,
  };
  if (input.named) {
    yield* take(walk, input);
    return;
  }
  const outline = outlineKustomization(directory, input.path);
  if (outline === undefined) return;
  const chain = kustomizationsOf(directory);
  const isChanged = outline.changes || chain.flatMap(resourcesOf).some((path) => !isBelow(walk.root, path));
  const [remote] =
    outline.remote.length > 0 || !isChanged ? outline.remote : chain.flatMap((path) => remoteOf(walk, path));
  if (remote !== undefined) {
    const message = `a kustomization built from ${remote.text}, which is not on this machine and is not fetched: name its directory as a path to have it built, pipe the output of kustomize to \`scan -\`, or exclude it`;
    yield* take(walk, { ...input, problem: { kind: 'unparsable', message, place: remote.place, fatal: true } });
  } else if (isChanged) yield* take(walk, input);
}

function remoteOf({ options }: Walk, directory: string): KustomizationOutline['remote'] {
  return outlineKustomization(directory, shownPath(options.cwd, directory))?.remote ?? [];
}

function isBelow(directory: string, path: string): boolean {
  return !relative(directory, path).startsWith('..');
}

function isLeftOut(entry: Dirent, inChart: boolean): boolean {
  return SKIPPED_DIRECTORIES.has(entry.name) || (inChart && entry.isDirectory() && CHART_DIRECTORIES.has(entry.name));
}

/** A link to a file is followed, one to a directory is not: it may lead back, or over the whole machine. */
function* takeEntry(walk: Walk, path: string, entry: Dirent): Iterable<InputFile> {
  const stats = entry.isSymbolicLink() ? statOf(path) : undefined;
  if (entry.isSymbolicLink() && stats === undefined) {
    if (!walk.excluded(path, false)) yield unreadable(walk, path, 'the link leads nowhere');
  } else if (entry.isFile() || stats?.isFile()) yield* take(walk, makeInput(walk, 'file', path, false));
  else yield* linkedDirectory(walk, path);
}

/** A directory behind a link is named where nothing else reads it. */
function* linkedDirectory(walk: Walk, link: string): Iterable<InputFile> {
  if (statOf(link)?.isDirectory() !== true || !leadsOutside(walk, link) || walk.excluded(link, true)) return;
  const input = makeInput(walk, 'file', link, true);
  const message =
    'a link to a directory outside of what is scanned, which is not followed: name where it leads as a path, or exclude it';
  const place = { file: input.path, line: 1, column: 1, endLine: 1, endColumn: 1 };
  yield { ...input, problem: { kind: 'unparsable', message, place, fatal: true } };
}

/** True for a link to what neither holds nor is below a directory that is named. */
function leadsOutside({ roots }: Walk, link: string): boolean {
  const target = realpathSync(link);
  return !roots.some((root) => isBelow(root, target) || isBelow(target, root));
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
