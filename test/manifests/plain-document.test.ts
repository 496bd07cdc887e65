import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chunksOf, sourceBytes } from '../../src/manifests/chunk.ts';
import { parseChunk } from '../../src/manifests/document.ts';
import { isSyntaxFault } from '../../src/manifests/syntax-error.ts';
import { UNBUILT } from '../../src/manifests/yaml/node.ts';
import type { Outline } from '../../src/manifests/yaml/outline.ts';
import { isPlainAndUnwanted } from '../../src/manifests/yaml/plain-document.ts';
import { yamlTexts } from './yaml-arbitrary.ts';

/** What the reader that works without text answers for a document, and the outline it saw. */
function plain(text: string): Outline | undefined {
  const { bytes, length } = sourceBytes(Buffer.from(text));
  let seen: Outline | undefined;
  const settled = isPlainAndUnwanted(bytes, 0, length, (outline) => {
    seen = outline;
    return false;
  });
  return settled ? seen : undefined;
}

/** What the scanner and the parser make of it: its outline where it is one well-formed document whose nodes are not made. */
function whole(text: string): Outline | undefined {
  let seen: Outline | undefined;
  const chunks = [...chunksOf(sourceBytes(Buffer.from(text)))];
  const [chunk] = chunks;
  if (chunks.length !== 1 || chunk === undefined) return undefined;
  try {
    const { roots } = parseChunk(chunk, 'yaml', (outline) => {
      seen = outline;
      return false;
    });
    return roots.length === 1 && roots[0] === UNBUILT ? seen : undefined;
  } catch (error) {
    if (!isSyntaxFault(error)) throw error;
    return undefined;
  }
}

const HEAD = 'apiVersion: v1\nkind: ConfigMap\n';
const OUTLINE = { apiVersion: 'v1', kind: 'ConfigMap' };

/** What people and controllers write: one of these given to the scanner costs time and no more. */
const USUAL = [
  'metadata:\n  name: a\n  labels:\n    app.kubernetes.io/name: a\n    "quoted/key": "x\\n\\"y\\""\n',
  'data:\n  script: |\n    #!/bin/sh\n\n    echo "a: b" # c\n    \tx\n      deeper\n  next: >-\n    folded\n    text\n',
  'data:\n  a: |+\n    kept\n\n\n  b: |\n\n    after an empty line\n',
  'data:\n  empty: |\n  next: x\n',
  'rules:\n- apiGroups:\n  - ""\n  resources: ["pods", \'x\', secrets]\n  verbs: [get]\n- apiGroups: []\n',
  'spec:\n  - a: 1\n    b: {}\n  -\n    c: 2\n  - plain text, and so on\n',
  'spec:\n  description: text over\n    several lines (of - any kind)\n\n    after an empty line\n  type: string\n',
  'spec:\n  pattern: ^[a-z]([-a-z0-9]*[a-z0-9])?$\n  url: https://example.com/#anchor\n  negative: -1\n  path: /etc/x\n',
  "spec:\n  single: 'it''s # no comment'\n  caf\u00e9: x\n".replace('caf\u00e9', 'cafe'),
  'spec: # why\n  # a line\n  text: \u201cquoted\u201d \u2014 caf\u00e9 \u{1f600} # c\n# at the end\n',
  'null-values:\nother:\n  a:\n  b:\n',
];

/** Pieces of documents on one line or a few, right and wrong, to be put together at any indentation. */
const LINES = [
  'key: value',
  'key:',
  '- item',
  '-',
  '- key: value',
  '- key:',
  '- - nested',
  'plain text',
  '# comment',
  '',
  '   ',
  'key: |',
  'key: >-',
  '- |',
  'key: |2',
  'key: |\n      \n    after blanks',
  'key: |\n     ',
  'key: >\n\n   text\n\n  less',
  'key: text: more',
  'key: text #comment',
  'key: text # comment',
  'key: "a" b',
  'key: "a" # c',
  "key: 'a''b'",
  'key: "a\\"b\\\\"',
  'key: "open',
  "'q': x",
  '"q" : x',
  'key: []',
  'key: [a, "b"]',
  'key: [a, b',
  'key: {}',
  'key: {a: b}',
  'key: &x a',
  'key: *x',
  'key: !!str a',
  'key: @a',
  'key: -',
  'key: - a',
  'key: -a',
  'key: ?',
  'key:\ttab',
  '\tkey: x',
  'key: x\ty',
  'key: \u00a0x',
  'key: \u0085',
  'key: a\u2028b',
  'key: \ufeff',
  'key: a\r',
  'kind: Pod',
  'kind: ConfigMap',
  'apiVersion: v1',
  'yes: x',
  'n: x',
  '<<: x',
  '? key',
  ': value',
  '...',
  '%YAML 1.1',
  '{a: b}',
  'a:b: c',
  'a:b',
  'key: a:',
  'key: :a',
  'key: \0',
  'key: \u0007',
];

function documents(): fc.Arbitrary<string> {
  const line = fc
    .tuple(fc.constantFrom(0, 0, 1, 2, 2, 4), fc.constantFrom(...LINES))
    .map(([indent, text]) => ' '.repeat(indent) + text);
  const body = fc.array(line, { maxLength: 9 }).map((lines) => lines.join('\n'));
  const nested = yamlTexts().map((text) => `data:\n${text.replaceAll(/^(?=.)/gm, '  ')}`);
  return fc
    .tuple(fc.constantFrom('', '---\n', '--- # c\n'), fc.oneof(body, nested, yamlTexts()), fc.constantFrom('', '\n'))
    .map(([start, text, end]) => `${start}${HEAD}${text}${end}`);
}

describe('a document that is checked without its text', () => {
  test.each(USUAL)('is one of those that are usual: %j', (text) => {
    for (const document of [HEAD + text, `---\n${HEAD}${text}`, HEAD + text.trimEnd()]) {
      expect(plain(document)).toEqual(OUTLINE);
      expect(whole(document)).toEqual(OUTLINE);
    }
  });

  test.each([
    ['kind: ConfigMap\n', 'no apiVersion'],
    [`${HEAD}kind: Pod\n`, 'two kinds'],
    ['apiVersion: v1\nkind: ConfigMap\n  Pod\n', 'a kind over two lines'],
    ['apiVersion: v1\nkind: "ConfigMap"\n', 'a kind in quotes'],
    [`${HEAD}"kind": Pod\n`, 'a key in quotes'],
    [`${HEAD}data:\n  a: *b\n`, 'an alias'],
    [`${HEAD}data:\n  a: "x\n`, 'an open quote'],
    [`${HEAD}...\nkind: Pod\n`, 'a second document'],
    [`%YAML 1.1\n---\n${HEAD}`, 'a directive'],
    [`\ufeff${HEAD}`, 'a byte order mark'],
    [HEAD.replaceAll('\n', '\r\n'), 'other line breaks'],
  ])('is never %j: %s', (text) => {
    expect(plain(text)).toBeUndefined();
  });

  test('is left to the parser at once when its kind is wanted', () => {
    const { bytes, length } = sourceBytes(Buffer.from(`${HEAD}data: {`));
    let asked = 0;
    expect(isPlainAndUnwanted(bytes, 0, length, () => ++asked > 0)).toBe(false);
    expect(asked).toBe(1);
  });

  test('is taken for the same by the scanner and the parser, whatever it is', () => {
    let settled = 0;
    fc.assert(
      fc.property(documents(), (text) => {
        const outline = plain(text);
        if (outline === undefined) return;
        settled++;
        expect(whole(text)).toEqual(outline);
      }),
      { numRuns: 20_000 },
    );
    // Enough of them are of the part it knows, for the comparison to mean something.
    expect(settled).toBeGreaterThan(500);
  });
});
