import { describe, expect, test } from '@jest/globals';
import type { ManifestFinding } from '../../src/core/scan-finding.ts';
import type { Place } from '../../src/core/workload.ts';
import { MANIFEST_RULES, RULES } from '../../src/rules/index.ts';
import { PROFILES } from '../../src/rules/profiles/index.ts';
import { rulesOfProfile } from '../../src/core/profile.ts';
import { containerOf } from '../rules/workload-sample.ts';
import { judge, placeAt, RULE_IDS, workloadIn } from './judge-sample.ts';

const hostPid = { hostUsers: true, hostPID: true, securityContext: { runAsNonRoot: true } };

describe('findings', () => {
  test('carry rule, place, subject, field and fix, worst first', () => {
    const privileged = containerOf('app', { privileged: true, runAsUser: 1 });
    const workloads = [
      workloadIn('b.yaml', 10, hostPid, { name: 'two' }),
      workloadIn('a.yaml', 1, { hostUsers: true, containers: [privileged] }, { name: 'one' }),
    ];
    const { findings, problems } = judge({ workloads });
    expect(problems).toEqual([]);
    expect(findings.map(({ rule, severity, place }) => [rule, severity, place.file])).toEqual([
      ['privileged-in-host-user-namespace', 'critical', 'a.yaml'],
      ['host-pid-namespace', 'high', 'b.yaml'],
      ['user-namespace', 'medium', 'a.yaml'],
      ['user-namespace', 'medium', 'b.yaml'],
    ]);
    expect(findings[0]).toEqual({
      rule: 'privileged-in-host-user-namespace',
      severity: 'critical',
      subject: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'one' },
      message: "is privileged in the host's user namespace: root of the node in all but name",
      fix: 'Drop privileged: true, or add hostUsers: false.',
      field: 'spec.template.spec.containers[0].securityContext.privileged',
      place: { file: 'a.yaml', line: 2, column: 2, endLine: 2, endColumn: 3 },
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
    });
  });

  test('are the same whatever the order of the input', () => {
    const workloads = ['c', 'a', 'b'].map((name, index) => workloadIn('x.yaml', 1 + index * 20, hostPid, { name }));
    expect(judge({ workloads: workloads.toReversed() })).toEqual(judge({ workloads }));
  });

  test('of a derived workload are told once, where they stand, and it is not clean for that', () => {
    const own = workloadIn('a.yaml', 1, hostPid, { name: 'a' });
    const built = [
      { ...own, name: 'prod-a' },
      { ...workloadIn('k.yaml', 1, hostPid), name: 'b' },
      workloadIn('z.yaml', 1, { hostUsers: false }),
    ];
    const workloads = [own, ...built.map((workload) => ({ ...workload, derived: true }))];
    const { findings, clean } = judge({ workloads });
    expect(findings.map(({ rule, place, subject }) => `${rule} ${place.file} ${subject.name}`)).toEqual([
      'host-pid-namespace a.yaml a',
      'host-pid-namespace k.yaml b',
      'user-namespace a.yaml a',
      'user-namespace k.yaml b',
    ]);
    expect(clean).toBe(1);
    expect(judge({ workloads: [own, { ...own, name: 'twin' }] }).findings).toHaveLength(4);
  });

  test('of SecurityContextConstraints have a subject of their own', () => {
    const locate = (): Place => placeAt('scc.yaml', 1);
    const sccs = [{ name: 'custom', allowHostPID: true, fieldName: () => 'allowHostPID', locate }];
    expect(judge({ sccs }).findings).toMatchObject([
      {
        rule: 'scc-host-namespaces',
        subject: { apiVersion: 'security.openshift.io/v1', kind: 'SecurityContextConstraints', name: 'custom' },
      },
    ]);
  });
});

describe('choice of rules', () => {
  const workloads = [workloadIn('a.yaml', 1, { ...hostPid, hostNetwork: true })];
  const rulesOf = (findings: readonly ManifestFinding[]): readonly string[] => findings.map(({ rule }) => rule);

  test('a profile selects, --skip-rule takes out, --rule decides alone', () => {
    expect(rulesOf(judge({ workloads, choice: { profiles: ['cis-kubernetes'] } }).findings)).toEqual([
      'host-network-namespace',
      'host-pid-namespace',
    ]);
    expect(
      rulesOf(
        judge({ workloads, choice: { profiles: ['cis-kubernetes'], skipRules: ['host-pid-namespace'] } }).findings,
      ),
    ).toEqual(['host-network-namespace']);
    expect(
      rulesOf(judge({ workloads, choice: { profiles: ['cis-kubernetes'], rules: ['user-namespace'] } }).findings),
    ).toEqual(['user-namespace']);
  });

  test('the policy switches and weighs; its profiles give way to --profile', () => {
    const policy = {
      profiles: ['cis-kubernetes'],
      rules: [
        { id: 'host-network-namespace', enabled: false },
        { id: 'user-namespace', enabled: true, severity: 'critical' as const },
      ],
      exceptions: [],
    };
    const { findings } = judge({ workloads, policy });
    expect(findings.map(({ rule, severity }) => [rule, severity])).toEqual([
      ['user-namespace', 'critical'],
      ['host-pid-namespace', 'high'],
    ]);
    const asked = judge({ workloads, policy, choice: { profiles: ['pod-security-baseline'] } }).findings;
    expect(rulesOf(asked)).toEqual(['user-namespace', 'host-pid-namespace']);
  });

  test('a profile may weigh a rule, and a policy more', () => {
    const choice = { profiles: ['userns-rollout'], rules: ['user-namespace'] };
    expect(judge({ workloads, choice }).findings[0]?.severity).toBe('high');
    const policy = { profiles: [], rules: [{ id: 'user-namespace', severity: 'info' as const }], exceptions: [] };
    expect(judge({ workloads, choice, policy }).findings[0]?.severity).toBe('info');
  });

  test('a milder case keeps its weight until something else is said', () => {
    const undecided = [workloadIn('a.yaml', 1, { hostUsers: true })];
    const choice = { rules: ['root-in-host-user-namespace'] };
    expect(judge({ workloads: undecided, choice }).findings[0]?.severity).toBe('low');
    const policy = {
      profiles: [],
      rules: [{ id: 'root-in-host-user-namespace', severity: 'high' as const }],
      exceptions: [],
    };
    expect(judge({ workloads: undecided, choice, policy }).findings[0]?.severity).toBe('high');
  });

  test('Pod Security profiles judge by version as its admission does', () => {
    const isolatedRoot = [
      workloadIn('a.yaml', 1, { hostUsers: false, containers: [containerOf('app', { runAsUser: 0 })] }),
    ];
    const restricted = { choice: { profiles: ['pod-security-restricted'] }, workloads: isolatedRoot };
    expect(judge({ ...restricted, version: { major: 1, minor: 34 } }).findings).toHaveLength(2);
    expect(judge({ ...restricted, version: { major: 1, minor: 35 } }).findings).toEqual([]);
    expect(judge({ workloads: isolatedRoot, version: { major: 1, minor: 34 } }).findings).toEqual([]);
  });
});

describe('the first run over a repository', () => {
  test('a plain Deployment has nothing that fails the build', () => {
    const { findings } = judge({ workloads: [workloadIn('a.yaml', 1, { hostUsers: undefined } as object)] });
    expect(findings.map(({ rule, severity }) => [rule, severity])).toEqual([
      ['user-namespace', 'medium'],
      ['root-in-host-user-namespace', 'low'],
    ]);
  });
});

describe('the catalogue', () => {
  test('is sorted, has no id twice, and its manifest part is in it', () => {
    expect(RULE_IDS).toEqual([...new Set(RULE_IDS)].toSorted());
    expect(RULES.map(({ id }) => id)).toEqual(expect.arrayContaining(MANIFEST_RULES.map(({ id }) => id)));
  });

  test.each(PROFILES.map((profile) => [profile.id, profile] as const))(
    'profile %s names rules there are',
    (_, profile) => {
      expect(RULE_IDS).toEqual(
        expect.arrayContaining([...rulesOfProfile(profile), ...Object.keys(profile.severities ?? {})]),
      );
      for (const { verified, note } of profile.controls) expect(verified || note !== undefined).toBe(true);
      expect(new Set(profile.controls.map(({ id }) => id)).size).toBe(profile.controls.length);
    },
  );
});
