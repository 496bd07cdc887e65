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
  if (command !== 'scan' && command !== 'fix') {
    await import('./main.ts');
    return;
  }
  await runProgram(createScanProgram(scanActions));
}

/** By itself node ends with 1 then, which says that there are findings. */
function crash(error: Error & { readonly code?: unknown }): void {
  process.stderr.write(`error: ${error.code === undefined ? (error.stack ?? error.message) : error.message}\n`);
  process.exit(2);
}

process.on('uncaughtException', crash);
void start(process.argv[2]);
