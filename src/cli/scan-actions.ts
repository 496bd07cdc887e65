import type { FixAction } from './fix-command.ts';
import type { PlanAction } from './plan-command.ts';
import { processTerminal } from './process-terminal.ts';
import type { ScanAction } from './scan-command.ts';

/** The commands over manifests. */
export interface ScanActions {
  readonly scan: ScanAction;
  readonly fix: FixAction;
  readonly plan: PlanAction;
}

/** What they do; each is loaded when it is asked for. */
export const scanActions: ScanActions = {
  async scan(paths, flags) {
    const { scan } = await import('./scan.ts');
    process.exitCode = await scan(paths, flags, processTerminal());
  },
  async fix(paths, flags) {
    const { fix } = await import('./fix.ts');
    process.exitCode = await fix(paths, flags, processTerminal());
  },
  async plan(paths, flags) {
    const { plan } = await import('./plan.ts');
    process.exitCode = await plan(paths, flags, processTerminal());
  },
};
