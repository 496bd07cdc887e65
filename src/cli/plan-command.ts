import { type Command, InvalidArgumentError, Option } from 'commander';
import { collect, collectNames } from './option-values.ts';
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
  readonly policy?: string;
  readonly cluster?: boolean;
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Globs. */
  readonly namespace?: readonly string[];
  readonly storageClass?: readonly NamedValue[];
  readonly claim?: readonly NamedValue[];
  readonly runtimeClass?: readonly NamedValue[];
}

/** Without a path the current directory is read, or of a cluster its workloads. */
export type PlanAction = (paths: readonly string[], flags: PlanFlags) => Promise<void>;

/** `userns-audit plan` */
export function addPlanCommand(program: Command, action: PlanAction): void {
  const command = program
    .command('plan')
    .description('tell which workloads can take hostUsers: false, in which order, and what stops the rest')
    .argument(
      '[path...]',
      'files, directories, globs, or - for standard input (default: ., or with --cluster its workloads)',
    )
    .optionsGroup('Output:')
    .addOption(new Option('-o, --output <format>', 'output format').choices(PLAN_OUTPUTS).default('table'))
    .option('--patch <dir>', 'write a patch for each workload that is ready, into a directory that is empty')
    .optionsGroup('The cluster:')
    .option('--cluster', 'ask a cluster: for what manifests do not tell, and without a path for the workloads')
    .option('--kubeconfig <file>', 'how to reach it (default: $KUBECONFIG, ~/.kube/config, or the service account)')
    .option('--context <name>', 'the context of the kubeconfig')
    .option('--namespace <glob>', 'of its workloads only those of these namespaces (repeatable)', collectNames)
    .optionsGroup('What manifests do not tell:')
    .option('--storage-class <name=driver>', STORAGE_HELP, collect(parseNamed))
    .option('--claim <[namespace/]name=driver>', 'what stands behind a claim (repeatable)', collect(parseNamed))
    .option(
      '--runtime-class <name=handler>',
      'what a runtime class runs, as runc or kata (repeatable)',
      collect(parseNamed),
    )
    .optionsGroup('What is judged:')
    .option('--policy <file>', 'an AuditPolicy: exceptions (default with --cluster: that of the cluster)');
  addRenderOptions(addInputOptions(command))
    .addHelpText('after', PLAN_EXIT_CODES)
    .action(async (paths: string[], flags: PlanFlags) => action(paths, flags));
}

const STORAGE_HELP =
  'the driver or file system of a storage class, as fast=ebs.csi.aws.com; no name: the default class (repeatable)';

const PLAN_EXIT_CODES = `
Exit codes:
  0  the plan was made, whatever it says
  2  bad usage, a patch that could not be written, or an input that can not be read or parsed;
     with --cluster also workloads that may not be listed`;

function parseNamed(text: string): NamedValue {
  const at = text.indexOf('=');
  if (at === -1 || at === text.length - 1) throw new InvalidArgumentError('NAME=VALUE.');
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}
