import { defineConfig } from 'eslint/config';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** What each folder may import besides itself (docs/architecture.md). The order of the design: arrows point one way. */
const MAY_IMPORT = {
  core: [],
  rules: ['core'],
  resources: ['core'],
  cluster: ['core', 'rules', 'resources'],
  host: ['core'],
  probes: ['core', 'host'],
  manifests: ['core'],
  kube: ['core'],
  http: ['core'],
  report: ['core', 'rules', 'resources', 'cluster'],
  agent: ['core', 'rules', 'resources', 'host', 'probes', 'kube', 'http', 'report'],
  controller: ['core', 'rules', 'resources', 'cluster', 'kube', 'http', 'report'],
  standalone: ['core', 'rules', 'resources', 'cluster', 'host', 'probes', 'http', 'report'],
  cli: ['core', 'rules', 'resources', 'cluster', 'host', 'probes', 'manifests', 'kube', 'report'],
};
const folders = Object.keys(MAY_IMPORT);

const zones = folders.flatMap((folder) => {
  const from = folders.filter((other) => other !== folder && !MAY_IMPORT[folder].includes(other));
  const message = `src/${folder} imports only: ${MAY_IMPORT[folder].join(', ') || 'nothing'}.`;
  return from.length === 0 ? [] : [{ target: `./src/${folder}`, from: from.map((other) => `./src/${other}`), message }];
});

/** Node modules that reach outside the process; only the folders named may use them. */
const REACHES_OUT = [
  'node:fs',
  'node:fs/promises',
  'node:child_process',
  'node:http',
  'node:https',
  'node:net',
  'node:process',
];
const forbid = (names, message) => ({
  'no-restricted-imports': ['error', { paths: names.map((name) => ({ name, message })) }],
});

export default defineConfig(
  { ignores: ['dist/', 'node_modules/', 'tools/node/', 'coverage/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      complexity: ['error', 16],
      'max-depth': ['error', 4],
      'max-params': ['error', 5],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      'no-console': 'error',
    },
  },
  {
    files: ['src/{core,rules,resources,cluster,probes,report}/**/*.ts'],
    ignores: ['src/**/*.test.ts'],
    rules: {
      ...forbid(
        REACHES_OUT,
        'Only src/host opens files, only src/kube and src/http the network, only main.ts reads the process.',
      ),
      'no-restricted-globals': [
        'error',
        { name: 'process', message: 'Only src/cli/main.ts reads argv, env, or exits.' },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'src/**/*.test.ts'],
    rules: { 'max-lines': 'off' },
  },
);
