// Grafana's schema of dashboards for the tests, as the types of grafana-foundation-sdk.
import { requireGoTool } from '../support/go-tool.ts';

/** The program. */
export interface DashboardSchema {
  readonly dashboardSchema: string;
}

/** Why there is none on this machine. */
export interface NoDashboardSchema {
  readonly skipped: string;
}

/** The program, built first when needed (half a minute, once), or why it cannot be here; see `requireGoTool`. */
export function requireDashboardSchema(): DashboardSchema | NoDashboardSchema {
  const module = { name: 'dashboard-schema', module: import.meta.dirname, package: '.', sources: ['main.go'] };
  const found = requireGoTool(module);
  return 'skipped' in found ? found : { dashboardSchema: found.program };
}
