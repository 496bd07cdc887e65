import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeUnread, type Reading } from '../../src/core/reading.ts';
import { createHostFs, type HostFs } from '../../src/host/host-fs.ts';

let root: string;
let host: HostFs;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'host-fs-'));
  host = createHostFs(root);
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, content: string | Uint8Array = 'inside'): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), content);
}
function link(path: string, target: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  symlinkSync(target, join(root, path));
}
const show = (reading: Reading<unknown>): unknown => (reading.ok ? reading.value : describeUnread(reading));

describe('symbolic links stay inside the root', () => {
  test.each([
    ['relative', 'target'],
    ['absolute', '/etc/target'],
    ['upwards', '../etc/target'],
    ['far above the root', '../../../../../../etc/target'],
    ['through another link', '/alias/target'],
    ['with empty and single-dot parts', './/.//target'],
  ])('%s', (_, target) => {
    write('etc/target');
    link('alias', '/etc');
    link('etc/link', target);
    expect(show(host.readText('/etc/link'))).toBe('inside');
    expect(host.exists('/etc/link')).toBe(true);
    expect(show(host.readLink('/etc/link'))).toBe(target);
  });

  test('one to a file only the reader has is absent', () => {
    link('etc/passwd', '/etc/passwd');
    link('proc', '/proc');
    expect(show(host.readText('/etc/passwd'))).toContain('too many symbolic links');
    expect(show(host.readText('/proc/version'))).toContain('too many symbolic links');
    link('etc/hosts', '/etc/hostname');
    expect(show(host.readText('/etc/hosts'))).toBe('/etc/hosts: absent (no such file)');
    expect(host.exists('/etc/hosts')).toBe(false);
  });

  test('a loop is refused', () => {
    link('a', 'b');
    link('b', 'a');
    expect(show(host.readText('/a'))).toBe('/a: malformed (too many symbolic links)');
    expect(show(host.list('/a'))).toBe('/a: malformed (too many symbolic links)');
    expect(host.exists('/a')).toBe(false);
  });

  test('a directory of the path may be one', () => {
    write('usr/lib/modules/6.1/config');
    link('lib', 'usr/lib');
    expect(show(host.readText('/lib/modules/6.1/config'))).toBe('inside');
    expect(show(host.list('/lib/modules'))).toEqual(['6.1']);
    expect(show(host.readLink('/lib'))).toBe('usr/lib');
  });

  test('a path that climbs stays inside, too', () => {
    write('etc/target');
    expect(show(host.readText('/../../etc/target'))).toBe('inside');
  });
});

describe('what is no ordinary file', () => {
  test('a FIFO does not stop the audit', () => {
    execFileSync('mkfifo', [join(root, 'fifo')]);
    expect(show(host.readText('/fifo'))).toBe('/fifo: malformed (not a regular file)');
  });

  test('a directory, a device and a file used as a directory', () => {
    write('file');
    expect(show(host.readText('/'))).toBe('/: malformed (is a directory)');
    expect(show(createHostFs('/').readText('/dev/zero'))).toBe('/dev/zero: malformed (not a regular file)');
    expect(show(host.readText('/file/below'))).toBe('/file/below: absent (no such file)');
    expect(show(host.list('/file'))).toBe('/file: absent (no such file)');
    expect(show(host.readLink('/file'))).toContain('io-error');
  });

  test('paths the kernel does not take', () => {
    expect(host.readText('/a\0b').ok).toBe(false);
    expect(host.exists('/a\0b')).toBe(false);
    expect(show(host.readText(`/${'x'.repeat(300)}`))).toContain('ENAMETOOLONG');
    expect(host.list(`/${'x/'.repeat(5000)}`).ok).toBe(false);
  });

  test('an ordinary file is no namespace', () => {
    write('run/netns/web');
    expect(show(host.namespaceInode('/run/netns/web'))).toContain('not a mounted namespace');
    expect(show(host.namespaceInode('/run/netns/none'))).toContain('absent');
    expect(createHostFs('/').namespaceInode('/proc/self/ns/net')).toMatchObject({ ok: true });
  });
});

describe('sizes', () => {
  test('a file at the limit is read whole, one above it not at all', () => {
    write('file', 'x'.repeat(5000));
    expect(show(host.readText('/file', 5000))).toHaveLength(5000);
    expect(show(host.readText('/file', 4999))).toBe('/file: too-large (5000 bytes, at most 4999 are read)');
    write('empty', '');
    expect(show(host.readText('/empty', 0))).toBe('');
  });

  test('a sparse file of 10 GB costs nothing', () => {
    write('huge', '');
    truncateSync(join(root, 'huge'), 10 * 2 ** 30);
    expect(show(host.readBytes('/huge'))).toContain('too-large');
  });

  test('files that tell no size are read to their end', () => {
    const real = createHostFs('/');
    expect(show(real.readText('/proc/self/status'))).toContain('Name:');
    expect(show(real.readText('/proc/self/status', 10))).toBe('/proc/self/status: too-large (more than 10 bytes)');
    expect(show(real.readText('/proc/kallsyms', 1 << 16))).toContain('too-large');
  });

  test('a part of a file is never more than it holds', () => {
    write('file', 'abcdef');
    const part = (offset: number, length: number): unknown => {
      const bytes = host.readAt('/file', offset, length);
      return bytes.ok ? new TextDecoder().decode(bytes.value) : bytes.why;
    };
    expect(part(2, 3)).toBe('cde');
    expect(part(4, 2 ** 32)).toBe('ef');
    expect(part(6, 10)).toBe('');
    expect(part(2 ** 60, 10)).toBe('');
  });
});

describe('text', () => {
  test('NUL bytes are refused, broken UTF-8 is shown as such, a byte order mark goes', () => {
    write('nul', 'a\0b');
    write('latin1', Buffer.from('caf\xe9', 'latin1'));
    write('bom', '\uFEFFx');
    expect(show(host.readText('/nul'))).toBe('/nul: malformed (binary data where text is expected)');
    expect(show(host.readText('/latin1'))).toBe('caf\uFFFD');
    expect(show(host.readText('/bom'))).toBe('x');
  });
});

describe('permissions', () => {
  // Root passes every permission, so the reading is done by a process of another user.
  const isRoot = process.getuid?.() === 0;
  (isRoot ? test : test.skip)(
    'what another user may not read is denied, not absent (needs root, to become another user)',
    () => {
      write('secret/file');
      write('closed');
      chmodSync(root, 0o755);
      chmodSync(join(root, 'secret'), 0o700);
      chmodSync(join(root, 'closed'), 0o600);
      const source = join(import.meta.dirname, '../../src/host/host-fs.ts');
      const script = `import { createHostFs } from ${JSON.stringify(source)};
      const host = createHostFs(process.argv[1]);
      const why = (reading) => reading.ok ? 'read' : reading.why;
      console.log([host.readText('/closed'), host.readText('/secret/file'), host.list('/secret'), host.readText('/none')].map(why).join());`;
      const args = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath];
      const child = spawnSync('setpriv', [...args, '--input-type=module', '--no-warnings', '-e', script, root], {
        encoding: 'utf8',
      });
      expect(child.stdout.trim() || child.stderr).toBe('denied,denied,denied,absent');
    },
  );
});
