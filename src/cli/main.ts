import { createHostFs } from '../host/host-fs.ts';
import { renderProfile, renderProfiles } from '../report/profile-text.ts';
import { renderRule, renderRules } from '../report/rule-text.ts';
import { RULES } from '../rules/index.ts';
import { PROFILES } from '../rules/profiles/index.ts';
import { auditNode, renderNodeReport } from './audit-node.ts';
import { exitCodeOf } from './exit-code.ts';
import { processTerminal } from './process-terminal.ts';
import { type Actions, createProgram, type NodeOptions } from './program.ts';
import { scanActions } from './scan-actions.ts';
import { runProgram } from './run-program.ts';
import type { ServiceActions } from './service-commands.ts';

/** Put in by the bundler. */
declare const __VERSION__: string;

const { paint } = processTerminal();

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function runNode(options: NodeOptions): Promise<void> {
  const root = createHostFs(options.hostRoot).list('/');
  if (!root.ok) {
    process.stderr.write(`error: --host-root ${options.hostRoot}: ${root.detail}; it must be a directory\n`);
    process.exitCode = 2;
    return;
  }
  if (options.watch) return watchNode(options);
  const report = auditNode(options.hostRoot);
  print(await renderNodeReport(report, options.output, paint, false));
  process.exitCode = exitCodeOf(report, options.failOn);
}

/** Prints at first and on every change, until interrupted; a terminal shows the latest audit only. */
async function watchNode({ hostRoot, output, interval }: NodeOptions): Promise<void> {
  const clear = process.stdout.isTTY ? '\x1b[2J\x1b[3J\x1b[H' : '';
  let last = '';
  for (;;) {
    const text = await renderNodeReport(auditNode(hostRoot), output, paint, true);
    if (text !== last) print(clear + text);
    last = text;
    await new Promise((resolve) => setTimeout(resolve, interval * 1000));
  }
}

const actions: Omit<Actions, keyof ServiceActions> = {
  ...scanActions,
  node: runNode,
  async policy(flags) {
    const { renderPolicies } = await import('./policy.ts');
    try {
      print(renderPolicies(flags));
    } catch (error) {
      process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 2;
    }
  },
  async report(files, flags) {
    const { report } = await import('./report.ts');
    process.exitCode = await report(files, flags, processTerminal());
  },
  rules({ output }) {
    const catalogue = RULES.map(({ kind, id, title, severity, rationale, remediation, references }) => {
      return { id, kind, severity, title, rationale, remediation, references };
    });
    print(output === 'json' ? JSON.stringify(catalogue, undefined, 2) : renderRules(RULES, paint));
  },
  explain(id) {
    for (const rule of RULES) if (rule.id === id) print(renderRule(rule, paint));
  },
  profiles(id, { output }) {
    const [one, ...others] = PROFILES.filter((profile) => id === undefined || profile.id === id);
    if (output === 'json') print(JSON.stringify(id === undefined ? PROFILES : one, undefined, 2));
    else if (one !== undefined)
      print(id === undefined ? renderProfiles([one, ...others], paint) : renderProfile(one, paint));
  },
};

/** The whole command line; `start` runs `scan`, `fix` and the long-running processes without it. */
export async function runMain(services: ServiceActions): Promise<void> {
  // A reader that has seen enough, such as head, is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 2));
  await runProgram(createProgram({ ...actions, ...services }, __VERSION__));
}
