// Bundles the command line into dist/: userns-audit.cjs, and beside it what single commands load when they are asked for. CommonJS
// starts faster than ESM, needs no node_modules, and every 100 kB that are not there save 4 ms of compiling (docs/adr/0004-start-time.md).
import { build } from 'esbuild';
import { chmod, readFile, rm } from 'node:fs/promises';
import { basename, relative } from 'node:path';

/** Loaded by their first call: hardly any run starts a program (the option parser could), and a single file has no .gitignore. */
const LAZY = {
  'node:child_process': ['spawn', 'spawnSync', 'execFile', 'execFileSync'],
  ignore: 'function',
};

function lazyModules(wanted) {
  return {
    name: 'lazy-modules',
    setup({ onResolve, onLoad, resolve }) {
      onResolve({ filter: /^\./ }, ({ path, namespace }) =>
        namespace === 'lazy' ? { path, external: true } : undefined,
      );
      onResolve({ filter: /^\w/ }, async ({ path, kind, resolveDir, pluginData }) => {
        if (!(path in LAZY) || kind === 'entry-point' || pluginData === 'resolving') return undefined;
        if (path.startsWith('node:')) return { path, namespace: 'lazy' };
        wanted.set(path, (await resolve(path, { kind, resolveDir, pluginData: 'resolving' })).path);
        return { path, namespace: 'lazy' };
      });
      onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => {
        const load = path.startsWith('node:') ? `process.getBuiltinModule('${path}')` : `require('./${path}.cjs')`;
        if (LAZY[path] === 'function') return { contents: `module.exports = (...given) => ${load}(...given);` };
        const getters = LAZY[path].map((name) => `get ${name}() { return ${load}.${name}; }`);
        return { contents: `module.exports = { ${getters.join(', ')} };` };
      });
    },
  };
}

/** Turns every `import()` into a file of its own: esbuild splits ES modules only. */
function chunks(wanted) {
  return {
    name: 'chunks',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /.*/ }, async ({ path, kind, resolveDir, pluginData }) => {
        if (kind !== 'dynamic-import' || pluginData === 'resolving') return undefined;
        const found = await resolve(path, { kind, resolveDir, pluginData: 'resolving' });
        const name = /^\w/.test(path) ? path : basename(found.path, '.ts');
        const before = wanted.get(name);
        if (before && before !== found.path) throw new Error(`two chunks would be called ${name}`);
        wanted.set(name, found.path);
        return { path: `./${name}.cjs`, external: true };
      });
    },
  };
}

const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
await rm('dist', { recursive: true, force: true });
const wanted = new Map([['userns-audit', 'src/main.ts']]);
for (const [name, path] of wanted) {
  await build({
    entryPoints: [relative('.', path)],
    outfile: `dist/${name}.cjs`,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    supported: { 'dynamic-import': false },
    minify: true,
    plugins: [lazyModules(wanted), chunks(wanted)],
    legalComments: 'eof',
    banner: name === 'userns-audit' ? { js: '#!/usr/bin/env node' } : {},
    define: { __VERSION__: JSON.stringify(version) },
    logLevel: 'warning',
  });
}
await chmod('dist/userns-audit.cjs', 0o755);
