import { CommanderError } from 'commander';
import { scanActions } from './scan-actions.ts';
import { createScanProgram } from './scan-program.ts';

/** A gate stands in front of every commit: what only other commands need is not even compiled for it. */
async function start(command: string | undefined): Promise<void> {
  if (command !== 'scan' && command !== 'fix') {
    await import('./main.ts');
    return;
  }
  const program = createScanProgram(scanActions);
  for (const each of [program, ...program.commands]) each.exitOverride();
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
}

void start(process.argv[2]);
