import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readManifestText } from '../../src/manifests/index.ts';
import { testify, WITNESS } from './kubectl-witness.ts';

const itWithGo = WITNESS === undefined ? test.skip : test;

/** `kind/name hostPID hostUsers` of every workload. */
function summary(text: string, path = 'file.yaml'): readonly string[] {
  return readManifestText(text, path).workloads.map(
    ({ kind, name, podSpec }) => `${kind}/${name} ${String(podSpec.hostPID)} ${String(podSpec.hostUsers)}`,
  );
}

/** The same from what kubectl reads, for Pods. */
function summaryOfPods(documents: readonly unknown[] | null): readonly string[] {
  return (documents ?? []).flatMap((document) => {
    const { kind, metadata, spec } = (document ?? {}) as {
      kind?: string;
      metadata?: { name?: string };
      spec?: { hostPID?: boolean; hostUsers?: boolean };
    };
    return kind === 'Pod' ? [`Pod/${metadata?.name ?? ''} ${String(spec?.hostPID)} ${String(spec?.hostUsers)}`] : [];
  });
}

const PODS = [
  'kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec:\n  hostPID: yes\n',
  'kind: Pod\r\napiVersion: v1\r\nmetadata:\r\n  name: b\r\nspec:\r\n  hostUsers: off\r\n',
  '{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "c"}, "spec": {"hostPID": true}}\n',
  '{\n\t"kind": "Pod",\n\t"metadata": {"name": "d\\/e"},\n\t"spec": {"hostUsers": false}\n}\n',
  '{kind: Pod, metadata: {name: f}, spec: {hostPID: on, hostUsers: n}}\n',
  '# comment\n\n',
  '',
  'kind: ConfigMap\napiVersion: v1\ndata:\n  pod.yaml: |\n    kind: Pod\n    spec:\n      hostPID: true\n',
  'x-pod: &p\n  hostPID: true\nkind: Pod\nmetadata: {name: g}\nspec:\n  <<: *p\n',
  '"kind": "Pod"\n\'metadata\': {name: h}\nspec: {hostPID: !!bool "yes"}\n',
  '\ufeffkind: Pod\nmetadata: {name: i}\nspec: {hostPID: true}\n',
  'kind: Pod\nmetadata:\n  name: "j\nk"\nspec:\n  hostPID: true\n',
];

describe('a stream of documents', () => {
  itWithGo('is split as kubectl splits it', () => {
    const streams = fc.sample(fc.array(fc.constantFrom(...PODS), { minLength: 1, maxLength: 4 }), {
      numRuns: 400,
      seed: 7,
    });
    const texts = streams.map((parts) => parts.map((part) => (part.endsWith('\n') ? part : `${part}\n`)).join('---\n'));
    const differing = testify(texts, 'stream').flatMap(({ documents, error }, index) => {
      const text = texts[index] ?? '';
      // A file that begins with JSON and goes on in YAML is one kubectl gives up on; all its documents are read here.
      if (error !== undefined) return [];
      // After a JSON value kubectl takes a byte order mark for a part of the first key.
      if (text.startsWith('{') && text.includes('\ufeff')) return [];
      const expected = summaryOfPods(documents);
      const read = summary(text);
      return JSON.stringify(read) === JSON.stringify(expected) ? [] : [{ text, read, expected }];
    });
    expect(differing).toEqual([]);
  });

  test('may have text, comments or blanks after ---', () => {
    const text =
      '--- # first\nkind: Pod\nspec: {}\n---\t\nkind: Pod\nspec: {}\n--- {kind: Pod, spec: {hostPID: true}}\n';
    expect(summary(text)).toEqual(['Pod/ undefined undefined', 'Pod/ undefined undefined', 'Pod/ true undefined']);
  });

  test('is cut at --- alone: not within words, nor deeper', () => {
    const text =
      'kind: Pod\nmetadata:\n  name: x\n  annotations:\n    a: |\n      ---\n      kind: Pod\nspec: {a: ---b}\n';
    expect(readManifestText(text, 'f.yaml')).toMatchObject({ documents: 1, problems: [], workloads: [{ name: 'x' }] });
  });

  test('may go on after ... and is counted whole', () => {
    const text = 'kind: Pod\nspec: {}\n...\n---\nkind: Pod\nspec: {}\n...\nkind: Pod\nspec: {}\n';
    expect(readManifestText(text, 'f.yaml')).toMatchObject({ documents: 3, problems: [] });
    expect(summary(text)).toHaveLength(3);
  });

  test('of JSON values in a row is read, each a document', () => {
    expect(summary('{"kind":"Pod","spec":{}}{"kind":"Pod","spec":{}}\n{"kind":"Pod","spec":{}}')).toHaveLength(3);
  });

  test('counts documents that hold something', () => {
    expect(readManifestText('---\n# a\n---\n---\na: 1\n---\n- b\n---\n', 'f.yaml').documents).toBe(2);
  });
});
