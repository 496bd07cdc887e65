import tab from '@bomb.sh/tab/commander';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { SEVERITIES, type Severity } from '../core/finding.ts';
import { RULES } from '../rules/index.ts';
import { PROFILES } from '../rules/profiles/index.ts';
import { addFixCommand } from './fix-command.ts';
import { addPlanCommand } from './plan-command.ts';
import { addPolicyCommand, type PolicyAction } from './policy-command.ts';
import { addReportCommand, type ReportAction } from './report-command.ts';
import type { ScanActions } from './scan-actions.ts';
import { addScanCommand } from './scan-command.ts';
import { addServiceCommands, type ServiceActions } from './service-commands.ts';

export const NODE_OUTPUTS = ['table', 'wide', 'json', 'yaml', 'html'] as const;
export type NodeOutput = (typeof NODE_OUTPUTS)[number];

export interface NodeOptions {
  readonly hostRoot: string;
  readonly output: NodeOutput;
  readonly failOn: Severity | 'never';
  readonly watch: boolean;
  readonly interval: number;
}

/** What the commands do; `main.ts` gives them to the parser. */
export interface Actions extends ScanActions, ServiceActions {
  readonly node: (options: NodeOptions) => Promise<void>;
  readonly policy: PolicyAction;
  readonly report: ReportAction;
  readonly rules: (options: { readonly output: 'table' | 'json' }) => void;
  readonly explain: (rule: string) => void;
  readonly profiles: (profile: string | undefined, options: { readonly output: 'table' | 'json' }) => void;
}

/** The command line: every command, option and help text. */
export function createProgram(actions: Actions, version: string): Command {
  const program = new Command('userns-audit')
    .description('Know, enforce and prove Linux user-namespace isolation.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showHelpAfterError('(userns-audit --help tells more)')
    .addHelpText('after', EXIT_CODES);
  program
    .command('node')
    .description('audit this machine: kernel, runtime and the namespaces of every container')
    .option('--host-root <dir>', 'audit the machine whose root is mounted here', '/')
    .addOption(new Option('-o, --output <format>', 'output format').choices(NODE_OUTPUTS).default('table'))
    .addOption(
      new Option('--fail-on <severity>', 'exit 1 when a finding is at least this severe')
        .choices([...SEVERITIES, 'never'])
        .default('high'),
    )
    .option('-w, --watch', 'audit again and again, and print what changed', false)
    .option('--interval <seconds>', 'seconds between two audits of --watch', parseSeconds, 2)
    .action(async (options: NodeOptions) => actions.node(options));
  addScanCommand(program, actions.scan);
  addFixCommand(program, actions.fix);
  addPlanCommand(program, actions.plan);
  addPolicyCommand(program, actions.policy);
  addReportCommand(program, actions.report);
  program
    .command('rules')
    .description('list the rules')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['table', 'json']).default('table'))
    .action((options: { output: 'table' | 'json' }) => {
      actions.rules(options);
    });
  program
    .command('explain')
    .description('tell the reason, the fix and the sources of a rule')
    .addArgument(new Argument('<rule>', 'id of the rule').choices(RULES.map(({ id }) => id)))
    .action((rule: string) => {
      actions.explain(rule);
    });
  program
    .command('profiles')
    .description('list the profiles, or tell the controls of one: what answers them, and what is not covered')
    .addArgument(new Argument('[profile]', 'id of the profile').choices(PROFILES.map(({ id }) => id)))
    .addOption(new Option('-o, --output <format>', 'output format').choices(['table', 'json']).default('table'))
    .action((profile: string | undefined, options: { output: 'table' | 'json' }) => {
      actions.profiles(profile, options);
    });
  addServiceCommands(program, actions);
  tab(program, { completionCommandName: 'completion' });
  return program;
}

const EXIT_CODES = `
Exit codes of \`node\` (\`scan\`, \`fix\`, \`plan\` and \`report\` tell theirs):
  0  no finding at or above --fail-on
  1  findings at or above --fail-on, whatever else could not be read
  2  could not judge: bad usage, or evidence that could not be read`;

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0.1) throw new InvalidArgumentError('a number of seconds, at least 0.1.');
  return seconds;
}
