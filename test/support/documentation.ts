// The commands that README and docs tell people to run.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** Every page that tells people what to run. */
export const DOCUMENTS: readonly string[] = [
  ...['README.md', 'CONTRIBUTING.md', 'charts/userns-audit/README.md'],
  ...globSync('docs/**/*.md', { cwd: ROOT }).toSorted(),
];

/** A line of a ```sh block. */
export interface DocumentedCommand {
  readonly file: string;
  /** The last heading before it. */
  readonly section: string;
  /** Without the comment that may follow it. */
  readonly command: string;
}

/** All lines of all ```sh blocks of a page, in their order. */
export function commandsOf(file: string): readonly DocumentedCommand[] {
  const found: DocumentedCommand[] = [];
  let section = '';
  let inBlock = false;
  for (const line of readFileSync(join(ROOT, file), 'utf8').split('\n')) {
    if (line.startsWith('```')) inBlock = line === '```sh';
    else if (!inBlock) section = /^#+ (.*)$/.exec(line)?.[1] ?? section;
    else {
      const command = line.replace(/(^|\s+)#.*$/, '').trim();
      if (command !== '') found.push({ file, section, command });
    }
  }
  return found;
}

/** Commands in the text of a page, between backticks, that begin with one of these words. */
export function inlineCommandsOf(file: string, ...programs: readonly string[]): readonly string[] {
  const text = readFileSync(join(ROOT, file), 'utf8').replaceAll(/^```.*?^```$/gms, '');
  return [...text.matchAll(/`([^`\n]+)`/g)]
    .map(([, code = '']) => code)
    .filter((code) => programs.some((program) => code.startsWith(`${program} `)));
}

/** What test/contract/commands.test.ts runs, on this machine. */
export const MACHINE_COMMAND = /^(?:userns-audit (?!scan|fix|plan|report)|make |source <\(userns-audit )/;

/** What test/cli/scan-docs.test.ts runs on the sample repository, in these pages. */
export const REPOSITORY_COMMAND = /^(?:npx --yes |cat \S+ \| )?userns-audit (?:scan|fix|plan)(?: |$)/;
export const REPOSITORY_DOCUMENTS: readonly string[] = [
  ...['README.md', 'docs/plan.md', 'docs/scan.md', 'docs/baseline.md', 'docs/policy.md'],
  ...globSync('docs/ci/*.md', { cwd: ROOT }).toSorted(),
];
