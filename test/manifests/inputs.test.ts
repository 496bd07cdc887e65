import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readManifests, scanInputs } from '../../src/manifests/index.ts';
import type { InputOptions, ReadOptions } from '../../src/manifests/index.ts';

let root = '';

const FILES: Readonly<Record<string, string>> = {
  '.git/config.yaml': '',
  '.git/info/exclude': 'local.yaml\n',
  '.gitignore': '*.tmp.yaml\n/build/\n!keep.tmp.yaml\n',
  'a.yaml': 'kind: Pod\nspec: {}\n',
  'b.yml': '',
  'c.json': '{}',
  'd.txt': 'kind: Pod\nspec: {}\n',
  'E.YAML': '',
  'local.yaml': '',
  'x.tmp.yaml': '',
  'keep.tmp.yaml': '',
  'build/out.yaml': '',
  'sub/.gitignore': 'secret.yaml\n!x.tmp.yaml\n',
  'sub/build/in.yaml': '',
  'sub/secret.yaml': '',
  'sub/x.tmp.yaml': '',
  'sub/deep/z.yaml': '',
  'sub/deep/secret.yaml': '',
  'node_modules/m/package.json': '{}',
};

function write(path: string, text: string): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'inputs-')));
  for (const [path, text] of Object.entries(FILES)) write(path, text);
  symlinkSync(join(root, 'a.yaml'), join(root, 'sub/link.yaml'));
  symlinkSync(join(root, 'sub'), join(root, 'sub/loop'));
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

function paths(given: readonly string[], options: Partial<InputOptions> = {}): readonly string[] {
  return [...scanInputs(given, { cwd: root, ...options })].map(({ origin, path }) =>
    origin === 'file' ? path : `${origin}:${path}`,
  );
}

describe('a directory', () => {
  const KEPT = ['E.YAML', 'a.yaml', 'b.yml', 'c.json', 'keep.tmp.yaml'];

  test('is walked for manifests, heeding .gitignore at every level', () => {
    expect(paths(['.'])).toEqual([...KEPT, 'sub/build/in.yaml', 'sub/deep/z.yaml', 'sub/link.yaml', 'sub/x.tmp.yaml']);
  });

  test('below the root of the repository heeds the files above it', () => {
    expect(paths(['sub'])).toEqual(['sub/build/in.yaml', 'sub/deep/z.yaml', 'sub/link.yaml', 'sub/x.tmp.yaml']);
    expect(paths(['sub/deep'])).toEqual(['sub/deep/z.yaml']);
  });

  test('that is ignored itself is read where it is named', () => {
    expect(paths(['build'])).toEqual(['build/out.yaml']);
    expect(paths(['.'], { cwd: join(root, 'build') })).toEqual(['out.yaml']);
  });

  test('may be walked without .gitignore, and never .git and node_modules', () => {
    const all = paths(['.'], { gitignore: false });
    expect(all).toContain('build/out.yaml');
    expect(all).toContain('sub/secret.yaml');
    expect(all.some((path) => /\.git\/|node_modules/.test(path))).toBe(false);
  });

  test.each([
    [['sub'], KEPT],
    [['sub/', '*.json'], KEPT.filter((path) => path !== 'c.json')],
    [
      ['**/*.yaml', 'E.YAML'],
      ['b.yml', 'c.json'],
    ],
    [
      ['./a.yaml', '/sub/deep/'],
      ['E.YAML', 'b.yml', 'c.json', 'keep.tmp.yaml', 'sub/build/in.yaml', 'sub/link.yaml', 'sub/x.tmp.yaml'],
    ],
    [['*', '!c.json'], ['c.json']],
  ])('leaves out %j', (exclude, expected) => {
    expect(paths(['.'], { exclude })).toEqual(expected);
  });

  test('gives out each file once', () => {
    expect(paths(['a.yaml', '.', 'sub', './sub/../a.yaml']).filter((path) => path === 'a.yaml')).toHaveLength(1);
  });
});

describe('other paths', () => {
  test('a file of any name is read, and one that is ignored', () => {
    expect(paths(['d.txt', 'x.tmp.yaml', 'build/out.yaml'])).toEqual(['d.txt', 'x.tmp.yaml', 'build/out.yaml']);
  });

  test('an excluded file is not read even by name', () => {
    expect(paths(['a.yaml', 'b.yml'], { exclude: ['a.*'] })).toEqual(['b.yml']);
  });

  test('a glob', () => {
    expect(paths(['sub/**/*.yaml'], { gitignore: false })).toEqual([
      'sub/build/in.yaml',
      'sub/deep/secret.yaml',
      'sub/deep/z.yaml',
      'sub/link.yaml',
      'sub/secret.yaml',
      'sub/x.tmp.yaml',
    ]);
    expect(paths(['{a,b}.y*ml'])).toEqual(['a.yaml', 'b.yml']);
  });

  test('standard input', () => {
    expect([...scanInputs(['-'], { cwd: root })]).toEqual([
      { origin: 'stdin', path: '<stdin>', absolutePath: '<stdin>', named: true },
    ]);
  });

  test('outside of the working directory are shown whole', () => {
    expect(paths(['../a.yaml'], { cwd: join(root, 'sub') })).toEqual([join(root, 'a.yaml')]);
  });

  test.each([
    ['missing.yaml', /cannot be read: there is no such file or directory/],
    ['missing/*.yaml', /cannot be read: no file matches this pattern/],
  ])('%s is a problem', (path, message) => {
    const [input] = scanInputs([path], { cwd: root });
    expect(input && readManifests(input, { cwd: root })).toMatchObject({
      workloads: [],
      problems: [{ kind: 'unreadable', fatal: true, place: { file: path }, message: expect.stringMatching(message) }],
    });
  });

  test('a link that leads nowhere is one too', () => {
    symlinkSync(join(root, 'nowhere'), join(root, 'dangling.yaml'));
    const [input] = [...scanInputs(['.'], { cwd: root })].filter(({ path }) => path === 'dangling.yaml');
    rmSync(join(root, 'dangling.yaml'));
    expect(input?.problem).toMatchObject({
      kind: 'unreadable',
      fatal: true,
      message: 'cannot be read: the link leads nowhere',
    });
  });

  test('a link to a directory that is not read anyway is one too', () => {
    const outside = realpathSync(mkdtempSync(join(tmpdir(), 'outside-')));
    symlinkSync(outside, join(root, 'sub/outside'));
    const [input] = [...scanInputs(['.'], { cwd: root })].filter(({ path }) => path === 'sub/outside');
    const excluded = paths(['.'], { exclude: ['sub/outside'] });
    const named = paths(['.', outside]);
    rmSync(join(root, 'sub/outside'));
    rmSync(outside, { recursive: true });
    expect(input?.problem).toMatchObject({ fatal: true, message: expect.stringContaining('which is not followed') });
    expect([excluded, named].flat()).not.toContain('sub/outside');
  });

  test('a file above the limit is one too', () => {
    const [input] = scanInputs(['a.yaml'], { cwd: root });
    expect(input && readManifests(input, { cwd: root, maxBytes: 10 }).problems).toMatchObject([
      { kind: 'unreadable', message: expect.stringContaining('the limit is 0.0: exclude it') },
    ]);
  });
});

describe('directories that tools render', () => {
  let tools = '';

  /** A stand-in for a tool: prints its arguments to a file and a text to its output. */
  function tool(name: string, output: string, status = 0): void {
    const script = `#!/bin/sh\necho "$@" > "${join(tools, name)}.args"\ncat <<'END'\n${output}END\n[ ${status} = 0 ] || echo "Error: it broke" >&2\nexit ${status}\n`;
    writeFileSync(join(tools, name), script);
    chmodSync(join(tools, name), 0o755);
  }

  /** Options with the stand-ins before what else a script needs. */
  function withTools(): ReadOptions {
    return { cwd: root, environment: { PATH: `${tools}:${join(root, '.bin')}` } };
  }

  beforeAll(() => {
    mkdirSync(join(root, '.bin'));
    symlinkSync('/bin/cat', join(root, '.bin/cat'));
    tools = join(root, '.tools');
    mkdirSync(tools);
    write('chart/Chart.yaml', 'name: chart\nversion: 1.0.0\n');
    write('chart/values.yaml', 'agent:\n  hostUsers: true\n  hostPID: true\n');
    write(
      'chart/templates/pod.yaml',
      '# head\nkind: Pod\nspec:\n  hostPID: {{ .Values.agent.hostPID }}\n  hostIPC: true\n',
    );
    write('chart/charts/sub/Chart.yaml', 'name: sub\n');
    write('chart/examples/pod.yaml', 'kind: Pod\nspec: {}\n');
    write('library/Chart.yaml', 'name: library\ntype: library\n');
    write(
      'base/kustomization.yaml',
      'resources: [pod.yaml]\npatches:\n- path: patch.yaml\n- patch: |-\n    - op: remove\npatchesStrategicMerge: [old.yaml]\n',
    );
    write('base/pod.yaml', 'kind: Pod\nspec: {}\n');
    write('base/patch.yaml', 'kind: Deployment\nspec: {template: {spec: {hostPID: true}}}\n');
    write('base/old.yaml', 'kind: Deployment\nspec: {template: {spec: {}}}\n');
  });

  test('a chart is one input, without its templates and subcharts; a library chart is none', () => {
    expect(paths(['chart'])).toEqual([
      'helm:chart',
      'chart/Chart.yaml',
      'chart/examples/pod.yaml',
      'chart/values.yaml',
    ]);
    expect(paths(['library'])).toEqual(['library/Chart.yaml']);
    expect(paths(['chart'], { render: false })).toContain('chart/templates/pod.yaml');
  });

  test('a kustomization that is named is rendered, its files are read too', () => {
    expect(paths(['base'])).toEqual([
      'kustomize:base',
      'base/kustomization.yaml',
      'base/old.yaml',
      'base/patch.yaml',
      'base/pod.yaml',
    ]);
    expect(paths(['.']).filter((found) => found.startsWith('kustomize'))).toEqual(['kustomize:base']);
    expect(paths(['.'], { exclude: ['base/kustomization.yaml'] })).not.toContain('kustomize:base');
  });

  test('patches are parts of pods', () => {
    const inputs = [...scanInputs(['base'], { cwd: root, render: false })];
    const workloads = inputs.flatMap((input) => readManifests(input, { cwd: root }).workloads);
    expect(workloads.map(({ kind, containersOnly }) => `${kind} ${String(containersOnly)}`)).toEqual([
      'Deployment true',
      'Deployment true',
      'Pod undefined',
    ]);
  });

  test('kustomize goes before kubectl, which the tests with the real tools have', () => {
    tool('kubectl', '', 1);
    tool('kustomize', 'kind: Pod\nmetadata: {name: built}\nspec: {}\n');
    const [input] = scanInputs(['base'], { cwd: root });
    const read = input && readManifests(input, withTools());
    expect(read).toMatchObject({ workloads: [{ name: 'built' }], problems: [] });
    expect(readArguments('kustomize')).toBe(`build ${join(root, 'base')}`);
  });

  test.each([
    ['chart', /there is no helm on this machine to render it: install helm/],
    ['base', /neither kustomize nor kubectl/],
  ])('without the tool %s is a problem', (directory, message) => {
    const [input] = scanInputs([directory], { cwd: root });
    const options = { cwd: root, environment: { PATH: join(root, 'empty') } };
    expect(input && readManifests(input, options).problems).toMatchObject([
      { kind: 'tool-missing', fatal: true, message: expect.stringMatching(message), place: { file: directory } },
    ]);
  });

  function readArguments(name: string): string {
    return readFileText(join(tools, `${name}.args`));
  }
});

function readFileText(file: string): string {
  return readFileSync(file, 'utf8').trim();
}
