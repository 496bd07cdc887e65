import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readManifests, readManifestText, scanInputs } from '../../src/manifests/index.ts';

/** `kind fatal line:column message` of every problem. */
function problems(text: string, path = 'f.yaml'): readonly string[] {
  return readManifestText(text, path).problems.map(
    ({ kind, fatal, place: { line, column }, message }) =>
      `${kind} ${fatal ? 'fatal' : 'remark'} ${line}:${column} ${message}`,
  );
}

describe('what cannot be read is told', () => {
  test.each([
    ['kind: Pod\nspec: [a\n', "unparsable fatal 2:8 not valid YAML: did not find expected ',' or ']'"],
    [
      'a: 1\n---\nkind: Pod\n  b: 2\n',
      "unparsable fatal 4:4 not valid YAML: mapping values are not allowed here: quote a text that contains ': ', and check the indentation",
    ],
    [
      'kind: Pod\n\tspec: 1\n',
      'unparsable fatal 2:1 not valid YAML: found a tab that violates indentation: indent with spaces (it begins on line 1)',
    ],
    [
      'kind: "Pod\nspec: 1\n',
      'unparsable fatal 2:7 not valid YAML: this quoted text is not closed before the document ends (it begins on line 1)',
    ],
    ['kind: *pod\n', "unparsable fatal 1:7 not valid YAML: unknown anchor 'pod' referenced"],
    [
      'kind: Pod\nspec:\n  hostPID: true\n  hostPID: false\n',
      'unparsable fatal 4:3 duplicate key "hostPID", first on line 3: remove one of them',
    ],
    [
      'kind: Pod\nspec: {}\n? [a]\n: b\n',
      'unparsable fatal 3:3 this cannot be a key: Kubernetes takes only strings, numbers and booleans',
    ],
    ['kind: Pod\nspec: !!int x\n', 'unparsable fatal 2:13 this value is not what its tag !!int says'],
    [
      'kind: Pod\n  spec: {}\n a: \x00\n',
      'unparsable fatal 3:5 not valid YAML: control characters are not allowed: found U+0000',
    ],
  ])('%j', (text, expected) => {
    expect(problems(text)[0]).toBe(expected);
  });

  test('at its line in a JSON file', () => {
    expect(problems('{\n  "kind": "Pod",\n  "spec": {,}\n}', 'f.json')).toEqual([
      'unparsable fatal 3:12 not valid JSON: expected a key in double quotes',
    ]);
  });

  test('a JSON file with a comment, which YAML takes for one text', () => {
    expect(problems('// a comment\n{"kind":"Pod","spec":{"hostPID":true}}', 'f.json')).toEqual([
      'unparsable fatal 1:1 not valid JSON of an object: the whole document is one text',
    ]);
    expect(problems('~\n---\nnull\n---\n# nothing\n')).toEqual([]);
  });

  test.each([
    ['kind: Pod\nspec: {}\nkind: ConfigMap\n', 'unparsable fatal 3:1 duplicate key "kind", first on line 1'],
    ['kind: Pod\nspec: {}\nspec: null\n', 'unparsable fatal 3:1 duplicate key "spec", first on line 2'],
    ['kind: Pod\nspec: host\n', 'wrong-type fatal 2:1 Pod: spec must be a mapping, not the text host'],
    [
      'kind: Deployment\nspec: {template: {spec: [a]}}\n',
      'wrong-type fatal 2:19 Deployment: spec.template.spec must be a mapping, not a list',
    ],
  ])('though it hides its pod: %j', (text, expected) => {
    expect(problems(text)).toEqual([expect.stringContaining(expected)]);
  });

  test('but not a workload without a pod spec, as patches are', () => {
    expect(problems('kind: Deployment\nspec:\n  replicas: 2\n---\nkind: Pod\nspec:\n')).toEqual([]);
  });

  test('and the other documents are read all the same', () => {
    const text = 'kind: Pod\nspec: [\n---\nkind: Pod\nmetadata: {name: a}\nspec: {}\n';
    const { workloads, documents } = readManifestText(text, 'f.yaml');
    expect(workloads).toMatchObject([{ name: 'a' }]);
    expect(documents).toBe(2);
  });

  test('of thousands, a hundred one by one', () => {
    const told = problems('a: [\n---\n'.repeat(500));
    expect(told).toHaveLength(101);
    expect(told[100]).toMatch(/^unparsable fatal 201:4 and 400 more problems of this file, from here on: /);
  });

  test('as invalid UTF-8', () => {
    const directory = mkdtempSync(join(tmpdir(), 'manifests-'));
    try {
      writeFileSync(join(directory, 'a.yaml'), Buffer.from('kind: Pod\nspec: {}\n# \xff\n', 'latin1'));
      writeFileSync(join(directory, 'b.yaml'), Buffer.from('\ufeffkind: Pod\nspec:\n  hostPID: true\n', 'utf16le'));
      const [first, second] = [...scanInputs([directory], { cwd: directory })].map((input) =>
        readManifests(input, { cwd: directory }),
      );
      expect(first).toMatchObject({
        workloads: [{ kind: 'Pod' }],
        problems: [{ kind: 'unparsable', fatal: true, place: { file: 'a.yaml', line: 3, column: 3 } }],
      });
      expect(second).toMatchObject({ problems: [], workloads: [{ podSpec: { hostPID: true } }] });
      expect(second?.workloads[0]?.locate(['hostPID'])).toMatchObject({ file: 'b.yaml', line: 3, column: 3 });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('a template is named as one, once', () => {
  const TOLD = /^template fatal \d+:\d+ a template \(\{\{ \}\}\), which has to be rendered/;
  test.each([
    'kind: Pod\nspec:\n  hostPID: {{ .Values.hostPID }}\n',
    '{{- if .Values.on }}\nkind: Pod\n{{- end }}\n---\n{{ if .x }}\nkind: Pod\n{{ end }}\n',
    'kind: Pod\nspec:\n{% if x %}\n  hostPID: true\n{% endif %}\n',
    'kind: Deployment\nspec: {{ toYaml .Values.spec | nindent 2 }}\n',
  ])('%j', (text) => {
    expect(problems(text)).toEqual([expect.stringMatching(TOLD)]);
  });

  test('at the first of its actions', () => {
    expect(problems('kind: Pod\nmetadata: {{ .a }}\nspec: {{ .b }}\n')).toEqual([expect.stringContaining(' 2:')]);
  });

  test('but not where braces are in quotes', () => {
    expect(problems('kind: Pod\nmetadata: {name: "{{inputs.name}}"}\nspec: {}\n')).toEqual([]);
  });
});

describe('a file found in a directory', () => {
  test.each([
    ['tsconfig.json', '{ // comment\n "a": 1 }', false],
    ['mkdocs.yml', 'a: [\n', false],
    ['pod.yaml', 'kind: Pod\nspec: [\n', true],
    ['hidden.yaml', '"\\x6bind": [\n', true],
    ['keys.yaml', '? [a]\n: b\n', false],
  ])('%s that is broken fails the run only where it may run containers', (name, text, fatal) => {
    const directory = mkdtempSync(join(tmpdir(), 'manifests-'));
    try {
      writeFileSync(join(directory, name), text);
      const [input] = scanInputs([directory], { cwd: directory });
      expect(input && readManifests(input, { cwd: directory }).problems).toMatchObject([{ kind: 'unparsable', fatal }]);
      const [named] = scanInputs([name], { cwd: directory });
      expect(named && readManifests(named, { cwd: directory }).problems).toMatchObject([
        { kind: 'unparsable', fatal: true },
      ]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
