import { readFileSync } from 'node:fs';
import { RULES } from '../../src/rules/index.ts';
import { buildWhenStale, run } from './command-line.ts';

beforeAll(buildWhenStale);

const cliPage = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

describe('help', () => {
  test.each([[[]], [['node']], [['rules']], [['explain']], [['completion']]])(
    'of %j is what docs/cli.md says',
    (command) => {
      const { stdout } = run([...command, '--help']);
      expect(stdout.length).toBeGreaterThan(100);
      expect(cliPage).toContain(stdout.trimEnd());
    },
  );

  test('is found under the help command, too', () => {
    expect(run(['help', 'node']).stdout).toBe(run(['node', '-h']).stdout);
  });
});

describe('the version', () => {
  test('is that of package.json', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(run(['--version']).stdout).toBe(`${version}\n`);
    expect(run(['-V']).stdout).toBe(`${version}\n`);
  });
});

describe('the rules on the command line', () => {
  test('are listed with severity, subject and condition', () => {
    const lines = run(['rules']).stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(RULES.length + 1);
    for (const { id, severity, title } of RULES) {
      const line = lines.find((text) => text.startsWith(`${id} `));
      expect(line).toContain(severity);
      expect(line).toContain(title);
    }
  });

  test('are listed whole as JSON', () => {
    const catalogue = JSON.parse(run(['rules', '-o', 'json']).stdout) as readonly Record<string, unknown>[];
    expect(catalogue.map(({ id }) => id)).toEqual(RULES.map(({ id }) => id));
    for (const entry of catalogue) {
      expect(Object.keys(entry).sort()).toEqual(
        ['id', 'kind', 'rationale', 'references', 'remediation', 'severity', 'title'].sort(),
      );
    }
  });

  test.each(RULES.map((rule) => [rule.id, rule] as const))('explains %s', (id, rule) => {
    const { stdout, exitCode } = run(['explain', id]);
    expect(exitCode).toBe(0);
    for (const part of [id, rule.title, rule.rationale, rule.remediation, ...rule.references]) {
      expect(stdout).toContain(part);
    }
  });
});
