import { describe, expect, test } from '@jest/globals';
import { commentsAt, readManifestText } from '../../src/manifests/index.ts';
import { fixtureText, marksOf, readFixture } from './reader-fixtures.ts';

describe.each(['places.yaml', 'compose.yaml'])('%s: fields stand where the marks say', (name) => {
  const { workloads } = readFixture(name);
  test.each(marksOf(fixtureText(name)).map((mark) => [`${mark.workload} ${mark.path.join('.')}`, mark] as const))(
    '%s',
    (_, { workload, path, line, column }) => {
      expect(workloads[workload]?.locate(path)).toMatchObject({ file: name, line, column });
    },
  );
});

function locate(text: string, ...path: readonly (string | number)[]): string {
  const { line, column, endLine, endColumn } = readManifestText(text, 'f.yaml').workloads[0]?.locate(path) ?? {
    line: 0,
    column: 0,
    endLine: 0,
    endColumn: 0,
  };
  return `${line}:${column}-${endLine}:${endColumn}`;
}

describe('a place', () => {
  test('goes from the key to the end of a value on its line, without the comment', () => {
    expect(locate('kind: Pod\nspec:\n  hostPID: true # c\n', 'hostPID')).toBe('3:3-3:16');
    expect(locate('kind: Pod\nspec: {hostPID: true }\n', 'hostPID')).toBe('2:8-2:21');
    expect(locate('{"kind":"Pod","spec":{"hostPID":true}}', 'hostPID')).toBe('1:23-1:37');
    expect(locate('kind: Pod\nspec:\n  securityContext: {fsGroup: 1}\n', 'securityContext')).toBe('3:3-3:32');
  });

  test('is the key alone of a block, and of the parent of what is missing', () => {
    expect(locate('kind: Pod\nspec:\n  securityContext:\n    fsGroup: 1\n', 'securityContext')).toBe('3:3-3:18');
    expect(locate('kind: Pod\nspec:\n  hostPID: true\n', 'hostUsers')).toBe('2:1-2:5');
    expect(locate('kind: Pod\nspec: {}\n', 'hostUsers')).toBe('2:1-2:5');
  });

  test('of an element of a list is its first line', () => {
    expect(locate('kind: Pod\nspec:\n  containers:\n  - name: a\n    image: b\n', 'containers', 0)).toBe('4:5-4:12');
  });

  test('spans the lines of a scalar', () => {
    expect(locate('kind: Pod\nspec:\n  hostPID:\n    true\n', 'hostPID')).toBe('3:3-4:9');
  });

  test.each([
    ['CRLF', 'a: 1\r\n---\r\nkind: Pod\r\nspec:\r\n  hostPID: true\r\n', '5:3-5:16'],
    ['CR', '# a\rkind: Pod\rspec:\r  hostPID: true\r', '4:3-4:16'],
    ['a byte order mark', '\ufeffkind: Pod\nspec:\n  hostPID: true\n', '3:3-3:16'],
    ['a mark on the line itself', '\ufeff{kind: Pod, spec: {hostPID: on}}\n', '1:20-1:31'],
    [
      'letters beyond ASCII, in UTF-16 units',
      '# é😀\n---\nkind: Pod\n"é😀": 1\nspec: {"😀": 1, hostPID: true}\n',
      '5:17-5:30',
    ],
    [
      'documents that are not built',
      'kind: ConfigMap\napiVersion: v1\ndata:\n  a: b\n---\nkind: Pod\nspec:\n  hostPID: true\n',
      '8:3-8:16',
    ],
    ['documents after ...', 'kind: ConfigMap\n...\n---\nkind: Pod\nspec:\n  hostPID: true\n', '6:3-6:16'],
    ['JSON after JSON', '{"kind":"ConfigMap"}\n{"kind":"Pod",\n"spec":{"hostPID":true}}', '3:9-3:23'],
    ['an alias for the value', 'a: &t true\nkind: Pod\nspec:\n  hostPID: *t\n', '4:3-4:14'],
    ['a merge', 'a: &a\n  hostPID: true\nkind: Pod\nspec:\n  <<: *a\n', '2:3-2:16'],
    ['a merge of a merge', 'a: &a {hostPID: true}\nb: &b {<<: *a}\nkind: Pod\nspec: {<<: [*b]}\n', '1:8-1:21'],
    ['the last of two keys', 'kind: Pod\nspec:\n  hostPID: false\n  hostPID: true\n', '4:3-4:16'],
    ['a quoted key', 'kind: Pod\nspec:\n  "hostPID": true\n', '3:3-3:18'],
    ['a complex key', 'kind: Pod\nspec:\n  ? hostPID\n  : true\n', '3:5-4:9'],
  ])('is right with %s', (_, text, expected) => {
    expect(locate(text, 'hostPID')).toBe(expected);
  });

  test('is right after other chunks were looked up', () => {
    const text = 'kind: Pod\nspec: {hostPID: true}\n---\nkind: Pod\nspec:\n  hostPID: true\n';
    const { workloads } = readManifestText(text, 'f.yaml');
    const lines = [0, 1, 0, 1].map((index) => workloads[index]?.locate(['hostPID']).line);
    expect(lines).toEqual([2, 6, 2, 6]);
  });

  test('of an annotation is where it stands, the template before the object', () => {
    const text =
      'kind: Deployment\nmetadata:\n  annotations: {a: x, b: y}\nspec:\n  template:\n    metadata:\n      annotations:\n        b: z\n    spec: {}\n';
    const [workload] = readManifestText(text, 'f.yaml').workloads;
    expect(workload?.annotations).toEqual({ a: 'x', b: 'z' });
    expect(workload?.locateAnnotation?.('a')).toMatchObject({ line: 3, column: 17 });
    expect(workload?.locateAnnotation?.('b')).toMatchObject({ line: 8, column: 9 });
  });

  test('names fields for people', () => {
    const [workload] = readManifestText('kind: Deployment\nspec: {template: {spec: {}}}\n', 'f.yaml').workloads;
    expect(workload?.fieldName(['containers', 0, 'securityContext', 'privileged'])).toBe(
      'spec.template.spec.containers[0].securityContext.privileged',
    );
  });
});

describe('comments', () => {
  const text =
    '# file\nkind: Pod\nspec: # the spec\n  # one\n\n  # two\n  #three\n  hostPID: true # four\n  hostIPC: "a # b" #five\n  hostNetwork: true\n';
  const [pod] = readManifestText(text, 'f.yaml').workloads;
  test.each([
    [['hostPID'], ['6 # two', '7 #three', '8 # four']],
    [['hostIPC'], ['9 #five']],
    [['hostNetwork'], []],
    [['hostUsers'], ['3 # the spec']],
  ])('of %j', (path, expected) => {
    expect(pod && commentsAt(pod, path).map(({ line, text: comment }) => `${line} ${comment}`)).toEqual(expected);
  });
});
