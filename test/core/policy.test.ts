import { describe, expect, test } from '@jest/globals';
import { type ParsedPolicy, parsePolicy } from '../../src/core/policy.ts';
import { PROFILES } from '../../src/rules/profiles/index.ts';
import { placeAt, RULE_IDS } from './judge-sample.ts';

const head = { apiVersion: 'userns-audit.dev/v1alpha1', kind: 'AuditPolicy', metadata: { name: 'cluster' } };
const exception = { rules: ['host-pid-namespace'], namespaces: ['infra'], reason: 'node agent' };

function parse(document: unknown): ParsedPolicy {
  return parsePolicy(document, {
    ruleIds: RULE_IDS,
    profileIds: PROFILES.map(({ id }) => id),
    locate: (path) => placeAt('policy.yaml', path.length + 1),
  });
}

function errorsOf(document: unknown): readonly string[] {
  const parsed = parse(document);
  return parsed.ok ? [] : parsed.errors.map(({ field, message }) => `${field} ${message}`);
}

test('a policy in full', () => {
  const spec = {
    profiles: ['cis-kubernetes', 'userns-rollout'],
    rules: [
      { id: 'user-namespace', severity: 'high' },
      { id: 'host-uts-namespace', enabled: false },
    ],
    exceptions: [
      {
        ...exception,
        workloads: ['DaemonSet/*'],
        files: ['k8s/**'],
        approver: 'sec@example.org',
        expires: '2027-03-31',
      },
      { ...exception, expires: new Date('2027-01-01T00:00:00Z') },
      {
        rules: ['*'],
        namespaceSelector: { matchLabels: { a: 'b' } },
        reason: 'cluster only',
        expires: '2027-01-01T12:00:00Z',
      },
    ],
    floors: [{ namespaces: ['a'], minPrivatePods: 3 }],
  };
  expect(parse({ ...head, spec, status: {} })).toEqual({
    ok: true,
    policy: {
      profiles: spec.profiles,
      rules: spec.rules,
      exceptions: [
        {
          ...exception,
          workloads: ['DaemonSet/*'],
          files: ['k8s/**'],
          approver: 'sec@example.org',
          expires: '2027-03-31',
          place: placeAt('policy.yaml', 4),
        },
        { ...exception, expires: '2027-01-01', place: placeAt('policy.yaml', 4) },
        {
          rules: ['*'],
          reason: 'cluster only',
          expires: '2027-01-01',
          namespaceSelector: { matchLabels: { a: 'b' }, matchExpressions: [] },
          place: placeAt('policy.yaml', 4),
        },
      ],
      floors: spec.floors,
    },
  });
});

test('an empty policy', () => {
  const empty = { ok: true, policy: { profiles: [], rules: [], exceptions: [] } };
  expect(parse(head)).toEqual(empty);
  expect(parse({ ...head, spec: {} })).toEqual(empty);
});

describe('errors name the field', () => {
  const withSpec = (spec: unknown): unknown => ({ ...head, spec });
  const withException = (fields: object): unknown => withSpec({ exceptions: [exception, { ...exception, ...fields }] });

  test.each([
    ['not an object', null, ['document must be an object']],
    ['another kind', { ...head, kind: 'ConfigMap' }, ['kind must be AuditPolicy']],
    ['another version', { ...head, apiVersion: 'v1' }, ['apiVersion must be userns-audit.dev/v1alpha1']],
    [
      'another name',
      { ...head, metadata: { name: 'x' } },
      ['metadata.name must be cluster: there is one policy for all'],
    ],
    ['a spec of a wrong type', withSpec([]), ['spec must be an object']],
    [
      'an unknown field',
      withSpec({ exception: [] }),
      ['spec.exception is not a field here; there are profiles, rules, exceptions, floors'],
    ],
    ['profiles of a wrong type', withSpec({ profiles: 'x' }), ['spec.profiles must be a list']],
    [
      'an unknown profile',
      withSpec({ profiles: ['cis-docker-1.6', 'cis'] }),
      [expect.stringMatching(/^spec\.profiles\[1\] no profile is called cis; there are /)],
    ],
    [
      'an unknown rule',
      withSpec({ rules: [{ id: 'x' }] }),
      ['spec.rules[0].id no rule is called x; userns-audit rules lists them'],
    ],
    [
      'a rule twice',
      withSpec({ rules: [{ id: 'user-namespace' }, { id: 'user-namespace' }] }),
      ['spec.rules[1].id user-namespace is set twice'],
    ],
    [
      'enabled as text',
      withSpec({ rules: [{ id: 'user-namespace', enabled: 'no' }] }),
      ['spec.rules[0].enabled must be true or false'],
    ],
    [
      'an unknown severity',
      withSpec({ rules: [{ id: 'user-namespace', severity: 'bad' }] }),
      ['spec.rules[0].severity must be critical, high, medium, low or info'],
    ],
    ['a reason that is missing', withException({ reason: undefined }), ['spec.exceptions[1].reason is missing']],
    [
      'a reason that is empty',
      withException({ reason: ' ' }),
      ['spec.exceptions[1].reason must be a text that is not empty'],
    ],
    ['a reason without a word', withException({ reason: '-' }), ['spec.exceptions[1].reason must give a reason']],
    [
      'a date that is none',
      withException({ expires: '2027-02-30' }),
      ['spec.exceptions[1].expires must be a date: YYYY-MM-DD'],
    ],
    [
      'a date as a number',
      withException({ expires: 20270101 }),
      ['spec.exceptions[1].expires must be a date: YYYY-MM-DD'],
    ],
    ['no rules', withException({ rules: [] }), ['spec.exceptions[1].rules must name at least one rule, or *']],
    [
      'an unknown rule in an exception',
      withException({ rules: ['*', 'x'] }),
      ['spec.exceptions[1].rules[1] no rule is called x; userns-audit rules lists them'],
    ],
    [
      'no scope',
      withException({ namespaces: undefined }),
      [expect.stringMatching(/^spec\.exceptions\[1\] must say for what/)],
    ],
    [
      'a slip of the pen',
      withException({ expire: '2027-01-01' }),
      [expect.stringMatching(/^spec\.exceptions\[1\]\.expire is not a field here/)],
    ],
    [
      'an approver of a wrong type',
      withException({ approver: 7 }),
      ['spec.exceptions[1].approver must be a text that is not empty'],
    ],
  ])('%s', (_, document, expected) => {
    expect(errorsOf(document)).toEqual(expected);
  });

  test('with their place', () => {
    const parsed = parse(withException({ reason: '' }));
    expect(parsed).toMatchObject({ ok: false, errors: [{ place: placeAt('policy.yaml', 5) }] });
  });

  test('all of them at once', () => {
    expect(errorsOf({ kind: 'x', spec: { rules: [{}], exceptions: ['x'] } })).toEqual([
      'apiVersion must be userns-audit.dev/v1alpha1',
      'kind must be AuditPolicy',
      'metadata.name must be cluster: there is one policy for all',
      'spec.rules[0].id is missing',
      'spec.exceptions[0] must be an object',
    ]);
  });
});
