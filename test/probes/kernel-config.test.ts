import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { KERNEL_OPTIONS, type KernelConfigFacts, type KernelOption } from '../../src/core/facts.ts';
import { describeUnread, type Reading } from '../../src/core/reading.ts';
import { createHostFs } from '../../src/host/host-fs.ts';
import { optionIn, parseKernelConfig, readKernelConfig } from '../../src/probes/kernel-config.ts';
import { readKernelRelease } from '../../src/probes/kernel-release.ts';
import { makeHostTree, type HostTreeSpec } from '../support/host-tree.ts';

const HEADER = '#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 6.1.170 Kernel Configuration\n#\n';
/** The lines of a full config in their order: what stands above the namespaces, and what stands below. */
const ABOVE = 'CONFIG_CC_VERSION_TEXT="gcc-12"\nCONFIG_INIT_ENV_ARG_LIMIT=32\nCONFIG_CGROUPS=y\n';
const NAMESPACES =
  'CONFIG_NAMESPACES=y\nCONFIG_UTS_NS=y\nCONFIG_TIME_NS=y\nCONFIG_IPC_NS=y\nCONFIG_USER_NS=y\nCONFIG_PID_NS=y\nCONFIG_NET_NS=y\n';
const BELOW = 'CONFIG_BLOCK=y\nCONFIG_NET=y\n# CONFIG_KCOV is not set\n';
const FULL = HEADER + ABOVE + NAMESPACES + BELOW;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** `full y`, `fragment absent`, `refused`: the kind of file and what it says of an option. */
function verdict(content: string | Uint8Array, option: KernelOption = 'USER_NS'): string {
  const config = parseKernelConfig(typeof content === 'string' ? bytes(content) : content, 'config');
  if (!config.ok) return `refused ${config.why}`;
  const answer = optionIn(config.value, option, 'config');
  return `${config.value.kind} ${answer.ok ? answer.value : `unread:${answer.why}`}`;
}

function detail(content: string | Uint8Array): string {
  const config = parseKernelConfig(typeof content === 'string' ? bytes(content) : content, 'config');
  return config.ok ? 'taken' : config.detail;
}

describe('what a config says of an option', () => {
  test.each([
    ['y', FULL, 'full y'],
    ['m, which no namespace option can be', FULL.replace('USER_NS=y', 'USER_NS=m'), 'full m'],
    ['"is not set"', FULL.replace('CONFIG_USER_NS=y', '# CONFIG_USER_NS is not set'), 'full not-set'],
    ['n, as Kconfig reads it', FULL.replace('USER_NS=y', 'USER_NS=n'), 'full not-set'],
    ['nothing', FULL.replace('CONFIG_USER_NS=y\n', ''), 'full absent'],
    ['neither y, m nor n', FULL.replace('USER_NS=y', 'USER_NS=yes'), 'full unread:malformed'],
    ['an empty value', FULL.replace('USER_NS=y', 'USER_NS='), 'full unread:malformed'],
    ['a quoted value', FULL.replace('USER_NS=y', 'USER_NS="y"'), 'full unread:malformed'],
    ['the same twice', `${FULL}CONFIG_USER_NS=y\n`, 'full y'],
    ['n and "is not set", which is the same', `CONFIG_USER_NS=n\n# CONFIG_USER_NS is not set\n`, 'fragment not-set'],
    ['two different things', `${FULL}# CONFIG_USER_NS is not set\n`, 'full unread:malformed'],
    ['a comment that only resembles', FULL.replace('CONFIG_USER_NS=y', '#CONFIG_USER_NS is not set'), 'full absent'],
    ['an option commented out', FULL.replace('CONFIG_USER_NS=y', '# CONFIG_USER_NS=y'), 'full absent'],
    [
      'an indented line, which Kconfig does not take',
      FULL.replace('CONFIG_USER_NS', '  CONFIG_USER_NS'),
      'full absent',
    ],
    ['blanks behind it', FULL.replace('USER_NS=y', 'USER_NS=y \t'), 'full y'],
    ['a longer name', FULL.replace('CONFIG_USER_NS=y', 'CONFIG_USER_NS_UNPRIVILEGED=y'), 'full absent'],
    ['a name in small letters', FULL.replace('CONFIG_USER_NS', 'config_user_ns'), 'full absent'],
    ['lines that end in CR LF', FULL.replaceAll('\n', '\r\n'), 'full y'],
    [
      'CR LF behind "is not set"',
      FULL.replace('CONFIG_USER_NS=y\n', '# CONFIG_USER_NS is not set\r\n'),
      'full not-set',
    ],
    ['a byte order mark before it', `\uFEFF${FULL}`, 'full y'],
    ['no newline at the end', FULL.slice(0, FULL.indexOf('USER_NS=y') + 9), 'fragment y'],
  ])('%s', (_, text, expected) => {
    expect(verdict(text)).toBe(expected);
  });
});

describe('full configs and fragments', () => {
  const old =
    "#\n# Automatically generated make config: don't edit\n# Linux kernel version: 2.6.32-754.el6.x86_64\n#\n";
  test.each([
    ['a build of 2.6.32 with its old header', old + ABOVE + NAMESPACES + BELOW, 'full y'],
    ['2.6.18, older than NAMESPACES and BLOCK', `${old}CONFIG_UTS_NS=y\nCONFIG_NET=y\n`, 'full absent'],
    ['2.6.39 and later', `# Linux/x86_64 2.6.39 Kernel Configuration\n${NAMESPACES}${BELOW}`, 'full y'],
    ['a build whose version is a word', `# Linux/x86_64 syzkaller Kernel Configuration\n${NAMESPACES}`, 'full y'],
    ['Android', `# Linux/arm64 4.14.117-perf+ Kernel Configuration\n${NAMESPACES}`, 'full y'],
    ['no header, but an option nobody is asked for', ABOVE + NAMESPACES + BELOW, 'full y'],
    ['Red Hat: a header below the name of the architecture', `# x86_64\n${FULL}`, 'full y'],
    [
      'Red Hat: options with a prompt only, sorted',
      `# arm64\nCONFIG_BLOCK=y\nCONFIG_NET=y\n${NAMESPACES}`,
      'fragment y',
    ],
    ['namespaces off as a whole', `${HEADER}# CONFIG_NAMESPACES is not set\n`, 'full absent'],
    [
      'a savedefconfig, which leaves out defaults',
      'CONFIG_SYSVIPC=y\nCONFIG_CGROUPS=y\nCONFIG_NET=y\n',
      'fragment unread:absent',
    ],
    ['an overlay', 'CONFIG_USER_NS=y\n', 'fragment y'],
    ['a full config cut above the namespaces', HEADER + ABOVE, 'fragment unread:absent'],
    ['one that a license precedes', `# ${'license '.repeat(600)}\n${FULL}`, 'full y'],
  ])('%s', (_, text, expected) => {
    expect(verdict(text)).toBe(expected);
  });

  test('the version of the header', () => {
    const version = (text: string): string | undefined => {
      const config = parseKernelConfig(bytes(text), 'config');
      return config.ok ? config.value.version : undefined;
    };
    expect(version(FULL)).toBe('6.1.170');
    expect(version(old + NAMESPACES)).toBe('2.6.32-754.el6.x86_64');
    expect(version(`# Linux/x86_64 syzkaller Kernel Configuration\n${NAMESPACES}`)).toBeUndefined();
    expect(version(`${NAMESPACES}# Linux/x86 6.1.170 Kernel Configuration\n`)).toBeUndefined();
  });

  test('wherever a full config is cut, it never says that an option it lost is off', () => {
    fc.assert(
      fc.property(fc.nat(FULL.length), fc.constantFrom(...KERNEL_OPTIONS.slice(0, 8)), (length, option) => {
        expect(verdict(FULL.slice(0, length), option)).toMatch(/ y$| unread:|^refused/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is no kernel config', () => {
  const generated = '#\n# Automatically generated file; DO NOT EDIT.\n';
  test.each([
    [
      'BusyBox',
      `#\n# Automatically generated make config: don't edit\n# Busybox version: 1.36.1\n# Mon Jan 1\n#\nCONFIG_HAVE_DOT_CONFIG=y\n`,
      'Busybox',
    ],
    ['U-Boot', `${generated}# U-Boot 2024.01 Configuration\n#\nCONFIG_ARM=y\nCONFIG_NET=y\n`, 'U-Boot 2024.01'],
    ['Xen', `${generated}# Xen/x86 4.17.0 Configuration\n#\nCONFIG_X86_64=y\n`, 'Xen/x86 4.17.0'],
    ['coreboot', `${generated}# coreboot configuration\n#\nCONFIG_COREBOOT_BUILD=y\n`, 'coreboot'],
    ['OpenWrt', `${generated}# OpenWrt Configuration\n#\nCONFIG_MODULES=y\n`, 'OpenWrt'],
    ['NuttX', `${generated}# NuttX/arm Configuration\n#\nCONFIG_EXPERIMENTAL=y\n`, 'NuttX/arm'],
  ])('a config of %s', (_, text, project) => {
    expect(detail(text)).toBe(`a config of ${project}, not of a Linux kernel`);
  });

  test.each([
    ['an empty file', ''],
    ['blank lines', '\n\n\n'],
    ['Buildroot and crosstool-NG', 'BR2_x86_64=y\nCT_ARCH="x86"\n# BR2_arm is not set\n'],
    ['prose', 'CONFIG_USER_NS is a kernel option.\n'],
    ['a script that holds assignments', 'set -e\nif true; then\nCONFIG_USER_NS=y\nfi\n'],
    ['a ConfigMap, whose lines are indented', 'data:\n  config: |\n    CONFIG_USER_NS=y\n    CONFIG_NET=y\n'],
    ['UTF-16', Buffer.from(FULL, 'utf16le')],
    ['a binary that holds a config', Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0]), bytes(FULL)])],
  ])('%s', (_, content) => {
    expect(verdict(content)).toBe('refused malformed');
  });

  test('comments of a fragment may speak of a configuration', () => {
    expect(verdict('# Docker Configuration\nCONFIG_USER_NS=y\n')).toBe('fragment y');
  });
});

describe('gzip', () => {
  const whole = gzipSync(FULL);
  test.each([
    ['a whole file', whole, 'full y'],
    [
      'two members, one after the other',
      Buffer.concat([gzipSync(HEADER + ABOVE), gzipSync(NAMESPACES + BELOW)]),
      'full y',
    ],
    ['a cut file', whole.subarray(0, whole.length - 20), 'refused malformed'],
    ['a cut second member', Buffer.concat([whole, whole.subarray(0, 40)]), 'refused malformed'],
    ['a broken checksum', Buffer.concat([whole.subarray(0, -8), Buffer.alloc(8)]), 'refused malformed'],
    ['two bytes', whole.subarray(0, 2), 'refused malformed'],
    ['a gzip in a gzip', gzipSync(whole), 'refused malformed'],
    ['a bomb', gzipSync(Buffer.alloc(64 << 20, 'CONFIG_USER_NS=y\n')), 'refused too-large'],
  ])('%s', (_, content, expected) => {
    expect(verdict(content)).toBe(expected);
  });
});

describe('hostile files', () => {
  test('no bytes make it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (content) => {
        expect(typeof verdict(content)).toBe('string');
        expect(typeof verdict(gzipSync(content))).toBe('string');
      }),
    );
  });

  test('no lines make it throw', () => {
    const piece = fc.constantFrom(
      'CONFIG_',
      'USER_NS',
      '=y',
      '=',
      '# ',
      ' is not set',
      '\n',
      '\r\n',
      '\t',
      'é',
      'Linux/x86 6.1 Kernel Configuration',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        expect(typeof verdict(pieces.join(''))).toBe('string');
      }),
    );
  });

  // Each took minutes or hours with an expression that goes back; the limit of the test is the alarm, no time is measured.
  test.each([
    ['newlines', '\n'.repeat(4 << 20)],
    ['blanks behind an option', `CONFIG_USER_NS=${' '.repeat(4_000_000)}x`],
    ['blanks in a comment', `#${' '.repeat(4_000_000)}x`],
    ['a header without an end', `# Automatically generated\n# Linux ${' '.repeat(4_000_000)}`],
    ['a foreign header without an end', `# Automatically generated\n# ${'a '.repeat(2_000_000)}\nCONFIG_A=y`],
    ['one option over and over', 'CONFIG_USER_NS=y\n'.repeat(240_000)],
    ['an option with ever new values', Array.from({ length: 200_000 }, (_, i) => `CONFIG_USER_NS=${i}`).join('\n')],
  ])('4 MiB of %s are read in no time', (_, text) => {
    expect(typeof verdict(text)).toBe('string');
  });
});

describe('which file is that of the running kernel', () => {
  const header = (version: string): string => FULL.replace('6.1.170', version);
  const without = (text: string): string => text.replace('CONFIG_USER_NS=y', '# CONFIG_USER_NS is not set');
  const RELEASE = '6.1.0-47-amd64';

  function readConfig(spec: HostTreeSpec): KernelConfigFacts {
    const tree = makeHostTree({ processes: 'none', kernel: RELEASE, ...spec });
    try {
      const host = createHostFs(tree.root);
      return readKernelConfig(host, readKernelRelease(host));
    } finally {
      tree.remove();
    }
  }

  const show = (reading: Reading<string>): string =>
    reading.ok ? `${reading.value} ${reading.source}` : describeUnread(reading);
  const userNs = (spec: HostTreeSpec): string => show(readConfig(spec).options.USER_NS);

  test.each([
    ['/boot/config-6.1.0-47-amd64'],
    ['/boot/config-6.1.0-47-amd64.gz'],
    ['/usr/lib/modules/6.1.0-47-amd64/config'],
    ['/lib/modules/6.1.0-47-amd64/config'],
    ['/lib/modules/6.1.0-47-amd64/build/.config'],
    ['/usr/lib/ostree-boot/config-6.1.0-47-amd64'],
    ['/usr/lib/kernel/config-6.1.0-47-amd64'],
    ['/usr/src/linux-headers-6.1.0-47-amd64/.config'],
    ['/usr/src/linux-6.1.0-47-amd64/.config'],
    ['/usr/src/linux-rt-6.1.0-47-amd64/.config'],
    ['/usr/src/kernels/6.1.0-47-amd64/.config'],
  ])('%s carries its release', (path) => {
    expect(userNs({ files: { [path]: FULL, '/boot/config-6.1.0-48-amd64': without(FULL) } })).toBe(`y ${path}`);
  });

  test.each([
    ['the version of the header is the release', '/usr/src/linux/.config', '6.6.32', '6.6.32'],
    ['the release adds to the version of the header', '/boot/config', '6.6.32', '6.6.32-0-lts'],
    ['a release of two numbers', '/usr/src/linux/.config', '4.19.0', '4.19-custom'],
    ['a release candidate', '/usr/src/linux/.config', '6.9.0-rc2', '6.9.0-rc2-custom'],
    ['a stable release of four numbers', '/usr/src/linux/.config', '2.6.32.71', '2.6.32.71-grsec'],
  ])('%s', (_, path, version, kernel) => {
    expect(userNs({ kernel, files: { [path]: header(version) } })).toBe(`y ${path}`);
  });

  test.each([
    ['another version', '6.6.3', '6.6.32-0-lts'],
    ['the release of a candidate', '6.9.0', '6.9.0-rc2'],
    ['another build', '5.14.0-362.el9.x86_64', '5.14.0-427.el9.x86_64'],
  ])('%s is another kernel', (_, version, kernel) => {
    const facts = readConfig({ kernel, files: { '/usr/src/linux/.config': header(version) } });
    expect(show(facts.options.USER_NS)).toContain('none of the running kernel');
    expect(facts.files.map(({ role }) => role)).toEqual(['other-kernel']);
  });

  test('of two flavors of one version the one that the release ends with counts', () => {
    const files = { '/boot/config-lts': header('6.6.32'), '/boot/config-virt': without(header('6.6.32')) };
    expect(userNs({ kernel: '6.6.32-0-lts', files })).toBe('y /boot/config-lts');
    expect(userNs({ kernel: '6.6.32-0-virt', files })).toBe('not-set /boot/config-virt');
  });

  test('a flavor of another version is another kernel', () => {
    expect(userNs({ kernel: '6.6.31-0-lts', files: { '/boot/config-lts': header('6.6.32') } })).toContain('none of');
  });

  test('two files of one rank that disagree leave the answer open', () => {
    const files = { '/boot/config-a': header('6.6.32'), '/boot/config-b': without(header('6.6.32')) };
    expect(userNs({ kernel: '6.6.32', files })).toContain("which is the running kernel's is not known");
  });

  test("the kernel's own copy outranks the file of its name, and says so", () => {
    const facts = readConfig({ files: { '/proc/config.gz': FULL, [`/boot/config-${RELEASE}`]: without(FULL) } });
    expect(show(facts.options.USER_NS)).toBe('y /proc/config.gz');
    expect(facts.files.map(({ role }) => role)).toEqual(['used', 'contradicts']);
  });

  test('a full config outranks a fragment of a better name', () => {
    const files = {
      [`/boot/config-${RELEASE}`]: 'CONFIG_USER_NS=y\n',
      '/usr/src/linux/.config': without(header('6.1.0')),
    };
    expect(userNs({ files })).toBe('not-set /usr/src/linux/.config');
  });

  test('a broken copy does not keep a good file from answering', () => {
    const files = { '/proc/config.gz': '\u001f\u008b broken', [`/boot/config-${RELEASE}`]: FULL };
    expect(userNs({ files })).toBe(`y /boot/config-${RELEASE}`);
  });

  test('links are followed inside the root, loops and directories are refused', () => {
    const facts = readConfig({
      files: { [`/usr/lib/modules/${RELEASE}/config`]: FULL },
      links: {
        [`/boot/config-${RELEASE}`]: `../usr/lib/modules/${RELEASE}/config`,
        '/boot/config-loop': 'config-loop',
      },
      directories: ['/boot/config-directory'],
    });
    expect(facts.files.map(({ path, role }) => `${path} ${role}`)).toEqual([
      `/boot/config-${RELEASE} used`,
      '/boot/config-directory none',
      '/boot/config-loop none',
      `/usr/lib/modules/${RELEASE}/config agrees`,
    ]);
  });

  test('without a running kernel, as in an image, the installed one speaks', () => {
    const tree = makeHostTree({ processes: 'none', files: { '/boot/config-6.1.0-48-amd64': FULL } });
    const host = createHostFs(tree.root);
    expect(show(readKernelConfig(host, readKernelRelease(host)).options.USER_NS)).toBe('y /boot/config-6.1.0-48-amd64');
    tree.remove();
  });
});
