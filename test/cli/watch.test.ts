import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeHostTree, type HostTree } from '../support/host-tree.ts';
import { BUNDLE, buildWhenStale, PLAIN_ENVIRONMENT } from './command-line.ts';

beforeAll(buildWhenStale);

const SYSCTL = 'proc/sys/user/max_user_namespaces';
const INTERVAL_SECONDS = 0.1;
const POLL_MILLISECONDS = 20;
/** One audit is seen as one or two steps, so these are three audits at least. */
const READS_OF_SOME_AUDITS = 7;

/** A watching program, whose output is collected. */
class Watcher {
  private text = '';
  private readonly child: ChildProcess;

  constructor(root: string, format: string) {
    const args = [BUNDLE, 'node', '--watch', '--interval', String(INTERVAL_SECONDS), '--host-root', root, '-o', format];
    this.child = spawn(process.execPath, args, { env: PLAIN_ENVIRONMENT, stdio: ['ignore', 'pipe', 'inherit'] });
    this.child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      this.text += part;
    });
  }

  get output(): string {
    return this.text;
  }

  /** Waits for output, event by event, until it is as wanted; the test's own time limit bounds it. */
  async until(wanted: (output: string) => boolean): Promise<void> {
    while (!wanted(this.text)) {
      if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}: ${this.text}`);
      await once(this.child.stdout ?? this.child, 'data');
    }
  }

  /** Waits until it has audited the host some more times, seen by how much it has read (proc_pid_io(5)). */
  async untilAuditedAgain(): Promise<void> {
    const io = `/proc/${this.child.pid ?? 0}/io`;
    let [steps, last] = [0, ''];
    while (steps < READS_OF_SOME_AUDITS) {
      const reads = /^syscr: \d+$/m.exec(readFileSync(io, 'utf8'))?.[0] ?? '';
      if (reads !== last) steps += 1;
      last = reads;
      await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    }
  }

  async stop(): Promise<string | number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await ended;
    }
    return this.child.signalCode ?? this.child.exitCode;
  }
}

function lines(output: string): readonly string[] {
  return output.split('\n').filter(Boolean);
}

describe('--watch', () => {
  let tree: HostTree;
  let watcher: Watcher;

  beforeEach(() => {
    tree = makeHostTree({ kernel: '6.8.0-45-generic', sysctls: { 'user.max_user_namespaces': 63442 } });
  });

  afterEach(async () => {
    await watcher.stop();
    tree.remove();
  });

  test('prints again when a sysctl changes, and only then', async () => {
    watcher = new Watcher(tree.root, 'json');
    await watcher.until((output) => lines(output).length === 1);
    await watcher.untilAuditedAgain();
    expect(lines(watcher.output)).toHaveLength(1);
    writeFileSync(join(tree.root, SYSCTL), '0\n');
    await watcher.until((output) => lines(output).length === 2);
    await watcher.untilAuditedAgain();
    writeFileSync(join(tree.root, SYSCTL), '500\n');
    await watcher.until((output) => lines(output).length === 3);
    const limits = lines(watcher.output).map(
      (line) =>
        (JSON.parse(line) as { facts: { sysctls: Record<string, { value: number }> } }).facts.sysctls[
          'user.max_user_namespaces'
        ]?.value,
    );
    expect(limits).toEqual([63442, 0, 500]);
  });

  test('parts YAML documents', async () => {
    watcher = new Watcher(tree.root, 'yaml');
    await watcher.until((output) => output.endsWith('\n'));
    expect(watcher.output).toMatch(/^---\napiVersion: userns-audit\.dev\/v1alpha1\n/);
  });

  test('clears no screen where there is none', async () => {
    watcher = new Watcher(tree.root, 'table');
    await watcher.until((output) => output.includes('FINDINGS'));
    writeFileSync(join(tree.root, SYSCTL), '0\n');
    await watcher.until((output) => output.includes('NOT READY'));
    expect(watcher.output).not.toContain('\x1b');
  });

  test('ends when it is told to', async () => {
    watcher = new Watcher(tree.root, 'table');
    await watcher.until((output) => output.includes('FINDINGS'));
    expect(await watcher.stop()).toBe('SIGTERM');
  });
});
