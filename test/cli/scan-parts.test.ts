import { describe, expect, test } from '@jest/globals';
import { planEdits } from '../../src/cli/fix-edits.ts';
import { collectNames, unknownName } from '../../src/cli/option-values.ts';
import { createProgress } from '../../src/cli/progress.ts';
import { obstaclesToAdoption } from '../../src/cluster/adoption-obstacles.ts';
import { countAdoption } from '../../src/cluster/adoption-plan.ts';
import type { PodSpec, Workload } from '../../src/core/workload.ts';

const VERSION = { major: 1, minor: 36 };

function workload(podSpec: Partial<PodSpec>, platform: Workload['platform'] = 'kubernetes'): Workload {
  const place = { file: 'a.yaml', line: 1, column: 1, endLine: 1, endColumn: 1 };
  return {
    platform,
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: undefined,
    name: 'p',
    podSpec: { containers: [], initContainers: [], ephemeralContainers: [], volumes: [], ...podSpec },
    annotations: {},
    fieldName: (path) => path.join('.'),
    locate: () => place,
  };
}

describe('adoption', () => {
  test.each([
    ['nothing in the way', {}, 0],
    ['a host namespace', { hostPID: true }, 1],
    ['set on purpose', { hostUsers: true }, 1],
    ['an NFS volume', { volumes: [{ name: 'v', source: 'nfs' }] }, 1],
    ['an id out of range', { securityContext: { runAsUser: 1_000_660_000 }, containers: [{ name: 'c' }] }, 1],
    ['a privileged container', { containers: [{ name: 'c', securityContext: { privileged: true } }] }, 1],
    ['a raw block device', { containers: [{ name: 'c', volumeDevices: [{}] }] }, 1],
  ])('%s', (_, podSpec, expected) => {
    expect(obstaclesToAdoption(workload(podSpec), VERSION)).toHaveLength(expected);
  });

  test('counts Linux workloads of Kubernetes only, and none before 1.33', () => {
    const all = [
      workload({ hostUsers: false }),
      workload({}),
      workload({ hostIPC: true }),
      workload({}, 'docker'),
      workload({ osName: 'windows' }),
    ];
    expect(countAdoption(all, VERSION)).toEqual({ adopted: 1, ready: 1, blocked: 1, unknown: 0 });
    expect(countAdoption(all, { major: 1, minor: 32 })).toEqual({ adopted: 0, ready: 0, blocked: 0, unknown: 0 });
  });
});

describe('edits', () => {
  const planned = (podSpec: Partial<PodSpec>, rules: readonly string[], platform?: Workload['platform']): unknown =>
    planEdits(workload(podSpec, platform), new Set(rules), VERSION);

  test('one line is added where nothing forbids it', () => {
    expect(planned({}, ['user-namespace'])).toEqual({ edits: [{ path: ['hostUsers'], set: false }], refused: [] });
    expect(planned({}, [])).toEqual({ edits: [], refused: [] });
  });

  test('what other edits take away no longer stands in the way', () => {
    expect(planned({ hostPID: true, hostIPC: true }, ['user-namespace', 'host-pid-namespace'])).toMatchObject({
      edits: [{ path: ['hostPID'], remove: true }],
      refused: [{ rule: 'user-namespace' }],
    });
    expect(
      planned({ hostPID: true, hostIPC: true }, ['user-namespace', 'host-pid-namespace', 'host-ipc-namespace']),
    ).toEqual({
      edits: [
        { path: ['hostPID'], remove: true },
        { path: ['hostIPC'], remove: true },
        { path: ['hostUsers'], set: false },
      ],
      refused: [],
    });
  });

  test('a container keeps all but its mask', () => {
    const containers = [{ name: 'a' }, { name: 'b', securityContext: { procMount: 'Unmasked' } }];
    expect(planned({ containers }, ['unmasked-proc-mount'])).toEqual({
      edits: [{ path: ['containers', 1, 'securityContext', 'procMount'], remove: true }],
      refused: [],
    });
  });

  test('Docker has no hostUsers to add: userns_mode goes', () => {
    expect(planned({ hostUsers: true }, ['user-namespace'], 'docker')).toEqual({
      edits: [{ path: ['hostUsers'], remove: true }],
      refused: [],
    });
  });
});

describe('names on the command line', () => {
  const known = ['host-pid-namespace', 'user-namespace'];

  test('several with commas and again', () => {
    const names = collectNames('user-namespace', collectNames('host-pid-namespace, user-namespace', undefined));
    expect(names).toEqual(['host-pid-namespace', 'user-namespace', 'user-namespace']);
    expect(unknownName('--rule', names, known)).toBeUndefined();
    expect(unknownName('--rule', undefined, known)).toBeUndefined();
  });

  test.each([
    ['host-pid', 'did you mean host-pid-namespace?'],
    ['user-namespaces', 'did you mean user-namespace?'],
    ['zzz', 'host-pid-namespace, user-namespace.'],
    ['', 'host-pid-namespace, user-namespace.'],
  ])('%j is refused with a hint', (text, hint) => {
    expect(unknownName('--rule', [text], known)).toContain(hint);
  });
});

describe('progress', () => {
  function watch(watched: boolean, times: readonly number[]): readonly string[] {
    const told: string[] = [];
    let time = 0;
    const progress = createProgress({ watched, tell: (text) => told.push(text) }, () => time);
    for (const [index, at] of times.entries()) {
      time = at;
      progress.tick(index + 1, 0);
    }
    progress.done();
    return told;
  }

  test('speaks after a second, ten times a second, and cleans up', () => {
    expect(watch(true, [10, 999, 1000, 1050, 1100])).toEqual([
      '\r\x1b[K3 files, 0 workloads …',
      '\r\x1b[K5 files, 0 workloads …',
      '\r\x1b[K',
    ]);
  });

  test('says nothing of a short run, or where nobody watches', () => {
    expect(watch(true, [10, 20])).toEqual([]);
    expect(watch(false, [1000, 2000])).toEqual([]);
  });
});
