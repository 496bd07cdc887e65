import { type Command, Option } from 'commander';
import { SEVERITIES, type Severity } from '../core/finding.ts';
import { PROFILES } from '../rules/profiles/index.ts';
import { collectNames } from './option-values.ts';

export const REPORT_OUTPUTS = ['table', 'json', 'markdown', 'html', 'oscal'] as const;
export type ReportOutput = (typeof REPORT_OUTPUTS)[number];

export interface ReportFlags {
  readonly output: ReportOutput;
  readonly outputFile?: string;
  /** Globs. */
  readonly namespace?: readonly string[];
  /** Globs. */
  readonly node?: readonly string[];
  readonly profile?: string;
  readonly diff?: string;
  readonly failOn: Severity | 'never';
  readonly kubeconfig?: string;
  readonly context?: string;
}

export type ReportAction = (files: readonly string[], flags: ReportFlags) => Promise<void>;

/** `userns-audit report` */
export function addReportCommand(program: Command, action: ReportAction): void {
  program
    .command('report')
    .description('tell how a cluster stands: adoption, readiness, findings, exceptions, compliance')
    .argument(
      '[file...]',
      'saved reports, or lists that kubectl printed as JSON; - for standard input (default: the cluster)',
    )
    .optionsGroup('Output:')
    .addOption(new Option('-o, --output <format>', 'output format').choices(REPORT_OUTPUTS).default('table'))
    .option('--output-file <file>', 'write the report there instead of to standard output')
    .addOption(
      new Option('--fail-on <severity>', 'exit 1 when a finding is at least this severe')
        .choices([...SEVERITIES, 'never'])
        .default('never'),
    )
    .optionsGroup('What is shown:')
    .option('--namespace <glob>', 'only these namespaces (repeatable)', collectNames)
    .option('--node <glob>', 'only these nodes (repeatable)', collectNames)
    .addOption(
      new Option('--profile <id>', 'only the rules and controls of one profile').choices(PROFILES.map(({ id }) => id)),
    )
    .option('--diff <file>', 'tell what has changed since this saved report')
    .optionsGroup('The cluster:')
    .option('--kubeconfig <file>', 'how to reach it (default: $KUBECONFIG, ~/.kube/config, or the service account)')
    .option('--context <name>', 'the context of the kubeconfig')
    .addHelpText('after', EXIT_CODES)
    .action(async (files: string[], flags: ReportFlags) => action(files, flags));
}

const EXIT_CODES = `
Exit codes:
  0  the report was made, and nothing in it is as severe as --fail-on
  1  findings at or above --fail-on that nobody accepted
  2  bad usage, or a report that can not be read or written
  2  with --fail-on: no such finding, but pods or nodes that nobody can tell of`;
