// Whether the cheap look between two audits notices that containers came or went.
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createProcFs } from '../../src/host/procfs.ts';
import { type ContainerChanges, createContainerChanges } from '../../src/probes/container-changes.ts';
import { type HostTree, makeHostTree, type ProcessSpec, readFacts } from '../support/host-tree.ts';

const inDocker = (digits: string): ProcessSpec => ({
  cgroup: `/system.slice/docker-${digits.repeat(32)}.scope`,
  ns: {},
});

let tree: HostTree;
let changes: ContainerChanges;

beforeEach(() => {
  tree = makeHostTree({ processes: { 100: inDocker('a1') } });
  changes = createContainerChanges(createProcFs(tree.root));
  audit();
});
afterEach(() => {
  tree.remove();
});

function audit(meanwhile?: () => void): void {
  const { containers } = readFacts(tree.root);
  meanwhile?.();
  changes.remember(containers);
}

function start(pid: number, process: ProcessSpec): void {
  // The files of one process alone: what is there already stays as it is.
  const other = makeHostTree({ processes: { [pid]: process } });
  renameSync(join(other.root, 'proc', String(pid)), join(tree.root, 'proc', String(pid)));
  other.remove();
}

function end(pid: number): void {
  rmSync(join(tree.root, 'proc', String(pid)), { recursive: true });
}

test('nothing happened', () => {
  expect(changes.look()).toBe(false);
  expect(changes.look()).toBe(false);
});

test('a container came', () => {
  start(200, inDocker('b2'));
  expect(changes.look()).toBe(true);
});

test('a container went', () => {
  end(100);
  expect(changes.look()).toBe(true);
});

test('a container came while the audit was busy with others', () => {
  audit(() => {
    start(200, inDocker('b2'));
  });
  expect(changes.look()).toBe(true);
});

test('a process joins the cgroup of its container after it was seen first', () => {
  start(200, { cmdline: 'runc init', cgroup: '/system.slice/containerd.service' });
  expect(changes.look()).toBe(false);
  end(200);
  start(200, inDocker('b2'));
  expect(changes.look()).toBe(true);
});

test('one more process in a container, or on the host, is no change', () => {
  start(200, inDocker('a1'));
  start(201, { cmdline: 'sleep 1' });
  expect(changes.look()).toBe(false);
  end(200);
  end(201);
  expect(changes.look()).toBe(false);
});

test('a procfs that is not there is no change either', () => {
  const empty = makeHostTree({ processes: 'none' });
  try {
    const blind = createContainerChanges(createProcFs(empty.root));
    blind.remember([]);
    expect(blind.look()).toBe(false);
  } finally {
    empty.remove();
  }
});
