import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RULES } from '../../src/rules/index.ts';
import { buildWhenStale, run, runInBash } from './command-line.ts';

beforeAll(buildWhenStale);

/** What the program offers after these words. */
function complete(...words: readonly string[]): readonly string[] {
  const lines = run(['complete', '--', ...words])
    .stdout.trimEnd()
    .split('\n');
  return lines.filter((line) => !/^:\d+$/.test(line)).map((line) => line.split('\t')[0] ?? '');
}

describe('completion', () => {
  test('offers the commands', () => {
    expect(complete('')).toEqual(expect.arrayContaining(['node', 'rules', 'explain', 'completion', 'help']));
  });

  test('offers the id of every rule', () => {
    expect(complete('explain', '')).toEqual(RULES.map(({ id }) => id));
  });

  test('offers the ids that go on as typed', () => {
    expect(complete('explain', 'id-range')).toEqual(['id-range-host-ids', 'id-range-overlap', 'id-range-short']);
  });

  test('offers the values of an option', () => {
    expect(complete('node', '--output', '')).toEqual(['table', 'wide', 'json', 'yaml', 'html']);
    expect(complete('node', '--fail-on', '')).toEqual(['critical', 'high', 'medium', 'low', 'info', 'never']);
  });

  test('offers the options of a command', () => {
    expect(complete('node', '--')).toEqual(
      expect.arrayContaining(['--host-root', '--output', '--fail-on', '--watch', '--interval']),
    );
  });
});

/** A shell that is there runs the test, one that is not skips it and says so. */
function inShell(shell: string): readonly [typeof test, string] {
  const found = spawnSync('sh', ['-c', `command -v ${shell}`], { stdio: 'ignore' }).status === 0;
  return found ? [test, ''] : [test.skip, ` (skipped: ${shell} is not installed)`];
}

describe('the completion script', () => {
  const directory = mkdtempSync(join(tmpdir(), 'completion-'));
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  for (const [shell, check] of [
    ['bash', 'bash -n'],
    ['zsh', 'zsh -n'],
    ['fish', 'fish --no-execute'],
  ] as const) {
    const [testOrSkip, note] = inShell(shell);
    testOrSkip(`for ${shell} is valid${note}`, () => {
      const path = join(directory, `script.${shell}`);
      writeFileSync(path, run(['completion', shell]).stdout);
      const { status, stderr } = spawnSync('sh', ['-c', `${check} '${path}'`], { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    });
  }

  test('for zsh and fish names the program', () => {
    for (const shell of ['zsh', 'fish'])
      expect(run(['completion', shell]).stdout).toContain('userns-audit complete --');
  });

  test('for bash completes a rule in a real bash', () => {
    // Of bash-completion the script needs this one function; for words without = and : it does no more.
    const helper =
      '_get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]}; words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; }';
    const { stdout, stderr } = runInBash(
      [
        helper,
        'compopt() { :; }',
        'source <(userns-audit completion bash)',
        'COMP_WORDS=(userns-audit explain user-namespace-l) COMP_CWORD=2',
        '__userns_audit_complete',
        'printf "%s\\n" "${COMPREPLY[@]}"',
        'complete -p userns-audit',
      ].join('\n'),
    );
    expect(stderr).toBe('');
    expect(stdout).toBe('user-namespace-limit\ncomplete -F __userns_audit_complete userns-audit\n');
  });
});
