import type { Command } from 'commander';
import { collectNames } from './option-values.ts';
import { addInputOptions, type InputFlags } from './scan-command.ts';
import { FIXABLE_RULES } from './fixable-rules.ts';

export interface FixFlags extends InputFlags {
  readonly rule?: readonly string[];
  readonly write?: boolean;
  readonly policy?: string;
}

export type FixAction = (paths: readonly string[], flags: FixFlags) => Promise<void>;

/** `userns-audit fix` */
export function addFixCommand(program: Command, action: FixAction): void {
  const command = program
    .command('fix')
    .description('edit manifests: add hostUsers: false where nothing forbids it')
    .argument('<path...>', 'files, directories, globs, or - for standard input')
    .option('--diff', 'print the edits as a patch and write nothing (default)')
    .option('--write', 'write the edits to the files; with -, print the edited text')
    .option('--rule <id>', FIX_RULE_HELP, collectNames)
    .option('--policy <file>', 'an AuditPolicy: what its exceptions accept is left alone');
  addInputOptions(command)
    .addHelpText('after', FIX_EXIT_CODES)
    .action(async (paths: string[], flags: FixFlags, self: Command) => {
      const { diff } = flags as FixFlags & { readonly diff?: boolean };
      if (diff && flags.write)
        self.error("error: option '--diff' cannot be used with option '--write'", { exitCode: 2 });
      return action(paths, flags);
    });
}

const FIX_RULE_HELP = `edit for this rule, one of ${FIXABLE_RULES.join(', ')} (repeatable, default: user-namespace)`;

const FIX_EXIT_CODES = `
Exit codes:
  0  the edits were printed or written, or there was nothing to edit
  2  bad usage, or an input that can not be read or parsed`;
