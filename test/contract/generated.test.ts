import { execFileSync } from 'node:child_process';
import { findDrift, generatedFiles } from '../../tools/generate.ts';

describe('generated documents', () => {
  test('are what their sources say', () => {
    expect(() => execFileSync(process.execPath, ['tools/generate.ts', '--check'], { stdio: 'pipe' })).not.toThrow();
  });

  test('that somebody edited by hand are found', () => {
    const files = generatedFiles();
    const edited = (path: string): string | undefined => `${files.get(path) ?? ''}${path === 'docs/cli.md' ? ' ' : ''}`;
    expect(findDrift(files, edited)).toEqual(['docs/cli.md is not what its sources say']);
  });

  test('that are missing are found', () => {
    const files = generatedFiles();
    const drift = findDrift(files, (path) => (path === 'docs/rules/README.md' ? undefined : files.get(path)));
    expect(drift).toEqual(['docs/rules/README.md is missing']);
  });

  test('of a rule that is no more are found', () => {
    const files = new Map([...generatedFiles()].filter(([path]) => path !== 'docs/rules/id-range-short.md'));
    expect(findDrift(files)).toEqual(['docs/rules/id-range-short.md belongs to no rule']);
  });

  test('are the same whatever the width of the terminal', () => {
    const cli = generatedFiles().get('docs/cli.md') ?? '';
    expect(Math.max(...cli.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
    expect(cli).toContain('## userns-audit node');
    expect(cli).toContain('Exit codes of `node`');
  });
});
