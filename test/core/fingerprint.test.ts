import { describe, expect, test } from '@jest/globals';
import type { Workload } from '../../src/core/workload.ts';
import { portablePath, stablePath } from '../../src/core/fingerprint.ts';
import { containerOf } from '../rules/workload-sample.ts';
import { judge, workloadIn } from './judge-sample.ts';

const bad = containerOf('bad', { privileged: true, runAsUser: 1 });
const good = containerOf('good', { runAsUser: 1 });

/** Fingerprints by what they are of, for one rule. */
function fingerprintsOf(workloads: readonly Workload[], rule = 'privileged-in-host-user-namespace'): readonly string[] {
  return judge({ workloads, choice: { rules: [rule] } }).findings.map(({ fingerprint }) => fingerprint);
}

const before = fingerprintsOf([workloadIn('a.yaml', 1, { hostUsers: true, containers: [bad, good] })]);

describe('a fingerprint stays', () => {
  test.each([
    ['when lines move', [workloadIn('a.yaml', 99, { hostUsers: true, containers: [bad, good] })]],
    ['when containers change places', [workloadIn('a.yaml', 1, { hostUsers: true, containers: [good, bad] })]],
    [
      'when the API version rises',
      [workloadIn('a.yaml', 1, { hostUsers: true, containers: [bad] }, { apiVersion: 'apps/v2' })],
    ],
    ['when the file is named with ./', [workloadIn('./a.yaml', 1, { hostUsers: true, containers: [bad] })]],
    [
      'when another field is added',
      [workloadIn('a.yaml', 1, { hostUsers: true, containers: [{ ...bad, image: 'x' }], hostNetwork: true })],
    ],
  ])('%s', (_, workloads) => {
    expect(fingerprintsOf(workloads)).toEqual(before);
  });

  test('when a document is added before it', () => {
    const other = workloadIn('a.yaml', 1, { hostUsers: true, containers: [bad] }, { name: 'other' });
    const moved = workloadIn('a.yaml', 30, { hostUsers: true, containers: [bad] });
    expect(fingerprintsOf([other, moved])).toEqual([expect.any(String), before[0]]);
  });

  test('when another capability is dropped from the list', () => {
    const adding = (...add: string[]): Workload =>
      workloadIn('a.yaml', 1, {
        hostUsers: true,
        containers: [containerOf('c', { runAsUser: 1, capabilities: { add } })],
      });
    const [, second] = fingerprintsOf([adding('SYS_PTRACE', 'SYS_ADMIN')]);
    expect(fingerprintsOf([adding('SYS_ADMIN')])).toEqual([second]);
  });
});

describe('a fingerprint differs', () => {
  test.each([
    ['by file', workloadIn('b.yaml', 1, { hostUsers: true, containers: [bad] })],
    ['by name', workloadIn('a.yaml', 1, { hostUsers: true, containers: [bad] }, { name: 'x' })],
    ['by namespace', workloadIn('a.yaml', 1, { hostUsers: true, containers: [bad] }, { namespace: 'x' })],
    ['by kind', workloadIn('a.yaml', 1, { hostUsers: true, containers: [bad] }, { kind: 'DaemonSet' })],
    ['by container', workloadIn('a.yaml', 1, { hostUsers: true, containers: [{ ...bad, name: 'x' }] })],
  ])('%s', (_, workload) => {
    expect(fingerprintsOf([workload])).not.toEqual(before);
  });

  test('between two that are alike, by their order in the file', () => {
    const twins = [40, 1].map((line) => workloadIn('a.yaml', line, { hostUsers: true, containers: [bad] }));
    const [first, second] = fingerprintsOf(twins);
    expect(first).toBe(before[0]);
    expect(second).not.toBe(first);
  });
});

test('stablePath names elements by name or value', () => {
  const root = { containers: [{ name: 'web' }, 'x', { name: 7 }, null], groups: [5] };
  expect(stablePath(['containers', 0, 'image'], root)).toBe('containers[web].image');
  expect(stablePath(['containers', 1], root)).toBe('containers[x]');
  expect(stablePath(['containers', 2], root)).toBe('containers[]');
  expect(stablePath(['containers', 3, 'a'], root)).toBe('containers[].a');
  expect(stablePath(['containers', 9], root)).toBe('containers[]');
  expect(stablePath(['groups', 0], root)).toBe('groups[5]');
  expect(stablePath(['hostPID'], root)).toBe('hostPID');
  expect(stablePath([], root)).toBe('');
});

test('portablePath', () => {
  expect(portablePath('.\\a\\b.yaml')).toBe('a/b.yaml');
  expect(portablePath('././a.yaml')).toBe('a.yaml');
  expect(portablePath('../a.yaml')).toBe('../a.yaml');
});
