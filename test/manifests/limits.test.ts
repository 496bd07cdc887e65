import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { commentsAt, readManifestText } from '../../src/manifests/index.ts';
import { yamlTexts } from './yaml-arbitrary.ts';

const MEGABYTE = 1_000_000;
/** Far above what any of these takes on a busy machine (2 s), and far below what a quadratic reader would. */
const LIMIT_MS = 15_000;

function timed(text: string, path = 'f.yaml'): { readonly problems: readonly string[]; readonly ms: number } {
  const start = performance.now();
  const { problems, workloads } = readManifestText(text, path);
  for (const workload of workloads) {
    workload.locate(['hostUsers']);
    commentsAt(workload, ['hostUsers']);
  }
  return { problems: problems.map(({ message }) => message), ms: performance.now() - start };
}

function repeated(unit: string): string {
  return unit.repeat(Math.ceil(MEGABYTE / unit.length));
}

const POD = 'kind: Pod\napiVersion: v1\nspec:\n';

describe('a megabyte of anything is read in bounded time', () => {
  test.each([
    ['keys', POD + Array.from({ length: 60_000 }, (_, index) => `  key${index}: x`).join('\n')],
    ['equal keys', POD + repeated('  a: b\n')],
    [
      'keys of one length',
      POD + Array.from({ length: 60_000 }, (_, index) => `  k${String(index).padStart(7, '0')}k: x`).join('\n'),
    ],
    ['flow keys', `{kind: Pod, spec: {${Array.from({ length: 60_000 }, (_, index) => `k${index}: 1`).join(', ')}}}`],
    ['brackets', repeated('[')],
    ['braces', repeated('{')],
    ['closed brackets', `${'['.repeat(300)}${repeated('a,')}`],
    ['dashes', repeated('- ')],
    ['question marks', repeated('? ')],
    ['colons', repeated(': ')],
    ['quotes', repeated('"')],
    ['an open quote', `a: "${repeated('x ')}`],
    ['an open quote over lines', `a: "${repeated('x\n')}`],
    ['blank lines', repeated('\n')],
    ['blank lines in a quote', `a: "${repeated(' \n')}"`],
    ['blank lines in a block', `a: |\n${repeated(' \n')} x`],
    ['spaces', repeated(' ')],
    ['tabs', `a: ${repeated('\t')}`],
    ['comments', repeated('# x\n')],
    ['anchors', POD + repeated('- &a ')],
    ['anchors on lines', Array.from({ length: 60_000 }, (_, index) => `- &a${index} x`).join('\n')],
    ['aliases', `- &a x\n${repeated('- *a\n')}`],
    ['tags', repeated('!a ')],
    ['tag escapes', `!a${repeated('%41')} x`],
    ['percents', repeated('%\n')],
    ['separators', repeated('---\n')],
    ['ends', repeated('...\n')],
    ['directives', `${repeated('%YAML 1.1\n')}---\na: 1\n`],
    ['one word', repeated('x')],
    ['digits', `a: ${repeated('1')}`],
    ['underscores', `a: 1${repeated('_')}`],
    ['a hexadecimal number', `a: 0x${repeated('f')}`],
    ['words', repeated('x ')],
    ['words on lines', `a: ${repeated('x\n  ')}`],
    ['escapes', `a: "${repeated('\\n')}"`],
    ['escaped breaks', `a: "${repeated('\\\n')}"`],
    ['block headers', repeated('|\n')],
    ['folded lines', `a: >\n${repeated('  x\n')}`],
    ['templates', repeated('{{ .x }}\n')],
    ['documents', repeated('kind: Pod\nspec: {}\n---\n')],
    ['broken documents', repeated('a: [\n---\n')],
    ['a list', `kind: List\nitems:\n${repeated('- kind: Pod\n  spec: {}\n')}`],
    ['lists in lists', '{kind: List, items: ['.repeat(150) + ']}'.repeat(150)],
    ['containers of a wrong type', `kind: Pod\nspec: {containers: [${repeated('a,')}]}`],
    [
      'capabilities of a wrong type',
      `kind: Pod\nspec: {containers: [{securityContext: {capabilities: {add: [${repeated('1,')}]}}}]}`,
    ],
    ['volumes', `kind: Pod\nspec:\n  volumes:\n${repeated('  - name: 1\n')}`],
    ['services', `services:\n${Array.from({ length: 40_000 }, (_, index) => `  s${index}: {image: x}`).join('\n')}`],
    [
      'services that extend',
      `services:\n${Array.from({ length: 20_000 }, (_, index) => `  s${index}: {image: x, extends: s${index + 1}}`).join('\n')}`,
    ],
    ['carriage returns', repeated('a: 1\r')],
    ['line separators', repeated('a\u2028')],
    ['byte order marks', repeated('\ufeff')],
    ['merges', `a: &a {x: 1}\nb:\n${repeated('  <<: *a\n')}`],
  ])('%s', (_, text) => {
    expect(timed(text).ms).toBeLessThan(LIMIT_MS);
  });

  test.each([
    ['objects', repeated('{"a":')],
    ['arrays', repeated('[')],
    ['an open string', `{"a":"${repeated('x')}`],
    ['escapes', `{"a":"${repeated('\\u0041')}"}`],
    ['values', repeated('{}')],
    ['keys', `{${Array.from({ length: 60_000 }, (_, index) => `"k${index}":1`).join(',')}}`],
  ])('JSON %s', (_, text) => {
    expect(timed(text, 'f.json').ms).toBeLessThan(LIMIT_MS);
  });

  test('nesting has a limit with a clear error', () => {
    for (const text of [
      '['.repeat(500),
      '- '.repeat(500),
      '? '.repeat(500),
      `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`,
    ]) {
      expect(timed(text).problems).toEqual([expect.stringMatching(/nested deeper than 400 levels/)]);
    }
    const deep = `{a: ${'['.repeat(300)}${']'.repeat(300)}}`;
    expect(timed(deep).problems).toEqual([]);
  });

  test('aliases that grow without end are refused', () => {
    const laughs = Array.from({ length: 30 }, (_, level) => {
      const items = level === 0 ? ['x', 'x'] : Array.from({ length: 9 }, () => `*l${level - 1}`);
      return `l${level}: &l${level} [${items.join(', ')}]`;
    });
    const { problems, ms } = timed(`${laughs.join('\n')}\nkind: List\nitems: *l29\n`);
    expect(problems).toEqual([expect.stringMatching(/excessive aliasing/)]);
    expect(ms).toBeLessThan(LIMIT_MS);
  });

  test('merges that grow without end are refused', () => {
    const merges = Array.from({ length: 30 }, (_, level) => {
      const sources =
        level === 0 ? '{x: 1}' : `{<<: [${Array.from({ length: 9 }, () => `*m${level - 1}`).join(', ')}]}`;
      return `m${level}: &m${level} ${sources}`;
    });
    const { ms } = timed(`${merges.join('\n')}\nkind: Pod\nspec: *m29\n`);
    expect(ms).toBeLessThan(LIMIT_MS);
  });

  test('chains of aliases and of merges are refused before the stack is full', () => {
    const chains = [
      Array.from({ length: 30_000 }, (_, at) => `m${at}: &m${at} {${at === 0 ? 'x: 1' : `<<: *m${at - 1}`}}`),
      Array.from({ length: 30_000 }, (_, at) => `m${at}: &m${at} [${at === 0 ? 'x' : `*m${at - 1}`}]`),
    ];
    for (const chain of chains) {
      const { problems } = timed(`${chain.join('\n')}\nkind: Pod\nspec: *m29999\n`);
      expect(problems).toContainEqual(expect.stringMatching(/excessive aliasing: it expands to \d+ levels/));
    }
    const short = chains.map((chain) => `${chain.slice(0, 200).join('\n')}\nkind: Pod\nspec: {<<: {a: *m199}}\n`);
    for (const text of short) expect(timed(text).problems).toEqual([]);
  });

  test('names of the language itself are names like others', () => {
    const text =
      'apiVersion: constructor/v1\nkind: __proto__\nspec: {template: {spec: {containers: [{name: toString}]}}}\n__proto__: {a: 1}\n';
    expect(timed(text).problems).toEqual([]);
    expect(timed('services: {__proto__: {image: x, pid: host}, constructor: {image: y}}\n').problems).toEqual([]);
  });
});

describe('whatever is read', () => {
  test('never throws, and points into the file', () => {
    fc.assert(
      fc.property(
        yamlTexts(),
        fc.constantFrom('kind: Pod\nspec:\n  hostPID: true\n', 'services:\n  a:\n    image: x\n', ''),
        (odd, head) => {
          const text = `${head}${odd}`;
          const lines = text.split(/\r\n|\r|\n/).length;
          const { workloads, problems } = readManifestText(text, 'f.yaml');
          const places = [
            ...problems.map(({ place }) => place),
            ...workloads.map((workload) => workload.locate(['hostPID'])),
          ];
          for (const { line, column, endLine } of places) {
            expect(line).toBeGreaterThan(0);
            expect(column).toBeGreaterThan(0);
            expect(endLine).toBeGreaterThanOrEqual(line);
            expect(line).toBeLessThanOrEqual(lines);
          }
        },
      ),
      { numRuns: 3000, seed: 3 },
    );
  });

  test('even random bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(() => readManifestText(text, 'f.yaml')).not.toThrow();
      }),
      { numRuns: 3000, seed: 5 },
    );
  });
});
