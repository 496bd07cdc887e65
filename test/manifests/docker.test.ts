import { describe, expect, test } from '@jest/globals';
import { readManifestText } from '../../src/manifests/index.ts';
import { readFixture } from './reader-fixtures.ts';

const NOTHING = { initContainers: [], ephemeralContainers: [], volumes: [] };

describe('a Compose file', () => {
  const { workloads, problems, documents } = readFixture('compose.yaml');
  const [web, child, merged, joined] = workloads;

  test('gives a workload for each service, in the words of a pod spec', () => {
    expect(problems).toEqual([]);
    expect(documents).toBe(1);
    expect(workloads.map(({ platform, apiVersion, kind, name }) => [platform, apiVersion, kind, name])).toEqual(
      ['web', 'child', 'merged', 'joined'].map((name) => ['docker', 'compose', 'Service', name]),
    );
    expect(web?.podSpec).toEqual({
      ...NOTHING,
      hostPID: true,
      hostIPC: false,
      hostUTS: true,
      hostNetwork: true,
      containers: [
        {
          name: 'web',
          image: 'nginx',
          securityContext: {
            privileged: true,
            capabilities: { add: ['SYS_ADMIN', 'NET_ADMIN'] },
            runAsUser: 1000,
            runAsGroup: 50,
          },
        },
      ],
    });
  });

  test('takes in what a service extends, its own fields winning', () => {
    expect(child?.podSpec).toMatchObject({
      hostPID: false,
      hostNetwork: true,
      containers: [{ name: 'child', image: 'nginx' }],
    });
    expect(child?.fieldName(['hostNetwork'])).toBe('services.web.network_mode');
    expect(child?.locate(['hostNetwork'])).toEqual(web?.locate(['hostNetwork']));
  });

  test('takes in merge keys, security options and names of users', () => {
    expect(merged?.podSpec).toMatchObject({
      hostUsers: true,
      containers: [{ securityContext: { procMount: 'Unmasked', runAsUser: 0 } }],
    });
    expect(merged?.fieldName(['containers', 0, 'securityContext', 'procMount'])).toBe('services.merged.security_opt');
  });

  test("knows the host's network by its name too", () => {
    expect(joined?.podSpec.hostNetwork).toBe(true);
    expect(joined?.fieldName(['hostNetwork'])).toBe('services.joined.networks');
  });

  test('has labels for annotations', () => {
    expect(web?.annotations).toEqual({ 'waive.userns-audit.dev/host-pid-namespace': 'profiler' });
    expect(web?.locateAnnotation?.('waive.userns-audit.dev/host-pid-namespace')).toMatchObject({ line: 21, column: 7 });
    expect(child?.annotations).toEqual({ a: 'b', c: '' });
  });

  test('says nothing where nothing is said, or a variable', () => {
    const text =
      'services:\n  a:\n    image: x\n    pid: ${PID}\n    privileged: ${PRIV:-false}\n    user: "${U}"\n    ipc:\n';
    expect(readManifestText(text, 'compose.yml').workloads).toMatchObject([
      { podSpec: { ...NOTHING, hostPID: false, containers: [{ name: 'a', image: 'x' }] } },
    ]);
  });

  test.each([
    ['by its name', 'docker-compose.override.yml', 'services:\n  a: {pid: host}\n', 1],
    ['by its name with a word', 'x/compose.prod.yaml', 'services:\n  a: {pid: host}\n', 1],
    ['by services with images', 'stack.yml', 'version: "3"\nservices:\n  a: {image: x, pid: host}\n', 1],
    ['by services that are built', 'stack.yml', 'services:\n  a: {build: ., pid: host}\nx-more: 1\n', 1],
    ['not by services alone', 'services.yaml', 'services:\n  App\\Mailer: {arguments: [x]}\n', 0],
    ['not with keys that Compose does not have', 'conf.yml', 'jobs: 1\nservices:\n  a: {image: x}\n', 0],
    ['not by a list of services', '.gitlab-ci.yml', 'services: [{image: docker}]\n', 0],
    ['not with an apiVersion', 'compose.yaml', 'apiVersion: v1\nkind: X\nservices:\n  a: {image: x}\n', 0],
    ['not without services', 'compose.yaml', 'networks: {}\n', 0],
  ])('is known %s', (_, path, text, count) => {
    expect(readManifestText(text, path).workloads).toHaveLength(count);
  });

  test('whose services extend each other ends', () => {
    const text =
      'services:\n  a: {extends: b, image: x}\n  b: {extends: {service: a}, pid: host}\n  c: {extends: {service: a, file: other.yml}}\n';
    expect(readManifestText(text, 'compose.yml').workloads.map(({ podSpec }) => podSpec.hostPID)).toEqual([
      true,
      true,
      undefined,
    ]);
  });
});

describe('the output of docker inspect', () => {
  const { workloads, problems } = readFixture('inspect.json');

  test('gives a workload for each container', () => {
    expect(problems).toEqual([]);
    expect(workloads.map(({ platform, kind, name }) => `${platform} ${kind} ${name}`)).toEqual([
      'docker Container web',
      'docker Container bare',
    ]);
    expect(workloads[0]?.podSpec).toEqual({
      ...NOTHING,
      hostPID: true,
      hostIPC: false,
      hostNetwork: false,
      hostUsers: true,
      containers: [
        {
          name: 'web',
          image: 'nginx',
          securityContext: { privileged: true, capabilities: { add: ['SYS_ADMIN'] }, runAsUser: 0, runAsGroup: 0 },
        },
      ],
    });
    expect(workloads[1]?.podSpec.containers[0]?.securityContext).toEqual({ privileged: false, procMount: 'Unmasked' });
  });

  test('with places', () => {
    const [web] = workloads;
    expect(web?.locate(['hostPID'])).toMatchObject({ line: 7, column: 7, endColumn: 24 });
    expect(web?.fieldName(['containers', 0, 'securityContext', 'capabilities', 'add', 0])).toBe('HostConfig.CapAdd[0]');
  });
});
