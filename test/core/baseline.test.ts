import { describe, expect, test } from '@jest/globals';
import { type Baseline, createBaseline, parseBaseline, serializeBaseline } from '../../src/core/baseline.ts';
import type { Workload } from '../../src/core/workload.ts';
import { judge, workloadIn } from './judge-sample.ts';

const one = workloadIn('a.yaml', 1, { hostPID: true }, { name: 'one' });
const two = workloadIn('b.yaml', 1, { hostIPC: true }, { name: 'two' });

function baselineOf(...workloads: readonly Workload[]): Baseline {
  return createBaseline(judge({ workloads }).findings);
}

test('accepts what it knows and nothing else', () => {
  const moved = workloadIn('a.yaml', 70, { hostPID: true }, { name: 'one' });
  const { findings, fixed } = judge({ workloads: [moved, two], baseline: baselineOf(one) });
  expect(findings.map(({ rule, accepted }) => [rule, accepted?.by])).toEqual([
    ['host-pid-namespace', 'baseline'],
    ['user-namespace-conflict', 'baseline'],
    ['host-ipc-namespace', undefined],
    ['user-namespace-conflict', undefined],
  ]);
  expect(fixed).toEqual([]);
});

describe('what is no longer found', () => {
  const baseline = baselineOf(one, two);
  const rulesOf = (entries: readonly { readonly rule: string }[]): readonly string[] => entries.map(({ rule }) => rule);

  test('is fixed', () => {
    const { fixed, notJudged } = judge({ workloads: [one], baseline });
    expect(rulesOf(fixed)).toEqual(['host-ipc-namespace', 'user-namespace-conflict']);
    expect(notJudged).toEqual([]);
  });

  test.each([
    ['its file was not read', { partial: true }, 2],
    ['its file could not be read', { unjudgedFiles: ['./b.yaml'] }, 2],
    ['its rule was not asked', { choice: { skipRules: ['host-ipc-namespace'] } }, 1],
  ])('is not fixed when %s, and is kept', (_, input, expected) => {
    const { findings, notJudged } = judge({ workloads: [one], baseline, ...input });
    expect(notJudged).toHaveLength(expected);
    const updated = createBaseline(findings, notJudged);
    expect(rulesOf(updated.findings)).toEqual(expect.arrayContaining([...rulesOf(notJudged)]));
    expect(updated.findings).toHaveLength(2 + expected);
  });

  test('is fixed when the rule is no more', () => {
    const [entry] = baseline.findings;
    if (!entry) throw new Error('the baseline is empty');
    const stale: Baseline = { ...baseline, findings: [{ ...entry, rule: 'gone', fingerprint: '0'.repeat(64) }] };
    expect(rulesOf(judge({ workloads: [one], baseline: stale, partial: true }).fixed)).toEqual(['gone']);
  });
});

test('leaves out what a waiver accepts', () => {
  const waived = { ...one, annotations: { 'userns-audit.dev/waive': 'host-pid-namespace: agent' } };
  expect(baselineOf(waived).findings.map(({ rule }) => rule)).toEqual(['user-namespace-conflict']);
});

test('is the same for the same findings, and survives being written', () => {
  const baseline = baselineOf(one, two);
  expect(createBaseline(judge({ workloads: [two, one], baseline }).findings)).toEqual(baseline);
  expect(parseBaseline(JSON.parse(serializeBaseline(baseline)))).toEqual({ ok: true, baseline });
  expect(serializeBaseline(baseline).split('\n').slice(0, 9)).toEqual([
    '{',
    '  "apiVersion": "userns-audit.dev/v1alpha1",',
    '  "kind": "Baseline",',
    '  "findings": [',
    '    {',
    expect.stringMatching(/^ {6}"fingerprint": "[0-9a-f]{64}",$/),
    '      "rule": "host-pid-namespace",',
    '      "file": "a.yaml",',
    '      "subject": "Deployment default/one",',
  ]);
});

describe('a baseline that is none', () => {
  const whole = baselineOf(one);
  test.each([
    [null, /^is not a Baseline/],
    [{ ...whole, kind: 'x' }, /^is not a Baseline/],
    [{ ...whole, apiVersion: 'userns-audit.dev/v2' }, /^is not a Baseline/],
    [{ ...whole, findings: {} }, /^findings must be a list/],
    [{ ...whole, findings: [null] }, /^findings\[0\] must be an object/],
    [
      { ...whole, findings: [...whole.findings, { fingerprint: 'x' }] },
      /^findings\[2\]\.fingerprint must be 64 hex digits/,
    ],
    [{ ...whole, findings: [{ ...whole.findings[0], file: 1 }] }, /^findings\[0\]\.file must be a text/],
  ])('%#', (value, message) => {
    expect(parseBaseline(value)).toEqual({ ok: false, error: expect.stringMatching(message) as unknown });
  });
});
