// What every node of a cluster has to load, by the bundler's own account.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Metafile {
  readonly inputs: Readonly<
    Record<string, { readonly imports: readonly { readonly path: string; readonly kind: string }[] }>
  >;
}

/** The packages of npm a source loads without being asked for more (`import()`). */
function packagesOf(entry: string): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'agent-bundle-'));
  try {
    const metafile = join(directory, 'meta.json');
    execFileSync(
      join(import.meta.dirname, '../../node_modules/.bin/esbuild'),
      [
        entry,
        '--bundle',
        '--platform=node',
        '--format=cjs',
        '--log-level=error',
        `--metafile=${metafile}`,
        `--outfile=${directory}/out.cjs`,
      ],
      { cwd: join(import.meta.dirname, '../..') },
    );
    const { inputs } = JSON.parse(readFileSync(metafile, 'utf8')) as Metafile;
    const reached = new Set<string>();
    const pending = [entry];
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      if (reached.has(path)) continue;
      reached.add(path);
      const imports = inputs[path]?.imports ?? [];
      pending.push(...imports.filter(({ kind }) => kind !== 'dynamic-import').map((one) => one.path));
    }
    const names = [...reached].flatMap((path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
    return [...new Set(names)].sort();
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('the agent loads readers of configuration files, and no client library, logger, metrics library or schema', () => {
  expect(packagesOf('src/agent/run-agent.ts')).toEqual(['js-yaml', 'smol-toml']);
});
