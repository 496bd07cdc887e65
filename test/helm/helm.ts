// Real Helm for the tests: found in the cache, or built there by build.sh the first time.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface Helm {
  /** The program. */
  readonly path: string;
}

const SOURCE_FILES = ['go.mod', 'go.sum', 'build.sh'];

/** Helm, built first when needed (two minutes, once), or why it cannot be here. In CI a missing one is an error. */
export function requireHelm(): Helm | { readonly skipped: string } {
  const dir = helmDirectory();
  const built = spawnSync(join(import.meta.dirname, 'build.sh'), [dir], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 1_200_000,
  });
  if (built.status === 0) return { path: join(dir, 'helm') };
  const reason = built.error?.message ?? built.stderr.trim();
  if (process.env['CI']) throw new Error(`Helm is required in CI: ${reason}`);
  return { skipped: reason };
}

function helmDirectory(): string {
  const hash = createHash('sha256');
  for (const name of SOURCE_FILES) hash.update(readFileSync(join(import.meta.dirname, name)));
  const configured = process.env['XDG_CACHE_HOME'];
  const cache = configured?.startsWith('/') === true ? configured : join(homedir(), '.cache');
  return join(cache, 'userns-audit', `helm-${hash.digest('hex').slice(0, 12)}`);
}
