import fc from 'fast-check';
import { type Fields, parseFields } from '../../src/kube/json-fields.ts';

/** What is wanted of a value that JSON.parse has made: the same by another way. */
function pick(value: unknown, fields: Fields): unknown {
  if (fields === true || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => pick(item, fields));
  const kept = Object.entries(value).filter(([name]) => Object.hasOwn(fields, name));
  return Object.fromEntries(kept.map(([name, inner]) => [name, pick(inner, fields[name] ?? true)]));
}

const NAMES = ['a', 'b', 'metadata', 'spec', 'ä', 'x y'];
const { fields } = fc.letrec<{ fields: Fields }>((tie) => ({
  fields: fc.oneof(
    { maxDepth: 3 },
    fc.constant(true as const),
    fc.dictionary(fc.constantFrom(...NAMES), tie('fields')) as fc.Arbitrary<Fields>,
  ),
}));
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 5 },
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('json'), { maxLength: 5 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.string()), tie('json'), { maxKeys: 6 }),
  ),
}));

test('what is wanted is what JSON.parse has, whatever lies around it', () => {
  fc.assert(
    fc.property(json, fields, fc.constantFrom(undefined, 1, '\t'), (value, wanted, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      const parsed: unknown = JSON.parse(text);
      expect(parseFields(Buffer.from(text), wanted)).toEqual(pick(parsed, wanted));
    }),
    { numRuns: 2000 },
  );
});

test('a text that was cut is found out at every byte', () => {
  const text =
    '{"kind":"List","items":[{"metadata":{"name":"a\\"b","uid":"1"},"spec":{"x":[1,{"y":"}]"}]}}],"n":-1.5e3}';
  const wanted = { items: { metadata: { name: true } } } as const;
  expect(parseFields(Buffer.from(text), wanted)).toEqual({ items: [{ metadata: { name: 'a"b' } }] });
  for (let length = 0; length < text.length; length += 1)
    expect(() => parseFields(Buffer.from(text.slice(0, length)), wanted)).toThrow(SyntaxError);
});

test('what is no JSON at the level that is looked at is refused', () => {
  for (const text of ['', '{', '{"a"}', '{"a":}', '{a:1}', '{"a":1,}', '{"a":1}x', '[1,]', '[1 2]', '<html>', 'tru'])
    expect(() => parseFields(Buffer.from(text), { a: true })).toThrow(SyntaxError);
});

test('a name cannot reach the prototype', () => {
  const parsed = parseFields(Buffer.from('{"__proto__":{"polluted":true},"a":1}'), { a: true });
  expect(parsed).toEqual({ a: 1 });
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test('the items of a list are told one by one, and are not in what is returned', () => {
  fc.assert(
    fc.property(fc.array(json), json, fields, (items, inner, wanted) => {
      const text = JSON.stringify({ kind: 'List', inner: { items: inner }, items, metadata: { continue: 'x' } });
      const told: unknown[] = [];
      const rest = parseFields(Buffer.from(text), { inner: { items: true }, items: wanted, metadata: true }, (item) =>
        told.push(item),
      );
      const parsed = JSON.parse(text) as { readonly items: unknown[]; readonly inner: unknown };
      expect(told).toEqual(parsed.items.map((item) => pick(item, wanted)));
      // Only the outermost ones: what is called so further in is data.
      expect(rest).toEqual({ inner: parsed.inner, metadata: { continue: 'x' } });
    }),
    { numRuns: 500 },
  );
});

test('a list without items, as Go writes an empty one, tells none', () => {
  const told: unknown[] = [];
  const take = (item: unknown): void => void told.push(item);
  expect(parseFields(Buffer.from('{"items":null,"kind":"List"}'), { items: true }, take)).toEqual({ items: null });
  expect(parseFields(Buffer.from('{"items":[]}'), { items: true }, take)).toEqual({});
  expect(told).toEqual([]);
});
