import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { REPOSITORY_COMMAND, REPOSITORY_DOCUMENTS } from '../support/documentation.ts';
import { bash, emptyDirectory, filesIn, sampleRepository } from './scan-cli.ts';

/** Every command that the documents show is run on the sample repository: `# exits N` says how it must end, else 0. */

const ROOT = join(import.meta.dirname, '../..');
const DOCS = join(ROOT, 'docs');

/** Fenced blocks of a document, each with the commands in it. */
function blocksOf(text: string): readonly (readonly string[])[] {
  return [...text.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)]
    .map(([, block = '']) => block.split('\n').flatMap((line) => commandOf(line) ?? []))
    .filter((commands) => commands.length > 0);
}

/** The command of a line: as it stands, as an item of a YAML list, or within sh '…' of a Jenkinsfile. */
function commandOf(line: string): string | undefined {
  const text = line.trim().replace(/^- /, '');
  const quoted = /^sh '(.*)'(.*)$/.exec(text);
  const command = quoted ? `${quoted[1] ?? ''} #${quoted[2] ?? ''}` : text;
  // Scripts of pipelines hand their own arguments on.
  return REPOSITORY_COMMAND.test(command) && !/userns-audit \w+ "\$@"/.test(command) ? command : undefined;
}

describe.each(REPOSITORY_DOCUMENTS)('%s', (name) => {
  const text = readFileSync(join(ROOT, name), 'utf8');

  test('its commands end as it says', () => {
    for (const block of blocksOf(text)) {
      const cwd = sampleRepository();
      const env = { GITHUB_STEP_SUMMARY: join(emptyDirectory(), 'summary.md') };
      for (const command of block) {
        const expected = Number(/exits (\d)/.exec(command)?.[1] ?? 0);
        const { code, stderr } = bash(command, { cwd, env });
        expect({ command, code, error: /^error.*/m.exec(stderr)?.[0] }).toEqual({ command, code: expected });
      }
    }
  });

  test('its links lead somewhere', () => {
    const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, link = '']) => link);
    for (const link of links) expect(existsSync(join(ROOT, name, '..', link)) ? '' : link).toBe('');
  });
});

test('the documents show commands at all', () => {
  const counts = REPOSITORY_DOCUMENTS.map((name) => blocksOf(readFileSync(join(ROOT, name), 'utf8')).flat().length);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(20);
});

test('the Tekton task reports, and ends as the scan does', () => {
  const [, block = ''] = /^```yaml\n([\s\S]*?)^```$/m.exec(readFileSync(join(DOCS, 'ci/tekton.md'), 'utf8')) ?? [];
  const task = parse(block) as { spec: { steps: { script: string }[] } };
  const cwd = sampleRepository();
  const verdict = join(emptyDirectory(), 'verdict');
  const script = task.spec.steps[0]?.script.replace('$(results.summary.path)', verdict) ?? '';
  const { code, stdout } = bash(`set -- .\n${script}`, { cwd });
  expect(code).toBe(1);
  expect(readFileSync(verdict, 'utf8')).toMatch(/^FAILED .*\n$/);
  expect(stdout).toContain('host-pid-namespace');
  expect(filesIn(cwd)).toContain('userns-audit.xml');
});

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly runs: { readonly steps: readonly { readonly run?: string; readonly env?: Record<string, string> }[] };
}

describe('the GitHub action', () => {
  const action = parse(readFileSync(join(DOCS, '../action.yml'), 'utf8')) as Action;
  const step = action.runs.steps.find(({ run }) => run !== undefined);

  function runAction(
    inputs: Readonly<Record<string, string>>,
  ): ReturnType<typeof bash> & { readonly cwd: string; readonly files: string } {
    const files = emptyDirectory();
    const cwd = sampleRepository();
    const env = Object.fromEntries(
      Object.entries(step?.env ?? {}).map(([name, expression]) => {
        const input = /^\$\{\{ inputs\.([a-z-]+) \}\}$/.exec(expression)?.[1] ?? '';
        return [name, inputs[input] ?? action.inputs[input]?.default ?? ''];
      }),
    );
    const github = {
      GITHUB_ACTION_PATH: join(DOCS, '..'),
      GITHUB_STEP_SUMMARY: join(files, 'summary.md'),
      GITHUB_OUTPUT: join(files, 'output'),
    };
    return { ...bash(step?.run ?? 'exit 99', { cwd, env: { ...env, ...github } }), cwd, files };
  }

  test('annotates, summarizes and hands the exit code on', () => {
    const { code, stdout, files, stderr } = runAction({});
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toContain('::error file=deploy/agent.yaml,line=14');
    expect(readFileSync(join(files, 'summary.md'), 'utf8')).toContain('## userns-audit');
    expect(readFileSync(join(files, 'output'), 'utf8')).toBe('exit-code=1\n');
  });

  test('takes several paths, quoted arguments, and writes SARIF', () => {
    const { code, cwd } = runAction({
      paths: 'apps\ncrds\n',
      args: `--exclude 'apps/batch.json' --rule "host-pid-namespace"`,
      'sarif-file': 'out.sarif',
    });
    expect(code).toBe(0);
    expect(readFileSync(join(cwd, 'out.sarif'), 'utf8')).toContain('"2.1.0"');
  });

  test('runs the package where a version is asked for', () => {
    expect(runAction({ version: '0.1.0', 'fail-on': 'never' }).code).toBe(0);
  });

  test('an input is never a part of the script', () => {
    const { cwd, code } = runAction({ paths: '$(touch pwned)', args: '`touch pwned`; $(touch pwned)' });
    expect(code).toBe(2);
    expect(filesIn(cwd)).not.toContain('pwned');
    expect(step?.run).not.toContain('${{');
  });
});

test('the pre-commit hooks take the files of a commit', () => {
  const hooks = parse(readFileSync(join(DOCS, '../.pre-commit-hooks.yaml'), 'utf8')) as { id: string; entry: string }[];
  const example = /```yaml\n([\s\S]*?)```/.exec(readFileSync(join(DOCS, 'ci/pre-commit.md'), 'utf8'))?.[1] ?? '';
  const { repos } = parse(example) as { repos: { hooks: { id: string; args?: string[] }[] }[] };
  const cwd = sampleRepository();
  bash('userns-audit scan . --baseline .userns-audit.json --update-baseline', { cwd });
  for (const { id, args = [] } of repos.flatMap(({ hooks: used }) => used)) {
    const entry = hooks.find((hook) => hook.id === id)?.entry ?? 'false';
    expect(bash(`${entry} ${args.join(' ')} deploy/agent.yaml apps/shop.yaml`, { cwd }).code).toBe(0);
  }
  expect(readFileSync(join(cwd, 'apps/shop.yaml'), 'utf8').match(/hostUsers: false/g)).toHaveLength(2);
});
