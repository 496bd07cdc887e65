import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeUnread, type Reading } from '../../src/core/reading.ts';
import { createProcFs } from '../../src/host/procfs.ts';

const show = (reading: Reading<unknown>): unknown => (reading.ok ? reading.value : describeUnread(reading));

describe('the procfs of this machine', () => {
  const procfs = createProcFs();

  test('shows this process, its threads, links and inodes', () => {
    const pids = procfs.pids();
    expect(pids.ok && pids.value.includes(process.pid)).toBe(true);
    const threads = procfs.threads(process.pid);
    expect(threads.ok && threads.value.includes(process.pid)).toBe(true);
    expect(show(procfs.readText(process.pid, 'cmdline'))).toContain('jest');
    expect(show(procfs.readLink(process.pid, 'ns/user'))).toMatch(/^user:\[\d+\]$/);
    expect(procfs.inode(process.pid, 'net/dev')).toMatchObject({ ok: true });
  });

  test('a process that is gone is absent, also to one that holds its file', async () => {
    const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
    const pid = child.pid ?? 0;
    await once(child, 'spawn');
    expect(show(procfs.readText(pid, 'status'))).toContain('Name:');
    child.stdin.end();
    await once(child, 'exit');
    for (const reading of [procfs.readText(pid, 'status'), procfs.readLink(pid, 'ns/user'), procfs.threads(pid)])
      expect(show(reading)).toContain('absent');
    expect(show(procfs.pinned(pid, 'status', () => 1))).toContain('absent');
    expect(show(procfs.readContainerFile(pid, '/etc/hostname', 10))).toContain('absent');
  });

  test('what observers throw while a process is held is a failed reading', () => {
    const thrown = procfs.pinned(process.pid, 'status', () => {
      throw new Error('observer');
    });
    expect(thrown.ok).toBe(false);
  });

  test('a device where a file is expected is not opened', () => {
    // Reading this one gives zeros without end; merely opening a watchdog would arm it.
    const seen = show(procfs.readContainerFile(process.pid, '/dev/full', 10));
    expect(seen).toContain('not a regular file');
  });
});

describe('a procfs below a root', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'procfs-'));
    mkdirSync(join(root, 'proc/7/root/etc'), { recursive: true });
  });
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });
  const below = (path: string): string => join(root, 'proc/7', path);
  const hostname = (): unknown => show(createProcFs(root).readContainerFile(7, '/etc/hostname', 16));

  test('only numbers are processes', () => {
    for (const name of ['0', '01', '8x', 'self', '12']) mkdirSync(join(root, 'proc', name));
    const pids = createProcFs(root).pids();
    expect(pids.ok && pids.value.toSorted((a, b) => a - b)).toEqual([7, 12]);
  });

  test('a missing procfs is absent', () => {
    expect(show(createProcFs(join(root, 'none')).pids())).toContain('absent');
  });

  test('text keeps every byte, and a file above 64 KiB is refused', () => {
    writeFileSync(below('cmdline'), Buffer.from([0x61, 0, 0xe9, 0xff]));
    expect(show(createProcFs(root).readText(7, 'cmdline'))).toBe('a\0\xe9\xff');
    writeFileSync(below('maps'), 'x'.repeat(65_536));
    expect(show(createProcFs(root).readText(7, 'maps'))).toContain('too-large');
    writeFileSync(below('maps'), 'x'.repeat(65_535));
    expect(show(createProcFs(root).readText(7, 'maps'))).toHaveLength(65_535);
  });

  test('a file of a container is read', () => {
    writeFileSync(below('root/etc/hostname'), 'web\n');
    expect(hostname()).toBe('web\n');
  });

  test.each([
    [
      'a link',
      () => {
        symlinkSync('/etc/hostname', below('root/etc/hostname'));
      },
    ],
    [
      'a FIFO',
      () => {
        execFileSync('mkfifo', [below('root/etc/hostname')]);
      },
    ],
    [
      'a directory',
      () => {
        mkdirSync(below('root/etc/hostname'));
      },
    ],
    [
      'a file that is too large',
      () => {
        writeFileSync(below('root/etc/hostname'), 'x'.repeat(17));
      },
    ],
    [
      'a link in the place of its directory',
      () => {
        rmSync(below('root/etc'), { recursive: true });
        symlinkSync('/etc', below('root/etc'));
      },
    ],
    [
      'a file in the place of its directory',
      () => {
        rmSync(below('root/etc'), { recursive: true });
        writeFileSync(below('root/etc'), '');
      },
    ],
    ['nothing', () => undefined],
  ])('%s in its place is refused', (_, prepare) => {
    prepare();
    expect(hostname()).toMatch(/malformed|too-large|absent/);
  });
});
