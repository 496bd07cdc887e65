import fc from 'fast-check';
import { describeUnread, type Reading } from '../../src/core/reading.ts';
import { versionAtLeast } from '../../src/core/version.ts';
import { readGoBuildInfo } from '../../src/host/go-build-info.ts';
import { createHostFs } from '../../src/host/host-fs.ts';
import { createProcFs } from '../../src/host/procfs.ts';
import { readHostname } from '../../src/probes/hostname.ts';
import { readNetworkNamespaces } from '../../src/probes/network-namespaces.ts';
import { readOciRuntimes } from '../../src/probes/oci-runtimes.ts';
import { cleanVersion } from '../../src/core/version.ts';
import { packageField, parseGoVersion, type Program, readVersion } from '../../src/probes/versions.ts';
import { goProgram } from '../support/go-program.ts';
import { type HostTreeSpec, makeHostTree } from '../support/host-tree.ts';

const show = (reading: Reading<unknown>): unknown => (reading.ok ? reading.value : describeUnread(reading));
const RUNC: Program = {
  name: 'runc',
  packages: ['runc'],
  module: /^github\.com\/opencontainers\/runc$/,
  linkerVariable: /main\.version=([^\s"']+)/,
};

function inTree<T>(spec: HostTreeSpec, use: (root: string) => T): T {
  const tree = makeHostTree({ processes: 'none', ...spec });
  try {
    return use(tree.root);
  } finally {
    tree.remove();
  }
}

describe('version numbers', () => {
  test.each([
    ['1.36.3', '1.36.3'],
    ['v1.36.3', '1.36.3'],
    ['"1.31.2"', '1.31.2'],
    ['5:28.2.2-1~debian.12~bookworm', '28.2.2'],
    ['1.6.20~ds1-1+deb12u3', '1.6.20'],
    ['20.10.24+dfsg1', '20.10.24'],
    ['1.32.1-eks-5d632ec', '1.32.1'],
    ['v2.0.0-rc.1', '2.0.0-rc.1'],
    ['1.2.0-rc3', '1.2.0-rc3'],
    ['v1.33.0-beta.0', '1.33.0-beta.0'],
    ['1.9', '1.9'],
    ['(devel)', undefined],
    ['v0.0.0-20240101000000-abcdefabcdef', undefined],
    ['', undefined],
    ['unknown', undefined],
  ])('%s is %s', (text, expected) => {
    expect(cleanVersion(text)).toBe(expected);
  });

  test.each([
    ['2.0.0', true],
    ['2.0.0-rc.1', true],
    ['2.1', true],
    ['10.0', true],
    ['1.7.24', false],
    ['1.10', false],
  ])('%s is at least 2.0: %s', (version, expected) => {
    expect(versionAtLeast(version, 2, 0)).toBe(expected);
  });
});

describe('Go build information', () => {
  const told = (content: Uint8Array): unknown =>
    inTree({ files: {} }, (root) => {
      const host = createHostFs(root);
      const lying = {
        ...host,
        readAt: (path: string, offset: number, length: number) => slice(content, path, offset, length),
      };
      return show(readGoBuildInfo(lying, '/x'));
    });
  const slice = (content: Uint8Array, path: string, offset: number, length: number): Reading<Uint8Array> => ({
    ok: true,
    source: path,
    value: content.subarray(Math.min(offset, content.length), Math.min(offset + length, content.length)),
  });
  const program = goProgram({
    module: 'github.com/opencontainers/runc',
    version: 'v1.3.6',
    ldflags: '"-X main.version=1.3.6"',
  });

  test('the lines of a program', () => {
    expect(told(program)).toBe(
      'path\tgithub.com/opencontainers/runc/cmd\nmod\tgithub.com/opencontainers/runc\tv1.3.6\t\nbuild\t-ldflags="-X main.version=1.3.6"\n',
    );
  });

  test.each([
    ['an empty file', Buffer.alloc(0)],
    ['a script', Buffer.from('#!/bin/sh\n'.repeat(20))],
    ['a 32-bit program', Buffer.concat([Buffer.from('\x7fELF\x01\x01', 'latin1'), Buffer.alloc(100)])],
    ['a program without sections', Buffer.concat([program.subarray(0, 40), Buffer.alloc(24), program.subarray(64)])],
    ['a cut program', program.subarray(0, program.length - 10)],
    ['only the header', program.subarray(0, 64)],
  ])('%s is malformed', (_, content) => {
    expect(told(content)).toContain('malformed');
  });

  test('whatever bytes are changed, it never throws', () => {
    const change = fc.array(fc.tuple(fc.nat(program.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(change, (changes) => {
        const content = Uint8Array.from(program);
        for (const [at, byte] of changes) content[at] = byte;
        expect(typeof told(content)).toBe('string');
      }),
      { numRuns: 400 },
    );
  });

  test.each([
    [
      'the variable the linker set',
      'mod\tgithub.com/opencontainers/runc\tv1.0.0\nbuild\t-ldflags=-X main.version=1.3.6',
      '1.3.6',
    ],
    [
      'quoted, as Debian builds',
      String.raw`build	-ldflags=" -w \t-X \"main.version=1.1.5+ds1\" \t-X \"main.x=\""`,
      '1.1.5',
    ],
    ['the main module', 'mod\tgithub.com/opencontainers/runc\tv1.2.3\th1:abc=', '1.2.3'],
    ['a module of another name', 'mod\tgithub.com/other/runc\tv1.2.3', undefined],
    ['a dependency of that name', 'mod\texample.com/x\tv1.0.0\ndep\tgithub.com/opencontainers/runc\tv1.2.3', undefined],
    ['a build from a working copy', 'mod\tgithub.com/opencontainers/runc\t(devel)', undefined],
    ['nothing', '', undefined],
  ])('the version of %s', (_, info, expected) => {
    expect(parseGoVersion(info, RUNC)).toBe(expected);
  });
});

describe('package databases', () => {
  const dpkg =
    'Package: runc-doc\nStatus: install ok installed\nVersion: 9.9\n\nPackage: runc\nStatus: install ok installed\nDescription: x\n Package: y\nVersion: 1.1.5+ds1-1\n\nPackage: containerd\nStatus: deinstall ok config-files\nVersion: 1.6.20\n';
  test.each([
    ['Package: runc', '1.1.5+ds1-1'],
    ['Package: runc-doc', '9.9'],
    ['Package: containerd', undefined],
    ['Package: y', undefined],
    ['Package: run', undefined],
    ['ackage: runc', undefined],
  ])('%s', (name, expected) => {
    expect(packageField(dpkg, name, 'Version: ')).toBe(expected);
  });

  test('Alpine', () => {
    expect(packageField('C:Q1\nP:runc\nV:1.2.2-r0\n\nP:crun\nV:1.19-r0\n', 'P:crun', 'V:')).toBe('1.19-r0');
  });

  test.each([
    [
      'what the binary says',
      {
        programs: { '/usr/bin/runc': { module: 'github.com/opencontainers/runc', version: 'v1.3.6' } },
        packages: { runc: '1.1.5' },
      },
      '1.3.6',
    ],
    [
      'its package, where the binary says nothing',
      { programs: { '/usr/sbin/runc': null }, packages: { runc: '1.1.5+ds1-1' } },
      '1.1.5',
    ],
    [
      'no package for a binary from elsewhere',
      { programs: { '/usr/local/bin/runc': null }, packages: { runc: '1.1.5' } },
      '/usr/local/bin/runc: malformed (not a 64-bit little-endian ELF file)',
    ],
    ['absent', { packages: { runc: '1.1.5' } }, '/usr/bin/runc: absent (not installed)'],
  ])('%s', (_, spec, expected) => {
    expect(inTree(spec, (root) => show(readVersion(createHostFs(root), RUNC)))).toBe(expected);
  });

  test('the runtimes that are installed', () => {
    const spec = { programs: { '/usr/bin/crun': null }, packages: { crun: '1.28-1' } };
    expect(inTree(spec, (root) => readOciRuntimes(createHostFs(root)))).toEqual([
      { name: 'crun', version: { ok: true, source: '/var/lib/dpkg/status', value: '1.28' } },
    ]);
  });
});

describe('hostname of a container', () => {
  test.each([
    ['web-7d4b9c-x2x\n', 'web-7d4b9c-x2x'],
    ['a', 'a'],
    ['node_1.example.org', 'node_1.example.org'],
    ['', '/proc/7/root/etc/hostname: malformed (not a hostname)'],
    ['a b', '/proc/7/root/etc/hostname: malformed (not a hostname)'],
    ['-a', '/proc/7/root/etc/hostname: malformed (not a hostname)'],
    ['\x1b[31mred', '/proc/7/root/etc/hostname: malformed (not a hostname)'],
    ['a\nb', '/proc/7/root/etc/hostname: malformed (not a hostname)'],
    ['x'.repeat(65), '/proc/7/root/etc/hostname: malformed (not a hostname)'],
  ])('%j', (text, expected) => {
    const spec = { files: { '/proc/7/root/etc/hostname': text } };
    expect(inTree(spec, (root) => show(readHostname(createProcFs(root), 7)))).toBe(expected);
  });
});

test('named network namespaces: files that are none are told by name', () => {
  const spec = { files: { '/run/netns/web': '' } };
  const found = inTree(spec, (root) => readNetworkNamespaces(createHostFs(root)));
  expect(found.ok && found.value.map(({ name, inode }) => [name, show(inode)])).toEqual([
    ['web', '/run/netns/web: malformed (not a mounted namespace)'],
  ]);
  const none = inTree({}, (root) => readNetworkNamespaces(createHostFs(root)));
  expect(none).toMatchObject({ ok: false, why: 'absent' });
});

test('no text makes any of them throw or wait', () => {
  const parsers = [
    cleanVersion,
    (text: string) => parseGoVersion(text, RUNC),
    (text: string) => packageField(text, 'Package: x', 'Version: '),
    (text: string) => packageField(`Package: x\n${text}`, 'Package: x', 'Version: '),
  ];
  for (const parse of parsers) {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parse(text)));
    for (const text of ['1', '1.', '"', '\n', 'build\t-ldflags=', 'main.version=', 'mod\tx\t', ' '].map((part) =>
      part.repeat((4 << 20) / part.length),
    ))
      expect(() => parse(text)).not.toThrow();
  }
});
