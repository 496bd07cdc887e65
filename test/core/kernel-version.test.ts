import fc from 'fast-check';
import {
  compareKernelReleases,
  isAtLeast,
  type KernelRelease,
  parseKernelRelease,
  rhel7Minor,
} from '../../src/core/kernel-version.ts';

function release(raw: string): KernelRelease {
  const parsed = parseKernelRelease(raw);
  if (!parsed) throw new Error(`not a release: ${raw}`);
  return parsed;
}

describe('what uname -r prints', () => {
  test.each([
    ['6.1.0-47-amd64', '6.1.0', 'debian', '47'],
    ['6.1.0-47-cloud-amd64', '6.1.0', 'debian', '47'],
    ['6.12.38+deb13-amd64', '6.12.38', 'debian 13', ''],
    ['5.10.0-0.deb10.16-amd64', '5.10.0', 'debian 10', '0'],
    ['5.10.0-0.bpo.15-arm64', '5.10.0', 'debian', '0'],
    ['6.1.0-21-rt-amd64', '6.1.0', 'debian', '21'],
    ['5.10.0-28-686-pae', '5.10.0', 'debian', '28'],
    ['2.6.32-5-amd64', '2.6.32', 'debian', '5'],
    ['6.8.0-31-generic', '6.8.0', 'ubuntu', '31'],
    ['5.15.0-1056-aws', '5.15.0', 'ubuntu', '1056'],
    ['5.4.0-1103-azure', '5.4.0', 'ubuntu', '1103'],
    ['6.8.0-1004-raspi', '6.8.0', 'ubuntu', '1004'],
    ['5.15.0-1032-realtime', '5.15.0', 'ubuntu', '1032'],
    ['3.10.0-1160.105.1.el7.x86_64', '3.10.0', 'rhel 7', '1160.105.1'],
    ['3.10.0-1160.rt56.1131.el7.x86_64', '3.10.0', 'rhel 7', '1160'],
    ['3.10.0-957.27.2.el7.centos.plus.x86_64', '3.10.0', 'rhel 7', '957.27.2'],
    ['4.14.0-115.el7a.0.1.aarch64', '4.14.0', 'rhel 7', '115'],
    ['2.6.32-754.35.1.el6.x86_64', '2.6.32', 'rhel 6', '754.35.1'],
    ['2.6.18-431.el5', '2.6.18', 'rhel 5', '431'],
    ['4.18.0-553.el8_10.x86_64', '4.18.0', 'rhel 8', '553'],
    ['4.18.0-80.el8.x86_64+debug', '4.18.0', 'rhel 8', '80'],
    ['5.14.0-427.13.1.el9_4.x86_64', '5.14.0', 'rhel 9', '427.13.1'],
    ['5.14.0-70.13.1.rt21.83.el9_0.x86_64', '5.14.0', 'rhel 9', '70.13.1'],
    ['6.12.0-55.9.1.el10_0.x86_64', '6.12.0', 'rhel 10', '55.9.1'],
    ['5.4.17-2136.300.7.el8uek.x86_64', '5.4.17', 'oracle-uek 8', '2136.300.7'],
    ['4.1.12-124.48.6.el7uek.x86_64', '4.1.12', 'oracle-uek 7', '124.48.6'],
    ['5.4.278-1.el7.elrepo.x86_64', '5.4.278', 'elrepo 7', '1'],
    ['6.1.90-1.el9.elrepo.x86_64', '6.1.90', 'elrepo 9', '1'],
    ['6.8.5-301.fc40.x86_64', '6.8.5', 'fedora 40', '301'],
    ['6.9.0-0.rc2.20.fc41.x86_64', '6.9.0 rc2', 'fedora 41', '20'],
    ['5.10.215-203.850.amzn2.x86_64', '5.10.215', 'amazon 2', '203.850'],
    ['6.1.90-99.173.amzn2023.aarch64', '6.1.90', 'amazon 2023', '99.173'],
    ['6.6.29.1-4.azl3', '6.6.29', 'azure-linux 3', '4'],
    ['5.15.153.1-2.cm2', '5.15.153', 'azure-linux 2', '2'],
    ['6.1.10-11.ph5-esx', '6.1.10', 'photon 5', '11'],
    ['6.6.52-talos', '6.6.52', 'talos', ''],
    ['6.6.21-flatcar', '6.6.21', 'flatcar', ''],
    ['5.15.146.1-microsoft-standard-WSL2', '5.15.146', 'wsl', ''],
    ['4.4.0-19041-Microsoft', '4.4.0', 'wsl', '19041'],
    ['5.14.21-150500.55.39-default', '5.14.21', 'suse', '150500.55.39'],
    ['5.3.18-150300.59.93-azure', '5.3.18', 'suse', '150300.59.93'],
    ['6.8.8-1-default', '6.8.8', 'suse', '1'],
    ['6.6.32-0-virt', '6.6.32', 'alpine', '0'],
    ['6.8.7-arch1-1', '6.8.7', 'arch', ''],
    ['6.8.7-zen1-1-zen', '6.8.7', 'arch', ''],
    ['6.6.28-hardened1-1-hardened', '6.6.28', 'arch', ''],
    ['5.15.146+', '5.15.146', 'other', ''],
    ['6.6.26-linuxkit', '6.6.26', 'other', ''],
    ['6.8.12-1-pve', '6.8.12', 'other', '1'],
    ['6.6.31+rpt-rpi-v8', '6.6.31', 'other', ''],
    ['6.1.21-v8+', '6.1.21', 'other', ''],
    ['5.10.157-android13-4-00003-g1a2b3c4d5e6f-ab9876543', '5.10.157', 'other', ''],
    ['4.14.117-perf+', '4.14.117', 'other', ''],
    ['6.6.32_1', '6.6.32', 'other', ''],
    ['6.6.30-gentoo-dist', '6.6.30', 'other', ''],
    ['5.15.150', '5.15.150', 'other', ''],
    ['2.6.32.71-grsec', '2.6.32', 'other', ''],
    ['6.9-rc2', '6.9.0 rc2', 'other', ''],
    ['6.10.0-rc7-next-20240712', '6.10.0 rc7', 'other', ''],
    ['6.18.44', '6.18.44', 'other', ''],
    ['6.1.102\n', '6.1.102', 'other', ''],
  ])('%s', (raw, version, family, build) => {
    const it = release(raw);
    expect(`${it.version.join('.')}${it.candidate ? ` rc${it.candidate}` : ''}`).toBe(version);
    expect(`${it.family}${it.familyMajor ? ` ${it.familyMajor}` : ''}`).toBe(family);
    expect(it.build.join('.')).toBe(build);
    expect(it.raw).toBe(raw.trim());
  });

  test.each([[''], ['6'], ['v6.1'], ['linux-6.1'], ['6.x'], ['6.1 x'], ['123456.1'], ['.6.1']])('%j is none', (raw) => {
    expect(parseKernelRelease(raw)).toBeUndefined();
  });
});

describe('minors of RHEL 7', () => {
  test.each([
    ['3.10.0-123.el7.x86_64', 0],
    ['3.10.0-123.20.1.el7.x86_64', 0],
    ['3.10.0-229.el7.x86_64', 1],
    ['3.10.0-327.36.3.el7.x86_64', 2],
    ['3.10.0-514.el7.x86_64', 3],
    ['3.10.0-693.112.1.el7.x86_64', 4],
    ['3.10.0-862.14.4.el7.x86_64', 5],
    ['3.10.0-957.el7.x86_64', 6],
    ['3.10.0-962.3.2.lve1.5.63.el7.x86_64', 6],
    ['3.10.0-1062.4.3.el7.x86_64', 7],
    ['3.10.0-1127.19.1.el7.x86_64', 8],
    ['3.10.0-1160.119.1.el7.x86_64', 9],
    ['3.10.0-1160.rt56.1131.el7.x86_64', 9],
    ['3.10.0-54.0.1.el7.x86_64', undefined],
    ['4.14.0-115.el7a.0.1.x86_64', undefined],
    ['4.1.12-124.48.6.el7uek.x86_64', undefined],
    ['3.10.108-1.el7.elrepo.x86_64', undefined],
    ['4.18.0-305.el8.x86_64', undefined],
    ['3.10.0-1160.105.1.vz7.214.3', undefined],
  ])('%s', (raw, minor) => {
    expect(rhel7Minor(release(raw))).toBe(minor);
  });
});

describe('order', () => {
  test.each([
    ['6.2.16-3-pve', '6.3.0'],
    ['6.3.0-rc7', '6.3.0'],
    ['6.9.0-0.rc2.20.fc41.x86_64', '6.9.0-64.fc41.x86_64'],
    ['6.9.9', '6.10.0'],
    ['3.10.0-957.el7.x86_64', '3.10.0-1160.el7.x86_64'],
    ['5.15.0-91-generic', '5.15.0-107-generic'],
    ['6.3.0-rc2', '6.3.0-rc10'],
  ])('%s is before %s', (earlier, later) => {
    expect(compareKernelReleases(release(earlier), release(later))).toBe(-1);
    expect(compareKernelReleases(release(later), release(earlier))).toBe(1);
  });

  test.each([
    ['6.3.0', true],
    ['6.3-rc1', false],
    ['6.3.1-rc1', true],
    ['6.10.0', true],
    ['6.2.99', false],
    ['5.14.0-427.el9.x86_64', false],
    ['10.0.0', true],
  ])('%s is at least 6.3: %s', (raw, expected) => {
    expect(isAtLeast(release(raw), 6, 3)).toBe(expected);
  });

  const anyRelease = fc
    .tuple(
      fc.constantFrom('3.10.0', '5.14.0', '6.3', '6.3.0'),
      fc.constantFrom('', '-rc1', '-rc2', '-0.rc1'),
      fc.constantFrom('', '-1', '-91', '-427.13.1'),
      fc.constantFrom('', '.el7.x86_64', '.el9_4.x86_64', '-generic', '-amd64', '.fc40', '-talos'),
    )
    .map((parts) => release(parts.join('')));

  test('is total: reflexive, antisymmetric, transitive', () => {
    fc.assert(
      fc.property(anyRelease, anyRelease, anyRelease, (a, b, c) => {
        const [ab, bc, ac] = [compareKernelReleases(a, b), compareKernelReleases(b, c), compareKernelReleases(a, c)];
        expect(compareKernelReleases(a, a)).toBe(0);
        expect(compareKernelReleases(b, a) + ab).toBe(0);
        if (ab <= 0 && bc <= 0) expect(ac).toBeLessThanOrEqual(0);
        if (ab === 0 && bc === 0) expect(ac).toBe(0);
      }),
      { numRuns: 3000 },
    );
  });
});

test('no text makes it throw or wait', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseKernelRelease(text)));
  for (const text of [
    '1.'.repeat(500_000),
    `6.1.${'0'.repeat(1_000_000)}`,
    `6.1-${'1.'.repeat(500_000)}x`,
    `6.1${'-el7'.repeat(250_000)}`,
  ])
    expect(() => parseKernelRelease(text)).not.toThrow();
});
