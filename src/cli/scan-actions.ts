import type { FixAction } from './fix-command.ts';
import { processTerminal } from './process-terminal.ts';
import type { ScanAction } from './scan-command.ts';

/** What `scan` and `fix` do; each is loaded when it is asked for. */
export const scanActions: { readonly scan: ScanAction; readonly fix: FixAction } = {
  async scan(paths, flags) {
    const { scan } = await import('./scan.ts');
    process.exitCode = await scan(paths, flags, processTerminal());
  },
  async fix(paths, flags) {
    const { fix } = await import('./fix.ts');
    process.exitCode = await fix(paths, flags, processTerminal());
  },
};
