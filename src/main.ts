import { runProgram } from './cli/run-program.ts';
import { scanActions } from './cli/scan-actions.ts';
import { createScanProgram } from './cli/scan-program.ts';
import { createServiceProgram, type ServiceActions } from './cli/service-commands.ts';

/** As package.json says, which npm only warns of. */
const OLDEST_NODE = 24;

/** The long-running processes; each is loaded when it is asked for. */
const serviceActions: ServiceActions = {
  async agent(options) {
    const { runAgent } = await import('./agent/run-agent.ts');
    await runAgent(options);
  },
  async controller(options) {
    const { runController } = await import('./controller/run-controller.ts');
    await runController(options);
  },
  async serve(options) {
    const { runServe } = await import('./standalone/run-serve.ts');
    await runServe(options);
  },
};

/** A gate stands in front of every commit, and an agent on every node: what only other commands need is not even compiled for them. */
async function start(command: string | undefined): Promise<void> {
  if (parseInt(process.versions.node, 10) < OLDEST_NODE) {
    process.stderr.write(`userns-audit needs Node.js ${OLDEST_NODE} or later; this is ${process.versions.node}\n`);
    process.exitCode = 2;
    return;
  }
  switch (command) {
    case 'scan':
    case 'fix':
    case 'plan':
      await runProgram(createScanProgram(scanActions, command));
      return;
    case 'agent':
    case 'controller':
    case 'serve':
      await runProgram(createServiceProgram(serviceActions));
      return;
    case undefined:
    default: {
      const { runMain } = await import('./cli/main.ts');
      await runMain(serviceActions);
    }
  }
}

/** By itself node ends with 1 then, which says that there are findings. */
function crash(error: Error & { readonly code?: unknown }): void {
  process.stderr.write(`error: ${error.code === undefined ? (error.stack ?? error.message) : error.message}\n`);
  process.exit(2);
}

process.on('uncaughtException', crash);
void start(process.argv[2]);
