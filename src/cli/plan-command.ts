import { type Command, InvalidArgumentError, Option } from 'commander';
import { collect } from './option-values.ts';
import { addInputOptions, addRenderOptions, type InputFlags, type RenderFlags } from './scan-command.ts';

export const PLAN_OUTPUTS = ['table', 'json', 'markdown'] as const;
export type PlanOutput = (typeof PLAN_OUTPUTS)[number];

/** `NAME=VALUE` of a command line. */
export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

export interface PlanFlags extends InputFlags, RenderFlags {
  readonly output: PlanOutput;
  readonly patch?: string;
  readonly storageClass?: readonly NamedValue[];
  readonly claim?: readonly NamedValue[];
  readonly runtimeClass?: readonly NamedValue[];
}

export type PlanAction = (paths: readonly string[], flags: PlanFlags) => Promise<void>;

/** `userns-audit plan` */
export function addPlanCommand(program: Command, action: PlanAction): void {
  const command = program
    .command('plan')
    .description('tell which workloads can take hostUsers: false, in which order, and what stops the rest')
    .argument('[path...]', 'files, directories, globs, or - for standard input (default: .)')
    .optionsGroup('Output:')
    .addOption(new Option('-o, --output <format>', 'output format').choices(PLAN_OUTPUTS).default('table'))
    .option('--patch <dir>', 'write a patch for each workload that is ready, into a directory that is empty')
    .optionsGroup('What manifests do not tell:')
    .option('--storage-class <name=driver>', STORAGE_HELP, collect(parseNamed))
    .option('--claim <[namespace/]name=driver>', 'what stands behind a claim (repeatable)', collect(parseNamed))
    .option(
      '--runtime-class <name=handler>',
      'what a runtime class runs, as runc or kata (repeatable)',
      collect(parseNamed),
    )
    .optionsGroup('What is judged:');
  addRenderOptions(addInputOptions(command))
    .addHelpText('after', PLAN_EXIT_CODES)
    .action(async (paths: string[], flags: PlanFlags) => action(paths.length === 0 ? ['.'] : paths, flags));
}

const STORAGE_HELP =
  'the driver or file system of a storage class, as fast=ebs.csi.aws.com; no name: the default class (repeatable)';

const PLAN_EXIT_CODES = `
Exit codes:
  0  the plan was made, whatever it says
  2  bad usage, a patch that could not be written, or an input that can not be read or parsed`;

function parseNamed(text: string): NamedValue {
  const at = text.indexOf('=');
  if (at === -1 || at === text.length - 1) throw new InvalidArgumentError('NAME=VALUE.');
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}
