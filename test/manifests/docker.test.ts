import { describe, expect, test } from '@jest/globals';
import { fixManifests, readManifests, readManifestText, scanInputs } from '../../src/manifests/index.ts';
import type { Manifests } from '../../src/manifests/index.ts';
import { directoryWith } from '../cli/scan-cli.ts';
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
    expect(child?.annotations).toEqual({ ...web?.annotations, a: 'b', c: '' });
    expect(child?.locateAnnotation?.('waive.userns-audit.dev/host-pid-namespace')).toMatchObject({
      line: 21,
      column: 7,
    });
  });

  test('says nothing where nothing is said, or a variable', () => {
    const text =
      'services:\n  a:\n    image: x\n    pid: ${PID}\n    privileged: ${PRIV:-false}\n    user: "${U}"\n    ipc:\n';
    expect(readManifestText(text, 'compose.yml').workloads).toMatchObject([
      { podSpec: { ...NOTHING, containers: [{ name: 'a', image: 'x', securityContext: { privileged: false } }] } },
    ]);
  });

  test('has the default of a variable, and no user namespace from one without', () => {
    const [read] = readManifestText(
      [
        'services:',
        '  a:',
        '    image: x',
        '    pid: ${PID:-host}',
        '    ipc: ${A:-${B-host}}',
        '    network_mode: "${NET:?say which}"',
        '    userns_mode: $USERNS',
        '    privileged: ${PRIVILEGED-true}',
        '    user: "${UID:-0}:${GID:-5}"',
        '    cap_add: ["${CAP:-SYS_ADMIN}", "$$X"]',
      ].join('\n'),
      'compose.yml',
    ).workloads;
    const securityContext = {
      privileged: true,
      capabilities: { add: ['SYS_ADMIN', '$X'] },
      runAsUser: 0,
      runAsGroup: 5,
    };
    expect(read?.podSpec).toEqual({
      ...NOTHING,
      hostPID: true,
      hostIPC: true,
      containers: [{ name: 'a', image: 'x', securityContext }],
    });
  });

  test('whose services are none is told', () => {
    const { workloads, problems } = readManifestText('services: [web]\n', 'compose.yml');
    expect(workloads).toEqual([]);
    expect(problems).toMatchObject([
      { kind: 'wrong-type', fatal: true, message: expect.stringContaining('services must be a mapping') as unknown },
    ]);
    expect(readManifestText('services:\n', 'compose.yml').problems).toEqual([]);
  });

  test('with fields of a wrong type is told', () => {
    const text =
      'services:\n  a:\n    pid: [host]\n    ipc: null\n    cap_add: SYS_ADMIN\n  b: host\n  c:\n  d: {privileged: {}}\n';
    const { workloads, problems } = readManifestText(text, 'compose.yml');
    expect(workloads).toHaveLength(4);
    expect(problems.map(({ message, place, fatal }) => [place.line, fatal, message.split(':')[0]])).toEqual([
      [3, true, 'services.a.pid must be a text, not a list'],
      [5, true, 'services.a.cap_add must be a list, not a text'],
      [6, true, 'services.b must be a mapping, not a text'],
      [8, true, 'services.d.privileged must be a text, not a mapping'],
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

  test('whose services extend each other ends, and is told', () => {
    const text = 'services:\n  a: {extends: b, image: x}\n  b: {extends: {service: a}, pid: host}\n';
    const { workloads, problems } = readManifestText(text, 'compose.yml');
    expect(workloads.map(({ podSpec }) => podSpec.hostPID)).toEqual([true, true]);
    expect(problems[0]).toMatchObject({
      kind: 'unparsable',
      fatal: true,
      message: expect.stringContaining('in a circle: compose.yml a → compose.yml b → compose.yml a'),
      place: { file: 'compose.yml', line: 3 },
    });
  });
});

describe('a service that extends one of another file', () => {
  const FILES = {
    'app/compose.yaml': [
      'services:',
      '  web:',
      '    extends: { file: ../common/base.yml, service: web }',
      '    cap_add: [NET_ADMIN]',
      '    labels: { own: x }',
      '  job:',
      '    extends:',
      '      file: ../common/base.yml',
      '      service: worker',
      '    pid: service:web',
    ],
    'common/base.yml': [
      '# shared',
      'services:',
      '  web:',
      '    image: nginx',
      '    privileged: true',
      '    cap_add: [SYS_ADMIN, SYS_PTRACE]',
      '    labels: ["base=y"]',
      '  worker:',
      '    extends: { file: deep/more.yml, service: worker }',
      '    ipc: host',
    ],
    'common/deep/more.yml': ['services:', '  worker:', '    image: worker', '    pid: host', '    uts: host'],
  };

  function read(files: Readonly<Record<string, readonly string[]>>): Manifests {
    const directory = directoryWith(
      Object.fromEntries(Object.entries(files).map(([name, lines]) => [name, `${lines.join('\n')}\n`])),
    );
    const options = { cwd: directory };
    const [input] = scanInputs(['app/compose.yaml'], options);
    if (input === undefined) throw new Error('there is no input');
    return readManifests(input, options);
  }

  test('has the fields of both, from the directory of the file that names it, at the lines where they stand', () => {
    const { workloads, problems } = read(FILES);
    expect(problems).toEqual([]);
    const [web, job] = workloads;
    expect(web?.podSpec.containers[0]).toMatchObject({
      image: 'nginx',
      securityContext: { privileged: true, capabilities: { add: ['SYS_ADMIN', 'SYS_PTRACE', 'NET_ADMIN'] } },
    });
    expect(web?.annotations).toEqual({ base: 'y', own: 'x' });
    const securityContext = ['containers', 0, 'securityContext'] as const;
    expect(web?.locate([...securityContext, 'privileged'])).toMatchObject({ file: 'common/base.yml', line: 5 });
    const capability = (index: number): unknown => web?.locate([...securityContext, 'capabilities', 'add', index]);
    expect(capability(1)).toMatchObject({ file: 'common/base.yml', line: 6, column: 26 });
    expect(capability(2)).toMatchObject({ file: 'app/compose.yaml', line: 4, column: 15 });
    expect(job?.podSpec).toMatchObject({ hostPID: false, hostIPC: true, hostUTS: true });
    expect(job?.locate(['hostUTS'])).toMatchObject({ file: 'common/deep/more.yml', line: 5 });
    expect(job?.locate(['hostPID'])).toMatchObject({ file: 'app/compose.yaml', line: 10 });
  });

  test('is edited only where the field stands in its own file', () => {
    const manifests = read(FILES);
    const [web, job] = manifests.workloads;
    if (web === undefined || job === undefined) throw new Error('a service is missing');
    const { before, text, refused } = fixManifests(manifests, [
      { workload: web, edits: [{ path: ['containers', 0, 'securityContext', 'privileged'], remove: true }] },
      { workload: job, edits: [{ path: ['hostUTS'], remove: true }] },
    ]);
    expect(text).toBe(before);
    expect(refused.map(({ reason }) => reason)).toEqual([
      'it is inherited from common/base.yml: edit that file',
      'it is inherited from common/deep/more.yml: edit that file',
    ]);
  });

  test.each([
    ['a file that is not there', '{ file: ../no.yml, service: a }', 'there is no file no.yml'],
    ['a directory', '{ file: ../common, service: a }', 'common is no file'],
    ['a service that is not there', '{ file: ../common/base.yml, service: a }', 'common/base.yml has no service a'],
    ['a service of its own that is not there', 'a', 'app/compose.yaml has no service a'],
    ['no service', '{ file: ../common/base.yml }', 'it names no service'],
    ['a variable', '{ file: "${BASE}/base.yml", service: a }', 'has a variable in its name'],
    ['another machine', '{ file: "https://example.invalid/base.yml", service: a }', 'is not fetched'],
    ['no YAML', '{ file: ../common/broken.yml, service: a }', 'common/broken.yml is not valid YAML'],
    ['no services', '{ file: ../common/none.yml, service: a }', 'common/none.yml has no services'],
    [
      'a circle over files',
      '{ file: ../common/back.yml, service: a }',
      'app/compose.yaml web → common/back.yml a → app/compose.yaml web',
    ],
  ])('by %s is a problem of the run, at the line that says so', (_, extending, message) => {
    const { workloads, problems } = read({
      ...FILES,
      'app/compose.yaml': ['services:', '  web:', '    pid: host', `    extends: ${extending}`],
      'common/broken.yml': ['services: {'],
      'common/none.yml': ['volumes: {}'],
      'common/back.yml': ['services:', '  a:', '    extends: { file: ../app/compose.yaml, service: web }'],
    });
    // What the service says itself is judged all the same.
    expect(workloads[0]?.podSpec.hostPID).toBe(true);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ kind: 'unparsable', fatal: true, message: expect.stringContaining(message) });
    expect(problems[0]?.place).toMatchObject(
      message.includes('→') ? { file: 'common/back.yml', line: 3 } : { file: 'app/compose.yaml', line: 4 },
    );
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

  test('of one container, as its format prints it', () => {
    const one = '{"Id":"a","Name":"/web","HostConfig":{"PidMode":"host"},"Config":{"Image":"x"}}';
    const { workloads: read } = readManifestText(`${one}\n${one}\n`, 'inspect.json');
    expect(read.map(({ name, podSpec }) => [name, podSpec.hostPID])).toEqual([
      ['web', true],
      ['web', true],
    ]);
    expect(read[1]?.locate(['hostPID'])).toMatchObject({ line: 2, column: 39 });
  });

  test('with places', () => {
    const [web] = workloads;
    expect(web?.locate(['hostPID'])).toMatchObject({ line: 7, column: 7, endColumn: 24 });
    expect(web?.fieldName(['containers', 0, 'securityContext', 'capabilities', 'add', 0])).toBe('HostConfig.CapAdd[0]');
  });
});
