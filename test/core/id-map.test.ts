import fc from 'fast-check';
import { findOverlaps, hostIdRanges, mappedIds, PARTNERS_NAMED } from '../../src/core/id-map.ts';

const range = fc
  .record({ start: fc.nat(40), length: fc.nat(12), owner: fc.constantFrom('a', 'b', 'c', 'd') })
  .map(({ start, length, owner }) => ({ start, end: start + length, owner }));

test('every pair of owners that share host ids is found, with the ids they share, and no other', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 12 }), (ranges) => {
      const shared = new Set<string>();
      for (const a of ranges)
        for (const b of ranges)
          for (let id = Math.max(a.start, b.start); id < Math.min(a.end, b.end); id++)
            if (a.owner < b.owner) shared.add(`${a.owner} ${b.owner} ${id}`);
      const found = new Set<string>();
      for (const { first, second, start, end } of findOverlaps(ranges)) {
        expect(end).toBeGreaterThan(start);
        for (let id = start; id < end; id++) found.add(`${[first, second].sort().join(' ')} ${id}`);
      }
      expect([...found].sort()).toEqual([...shared].sort());
    }),
    { numRuns: 500 },
  );
});

test('ranges that touch do not overlap', () => {
  expect(
    findOverlaps([
      { start: 0, end: 10, owner: 'a' },
      { start: 10, end: 20, owner: 'b' },
    ]),
  ).toEqual([]);
});

test('among very many, each owner keeps a pair and names at most so many of those before it', () => {
  const pairs = findOverlaps(Array.from({ length: 1000 }, (_, owner) => ({ start: 0, end: 10, owner })));
  expect(new Set(pairs.flatMap(({ first, second }) => [first, second])).size).toBe(1000);
  expect(pairs.length).toBeLessThanOrEqual(1000 * PARTNERS_NAMED);
});

test('the part of a map that reaches the ids of the host', () => {
  const map = [
    { inside: 0, outside: 65530, length: 100 },
    { inside: 100, outside: 65536, length: 5 },
  ];
  expect(hostIdRanges(map)).toEqual([{ inside: 0, outside: 65530, length: 6 }]);
  expect(mappedIds(map)).toBe(105);
});

test('however many ranges a node makes up, all their owners are found and the pairs stay few', () => {
  const ranges = Array.from({ length: 60_000 }, (_, index) => ({ start: index, end: 100_000, owner: index % 2000 }));
  const pairs = findOverlaps(ranges);
  expect(new Set(pairs.flatMap(({ first, second }) => [first, second])).size).toBe(2000);
  expect(pairs.length).toBeLessThanOrEqual(ranges.length * PARTNERS_NAMED);
});

test('an owner that only the first of many others overlaps is found as well', () => {
  const many = Array.from({ length: 100 }, (_, owner) => ({ start: owner + 1, end: 1000 + owner, owner: `o${owner}` }));
  const pairs = findOverlaps([
    { start: 0, end: 2, owner: 'short' },
    ...many,
    { start: 1098, end: 1099, owner: 'late' },
  ]);
  expect(new Set(pairs.flatMap(({ first, second }) => [first, second])).size).toBe(102);
});
