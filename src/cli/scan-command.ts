import { Command, InvalidArgumentError, Option } from 'commander';
import { SEVERITIES, type Severity } from '../core/finding.ts';
import { parseKubernetesVersion } from '../core/pod-user-namespace.ts';
import type { KubernetesVersion } from '../core/workload.ts';
import { parseScanOutput, type ScanOutput } from '../report/scan-output.ts';
import { collect, collectNames } from './option-values.ts';

/** What to read, for every command over manifests. */
export interface InputFlags {
  readonly exclude?: readonly string[];
  readonly gitignore: boolean;
  readonly podSpecPath?: readonly string[];
  readonly kubernetesVersion?: KubernetesVersion;
}

/** How charts and kustomizations are made into manifests. */
export interface RenderFlags {
  readonly render: boolean;
  readonly values?: readonly string[];
  readonly set?: readonly string[];
}

export interface ScanFlags extends InputFlags, RenderFlags {
  readonly output?: readonly ScanOutput[];
  readonly summary?: boolean;
  readonly failOn: Severity | 'never';
  readonly rule?: readonly string[];
  readonly skipRule?: readonly string[];
  readonly profile?: readonly string[];
  readonly policy?: string;
  readonly baseline?: string;
  readonly updateBaseline?: boolean;
  readonly allowUnparsable?: boolean;
}

export type ScanAction = (paths: readonly string[], flags: ScanFlags) => Promise<void>;

/** `userns-audit scan` */
export function addScanCommand(program: Command, action: ScanAction): void {
  const command = program
    .command('scan')
    .description('judge manifests: YAML, JSON, Compose files, Helm charts, kustomizations')
    .argument('<path...>', 'files, directories, globs, or - for standard input')
    .optionsGroup('Output:')
    .option('-o, --output <format[=file]>', `${OUTPUT_HELP} (repeatable, default: text)`, collect(parseOutput))
    .option('--summary', 'counts instead of findings')
    .optionsGroup('What fails:')
    .addOption(
      new Option('--fail-on <severity>', 'exit 1 when a finding is at least this severe')
        .choices([...SEVERITIES, 'never'])
        .default('high'),
    )
    .option('--baseline <file>', 'fail only on findings that this file does not hold')
    .option('--update-baseline', 'write what is found to the file of --baseline')
    .option('--policy <file>', 'an AuditPolicy: rules, severities, exceptions')
    .option('--allow-unparsable', 'go on when an input can not be parsed or rendered')
    .optionsGroup('What is judged:')
    .option('--rule <id>', 'judge by this rule alone (repeatable)', collectNames)
    .option('--skip-rule <id>', 'leave this rule out (repeatable)', collectNames)
    .option('--profile <id>', 'judge by the rules of this profile (repeatable)', collectNames);
  addRenderOptions(addInputOptions(command))
    .addHelpText('after', SCAN_EXIT_CODES)
    .action(async (paths: string[], flags: ScanFlags) => action(paths, flags));
}

/** The options that say what to read and for which Kubernetes. */
export function addInputOptions(command: Command): Command {
  return command
    .option('--kubernetes-version <version>', 'judge for this version (default: 1.36)', parseVersion)
    .option('--exclude <pattern>', 'leave files out, in the syntax of .gitignore (repeatable)', collect(String))
    .option('--no-gitignore', 'read also what .gitignore names')
    .option(
      '--pod-spec-path <kind=path>',
      'where a custom resource keeps its pod spec, as MyApp=spec.template.spec (repeatable)',
      collect(String),
    );
}

/** The options that say how charts and kustomizations are rendered. */
export function addRenderOptions(command: Command): Command {
  return command
    .option('--no-render', 'read the files of charts and kustomizations as they are')
    .option('--values <file>', 'values file for helm (repeatable)', collect(String))
    .option('--set <key=value>', 'value for helm (repeatable)', collect(String));
}

const OUTPUT_HELP = 'text, wide, json, sarif, junit, github, gitlab or markdown; =file writes it there';

const SCAN_EXIT_CODES = `
Exit codes:
  0  no finding at or above --fail-on
  1  findings at or above --fail-on
  2  could not judge: bad usage, or an input that can not be read or parsed and was
     neither excluded nor allowed. It outranks 1: who lives with findings should not
     live with a blind spot.`;

function parseOutput(text: string): ScanOutput {
  const output = parseScanOutput(text);
  if (typeof output === 'string') throw new InvalidArgumentError(output);
  return output;
}

function parseVersion(text: string): KubernetesVersion {
  const version = parseKubernetesVersion(text);
  if (!version) throw new InvalidArgumentError('a version such as 1.36.');
  return version;
}
