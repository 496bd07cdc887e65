import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  ADMISSION_ACTIONS,
  ADMISSION_OBJECTS,
  ADMISSION_RULES,
  type AdmissionAction,
  type AdmissionObjects,
} from '../report/admission-policy.ts';
import { collect } from './option-values.ts';

export interface PolicyFlags {
  readonly rule?: readonly string[];
  readonly action?: readonly AdmissionAction[];
  readonly objects: AdmissionObjects;
  readonly excludeNamespace?: readonly string[];
  readonly namespaceLabel?: readonly (readonly [name: string, value: string])[];
  readonly output: 'yaml' | 'json';
}

export type PolicyAction = (flags: PolicyFlags) => Promise<void>;

/** `userns-audit policy` */
export function addPolicyCommand(program: Command, action: PolicyAction): void {
  program
    .command('policy')
    .description('print the rules over workloads as ValidatingAdmissionPolicies and their bindings')
    .option('--rule <id>', 'only this rule (repeatable)', collect(choice(ADMISSION_RULES)))
    .option(
      '--action <action>',
      `what the API server does: ${ADMISSION_ACTIONS.join(', ')} (repeatable; default: Warn and Audit)`,
      collect(parseAction),
    )
    .addOption(
      new Option('--objects <objects>', 'ask pods, the templates of workloads, or both')
        .choices(ADMISSION_OBJECTS)
        .default('all'),
    )
    .option('--exclude-namespace <name>', 'leave a namespace alone (repeatable)', collect(String))
    .option('--namespace-label <name=value>', 'only namespaces with this label (repeatable)', collect(parseLabel))
    .addOption(new Option('-o, --output <format>', 'output format').choices(['yaml', 'json']).default('yaml'))
    .addHelpText('after', NOTE)
    .action(async (flags: PolicyFlags) => action(flags));
}

const NOTE = `
Kubernetes 1.30 or later. Warn and Deny can not go together. Try with Warn and Audit, then enforce rule by rule:
  userns-audit policy | kubectl apply -f -
  userns-audit policy --rule host-pid-namespace --action Deny --exclude-namespace kube-system | kubectl apply -f -`;

function choice<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found === undefined) throw new InvalidArgumentError(`one of ${words.join(', ')}.`);
    return found;
  };
}

/** Their names as the API writes them, however they are typed. */
function parseAction(text: string): AdmissionAction {
  return choice(ADMISSION_ACTIONS)(text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase());
}

function parseLabel(text: string): readonly [string, string] {
  const match = /^([^=\s]+)=([^=\s]*)$/.exec(text);
  if (!match) throw new InvalidArgumentError('a label as NAME=VALUE.');
  return [match[1] ?? '', match[2] ?? ''];
}
