import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fixManifests, readManifestText } from '../../src/manifests/index.ts';
import type { FixResult, ManifestEdit } from '../../src/manifests/index.ts';
import { parseChunk } from '../../src/manifests/document.ts';
import { plainValue } from '../../src/manifests/yaml/check.ts';
import { chunkOf } from './yaml-values.ts';

const PRIVATE: ManifestEdit = { path: ['hostUsers'], set: false };
const NO_PID: ManifestEdit = { path: ['hostPID'], remove: true };

/** The same edits for every workload of a text. */
function fix(text: string, edits: readonly ManifestEdit[] = [PRIVATE], path = 'f.yaml'): FixResult {
  const manifests = readManifestText(text, path);
  return fixManifests(
    manifests,
    manifests.workloads.map((workload) => ({ workload, edits })),
  );
}

function reasons({ refused }: FixResult): readonly string[] {
  return refused.map(({ workload, edit, reason }) => `${workload.name} ${edit.path.join('.')}: ${reason}`);
}

describe('setting a field', () => {
  test.each([
    [
      'below the key of the pod spec',
      'kind: Pod\nspec:\n  hostPID: true\n',
      'kind: Pod\nspec:\n  hostUsers: false\n  hostPID: true\n',
    ],
    [
      'above comments, which belong to what follows',
      'kind: Pod\nspec: # the pod\n\n  # why\n  hostPID: true # c\n',
      'kind: Pod\nspec: # the pod\n  hostUsers: false\n\n  # why\n  hostPID: true # c\n',
    ],
    [
      'at the indentation there is',
      'kind: Pod\nspec:\n     a: 1\n',
      'kind: Pod\nspec:\n     hostUsers: false\n     a: 1\n',
    ],
    [
      'with the line ends there are',
      'kind: Pod\r\nspec:\r\n  a: 1\r\n',
      'kind: Pod\r\nspec:\r\n  hostUsers: false\r\n  a: 1\r\n',
    ],
    ['without a last line end', 'kind: Pod\nspec:\n  a: 1', 'kind: Pod\nspec:\n  hostUsers: false\n  a: 1'],
    ['in brackets', 'kind: Pod\nspec: {a: 1}\n', 'kind: Pod\nspec: {hostUsers: false, a: 1}\n'],
    ['in brackets with space', 'kind: Pod\nspec: { a: 1 }\n', 'kind: Pod\nspec: { hostUsers: false, a: 1 }\n'],
    [
      'in brackets over lines',
      'kind: Pod\nspec: {\n    a: 1\n  }\n',
      'kind: Pod\nspec: {\n    hostUsers: false,\n    a: 1\n  }\n',
    ],
    ['in empty brackets', 'kind: Pod\nspec: {}\n', 'kind: Pod\nspec: {hostUsers: false}\n'],
    [
      'in KYAML',
      '---\n{\n  kind: "Pod",\n  spec: {\n    hostPID: true,\n  },\n}\n',
      '---\n{\n  kind: "Pod",\n  spec: {\n    hostUsers: false,\n    hostPID: true,\n  },\n}\n',
    ],
    ['in JSON', '{"kind":"Pod","spec":{"a":1}}', '{"kind":"Pod","spec":{"hostUsers":false,"a":1}}'],
    [
      'in JSON with space',
      '{"kind": "Pod", "spec": {"a": 1}}',
      '{"kind": "Pod", "spec": {"hostUsers": false, "a": 1}}',
    ],
    [
      'in JSON over lines',
      '{\n\t"kind": "Pod",\n\t"spec": {\n\t\t"a": 1\n\t}\n}\n',
      '{\n\t"kind": "Pod",\n\t"spec": {\n\t\t"hostUsers": false,\n\t\t"a": 1\n\t}\n}\n',
    ],
    [
      'in an element of a list',
      'kind: List\nitems:\n- spec:\n    a: 1\n  kind: Pod\n',
      'kind: List\nitems:\n- spec:\n    hostUsers: false\n    a: 1\n  kind: Pod\n',
    ],
    ['for another value', 'kind: Pod\nspec:\n  hostUsers: yes # no\n', 'kind: Pod\nspec:\n  hostUsers: false # no\n'],
    [
      'for no value',
      'kind: Pod\nspec:\n  hostUsers: # c\n  a: 1\n',
      'kind: Pod\nspec:\n  hostUsers: false # c\n  a: 1\n',
    ],
    ['for null', 'kind: Pod\nspec: {hostUsers: null}\n', 'kind: Pod\nspec: {hostUsers: false}\n'],
    ['that is so already', 'kind: Pod\nspec:\n  hostUsers: no\n', 'kind: Pod\nspec:\n  hostUsers: no\n'],
    [
      'in every document',
      '# é😀\nkind: Pod\nspec: {a: é}\n---\nkind: ConfigMap\n---\nkind: Pod\nspec:\n  a: 1\n...\n',
      '# é😀\nkind: Pod\nspec: {hostUsers: false, a: é}\n---\nkind: ConfigMap\n---\nkind: Pod\nspec:\n  hostUsers: false\n  a: 1\n...\n',
    ],
    [
      'after a byte order mark',
      '\ufeffkind: Pod\nspec:\n  a: 1\n',
      '\ufeffkind: Pod\nspec:\n  hostUsers: false\n  a: 1\n',
    ],
  ])('%s', (_, before, after) => {
    const result = fix(before);
    expect(reasons(result)).toEqual([]);
    expect(result.text).toBe(after);
    expect(result.before).toBe(before);
    expect(fix(after).text).toBe(after);
  });

  test('of a list gives one file with every workload edited', () => {
    const text = `kind: List\nitems:\n${'- kind: Pod\n  spec:\n    a: 1\n'.repeat(300)}`;
    const { text: after, applied } = fix(text);
    expect(applied).toHaveLength(300);
    expect(after).toBe(text.replaceAll('    a: 1\n', '    hostUsers: false\n    a: 1\n'));
  });
});

test('one edit that does not come out right keeps none of the others back', () => {
  const pods = Array.from({ length: 200 }, (_, index) =>
    index === 77 ? '- kind: Pod\n  metadata: {name: bad}\n  spec: &s\n    a: 1\n' : '- kind: Pod\n  spec:\n    a: 1\n',
  );
  const { applied, refused } = fix(`kind: List\nitems:\n${pods.join('')}- *s\n`);
  expect(applied).toHaveLength(199);
  expect(refused.map(({ workload }) => workload.name)).toEqual(['bad']);
});

describe('removing a field', () => {
  test.each([
    ['takes its line', 'kind: Pod\nspec:\n  hostPID: true\n  a: 1\n', 'kind: Pod\nspec:\n  a: 1\n'],
    [
      'and its comment, not those above',
      'kind: Pod\nspec:\n  # why\n  hostPID: true # c\n  a: 1\n',
      'kind: Pod\nspec:\n  # why\n  a: 1\n',
    ],
    ['the last', 'kind: Pod\nspec:\n  a: 1\n  hostPID: true\n', 'kind: Pod\nspec:\n  a: 1\n'],
    ['the last without a line end', 'kind: Pod\nspec:\n  a: 1\n  hostPID: true', 'kind: Pod\nspec:\n  a: 1\n'],
    ['the only one', 'kind: Pod\nspec:\n  hostPID: true\n', 'kind: Pod\nspec: {}\n'],
    [
      'the first of an element',
      'kind: List\nitems:\n- kind: Pod\n  spec:\n    hostPID: true\n    a: 1\n',
      'kind: List\nitems:\n- kind: Pod\n  spec:\n    a: 1\n',
    ],
    ['on two lines', 'kind: Pod\nspec:\n  hostPID:\n    true\n  a: 1\n', 'kind: Pod\nspec:\n  a: 1\n'],
    ['of brackets, the first', 'kind: Pod\nspec: {hostPID: true, a: 1}\n', 'kind: Pod\nspec: {a: 1}\n'],
    ['of brackets, the last', 'kind: Pod\nspec: {a: 1, hostPID: true}\n', 'kind: Pod\nspec: {a: 1}\n'],
    ['of brackets, the only one', 'kind: Pod\nspec: {hostPID: true}\n', 'kind: Pod\nspec: {}\n'],
    [
      'of JSON',
      '{\n  "kind": "Pod",\n  "spec": {\n    "a": 1,\n    "hostPID": true\n  }\n}\n',
      '{\n  "kind": "Pod",\n  "spec": {\n    "a": 1\n  }\n}\n',
    ],
    [
      'of brackets over lines, and its comment, not those of its neighbors',
      'kind: Pod\nspec: {\n  hostPID: true, # c\n  # about a\n  a: 1,\n}\n',
      'kind: Pod\nspec: {\n  # about a\n  a: 1,\n}\n',
    ],
    [
      'of brackets over lines, the last',
      'kind: Pod\nspec: {\n  a: 1, # about a\n  hostPID: true # c\n}\n',
      'kind: Pod\nspec: {\n  a: 1, # about a\n}\n',
    ],
    ['that is not there', 'kind: Pod\nspec: {a: 1}\n', 'kind: Pod\nspec: {a: 1}\n'],
  ])('%s', (_, before, after) => {
    const result = fix(before, [NO_PID]);
    expect(reasons(result)).toEqual([]);
    expect(result.text).toBe(after);
  });

  test('within containers', () => {
    const text =
      'kind: Pod\nspec:\n  containers:\n  - securityContext:\n      procMount: Unmasked\n    name: a\n  - name: b\n    securityContext: {procMount: Unmasked, privileged: true}\n';
    const edits = [0, 1].map(
      (index) => ({ path: ['containers', index, 'securityContext', 'procMount'], remove: true }) as const,
    );
    expect(fix(text, edits).text).toBe(
      'kind: Pod\nspec:\n  containers:\n  - securityContext: {}\n    name: a\n  - name: b\n    securityContext: {privileged: true}\n',
    );
  });

  test('and setting another come together', () => {
    expect(fix('kind: Pod\nspec:\n  hostPID: true\n', [NO_PID, PRIVATE]).text).toBe(
      'kind: Pod\nspec: {hostUsers: false}\n',
    );
    expect(fix('kind: Pod\nspec:\n  hostPID: true\n', [PRIVATE, NO_PID]).text).toBe(
      'kind: Pod\nspec:\n  hostUsers: false\n',
    );
  });
});

describe('an edit is refused with a reason', () => {
  test.each([
    [
      'kind: List\nitems:\n- kind: Pod\n  metadata: {name: a}\n  spec: &s\n    a: 1\n- kind: Pod\n  metadata: {name: b}\n  spec: *s\n',
      [
        'b hostUsers: items.1.spec is an alias of what is written on line 6: edit it there, for all that share it',
        'a hostUsers: the edit would change other fields too, as by an anchor that others use: make it by hand',
      ],
    ],
    [
      'x: &x {hostUsers: true}\nkind: Pod\nspec:\n  <<: *x\n',
      [' hostUsers: spec.hostUsers is merged (<<) from line 1: edit it there, for all that share it'],
    ],
    ['kind: Pod\nspec:\n  hostUsers: {a: b}\n', [' hostUsers: a mapping or list stands there: edit it by hand']],
    [
      'kind: Pod\nspec:\n  hostUsers: &h true\n  b: *h\n',
      [' hostUsers: the edit would change other fields too, as by an anchor that others use: make it by hand'],
    ],
    [
      'apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec: {templates: [{name: a, container: {image: b}}]}\n',
      ['/a hostUsers: an Argo template has no such field: set it in the podSpecPatch of the workflow'],
    ],
    [
      'apiVersion: tekton.dev/v1\nkind: Task\nspec: {steps: [{name: a}]}\n',
      [' hostUsers: Tekton makes the pod: set the field in the pod template of the run, where its version has it'],
    ],
    [
      '[{"Id": "1", "Name": "/a", "HostConfig": {}}]',
      ['a hostUsers: a record of a container that runs: change how it is started'],
    ],
  ])('%j', (text, expected) => {
    const result = fix(text);
    expect(reasons(result)).toEqual(expected);
    expect(result.text).toBe(text);
  });

  test('what comes from a helper is not, if only a value is shared', () => {
    const text = 'x: &no false\nkind: Pod\nspec:\n  hostUsers: *no\n';
    expect(fix(text).text).toBe(text);
  });

  test('comments within brackets that stand with others are kept', () => {
    const text = 'kind: Pod\nspec: {hostPID: true, b: 1, # about b\n  a: 1}\n';
    expect(fix(text, [NO_PID]).text).toBe(text.replace('hostPID: true, ', ''));
    const between = 'kind: Pod\nspec: {a: 1, hostPID: true, # about both\n  b: 1}\n';
    const result = fix(between, [NO_PID]);
    expect(reasons(result)).toEqual([' hostPID: comments stand between: remove it by hand']);
    expect(result.text).toBe(between);
  });

  test('hostUsers: false is not set beside a host namespace that has to stay', () => {
    const text = 'kind: Pod\nx: &x {hostPID: true}\nspec:\n  <<: *x\n  a: 1\n';
    const result = fix(text, [NO_PID, PRIVATE]);
    expect(reasons(result)).toEqual([
      expect.stringContaining('is merged (<<)'),
      ' hostUsers: hostPID stays, and the API server refuses both together',
    ]);
    expect(result.text).toBe(text);
  });

  test('a file that has changed since is an error', () => {
    const manifests = readManifestText('kind: Pod\nspec: {a: 1}\n', 'f.yaml');
    const [workload] = manifests.workloads;
    const other = readManifestText('kind: Pod\nspec: {b: 1}\n', 'f.yaml');
    expect(() => fixManifests(other, workload ? [{ workload, edits: [PRIVATE] }] : [])).toThrow(
      /changed since it was read/,
    );
  });
});

describe('a Compose file', () => {
  const text =
    'services:\n  web:\n    image: x\n    userns_mode: host # c\n    pid: "host"\n  db: {image: y, pid: host}\n';

  test('loses the modes that share the host', () => {
    const edits: readonly ManifestEdit[] = [{ path: ['hostUsers'], remove: true }, NO_PID];
    expect(fix(text, edits, 'compose.yaml').text).toBe('services:\n  web:\n    image: x\n  db: {image: y}\n');
    expect(fix(text, [PRIVATE], 'compose.yaml').text).toBe(text.replace('    userns_mode: host # c\n', ''));
  });

  test("keeps a network that is the host's", () => {
    const joined = 'services:\n  a: {image: x, networks: [out]}\nnetworks: {out: {external: true, name: host}}\n';
    expect(reasons(fix(joined, [{ path: ['hostNetwork'], remove: true }], 'compose.yaml'))).toEqual([
      "a hostNetwork: it joins the host's network by `networks`: take it off that list",
    ]);
  });
});

describe('whatever is edited', () => {
  /** Values of the documents. */
  function valuesOf(text: string): readonly unknown[] {
    const parsed = parseChunk(chunkOf(text), 'yaml');
    return parsed.roots.map((root) => plainValue(parsed, root));
  }

  test('reads the same but for the edit, and a second time changes nothing', () => {
    let edited = 0;
    fc.assert(
      fc.property(
        podTexts(),
        fc.constantFrom<readonly ManifestEdit[]>([PRIVATE], [NO_PID], [PRIVATE, NO_PID]),
        (text, edits) => {
          const result = fix(text, edits);
          if (result.refused.length > 0) return;
          edited++;
          const [before] = valuesOf(text) as readonly { readonly spec: Record<string, unknown> }[];
          const [after] = valuesOf(result.text) as readonly { readonly spec: Record<string, unknown> }[];
          const expected = { ...before?.spec };
          if (edits.includes(PRIVATE)) expected['hostUsers'] = false;
          if (edits.includes(NO_PID)) delete expected['hostPID'];
          expect(after).toEqual({ ...before, spec: expected });
          expect(fix(result.text, edits).text).toBe(result.text);
          // Comments and lines that have nothing to do with it are there as they were.
          const gone = text.split(/\r?\n/).filter((line) => line.includes('#') && !/hostPID|hostUsers/.test(line));
          for (const line of gone) expect(result.text).toContain(line.slice(line.indexOf('#')));
        },
      ),
      { numRuns: 2000, seed: 9 },
    );
    expect(edited).toBeGreaterThan(1500);
  });
});

/** Pods in block and flow style with comments, odd indentation and line ends. */
function podTexts(): fc.Arbitrary<string> {
  const field = fc.constantFrom(
    'hostPID: true',
    'hostPID: yes # needed',
    '"hostPID": on',
    'hostUsers: true',
    'hostUsers: # unset',
    'containers: []',
    'containers:\n- name: a\n  image: b # c',
    'containers:\n  - name: a\n    args: ["-c", "x # y"]',
    'volumes: [{name: v}]',
    'text: |\n  hostPID: true\n  # not a comment',
    'folded: >-\n  x\n\n  y',
    'quoted: "x\n  y"',
    '# a comment',
    '',
    '? complex\n: value',
  );
  const indent = (text: string, by: number): string => text.replaceAll('\n', `\n${' '.repeat(by)}`);
  const block = fc
    .tuple(
      fc.uniqueArray(field, { minLength: 1, maxLength: 6, selector: (text) => /\w+/.exec(text)?.[0] ?? text }),
      fc.constantFrom(2, 4, 1),
    )
    .filter(([fields]) => fields.some((text) => /^[\w"?]/.test(text)))
    .map(([fields, by]) => `spec: # pod\n${fields.map((text) => `${' '.repeat(by)}${indent(text, by)}`).join('\n')}`);
  const pair = fc.constantFrom(
    'hostPID: true',
    'hostUsers: yes',
    '"a": [1, {b: c}]',
    "'x y': 'z, w'",
    'n:',
    'containers: []',
  );
  const flow = fc
    .tuple(
      fc.uniqueArray(pair, { maxLength: 4 }),
      fc.constantFrom(', ', ',', ',\n    ', ' , '),
      fc.constantFrom('', ' ', '\n    '),
      fc.boolean(),
    )
    .map(
      ([pairs, comma, pad, trailing]) =>
        `spec: {${pad}${pairs.join(comma)}${trailing && pairs.length > 0 ? ',' : ''}${pad}}`,
    );
  return fc
    .tuple(
      fc.oneof(block, flow),
      fc.constantFrom('kind: Pod', '# head\nkind: Pod # k', '"kind": Pod'),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.constantFrom('\n', ''),
    )
    .map(([spec, kind, eol, last, end]) =>
      `${last ? `${kind}\n${spec}` : `${spec}\n${kind}`}${end}`.replaceAll('\n', eol),
    );
}
