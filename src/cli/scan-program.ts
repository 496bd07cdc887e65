import { Command } from 'commander';
import { addFixCommand, type FixAction } from './fix-command.ts';
import { addScanCommand, type ScanAction } from './scan-command.ts';

/**
 * The command line as far as manifests go: what `program.ts` builds, without what only the other commands need. A gate in front
 * of every commit starts by it.
 */
export function createScanProgram(actions: { readonly scan: ScanAction; readonly fix: FixAction }): Command {
  const program = new Command('userns-audit').helpOption('-h, --help', 'print help').showHelpAfterError(HELP_HINT);
  addScanCommand(program, actions.scan);
  addFixCommand(program, actions.fix);
  return program;
}

const HELP_HINT = '(userns-audit --help tells more)';
