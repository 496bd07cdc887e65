import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import ignore from 'ignore';
import type { Ignore } from 'ignore';

/** The .gitignore files that hold for a directory, the outermost first. */
export type IgnoreStack = readonly { readonly directory: string; readonly patterns: Ignore }[];

/** True for a path to leave out. */
export type Exclusion = (path: string, isDirectory: boolean) => boolean;

/** `--exclude`: patterns in the syntax of .gitignore, from `cwd`. What lies outside of it they reach by its name alone. */
export function excludeBy(cwd: string, patterns: readonly string[]): Exclusion {
  if (patterns.length === 0) return () => false;
  const matcher = ignore().add(patterns.map((pattern) => pattern.replace(/^\.\//, '/')));
  return (path, isDirectory) => {
    const inside = relativeTo(resolve(cwd), path, isDirectory);
    if (inside !== undefined) return matcher.ignores(inside);
    const outside = relativeTo('/', path, isDirectory);
    return outside !== undefined && matcher.ignores(outside);
  };
}

/**
 * The .gitignore files of the directories above, up to the root of the repository; none outside of a repository, and none for a
 * directory they leave out itself: who names it wants it read.
 */
export function collectIgnores(directory: string): IgnoreStack {
  const above = ignoresAbove(directory);
  return isIgnored(above, directory, true) ? [] : above;
}

function ignoresAbove(directory: string): IgnoreStack {
  const above: string[] = [];
  for (let at = directory; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) {
      const outermost = readPatterns(at, join(at, '.git', 'info', 'exclude'));
      // The directory itself is looked at when it is walked.
      return above
        .slice(0, -1)
        .reduceRight<IgnoreStack>(withIgnoreFile, at === directory ? outermost : withIgnoreFile(outermost, at));
    }
    if (dirname(at) === at) return [];
    above.unshift(at);
  }
}

/** The stack for a directory: with its own .gitignore, where it has one. */
export function withIgnoreFile(stack: IgnoreStack, directory: string): IgnoreStack {
  return [...stack, ...readPatterns(directory, join(directory, '.gitignore'))];
}

function readPatterns(directory: string, file: string): IgnoreStack {
  try {
    return [{ directory, patterns: ignore().add(readFileSync(file, 'utf8')) }];
  } catch {
    return [];
  }
}

/** Of all files that say something on a path the innermost decides. */
export function isIgnored(stack: IgnoreStack, path: string, isDirectory: boolean): boolean {
  let ignored = false;
  for (const { directory, patterns } of stack) {
    const inside = relativeTo(directory, path, isDirectory);
    if (inside === undefined) continue;
    const verdict = patterns.test(inside);
    if (verdict.ignored) ignored = true;
    else if (verdict.unignored) ignored = false;
  }
  return ignored;
}

/** The path as `ignore` wants it; undefined when it is not below the directory. */
function relativeTo(directory: string, path: string, isDirectory: boolean): string | undefined {
  const inside = relative(directory, path).split(sep).join('/');
  if (inside === '' || inside.startsWith('..')) return undefined;
  return isDirectory ? `${inside}/` : inside;
}
