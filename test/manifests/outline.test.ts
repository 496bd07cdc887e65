import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseChunk } from '../../src/manifests/document.ts';
import { objectsOf } from '../../src/manifests/objects.ts';
import { mayBeWorkload } from '../../src/manifests/plain-kinds.ts';
import { isSyntaxFault } from '../../src/manifests/syntax-error.ts';
import { outlineOf } from '../../src/manifests/yaml/outline.ts';
import type { Outline } from '../../src/manifests/yaml/outline.ts';
import { scanTokens } from '../../src/manifests/yaml/scan.ts';
import { chunkOf } from './yaml-values.ts';

function outline(text: string): Outline | undefined {
  return outlineOf(scanTokens(`${text}\0`, text.length, false));
}

const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' };

describe('a document whose nodes are not made', () => {
  test.each([
    'kind: ConfigMap\napiVersion: v1\n',
    'apiVersion: v1 # c\nkind: ConfigMap\r\ndata: {kind: Pod}\n',
    '---\napiVersion: v1\nkind: ConfigMap\ndata:\n  kind: Pod\n  x: |\n    kind: Pod\nlist:\n- kind: Pod\n',
    '  apiVersion: v1\n  kind:   ConfigMap   \n',
  ])('is one whose kind is certain: %j', (text) => {
    expect(outline(text)).toEqual(CONFIG_MAP);
  });

  test.each([
    'kind: ConfigMap\napiVersion: v1\nkind: Pod\n',
    'kind: ConfigMap\napiVersion: v1\n"kind": Pod\n',
    'kind: ConfigMap\napiVersion: v1\n"\\x6bind": Pod\n',
    'kind: ConfigMap\napiVersion: v1\n? kind\n: Pod\n',
    'kind: ConfigMap\napiVersion: v1\n!!str kind: Pod\n',
    'kind: ConfigMap\napiVersion: v1\n!!binary a2luZA==: Pod\n',
    'kind: ConfigMap\napiVersion: v1\n&k kind: Pod\n',
    'kind: ConfigMap\napiVersion: v1\nx: &k kind\n*k : Pod\n',
    'x: &m {kind: Pod}\nkind: ConfigMap\napiVersion: v1\n<<: *m\n',
    'kind: &a ConfigMap\napiVersion: v1\n',
    'kind: *a\napiVersion: v1\n',
    'kind: "ConfigMap"\napiVersion: v1\n',
    'kind:\n  ConfigMap\n  continued\napiVersion: v1\n',
    'kind:\napiVersion: v1\n',
    '{kind: ConfigMap, apiVersion: v1}\n',
    '[kind: ConfigMap, apiVersion: v1, {kind: Pod}]\n',
    '- kind: ConfigMap\n  apiVersion: v1\n',
    '!!map\nkind: ConfigMap\napiVersion: v1\n',
    '&x\nkind: ConfigMap\napiVersion: v1\n',
    '%YAML 1.1\n---\nkind: ConfigMap\napiVersion: v1\n',
    'kind: ConfigMap\napiVersion: v1\n...\nkind: Pod\n',
    'kind: ConfigMap\napiVersion: v1\n...\n- kind: Pod\n',
    'kind: ConfigMap\napiVersion: v1\n...\n---\n- kind: Pod\n',
    'kind: ConfigMap\n',
    'apiVersion: v1\n',
    'ConfigMap\n',
  ])('is none where the kind is not certain: %j', (text) => {
    expect(outline(text)).toBeUndefined();
  });

  test('is checked by the grammar like any other', () => {
    const broken = 'kind: ConfigMap\napiVersion: v1\ndata:\n  a: [1\n';
    const isWanted = (): boolean => false;
    expect(() => parseChunk(chunkOf(broken), 'yaml', isWanted)).toThrow();
    expect(() => parseChunk(chunkOf('kind: ConfigMap\napiVersion: v1\na: *b\n'), 'yaml', isWanted)).toThrow(/anchor/);
  });

  test('never holds a workload: every object in it is of a plain kind, by a whole parse', () => {
    let certain = 0;
    fc.assert(
      fc.property(roots(), (text) => {
        const seen: Outline[] = [];
        const wanted = read(text, (found) => {
          seen.push(found);
          return mayBeWorkload(found, []);
        });
        const whole = read(text);
        // Both take the same texts for well-formed.
        expect(wanted === undefined).toBe(whole === undefined);
        if (whole === undefined || seen.length === 0) return;
        certain++;
        const kinds = whole.roots.flatMap((root) =>
          [...objectsOf(whole, root)].map(({ kind, apiVersion }) => ({ kind, apiVersion })),
        );
        expect(kinds).toEqual(seen);
      }),
      { numRuns: 8000, seed: 11 },
    );
    expect(certain).toBeGreaterThan(150);
  });
});

function read(text: string, isWanted?: (outline: Outline) => boolean): ReturnType<typeof parseChunk> | undefined {
  try {
    return parseChunk(chunkOf(text), 'yaml', isWanted);
  } catch (error) {
    if (!isSyntaxFault(error)) throw error;
    return undefined;
  }
}

/** Root mappings of a few lines, where each may hide a kind in another way. */
function roots(): fc.Arbitrary<string> {
  const kind = fc.constantFrom(
    'Pod',
    'ConfigMap',
    '"Pod"',
    '&a Pod',
    '*a',
    '!!str Pod',
    'Po\n  d',
    '',
    'PodList',
    'yes',
    '[Pod]',
  );
  const key = fc.constantFrom(
    'kind',
    'kind',
    'kind',
    'apiVersion',
    '"kind"',
    "'kind'",
    '"\\x6bind"',
    '? kind\n',
    '&k kind',
    '!!str kind',
    'kind ',
    '<<',
    'data',
    'spec',
    'items',
    '#kind',
    ' kind',
    '- kind',
  );
  const value = fc.oneof(
    kind,
    fc.constantFrom(
      'v1',
      'apps/v1',
      '{kind: Pod}',
      '{\nkind: Pod\n}',
      '"x\nkind: Pod\ny"',
      '|\n  kind: Pod',
      '\n- kind: Pod',
      '\n  kind: Pod',
    ),
  );
  const line = fc.tuple(key, value).map(([name, text]) => `${name}: ${text}`);
  const head = fc.constantFrom('', '', '---\n', '&r\n', '{', '%YAML 1.1\n---\n', '\ufeff', '# c\n', '  ');
  const usual = fc.constantFrom(
    'apiVersion: v1\nkind: ConfigMap',
    'kind: ConfigMap\napiVersion: v1',
    'apiVersion: v1\nkind: Pod',
    '',
  );
  return fc
    .tuple(
      head,
      usual,
      fc.array(line, { maxLength: 3 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.constantFrom('', '}', '...\nkind: Pod\n', '...\n- kind: Pod\n  a: b\n'),
    )
    .map(([start, first, lines, eol, end]) => `${start}${[first, ...lines, end].join('\n')}`.replaceAll('\n', eol));
}
