// Figures that are told twice are the same.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCS = join(import.meta.dirname, '../../docs');

test('every figure of the sizing table of docs/operations.md is one of docs/benchmarks.md', () => {
  const table = /^\| part \|.*?(?=^$)/ms.exec(readFileSync(join(DOCS, 'operations.md'), 'utf8'))?.[0] ?? '';
  const measured = table
    .split('\n')
    .slice(2)
    .flatMap((row) => row.split('|').slice(4, 6));
  const figures = measured.flatMap((cell) => cell.match(/\d[\d.,]*\d|\d+/g) ?? []);
  expect(figures.length).toBeGreaterThan(20);
  const known = new Set(readFileSync(join(DOCS, 'benchmarks.md'), 'utf8').match(/\d[\d.,]*\d|\d+/g));
  expect(figures.filter((figure) => !known.has(figure))).toEqual([]);
});
