import { scanActions } from './scan-actions.ts';
import { createScanProgram } from './scan-program.ts';
import { runProgram } from './run-program.ts';

/** As package.json says, which npm only warns of. */
const OLDEST_NODE = 24;

/** A gate stands in front of every commit: what only other commands need is not even compiled for it. */
async function start(command: string | undefined): Promise<void> {
  if (parseInt(process.versions.node, 10) < OLDEST_NODE) {
    process.stderr.write(`userns-audit needs Node.js ${OLDEST_NODE} or later; this is ${process.versions.node}\n`);
    process.exitCode = 2;
    return;
  }
  if (command === undefined || !Object.hasOwn(scanActions, command)) {
    await import('./main.ts');
    return;
  }
  await runProgram(createScanProgram(scanActions));
}

void start(process.argv[2]);
