// What takes minutes to build or download is kept outside the tree, under a name that changes with what it is made from.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `$XDG_CACHE_HOME/userns-audit`; a path that is not absolute is to be ignored (XDG Base Directory Specification). */
export function cacheDirectory(): string {
  const configured = process.env['XDG_CACHE_HOME'];
  return join(configured?.startsWith('/') === true ? configured : join(homedir(), '.cache'), 'userns-audit');
}

/** The directory of what is made from these files. */
export function cachedFrom(name: string, files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return join(cacheDirectory(), `${name}-${hash.digest('hex').slice(0, 12)}`);
}

/** Runs a script that fills its directory, or finds it filled. Undefined when all is well, else why it is not. */
export function fill(script: string, args: readonly string[], timeout: number): string | undefined {
  const { status, signal, stderr, error } = spawnSync(script, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout,
  });
  if (status === 0) return undefined;
  return error?.message ?? (stderr.trim() || `${script} ended with ${String(status ?? signal)}`);
}

/** That something is not there. In CI its lack is an error: tests that silently skip there prove nothing. */
export function lackOf(what: string, reason: string): { readonly skipped: string } {
  if (process.env['CI']) throw new Error(`${what} is required in CI: ${reason}`);
  return { skipped: reason };
}
