// Grafana's schema of dashboards for the tests, as the types of grafana-foundation-sdk: found in the cache, or built there by build.sh the first time.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The program. */
export interface DashboardSchema {
  readonly dashboardSchema: string;
}

/** Why there is none on this machine. */
export interface NoDashboardSchema {
  readonly skipped: string;
}

const BUILD_TIMEOUT_MS = 900_000;

function directory(): string {
  const configured = process.env['XDG_CACHE_HOME'];
  const cache = configured?.startsWith('/') === true ? configured : join(homedir(), '.cache');
  const hash = createHash('sha256');
  for (const name of ['go.mod', 'go.sum', 'main.go', 'build.sh'])
    hash.update(readFileSync(join(import.meta.dirname, name)));
  return join(cache, 'userns-audit', `dashboard-schema-${hash.digest('hex').slice(0, 12)}`);
}

/** The program, built first when needed (half a minute, once), or why it cannot be here. In CI its lack is an error. */
export function requireDashboardSchema(): DashboardSchema | NoDashboardSchema {
  const dir = directory();
  const built = spawnSync(join(import.meta.dirname, 'build.sh'), [dir], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: BUILD_TIMEOUT_MS,
  });
  if (built.status === 0) return { dashboardSchema: join(dir, 'dashboard-schema') };
  const reason = built.error?.message ?? built.stderr.trim();
  if (process.env['CI']) throw new Error(`Grafana's schema is required in CI: ${reason}`);
  return { skipped: reason };
}
