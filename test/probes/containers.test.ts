// What a real host shows only for a moment: pids that vanish, init processes that are half dead, hosts that are not one.
import type { NodeFacts } from '../../src/core/facts.ts';
import { unread } from '../../src/core/reading.ts';
import { createHostFs } from '../../src/host/host-fs.ts';
import { createProcFs, type ProcFs } from '../../src/host/procfs.ts';
import { collectFacts, runInSlices } from '../../src/probes/collect.ts';
import { createNodeReport } from '../../src/report/node-report.ts';
import { factsOf, type HostTreeSpec, makeHostTree, readFacts } from '../support/host-tree.ts';

const ID = 'c'.repeat(64);
const CGROUP = `/kubepods/burstable/pod0b5bb0b8-5b5f-4c3f-9d4b-0c5c0a6b8f11/${ID}`;

/** Reads a tree through a procfs of which some operations are replaced. */
function factsThrough(spec: HostTreeSpec, change: (procfs: ProcFs) => Partial<ProcFs>): NodeFacts {
  const tree = makeHostTree(spec);
  try {
    const procfs = createProcFs(tree.root);
    const steps = collectFacts(createHostFs(tree.root), { ...procfs, ...change(procfs) });
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  } finally {
    tree.remove();
  }
}

const INIT = { cgroup: CGROUP, startTime: 500, nspid: [100, 1], ns: { pid: 4026532700 } };
const CHILD = { cgroup: CGROUP, ppid: 100, startTime: 600, nspid: [101, 2], ns: { pid: 4026532700 } };

test('when the init ends while it is read, the next oldest process answers', () => {
  const facts = factsThrough({ processes: { 100: INIT, 101: CHILD } }, (procfs) => ({
    pinned: (task, file, observe) => {
      const result = procfs.pinned(task, file, observe);
      return task === 100 ? unread('/proc/100/status', 'absent', 'the process is gone') : result;
    },
  }));
  expect(facts.containers).toMatchObject([{ id: ID, init: { pid: 101 } }]);
});

test('when all its processes end while they are read, there is no container', () => {
  const facts = factsThrough({ processes: { 100: INIT } }, () => ({
    pinned: () => unread('/proc/100/status', 'absent', 'the process is gone'),
  }));
  expect(facts.containers).toEqual([]);
});

test('a process that ended between the list of pids and its cgroup file is left out', () => {
  const facts = factsThrough({ processes: { 100: INIT } }, (procfs) => ({
    pids: () => {
      const listed = procfs.pids();
      return listed.ok ? { ...listed, value: [...listed.value, 4711] } : listed;
    },
  }));
  expect(facts.containers).toHaveLength(1);
  expect(facts.sight.complete).toBe(true);
});

test('after the pids have wrapped around, the oldest process and not the lowest pid is the init', () => {
  const facts = factsOf({
    processes: {
      50: { cgroup: CGROUP, startTime: 900, nspid: [50, 1], ns: { pid: 4026532999, user: 4026532998 } },
      30000: { cgroup: CGROUP, startTime: 500, nspid: [30000], ns: { pid: 'host', user: 'host' } },
    },
  });
  expect(facts.containers).toMatchObject([
    { init: { pid: 30000 }, namespaces: { pid: { relation: 'host' }, user: { relation: 'host' } } },
  ]);
});

test('a dead thread-group leader does not hide the threads that live on', () => {
  const status =
    'Name:\tweb\nState:\tS (sleeping)\nTgid:\t100\nPid:\t105\nPPid:\t1\nUid:\t0\t0\t0\t0\nNSpid:\t105\t6\n';
  const types = {
    user: 4026531837,
    pid: 4026532700,
    net: 4026532701,
    ipc: 4026532702,
    uts: 4026532703,
    mnt: 4026532704,
  };
  const links = Object.entries({ ...types, cgroup: 4026531835, time: 4026531834 }).map(([type, inode]) => [
    `/proc/100/task/105/ns/${type}`,
    `${type}:[${inode}]`,
  ]);
  const facts = factsOf({
    processes: { 100: { ...INIT, state: 'Z' } },
    files: {
      '/proc/100/task/105/status': status,
      '/proc/100/task/105/uid_map': '0 0 4294967295\n',
      '/proc/100/task/105/gid_map': '0 0 4294967295\n',
    },
    links: Object.fromEntries(links) as Record<string, string>,
  });
  expect(facts.containers).toMatchObject([
    {
      state: 'running',
      init: { pid: 100 },
      namespaces: { user: { relation: 'host' }, net: { relation: 'private', inode: 4026532701 } },
    },
  ]);
});

test('a container of which only a zombie is left is shown as exited, with nothing claimed of its namespaces', () => {
  const { containers } = factsOf({ processes: { 100: { ...INIT, state: 'Z' } } });
  expect(containers).toMatchObject([
    { state: 'exited', namespaces: { user: { relation: 'unknown' }, net: { relation: 'unknown' } } },
  ]);
});

test('a daemon of root is believed before whoever else calls himself one', () => {
  const { docker } = factsOf({
    processes: {
      300: { uid: 1000, ppid: 1, cmdline: 'dockerd --userns-remap=default' },
      400: { uid: 0, ppid: 1, cmdline: '/usr/bin/dockerd -H fd://' },
    },
  });
  expect(docker).toMatchObject({ presence: 'running', usernsRemap: [] });
});

test('two hundred containers of one Docker daemon and a pod in their range: all of them say so', () => {
  const id = (index: number): string => index.toString(16).padStart(64, '0');
  const containers = Array.from({ length: 200 }, (_, index) => [
    1000 + index,
    { cgroup: `/docker/${id(index)}`, uidMap: '0 100000 65536', ns: { user: 4026540000 + index } },
  ]);
  const pod = { cgroup: CGROUP, uidMap: '0 131072 65536', ns: { user: 4026550000 } };
  const facts = factsOf({ processes: { ...(Object.fromEntries(containers) as object), 5000: pod } });
  const findings = createNodeReport(facts).findings.filter(({ rule }) => rule === 'id-range-overlap');
  expect(findings.map(({ status }) => status)).toEqual(Array.from({ length: 201 }, () => 'fail'));
});

test('a user namespace inside a container is no overlap with that container, and borrows no declaration', () => {
  const inner = { cgroup: `${CGROUP}/docker/${'d'.repeat(64)}`, uidMap: '0 132072 1000', ns: { user: 4026540001 } };
  const outer = { ...INIT, uidMap: '0 131072 65536', ns: { pid: 4026532700, user: 4026540000 } };
  const hostConfig = JSON.stringify({ PidMode: 'host', UsernsMode: 'host' });
  const files = { [`/var/lib/docker/containers/${'d'.repeat(64)}/hostconfig.json`]: hostConfig };
  const facts = factsOf({ processes: { 100: outer, 110: inner }, files });
  expect(facts.containers.map(({ docker }) => docker)).toEqual([undefined, undefined]);
  const statuses = createNodeReport(facts)
    .findings.filter(({ rule }) => rule === 'id-range-overlap')
    .map(({ status }) => status);
  expect(statuses.toSorted()).toEqual(['not-applicable', 'pass']);
});

test('where pid 1 is closed, kthreadd stands for the host', () => {
  const facts = factsOf({ processes: { 100: INIT }, denied: ['/proc/1/ns/*'] });
  expect(facts.sight).toMatchObject({ reference: 'pid 2 (kthreadd)', complete: true });
  expect(facts.containers).toMatchObject([{ namespaces: { net: { relation: 'private', basis: 'inode' } } }]);
});

test('a process 2 that is no kernel thread does not stand for the host', () => {
  const tree = makeHostTree({ processes: { 1: { ns: { pid: 4026532700 } }, 2: { ns: { pid: 4026532700 } } } });
  try {
    expect(readFacts(tree.root).sight).toMatchObject({ procfs: 'child', complete: false });
  } finally {
    tree.remove();
  }
});

test('an audit in slices reads what an audit at once reads, and gives way in between', async () => {
  const processes = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [100 + i, { cgroup: `/docker/${String(i).padStart(64, 'a')}` }]),
  );
  const tree = makeHostTree({ processes });
  try {
    let turns = 0;
    const ticker = setInterval(() => (turns += 1), 0);
    const sliced = await runInSlices(collectFacts(createHostFs(tree.root), createProcFs(tree.root)), 0, () =>
      performance.now(),
    );
    clearInterval(ticker);
    expect(sliced).toEqual(readFacts(tree.root));
    expect(turns).toBeGreaterThan(1);
  } finally {
    tree.remove();
  }
});
