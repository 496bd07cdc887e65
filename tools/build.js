// Bundles the command line into one CommonJS file: it starts faster than ESM and needs no node_modules.
import { build } from 'esbuild';
import { chmod, readFile } from 'node:fs/promises';

const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
await build({
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/userns-audit.cjs',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  minify: true,
  // The option parser can start programs; the audit never does (docs/adr/0002-nothing-is-executed.md), and loading takes time.
  alias: { 'node:child_process': './tools/no-child-process.js' },
  legalComments: 'eof',
  banner: { js: '#!/usr/bin/env node' },
  define: { __VERSION__: JSON.stringify(version) },
  logLevel: 'warning',
});
await chmod('dist/userns-audit.cjs', 0o755);
