import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compileGlob } from '../../src/core/exception-glob.ts';
import type { AuditPolicy, PolicyException } from '../../src/core/policy.ts';
import { judge, placeAt, workloadIn } from './judge-sample.ts';

const RULE = 'host-pid-namespace';
const workload = workloadIn(
  'charts/agent/ds.yaml',
  1,
  { hostPID: true },
  { kind: 'DaemonSet', namespace: 'infra', name: 'agent' },
);

function policyOf(...exceptions: readonly Partial<PolicyException>[]): AuditPolicy {
  return {
    profiles: [],
    rules: [],
    exceptions: exceptions.map((exception, index) => ({
      rules: [RULE],
      reason: 'node agent',
      place: placeAt('policy.yaml', index + 1),
      ...exception,
    })),
  };
}

function outcome(
  exception: Partial<PolicyException>,
  input: object = {},
): { accepted: unknown; problems: readonly string[]; matched: number } {
  const { findings, problems, exceptions } = judge({
    workloads: [workload],
    choice: { rules: [RULE] },
    policy: policyOf(exception),
    ...input,
  });
  return {
    accepted: findings[0]?.accepted?.by,
    problems: problems.map(({ kind }) => kind),
    matched: exceptions[0]?.matched ?? -1,
  };
}

describe('an exception matches', () => {
  test.each([
    [{ namespaces: ['infra'] }],
    [{ namespaces: ['in*'] }],
    [{ namespaces: ['other', '*'] }],
    [{ workloads: ['DaemonSet/agent'] }],
    [{ workloads: ['*/agent'] }],
    [{ files: ['charts/**'] }],
    [{ files: ['charts/'] }],
    [{ files: ['**/ds.yaml'] }],
    [{ rules: ['*'], namespaces: ['infra'], workloads: ['DaemonSet/*'], files: ['charts/*/ds.yaml'] }],
    [{ namespaces: ['infra'], expires: '2026-11-24' }],
  ])('%j', (exception) => {
    expect(outcome(exception)).toEqual({ accepted: 'exception', problems: [], matched: 1 });
  });
});

describe('an exception does not match', () => {
  test.each([
    [{ namespaces: ['infra2'] }],
    [{ workloads: ['Deployment/agent'] }],
    [{ workloads: ['agent'] }],
    [{ files: ['charts/*'] }],
    [{ namespaces: ['infra'], workloads: ['*/other'] }],
  ])('%j, and is reported', (exception) => {
    expect(outcome(exception)).toEqual({ accepted: undefined, problems: ['unused-exception'], matched: 0 });
  });

  test('what only a cluster knows, and is not reported for it', () => {
    expect(outcome({ namespaceSelector: { matchLabels: { team: 'a' } } })).toEqual({
      accepted: undefined,
      problems: [],
      matched: 0,
    });
  });

  test('a manifest without a namespace, but by *', () => {
    const workloads = [workloadIn('a.yaml', 1, { hostPID: true }, { namespace: undefined })];
    expect(outcome({ namespaces: ['default', '?*'] }, { workloads }).accepted).toBeUndefined();
    expect(outcome({ namespaces: ['*'] }, { workloads }).accepted).toBe('exception');
  });
});

test('one that has expired accepts nothing, and says how much it did', () => {
  const input = {
    workloads: [workload],
    choice: { rules: [RULE] },
    policy: policyOf({ namespaces: ['infra'], expires: '2026-11-23' }),
  };
  const { findings, problems, exceptions } = judge(input);
  expect(findings[0]?.accepted).toBeUndefined();
  expect(problems).toMatchObject([{ kind: 'expired-exception', place: { file: 'policy.yaml' }, fatal: false }]);
  expect(problems[0]?.message).toContain('ended on 2026-11-23: 1 finding no longer accepted');
  expect(exceptions).toMatchObject([{ matched: 1, expired: true }]);
});

describe('unused exceptions', () => {
  const clean = workloadIn('a.yaml', 1, {}, { namespace: 'infra' });

  test('that cover a workload without need', () => {
    const { problems } = judge({ workloads: [clean], policy: policyOf({ namespaces: ['infra'] }) });
    expect(problems[0]?.message).toContain('covers 1 workload, and none breaks the rule');
  });

  test('are not known to be so when only a part was read, or the rule was not asked', () => {
    const policy = policyOf({ namespaces: ['elsewhere'] });
    expect(judge({ workloads: [clean], policy }).problems).toHaveLength(1);
    expect(judge({ workloads: [clean], policy, partial: true }).problems).toEqual([]);
    expect(judge({ workloads: [clean], policy, choice: { skipRules: [RULE] } }).problems).toEqual([]);
  });
});

test('a waiver goes before an exception, which is needed all the same', () => {
  const waived = { ...workload, annotations: { 'waive.userns-audit.dev/host-pid-namespace': 'said here' } };
  const { findings, exceptions, problems } = judge({
    workloads: [waived],
    choice: { rules: [RULE] },
    policy: policyOf({ namespaces: ['infra'] }),
  });
  expect(findings[0]?.accepted).toEqual({ by: 'waiver', reason: 'said here' });
  expect(exceptions[0]?.matched).toBe(1);
  expect(problems).toEqual([]);
});

describe('globs', () => {
  test.each([
    ['a', 'a', true],
    ['a', 'ab', false],
    ['a*', 'a/b', false],
    ['a**', 'a/b', true],
    ['**/b', 'b', true],
    ['**/b', 'x/y/b', true],
    ['**/b', 'xb', false],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**/b', 'a/xb', false],
    ['a/', 'a/b/c', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['?', '😀', true],
    ['a.c', 'abc', false],
    ['[a]', 'a', false],
    ['', '', true],
    ['*', '', true],
  ])('%j on %j is %s', (pattern, text, expected) => {
    expect(compileGlob(pattern)(text)).toBe(expected);
  });

  test('say the same as a regular expression would', () => {
    const pattern = fc
      .array(fc.constantFrom('a', 'b', '/', '*', '**', '?', '**/'), { maxLength: 6 })
      .map((parts) => parts.join(''));
    const text = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 7 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, text, (glob, path) => {
        expect(compileGlob(glob)(path)).toBe(asRegExp(glob).test(path));
      }),
      { numRuns: 3000 },
    );
  });

  test('take no longer for many stars', () => {
    const glob = compileGlob(`${'*a'.repeat(50)}b`);
    expect(glob('a'.repeat(5000))).toBe(false);
  });
});

function asRegExp(glob: string): RegExp {
  const whole = glob.endsWith('/') && /[*?]/.test(glob) ? `${glob}**` : glob.endsWith('/') ? `${glob}**` : glob;
  const source = whole.replace(/\*\*+\/|\*\*+|\*|\?/g, (part) => {
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    return part.endsWith('/') ? '(?:.*/)?' : '.*';
  });
  return new RegExp(`^${source}$`, 's');
}
