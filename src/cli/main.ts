import { styleText } from 'node:util';
import { type Command, CommanderError } from 'commander';
import type { Paint, Style } from '../report/paint.ts';
import { createScanProgram } from './scan-program.ts';
import type { Actions, NodeOptions } from './program.ts';
import type { Terminal } from './terminal.ts';

/** Put in by the bundler. */
declare const __VERSION__: string;

const STYLES: Readonly<Record<Style, Parameters<typeof styleText>[0]>> = {
  heading: 'bold',
  strong: 'bold',
  good: 'green',
  bad: 'red',
  doubt: 'yellow',
  dim: 'gray',
};

/** Colors only on a terminal, and never with NO_COLOR set: styleText asks the stream. */
const paint: Paint = (style, text) => styleText(STYLES[style], text, { stream: process.stdout });

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function runNode(options: NodeOptions): Promise<void> {
  const { auditNode, renderNodeReport } = await import('./audit-node.ts');
  const { exitCodeOf } = await import('./exit-code.ts');
  if (options.watch) return watchNode(options);
  const report = auditNode(options.hostRoot);
  print(await renderNodeReport(report, options.output, paint, false));
  process.exitCode = exitCodeOf(report, options.failOn);
}

/** Prints at first and on every change, until interrupted; a terminal shows the latest audit only. */
async function watchNode({ hostRoot, output, interval }: NodeOptions): Promise<void> {
  const { auditNode, renderNodeReport } = await import('./audit-node.ts');
  const clear = process.stdout.isTTY ? '\x1b[2J\x1b[3J\x1b[H' : '';
  let last = '';
  for (;;) {
    const text = await renderNodeReport(auditNode(hostRoot), output, paint, true);
    if (text !== last) print(clear + text);
    last = text;
    await new Promise((resolve) => setTimeout(resolve, interval * 1000));
  }
}

// What a command needs is loaded when it is asked for: a gate over one small file starts as fast as node lets it.
const actions: Actions = {
  node: runNode,
  async rules({ output }) {
    const { RULES } = await import('../rules/index.ts');
    const { renderRules } = await import('../report/rule-text.ts');
    const catalogue = RULES.map(({ kind, id, title, severity, rationale, remediation, references }) => {
      return { id, kind, severity, title, rationale, remediation, references };
    });
    print(output === 'json' ? JSON.stringify(catalogue, undefined, 2) : renderRules(RULES, paint));
  },
  async explain(id) {
    const { RULES } = await import('../rules/index.ts');
    const { renderRule } = await import('../report/rule-text.ts');
    for (const rule of RULES) if (rule.id === id) print(renderRule(rule, paint));
  },
  async scan(paths, flags) {
    const { scan } = await import('./scan.ts');
    process.exitCode = await scan(paths, flags, terminal());
  },
  async fix(paths, flags) {
    const { fix } = await import('./fix.ts');
    process.exitCode = await fix(paths, flags, terminal());
  },
};

/** What a command over files may know of this process. */
function terminal(): Terminal {
  return {
    paint,
    cwd: process.cwd(),
    today: new Date().toISOString().slice(0, 10),
    version: __VERSION__,
    watched: process.stderr.isTTY,
    print: (text) => process.stdout.write(text),
    tell: (text) => process.stderr.write(text),
  };
}

async function createCommandLine(command: string | undefined): Promise<Command> {
  if (command === 'scan' || command === 'fix') return createScanProgram(actions);
  const { createProgram } = await import('./program.ts');
  return createProgram(actions, __VERSION__);
}

async function main(): Promise<void> {
  // A reader that has seen enough, such as head, is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 2));
  const program = await createCommandLine(process.argv[2]);
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
}

void main();
