import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { LATEST_KUBERNETES_VERSION, parseKubernetesVersion } from '../../src/core/pod-user-namespace.ts';
import { readManifestText } from '../../src/manifests/index.ts';
import { MANIFEST_RULES } from '../../src/rules/index.ts';
import { judge } from '../core/judge-sample.ts';

// A fixture names the broken places itself: `# expect: RULE` on their line. `# kubernetes: 1.34` judges for that version.
const ROOT = new URL('../fixtures/manifests/rules/', import.meta.url);

const fixtures = readdirSync(ROOT).flatMap((rule) =>
  readdirSync(new URL(`${rule}/`, ROOT)).map((file) => ({ rule, file: `${rule}/${file}` })),
);

test('every rule has manifests that pass and that fail', () => {
  const files = fixtures.map(({ file }) => file);
  for (const { id } of MANIFEST_RULES)
    for (const outcome of ['pass', 'fail']) expect(files).toContainEqual(expect.stringContaining(`${id}/${outcome}-`));
});

test.each(fixtures)('$file', ({ rule, file }) => {
  const text = readFileSync(new URL(file, ROOT), 'utf8');
  const version = parseKubernetesVersion(/^# kubernetes: (\S+)/m.exec(text)?.[1] ?? '') ?? LATEST_KUBERNETES_VERSION;
  const { workloads, sccs, problems } = readManifestText(text, file);
  expect(problems).toEqual([]);
  expect(workloads.length + sccs.length).toBeGreaterThan(0);
  const { findings } = judge({ workloads, sccs, version, choice: { rules: [rule] } });
  const expected = text.split('\n').flatMap((line, index) => (line.includes(`# expect: ${rule}`) ? [index + 1] : []));
  expect(findings.map(({ place }) => place.line).toSorted((a, b) => a - b)).toEqual(expected);
  expect(expected.length > 0).toBe(file.includes('/fail-'));
  for (const { place, field } of findings) {
    expect(place.file).toBe(file);
    expect(field).not.toBe('');
  }
});
