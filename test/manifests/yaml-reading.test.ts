import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { testify, WITNESS } from './kubectl-witness.ts';
import type { Testimony } from './kubectl-witness.ts';
import { ODDITIES } from './yaml-oddities.ts';
import { readYaml } from './yaml-values.ts';
import type { ReadValues } from './yaml-values.ts';
import { yamlTexts } from './yaml-arbitrary.ts';

/** JSON has no -0 and no undefined, and the witness answers in it. */
function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** kubectl refuses numbers that JSON has not (`.nan`); the reader leaves that to the type of the field. */
function isJsonOnly({ error = '' }: Testimony): boolean {
  return error.includes('unsupported value');
}

/** What both make of a text, in one form: `refused`, or the values. */
function summary(read: ReadValues): unknown {
  return 'error' in read ? 'refused' : throughJson(read.values);
}

const itWithGo = WITNESS === undefined ? test.skip : test;

describe('YAML is read as kubectl reads it', () => {
  const single = WITNESS === undefined ? [] : testify(ODDITIES, 'single');

  itWithGo.each(ODDITIES.map((text, index) => [JSON.stringify(text), text, index] as const))('%s', (_, text, index) => {
    const testimony = single[index];
    if (testimony === undefined || isJsonOnly(testimony)) return;
    const expected = testimony.error === undefined ? testimony.documents : 'refused';
    // What kubectl silently drops after a document is an error here.
    if (testimony.rest === true) expect(summary(readYaml(text))).toBe('refused');
    else expect(summary(readYaml(text))).toEqual(expected);
  });

  itWithGo('on generated texts', () => {
    const texts = fc.sample(yamlTexts(), { numRuns: 6000, seed: 20261124 });
    const differing = testify(texts, 'single').flatMap((testimony, index) => {
      const text = texts[index] ?? '';
      if (isJsonOnly(testimony) || testimony.rest === true) return [];
      const expected = testimony.error === undefined ? testimony.documents : 'refused';
      const read = summary(readYaml(text));
      return JSON.stringify(sorted(read)) === JSON.stringify(sorted(expected)) ? [] : [{ text, read, expected }];
    });
    expect(differing).toEqual([]);
  });
});

/** The value with its keys sorted, as Go writes them. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
