import fc from 'fast-check';
import { describeUnread, type Reading } from '../../src/core/reading.ts';
import { createHostFs, type HostFs } from '../../src/host/host-fs.ts';
import { parseToml } from '../../src/probes/config-document.ts';
import { readContainerd } from '../../src/probes/containerd.ts';
import { readCrio } from '../../src/probes/crio.ts';
import { type Daemon, type DaemonName, daemonName, flagValue } from '../../src/probes/daemons.ts';
import { parseDockerDeclaration, readDockerContainers } from '../../src/probes/docker-containers.ts';
import { parseDaemonJson, parseServiceFlags, readDocker } from '../../src/probes/docker.ts';
import { parseKubeletConfig, parseUserNamespaceRecord, readKubelet } from '../../src/probes/kubelet.ts';
import { type HostTreeSpec, makeHostTree } from '../support/host-tree.ts';

const show = (reading: Reading<unknown>): unknown => (reading.ok ? reading.value : describeUnread(reading));

function reading<T>(spec: HostTreeSpec, use: (host: HostFs) => T): T {
  const tree = makeHostTree({ processes: 'none', ...spec });
  try {
    return use(createHostFs(tree.root));
  } finally {
    tree.remove();
  }
}

function running(name: DaemonName, commandLine: string): Daemon {
  return { name, pid: 42, args: commandLine.split(' ') };
}

describe('which daemon a command line is', () => {
  test.each([
    ['/usr/bin/dockerd -H fd://', 'dockerd'],
    ['/usr/bin/dockerd-current --selinux-enabled', 'dockerd'],
    ['/usr/bin/docker daemon -H fd://', 'dockerd'],
    ['docker -d', 'dockerd'],
    ['/usr/bin/docker run -d nginx', undefined],
    ['/usr/bin/containerd', 'containerd'],
    ['/usr/bin/containerd-shim-runc-v2 -namespace moby', undefined],
    ['/usr/bin/crio', 'crio'],
    ['/usr/bin/kubelet --config=/x', 'kubelet'],
    ['/hyperkube kubelet --x', 'kubelet'],
    ['/hyperkube proxy', undefined],
    ['', undefined],
  ])('%s', (commandLine, expected) => {
    expect(daemonName(commandLine.split(' '))).toBe(expected);
  });

  test.each([
    [['x', '--config=/a'], '/a'],
    [['x', '--config', '/a'], '/a'],
    [['x', '-c', '/a'], '/a'],
    [['x', '--config=/a', '--config', '/b'], '/b'],
    [['x', '--config'], ''],
    [['x', '--config='], ''],
    [['x', '--config-dir=/a'], undefined],
    [['x', '--config=/a=b'], '/a=b'],
    [['x'], undefined],
  ])('%j', (args, expected) => {
    expect(flagValue(args, '--config', '-c')).toBe(expected);
  });
});

describe('Docker', () => {
  test.each([
    ['{"userns-remap": "default"}', { usernsRemap: 'default' }],
    ['\uFEFF{"userns-remap": "1000:1000", "data-root": "/data"}', { usernsRemap: '1000:1000', dataRoot: '/data' }],
    ['{"graph": "/old"}', { dataRoot: '/old' }],
    ['{"userns-remap": ""}', { usernsRemap: '' }],
    ['{"userns-remap": null}', {}],
    ['{}', {}],
    ['', {}],
    [' \n', {}],
    ['{"userns-remap": true}', 'f: malformed ("userns-remap" is no string)'],
    ['[]', 'f: malformed (no JSON object)'],
    ['null', 'f: malformed (no JSON object)'],
  ])('daemon.json %j', (text, expected) => {
    expect(show(parseDaemonJson(text, 'f'))).toEqual(expected);
  });

  test.each([['{'], ['{"a": 1,}'], ['// x\n{}'], ["{'a': 1}"], ['['.repeat(200_000)]])(
    'broken JSON is malformed: %#',
    (text) => {
      expect(show(parseDaemonJson(text, 'f'))).toContain('malformed');
    },
  );

  test.each([
    ['DOCKER_OPTS="--userns-remap=default -H fd://"', ['--userns-remap=default', '-H', 'fd://']],
    ["DOCKER_OPTS='--userns-remap default'", ['--userns-remap', 'default']],
    ['DOCKER_OPTS=--userns-remap=default', ['--userns-remap=default']],
    ['export DOCKER_OPTS="-x"\r\n', ['-x']],
    ['DOCKER_OPTS="a"\nDOCKER_OPTS="b"', ['b']],
    ['#DOCKER_OPTS="a"\n# DOCKER_OPTS="b"', []],
    ['DOCKER_OPTS="a \\\n  b"', ['a', 'b']],
    [`DOCKER_OPTS="--label 'a b' c"`, ['--label', 'a b', 'c']],
    ['DOCKER_OPTS=', []],
    ['OTHER_DOCKER_OPTS="a"', []],
    ['', []],
  ])('service defaults %j', (text, expected) => {
    expect(parseServiceFlags(text, 'DOCKER_OPTS')).toEqual(expected);
  });

  test('the command line of the running daemon comes before the file', () => {
    const files = {
      '/etc/docker/daemon.json': '{"userns-remap": "default"}',
      '/etc/default/docker': 'DOCKER_OPTS="--userns-remap=x"',
    };
    const remap = (daemon?: Daemon): unknown =>
      reading({ files }, (host) => readDocker(host, daemon)).usernsRemap.map(
        ({ value, source }) => `${value} ${source}`,
      );
    expect(remap(running('dockerd', 'dockerd --userns-remap y'))).toEqual([
      'y /proc/42/cmdline',
      'default /etc/docker/daemon.json',
    ]);
    expect(remap(running('dockerd', 'dockerd'))).toEqual(['default /etc/docker/daemon.json']);
    expect(remap()).toEqual(['x /etc/default/docker', 'default /etc/docker/daemon.json']);
  });

  test('a broken file is told, another file can be named', () => {
    const files = { '/etc/docker/daemon.json': '{', '/my.json': '{"data-root": "/data"}' };
    const facts = reading({ files }, (host) => readDocker(host, undefined));
    expect(facts).toMatchObject({
      presence: 'installed',
      dataRoot: '/var/lib/docker',
      unread: [{ source: '/etc/docker/daemon.json' }],
    });
    const named = reading({ files }, (host) => readDocker(host, running('dockerd', 'dockerd --config-file /my.json')));
    expect(named).toMatchObject({ presence: 'running', dataRoot: '/data', unread: [] });
    expect(reading({}, (host) => readDocker(host, undefined)).presence).toBe('absent');
  });

  test('what a container was asked for', () => {
    const modes =
      '{"PidMode":"host","IpcMode":"private","UTSMode":"","NetworkMode":"container:abc","UsernsMode":"host","Privileged":true,"Runtime":"runc"}';
    expect(show(parseDockerDeclaration(modes, '{"Name":"/web"}', 'f'))).toEqual({
      name: 'web',
      pidMode: 'host',
      ipcMode: 'private',
      utsMode: '',
      networkMode: 'container:abc',
      usernsMode: 'host',
      privileged: true,
      runtime: 'runc',
    });
    expect(show(parseDockerDeclaration('{}', 'broken', 'f'))).toMatchObject({ name: '', privileged: false });
    expect(show(parseDockerDeclaration('[]', '{}', 'f'))).toContain('malformed');
    expect(show(parseDockerDeclaration('{', '{}', 'f'))).toContain('malformed');
    expect(show(parseDockerDeclaration('{"PidMode":1,"Privileged":"true"}', '{"Name":1}', 'f'))).toMatchObject({
      pidMode: '',
      privileged: false,
      name: '',
    });
  });

  test('containers of a remapped daemon are one directory deeper', () => {
    const files = {
      '/data/containers/a/hostconfig.json': '{}',
      '/data/100000.100000/containers/b/hostconfig.json': '{}',
      '/data/100000.100000/containers/c/hostconfig.json': '{',
      '/data/overlay2/containers/x/hostconfig.json': '{}',
    };
    const found = reading({ files, directories: ['/data/containers/empty'] }, (host) =>
      readDockerContainers(host, '/data'),
    );
    expect([...found].map(([id, { ok }]) => `${id} ${ok}`)).toEqual(['a true', 'b true', 'c false']);
  });
});

describe('containerd', () => {
  const read = (files: HostTreeSpec['files'], daemon?: Daemon): ReturnType<typeof readContainerd> =>
    reading({ files: files ?? {} }, (host) => readContainerd(host, daemon));
  const config = (text: string): Record<string, string> => ({ '/etc/containerd/config.toml': text });

  test.each([
    ['no config', {}, true],
    ["Docker's package, which switches CRI off", config('disabled_plugins = ["cri"]'), false],
    ['version 2', config('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]'), false],
    ['version 3', config('version = 3\ndisabled_plugins = ["io.containerd.cri.v1.runtime"]'), false],
    ['another plugin', config('disabled_plugins = ["io.containerd.snapshotter.v1.zfs", "cristal"]'), true],
    ['broken TOML', config('disabled_plugins = ['), true],
    [
      'an imported file',
      { ...config('imports = ["conf.d/*.toml"]'), '/etc/containerd/conf.d/1.toml': 'disabled_plugins = ["cri"]' },
      false,
    ],
    [
      'an import by its absolute path',
      { ...config('imports = ["/x.toml"]'), '/x.toml': 'disabled_plugins = ["cri"]' },
      false,
    ],
    ['an import that is not there', config('imports = ["/x.toml", "none/*.toml", 7]'), true],
    [
      'a file that no import names',
      { ...config('version = 2'), '/etc/containerd/conf.d/1.toml': 'disabled_plugins = ["cri"]' },
      true,
    ],
    ['one that imports itself', config('imports = ["config.toml", "*.toml"]'), true],
  ])('CRI with %s', (_, files, cri) => {
    expect(read(files).cri).toBe(cri);
  });

  test('the private containerd of a Docker daemon serves no CRI', () => {
    const daemon = running('containerd', 'containerd --config /var/run/docker/containerd/containerd.toml');
    expect(read({}, daemon)).toMatchObject({ presence: 'running', cri: false });
  });

  test('slow_chown of the overlay snapshotter, from the last file that sets it', () => {
    const text = '[plugins."io.containerd.snapshotter.v1.overlayfs"]\nslow_chown = ';
    const files = { '/k3s.toml': `imports = ["/x.toml"]\n${text}false`, '/x.toml': `${text}true` };
    const facts = read(files, running('containerd', 'containerd -c /k3s.toml -a /run/k3s.sock'));
    expect(facts.slowChown).toEqual({ value: true, source: '/x.toml' });
  });
});

describe('CRI-O', () => {
  const mapping = (value: string): string => `[crio.runtime]\nuid_mappings = "${value}"\n`;
  const read = (files: Record<string, string>, daemon?: Daemon): ReturnType<typeof readCrio> =>
    reading({ files }, (host) => readCrio(host, daemon));

  test.each([
    ['the main file', { '/etc/crio/crio.conf': mapping('0:100000:65536') }, '0:100000:65536'],
    [
      'the last drop-in',
      {
        '/etc/crio/crio.conf': mapping('a'),
        '/etc/crio/crio.conf.d/20-x': mapping('c'),
        '/etc/crio/crio.conf.d/10-x': mapping('b'),
      },
      'c',
    ],
    [
      'a drop-in that takes it back',
      { '/etc/crio/crio.conf': mapping('a'), '/etc/crio/crio.conf.d/10-x': mapping('') },
      undefined,
    ],
    [
      'a drop-in of other settings',
      { '/etc/crio/crio.conf': mapping('a'), '/etc/crio/crio.conf.d/10-x': '[crio]\n' },
      'a',
    ],
    ['none', { '/etc/crio/crio.conf': '' }, undefined],
  ])('uid mappings of %s', (_, files, expected) => {
    expect(read(files).uidMappings?.value).toBe(expected);
  });

  test('files named on the command line', () => {
    const daemon = running('crio', 'crio --config /a.conf -d /d');
    expect(read({ '/a.conf': mapping('a'), '/d/x': mapping('b') }, daemon).uidMappings).toEqual({
      value: 'b',
      source: '/d/x',
    });
  });

  test('a broken drop-in is told', () => {
    const files = { '/etc/crio/crio.conf': '', '/etc/crio/crio.conf.d/x': 'a = [' };
    expect(show(read(files).config)).toMatch(/crio.conf.d\/x: malformed/);
  });

  test('its version file', () => {
    expect(show(read({ '/var/run/crio/version': '"1.31.2"' }).version)).toBe('1.31.2');
  });
});

describe('kubelet', () => {
  const KIND = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n';
  const told = (text: string): unknown => {
    const config = parseKubeletConfig(text, 'f');
    if (!config.ok) return config.why;
    const { maxPods, idsPerPod, featureGate } = config.value;
    return [maxPods?.value, idsPerPod?.value, featureGate?.value];
  };

  test.each([
    [
      'YAML',
      `${KIND}maxPods: 250\nuserNamespaces:\n  idsPerPod: 131072\nfeatureGates:\n  UserNamespacesSupport: true\n`,
      [250, 131072, true],
    ],
    ['JSON', '{"kind": "KubeletConfiguration", "maxPods": 58}', [58, undefined, undefined]],
    [
      'the older gate',
      `${KIND}featureGates: {UserNamespacesStatelessPodsSupport: false}\n`,
      [undefined, undefined, false],
    ],
    ['0, which stands for the default', `${KIND}maxPods: 0\n`, [undefined, undefined, undefined]],
    ['a number that is none', `${KIND}maxPods: many\nuserNamespaces: 7\n`, [undefined, undefined, undefined]],
    ['a kubeconfig, which kubeadm keeps under a similar name', 'apiVersion: v1\nkind: Config\n', 'malformed'],
    ['a list', '- a\n', 'malformed'],
    ['nothing', '', 'malformed'],
    ['broken YAML', 'a: [', 'malformed'],
    ['broken indentation', `${KIND}\tmaxPods: 1`, 'malformed'],
    [
      'aliases that multiply',
      `${KIND}a: &a [1,1]\n${Array.from({ length: 30 }, (_, i) => `x${i}: &x${i} [${i ? `*x${i - 1},*x${i - 1}` : '*a'}]`).join('\n')}\n`,
      [undefined, undefined, undefined],
    ],
  ])('%s', (_, text, expected) => {
    expect(told(text)).toEqual(expected);
  });

  const read = (files: Record<string, string>, commandLine?: string): ReturnType<typeof readKubelet> =>
    reading({ files }, (host) => readKubelet(host, commandLine ? running('kubelet', commandLine) : undefined));

  test('flags override the config, drop-ins override the main file, in the order of their names', () => {
    const files = {
      '/k.yaml': `${KIND}maxPods: 1\nuserNamespaces: {idsPerPod: 65536}\n`,
      '/k.d/10-a.conf': `${KIND}maxPods: 2\n`,
      '/k.d/20-b.conf': `${KIND}maxPods: 3\nfeatureGates: {UserNamespacesSupport: true}\n`,
      '/k.d/30-c.yaml': `${KIND}maxPods: 4\n`,
    };
    const dropped = read(files, 'kubelet --config /k.yaml --config-dir=/k.d');
    expect(dropped).toMatchObject({
      maxPods: { value: 3, source: '/k.d/20-b.conf' },
      idsPerPod: { source: '/k.yaml' },
      featureGate: { value: true },
    });
    const flagged = read(
      files,
      'kubelet --config=/k.yaml --config-dir /k.d --max-pods=9 --feature-gates=A=true,UserNamespacesSupport=false',
    );
    expect(flagged).toMatchObject({ maxPods: { value: 9, source: '/proc/42/cmdline' }, featureGate: { value: false } });
  });

  test('a broken drop-in is told', () => {
    const files = { '/k.yaml': KIND, '/k.d/a.conf': 'a: [' };
    expect(show(read(files, 'kubelet --config /k.yaml --config-dir /k.d').config)).toContain('/k.d/a.conf: malformed');
  });

  test('defaults', () => {
    expect(read({})).toMatchObject({
      presence: 'absent',
      rootDir: '/var/lib/kubelet',
      maxPods: { value: 110 },
      idsPerPod: { value: 65536 },
    });
  });

  test('its record of each pod', () => {
    const files = {
      '/kubelet/pods/a/userns': '{"uidMappings":[{"hostId":131072,"containerId":0,"length":65536}],"gidMappings":[]}',
      '/kubelet/pods/b/etc-hosts': '',
    };
    const { pods } = read(files, 'kubelet --root-dir=/kubelet');
    expect(pods.ok && pods.value.map(({ uid, userNamespace }) => [uid, userNamespace.ok || userNamespace.why])).toEqual(
      [
        ['a', true],
        ['b', 'absent'],
      ],
    );
  });

  test.each([
    ['{'],
    ['null'],
    ['{}'],
    ['{"uidMappings": 1}'],
    ['{"uidMappings": [{}]}'],
    ['{"uidMappings": [{"hostId": "1", "containerId": 0, "length": 1}]}'],
  ])('a broken record is malformed: %s', (text) => {
    expect(show(parseUserNamespaceRecord(text, 'f'))).toContain('malformed');
  });
});

test('no text makes any of them throw or wait', () => {
  const parsers = [
    (text: string) => parseDaemonJson(text, 'f'),
    (text: string) => parseServiceFlags(text, 'A'),
    (text: string) => parseDockerDeclaration(text, text, 'f'),
    (text: string) => parseKubeletConfig(text, 'f'),
    (text: string) => parseUserNamespaceRecord(text, 'f'),
    (text: string) => parseToml(text, 'f'),
  ];
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    'A=',
    '\n',
    ' ',
    '- ',
    '&a',
    '*a',
    '!!',
    '|',
    "'",
    '__proto__',
    '1',
    'é',
    '\0',
  );
  for (const parse of parsers) {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parse(text)));
    fc.assert(fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => void parse(pieces.join(''))));
  }
  // As large as the reader lets a file be.
  const MAX = 1 << 20;
  for (const parse of parsers.slice(0, 3))
    for (const text of [' ', '\n', '"', "A='", 'A="', '\\\n', '[', '{"a":'].map((part) =>
      part.repeat(MAX / part.length),
    ))
      expect(() => parse(text)).not.toThrow();
});
