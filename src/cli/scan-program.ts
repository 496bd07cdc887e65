import { Command } from 'commander';
import { addFixCommand } from './fix-command.ts';
import { addPlanCommand } from './plan-command.ts';
import type { ScanActions } from './scan-actions.ts';
import { addScanCommand } from './scan-command.ts';

/**
 * The command line as far as manifests go: what `program.ts` builds, without what only the other commands need. A gate in front
 * of every commit starts by it.
 * It knows the one command it was started with.
 */
export function createScanProgram(actions: ScanActions, command: keyof ScanActions): Command {
  const program = new Command('userns-audit').helpOption('-h, --help', 'print help').showHelpAfterError(HELP_HINT);
  if (command === 'scan') addScanCommand(program, actions.scan);
  else if (command === 'fix') addFixCommand(program, actions.fix);
  else addPlanCommand(program, actions.plan);
  return program;
}

const HELP_HINT = '(userns-audit --help tells more)';
