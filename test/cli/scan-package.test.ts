import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { directoryWith, emptyDirectory, sampleRepository } from './scan-cli.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

test('npm pack → install offline → npx userns-audit scan', () => {
  // Packed from a copy: another test may read the bundle that packing builds anew.
  const source = emptyDirectory();
  for (const name of ['package.json', 'src', 'tools', 'docs', 'LICENSE']) {
    cpSync(join(ROOT, name), join(source, name), { recursive: true, filter: (path) => !path.includes('tools/node') });
  }
  execFileSync('ln', ['-s', join(ROOT, 'node_modules'), join(source, 'node_modules')]);
  const npm = (args: readonly string[], cwd: string): string =>
    execFileSync('npm', [...args, '--offline', '--loglevel=error'], { cwd, encoding: 'utf8' });
  const [packed] = JSON.parse(npm(['pack', '--json'], source).replace(/^[^[]*/, '')) as [Packed];
  const paths = packed.files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(['package.json', 'LICENSE', 'dist/userns-audit.cjs', 'docs/schema/scan-v1.json']),
  );
  expect(paths.filter((path) => /^(?:src|test|bench|tools|node_modules)\//.test(path))).toEqual([]);

  const home = directoryWith({ 'package.json': '{"private": true}' });
  npm(['install', join(source, packed.filename), '--no-audit', '--no-fund'], home);
  const { dependencies } = JSON.parse(readFileSync(join(home, 'node_modules/userns-audit/package.json'), 'utf8')) as {
    dependencies?: unknown;
  };
  expect(dependencies).toBeUndefined();
  expect(existsSync(join(home, 'node_modules/yaml'))).toBe(false);

  cpSync(sampleRepository(), join(home, 'repository'), { recursive: true });
  const scan = (target: string): number => {
    try {
      execFileSync('npx', ['--offline', 'userns-audit', 'scan', target], { cwd: home, stdio: 'pipe' });
      return 0;
    } catch (error) {
      return (error as { status: number }).status;
    }
  };
  expect(scan('repository/crds')).toBe(0);
  expect(scan('repository/deploy')).toBe(1);
});
