import { describe, expect, test } from '@jest/globals';
import { type ControlEvidence, judgeProfile, type RuleResult } from '../../src/core/control-status.ts';
import { renderOscal } from '../../src/report/oscal.ts';
import { PROFILES } from '../../src/rules/profiles/index.ts';
import { readByTrestle, trestleMissing } from '../support/trestle.ts';

const OPTIONS = { system: 'prod-1', collected: '2026-11-24T06:00:00Z', version: '0.1.0' };

const node = (name: string, group: string): RuleResult['subject'] => ({ kind: 'Node', name, group });
const workload = (name: string): RuleResult['subject'] => ({ kind: 'Deployment', name });

/** Something of every state. */
const EVIDENCE: ControlEvidence = {
  results: [
    { rule: 'host-pid-namespace', status: 'fail', subject: workload('shop/web') },
    { rule: 'host-pid-namespace', status: 'fail', subject: workload('shop/old'), accepted: true },
    { rule: 'host-ipc-namespace', status: 'pass', subject: workload('shop/web') },
    { rule: 'host-network-namespace', status: 'unknown', subject: workload('shop/"quoted"\n name ') },
    { rule: 'kernel-user-namespaces', status: 'pass', subject: node('a', 'pool') },
    { rule: 'kernel-user-namespaces', status: 'fail', subject: node('b', 'pool') },
    { rule: 'hardening-conflict', status: 'fail', subject: node('b', 'pool') },
  ],
  evaluated: new Set(PROFILES.flatMap(({ controls }) => controls.flatMap(({ rules }) => rules))),
};

const STATUSES = PROFILES.map((profile) => judgeProfile(profile, EVIDENCE));

interface Oscal {
  readonly 'assessment-results': {
    readonly uuid: string;
    readonly results: readonly {
      readonly title: string;
      readonly observations: readonly {
        readonly uuid: string;
        readonly props: readonly { name: string; value: string }[];
      }[];
      readonly findings?: readonly {
        readonly target: {
          readonly 'target-id': string;
          readonly status: { state: string; reason: string; remarks: string };
        };
        readonly 'related-observations': readonly { readonly 'observation-uuid': string }[];
      }[];
    }[];
  };
}

const document = JSON.parse(renderOscal(STATUSES, OPTIONS)) as Oscal;
const results = document['assessment-results'].results;

describe('OSCAL assessment results', () => {
  test('say of every control what its status says, and satisfied of what passes alone', () => {
    const told = results.flatMap(({ findings = [] }) =>
      findings.map(({ target }) => [target['target-id'], target.status.remarks, target.status.state] as const),
    );
    const expected = STATUSES.flatMap(({ profile, controls }) =>
      controls
        .filter(({ state }) => state !== 'not-applicable')
        .map(({ control, state }) => [
          `${profile.id}_${control.id}`,
          state,
          state === 'pass' ? 'satisfied' : 'not-satisfied',
        ]),
    );
    expect(told).toEqual(expected);
    expect(new Set(told.map(([, state]) => state))).toEqual(
      new Set(['pass', 'fail', 'unknown', 'inconsistent', 'manual']),
    );
  });

  test('have an observation for every control, which its finding names', () => {
    results.forEach(({ observations, findings = [] }, index) => {
      expect(observations).toHaveLength(PROFILES[index]?.controls.length ?? 0);
      const known = observations.map(({ uuid }) => uuid);
      for (const finding of findings) expect(known).toContain(finding['related-observations'][0]?.['observation-uuid']);
    });
  });

  test('are the same for the same evidence, and others at another time', () => {
    expect(renderOscal(STATUSES, OPTIONS)).toBe(renderOscal(STATUSES, { ...OPTIONS }));
    const later = JSON.parse(renderOscal(STATUSES, { ...OPTIONS, collected: '2026-11-25T06:00:00Z' })) as Oscal;
    expect(later['assessment-results'].uuid).not.toBe(document['assessment-results'].uuid);
  });

  test('need a profile', () => {
    expect(() => renderOscal([], OPTIONS)).toThrow('need a profile');
  });
});

const missing = trestleMissing();
if (missing !== undefined && process.env['CI'] === 'true') throw new Error(missing);
const withTrestle = missing === undefined ? describe : describe.skip;

withTrestle(`trestle${missing === undefined ? '' : ` (skipped: ${missing.slice(0, 200)})`}`, () => {
  test('reads them', () => {
    expect(readByTrestle(renderOscal(STATUSES, OPTIONS))).toEqual({ results: PROFILES.length });
  });

  test('reads them without any evidence', () => {
    const blind = PROFILES.map((profile) => judgeProfile(profile, { results: [], evaluated: new Set() }));
    expect(readByTrestle(renderOscal(blind, OPTIONS))).toEqual({ results: PROFILES.length });
    const empty = PROFILES.map((profile) => judgeProfile(profile, { ...EVIDENCE, results: [] }));
    expect(readByTrestle(renderOscal(empty, OPTIONS))).toEqual({ results: PROFILES.length });
  });

  test.each([
    ['an identifier', (text: string) => text.replace(/"uuid": ".{8}/, '"uuid": "nonsense')],
    ['a control', (text: string) => text.replaceAll('"cis-kubernetes_', '"5 ')],
    ['a state', (text: string) => text.replace('"state": "not-satisfied"', '"state": "inconsistent"')],
    ['a field', (text: string) => text.replace('"import-ap"', '"import-plan"')],
    ['a time', (text: string) => text.replace('T06:00:00Z', ' yesterday')],
  ])('refuses them with %s spoilt', (_, spoil) => {
    expect(readByTrestle(spoil(renderOscal(STATUSES, OPTIONS)))).toMatchObject({
      complaint: expect.stringContaining('validation error'),
    });
  });
});
