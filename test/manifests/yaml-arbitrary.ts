import fc from 'fast-check';

const SCALARS = [
  'a',
  'yes',
  'off',
  'y',
  '~',
  '0777',
  '1_0',
  '0x1F',
  '1e3',
  '2001-01-01',
  'plain text',
  'a:b',
  'a#b',
  '"q\\tx"',
  "'it''s'",
  '"two\n  lines"',
  "'shallow\nline'",
  '!!str 12',
  '!custom x',
  '""',
  '',
];
const KEYS = ['a', 'b', 'kind', 'spec', 'y', '1', '"q"', "'s'", 'a b', '!!str t'];

/** A block or flow document with anchors, comments and odd spacing, mostly well-formed. */
function documents(): fc.Arbitrary<string> {
  const scalar = fc.constantFrom(...SCALARS);
  const { node } = fc.letrec<{ node: readonly string[]; flow: string }>((tie) => ({
    flow: fc.oneof(
      { depthSize: 'small' },
      scalar,
      fc.array(tie('flow'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
      fc
        .array(fc.tuple(fc.constantFrom(...KEYS), tie('flow')), { maxLength: 3 })
        .map((pairs) => `{${pairs.map(([key, value]) => `${key}: ${value}`).join(', ')}}`),
    ),
    node: fc.oneof(
      { depthSize: 'small' },
      scalar.map((text) => [text]),
      tie('flow').map((text) => [text]),
      fc.constantFrom(
        ['|', '  literal', '', '   deeper'],
        ['>-', '  folded', '  lines', '', '  next'],
        ['|+', '  keep', ''],
        ['&x anchored'],
        ['*x'],
        ['&x {k: v}'],
      ),
      fc
        .array(fc.tuple(fc.constantFrom(...KEYS, '<<', '? k'), tie('node'), fc.nat(2)), { minLength: 1, maxLength: 4 })
        .map((pairs) => ['', ...pairs.flatMap(([key, value, extra]) => entry(`${key}:`, value, extra))]),
      fc
        .array(fc.tuple(tie('node'), fc.nat(2)), { minLength: 1, maxLength: 3 })
        .map((items) => ['', ...items.flatMap(([value, extra]) => entry('-', value, extra))]),
    ),
  }));
  return node.map((lines) => `${(lines[0] === '' ? lines.slice(1) : lines).join('\n')}\n`);
}

/** The lines of `key:` or `-` with a value, indented by two and at times more. */
function entry(head: string, [first = '', ...rest]: readonly string[], extra: number): readonly string[] {
  const indent = ' '.repeat(head === '-' ? 2 : 2 + extra);
  const comment = extra === 2 ? ' # c' : '';
  return [
    `${head}${first === '' ? '' : ` ${first}`}${first.includes('\n') ? '' : comment}`,
    ...rest.map((line) => (line === '' ? '' : indent + line)),
  ];
}

const INSERTS = [
  ...['\n', '  ', '\t', ' ', ': ', '- ', '#', ' # c\n', '"', "'", '{', '}', '[', ']', ',', '?', '? ', '|', '>'],
  ...['|2\n', '>-\n', '&a ', '*a', '*x', '!!str ', '!x ', '!', '%', '@', '`', '<<: ', '-', '\r\n', '\r', '\\', '\\n'],
  ...['\\x41', '\u0085', '\u2028', 'é', '😀', '=', '::', '\n\n', '\n ', '\n   ', 'key: |\n', '0b11', '08', '.5'],
];

/** Documents with a few characters put in, taken out or moved. */
export function yamlTexts(): fc.Arbitrary<string> {
  const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(...INSERTS, ''), fc.nat(4));
  return fc
    .tuple(documents(), fc.array(change, { maxLength: 4 }))
    .map(([text, changes]) =>
      changes
        .reduce((current, [at, insert, cut]) => {
          const position = Math.floor(at * current.length);
          return current.slice(0, position) + insert + current.slice(position + (insert === '' ? cut : 0));
        }, text)
        .toWellFormed(),
    )
    .filter((text) => !/^(?:---|\.\.\.)(?:\s|$)/m.test(text));
}
