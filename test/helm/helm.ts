// Real Helm for the tests: found in the cache, or built there by build.sh the first time.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The program. */
export interface Helm {
  readonly helm: string;
}

/** Why there is no Helm on this machine. */
export interface NoHelm {
  readonly skipped: string;
}

const BUILD_TIMEOUT_MS = 900_000;

/** The directory that holds the program built from this module by this script. */
export function helmDirectory(): string {
  const configured = process.env['XDG_CACHE_HOME'];
  const cache = configured?.startsWith('/') === true ? configured : join(homedir(), '.cache');
  const hash = createHash('sha256');
  for (const name of ['go.mod', 'go.sum', 'build.sh']) hash.update(readFileSync(join(import.meta.dirname, name)));
  return join(cache, 'userns-audit', `helm-${hash.digest('hex').slice(0, 12)}`);
}

/**
 * Helm, built first when needed (two minutes of processor time, once), or why it cannot be here. Synchronous, so that a test file
 * can choose between `describe` and `describe.skip`. In CI its lack is an error.
 */
export function requireHelm(dir = helmDirectory()): Helm | NoHelm {
  const built = spawnSync(join(import.meta.dirname, 'build.sh'), [dir], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: BUILD_TIMEOUT_MS,
  });
  if (built.status === 0) return { helm: join(dir, 'helm') };
  const reason =
    built.error?.message ?? (built.stderr.trim() || `build.sh ended with ${String(built.status ?? built.signal)}`);
  if (process.env['CI']) throw new Error(`Helm is required in CI: ${reason}`);
  return { skipped: reason };
}
