import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const SOURCES = join(import.meta.dirname, '../control-plane');

/**
 * kubectl of the control plane of the tests, built first when needed; or why it cannot be here. In CI its lack is an error.
 */
export function requireKubectl(): { readonly kubectl: string } | { readonly skipped: string } {
  const configured = process.env['XDG_CACHE_HOME'];
  const cache = configured?.startsWith('/') === true ? configured : join(homedir(), '.cache');
  const hash = createHash('sha256');
  for (const name of ['go.mod', 'go.sum', 'build.sh']) hash.update(readFileSync(join(SOURCES, name)));
  const dir = join(cache, 'userns-audit', `control-plane-${hash.digest('hex').slice(0, 12)}`);
  const built = spawnSync(join(SOURCES, 'build.sh'), [dir], { encoding: 'utf8', timeout: 1_800_000 });
  if (built.status === 0) return { kubectl: join(dir, 'kubectl') };
  const reason = built.error?.message ?? (built.stderr.trim() || `build.sh ended with ${String(built.status)}`);
  if (process.env['CI']) throw new Error(`kubectl is required in CI: ${reason}`);
  return { skipped: reason };
}
