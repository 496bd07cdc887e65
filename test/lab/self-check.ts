// Exercises the whole lab once and compares it with the kernel: `node test/lab/self-check.ts [DIR]`.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cgroupDirectories, cgroupDirectoriesOf } from './cgroups.ts';
import { startContainerd } from './cri.ts';
import type { ContainerdVersion, CriContainer, Pod, PodRequest } from './cri.ts';
import { hostReferencePid, lsnsOf, namespaceInode, namespaceInodes, ownNamespaces, uidMap } from './kernel.ts';
import type { NamespaceLink } from './kernel.ts';
import { isSkipped, requireLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { bind, cgroupPath, containerId, execIn, nodeMounts, startContainer, stopAll } from './runc.ts';
import type { Container, ContainerOptions } from './runc.ts';
import { isRunning, waitSync } from './run-directory.ts';

const seen = { pids: new Set<number>(), cgroups: new Set<string>() };
let failures = 0;

/** One line a case; a mismatch is counted and marked. */
function report(
  name: string,
  pid: number,
  checks: Readonly<Record<string, readonly [found: unknown, expected: unknown]>>,
): void {
  seen.pids.add(pid);
  for (const dir of cgroupDirectoriesOf(pid)) seen.cgroups.add(dir);
  const told = Object.entries(checks).map(([what, [found, expected]]) => {
    if (JSON.stringify(found) === JSON.stringify(expected)) return `${what}=${brief(found)}`;
    failures += 1;
    return `${what}=${brief(found)} BUT EXPECTED ${brief(expected)}`;
  });
  console.log(`${name.padEnd(38)} pid ${String(pid).padEnd(7)} ${told.join('  ')}`);
}

function brief(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value).replaceAll('"', '');
}

function require(condition: boolean, what: string): void {
  if (condition) return;
  failures += 1;
  console.log(`MISMATCH: ${what}`);
}

const ALL: readonly NamespaceLink[] = ['pid', 'net', 'ipc', 'uts', 'mnt'];
const FULL_MAP = [[0, 0, 4294967295]];
const without = (...shared: readonly NamespaceLink[]) => ALL.filter((type) => !shared.includes(type));

function witness(name: string, pid: number, own: readonly NamespaceLink[], map: readonly (readonly number[])[]): void {
  report(name, pid, { own: [ownNamespaces(pid), own], uid_map: [uidMap(pid), map] });
  const inodes = namespaceInodes(pid);
  for (const row of lsnsOf(pid))
    require(row.inode === inodes[row.type], `lsns and stat disagree on ${row.type} of ${pid}`);
}

function checkRunc(lab: Lab): void {
  const start = (options: ContainerOptions): Container => startContainer(lab, options);
  const own = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  const map = [[0, 100_000, 65_536]];

  for (const suite of ['bookworm', 'sid'] as const) {
    witness(`runc ${suite}: default`, start({ suite }).pid, ALL, FULL_MAP);
    const user = { user: 'new' } as const;
    witness(`runc ${suite}: user namespace`, start({ suite, namespaces: user }).pid, ['user', ...ALL], map);
    witness(`runc ${suite}: host pid`, start({ suite, namespaces: { pid: 'host' } }).pid, without('pid'), FULL_MAP);
    witness(`runc ${suite}: host uts`, start({ suite, namespaces: { uts: 'host' } }).pid, without('uts'), FULL_MAP);
    witness(`runc ${suite}: host ipc`, start({ suite, namespaces: { ipc: 'host' } }).pid, without('ipc'), FULL_MAP);
    witness(`runc ${suite}: host net`, start({ suite, namespaces: { network: 'host' } }).pid, without('net'), FULL_MAP);
    witness(
      `runc ${suite}: user, host pid and net`,
      start({ suite, namespaces: { ...user, pid: 'host', network: 'host' } }).pid,
      ['user', ...without('pid', 'net')],
      map,
    );
    const created = start({ suite, state: 'created', namespaces: user });
    witness(`runc ${suite}: created, not started`, created.pid, ['user', ...ALL], map);
    require(readFileSync(`/proc/${created.pid}/cmdline`, 'utf8').includes(
      'runc\0init',
    ), 'a created container has started');
  }
  witness('time namespace', start({ suite: 'sid', namespaces: { time: 'new' } }).pid, [...ALL, 'time'], FULL_MAP);

  const pause = start({ namespaces: { user: 'new' }, uidMappings: own });
  const joined = { ipc: 'ipc', uts: 'uts', network: 'net', user: 'user' } as const;
  const namespaces = Object.fromEntries(
    Object.entries(joined).map(([kind, link]) => [kind, { join: `/proc/${pause.pid}/ns/${link}` }]),
  );
  for (const name of ['first', 'second']) {
    const member = start({ namespaces });
    const shared = Object.values(joined).every(
      (link) => namespaceInode(member.pid, link) === namespaceInode(pause.pid, link),
    );
    witness(`joined to a pause: ${name}`, member.pid, ['user', ...ALL], map);
    require(shared, 'a joined namespace is another than the pause container has');
  }

  const overlap = [0, 1].map((step) =>
    start({
      namespaces: { user: 'new' },
      uidMappings: [{ containerID: 0, hostID: 200_000 + 1000 * step, size: 65_536 }],
    }),
  );
  overlap.forEach(({ pid }, step) => {
    witness(`overlapping ranges: ${step + 1}`, pid, ['user', ...ALL], [[0, 200_000 + 1000 * step, 65_536]]);
  });
  const identity = [{ containerID: 0, hostID: 0, size: 4_294_967_295 }];
  witness(
    'identity range',
    start({ namespaces: { user: 'new' }, uidMappings: identity }).pid,
    ['user', ...ALL],
    FULL_MAP,
  );
  const extents = [
    { containerID: 0, hostID: 300_000, size: 1000 },
    { containerID: 1000, hostID: 1000, size: 1 },
    { containerID: 1001, hostID: 301_001, size: 64_535 },
  ];
  const three = start({ namespaces: { user: 'new' }, uidMappings: extents, uid: 1000 });
  witness(
    'three extents',
    three.pid,
    ['user', ...ALL],
    extents.map(({ containerID, hostID, size }) => [containerID, hostID, size]),
  );
  witness('own cgroup namespace', start({ namespaces: { cgroup: 'new' } }).pid, [...ALL, 'cgroup'], FULL_MAP);

  const host = start({});
  witness('nested: init', host.pid, ALL, FULL_MAP);
  witness('nested: unshare -U in it', execIn(host, ['unshare', '-U', 'sleep', '3600']), ['user', ...ALL], []);
  witness('second process, uid 1000', execIn(host, ['sleep', '3600'], { uid: 1000 }), ALL, FULL_MAP);

  const ambient = start({
    uid: 65_532,
    ambientCapabilities: ['CAP_SYS_PTRACE'],
    capabilities: [],
    noNewPrivileges: true,
  });
  const status = readFileSync(`/proc/${ambient.pid}/status`, 'utf8');
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.split(/\s/)[0];
  report('ambient SYS_PTRACE, uid 65532', ambient.pid, {
    Uid: [field('Uid'), '65532'],
    CapEff: [field('CapEff'), '0000000000080000'],
    NoNewPrivs: [field('NoNewPrivs'), '1'],
  });

  checkAgentView(start);
  let message = '';
  try {
    start({ args: ['/missing'] });
  } catch (error) {
    message = String(error);
  }
  require(message.includes('/missing'), `the error of runc is missing: ${message}`);

  for (const [shape, path] of Object.entries(cgroupPath)) {
    const id = containerId();
    const container = start({ cgroupsPath: path(randomUUID(), id) });
    const lines = readFileSync(`/proc/${container.pid}/cgroup`, 'utf8').trim().split('\n');
    const inIt = lines.filter((line) => line.endsWith(`:${container.cgroupsPath}`)).length;
    report(`cgroup: ${shape}`, container.pid, { 'lines in it': [inIt, lines.length] });
  }
}

/** A process with the rights of the agent, in a container, sees the namespaces of the host's processes. */
function checkAgentView(start: (options: ContainerOptions) => Container): void {
  const reference = hostReferencePid();
  const script = `console.log(require('node:fs').readlinkSync('/host/proc/${reference}/ns/user')); setTimeout(() => {}, 3600_000)`;
  const agent = start({
    uid: 65_532,
    capabilities: [],
    ambientCapabilities: ['CAP_SYS_PTRACE'],
    noNewPrivileges: true,
    readonlyRootfs: true,
    args: ['/opt/node', '-e', script],
    mounts: [...nodeMounts(process.execPath, import.meta.dirname), bind('/proc', '/host/proc')],
  });
  waitSync(() => agent.output() !== '' || !isRunning(agent.pid), 20_000);
  report('agent in a container', agent.pid, {
    'its view of the host': [agent.output().trim(), `user:[${namespaceInode(reference, 'user')}]`],
  });
}

interface PodCase {
  readonly request: Omit<PodRequest, 'name'>;
  readonly own: readonly NamespaceLink[];
  readonly map?: readonly (readonly number[])[];
}

const TWO = { containers: ['one', 'two'] } as const;
const PODS: Readonly<Record<string, PodCase>> = {
  plain: { request: TWO, own: ALL },
  'host network': { request: { network: 'NODE' }, own: without('net', 'uts') },
  'host pid': { request: { pid: 'NODE' }, own: without('pid') },
  'host ipc': { request: { ipc: 'NODE' }, own: without('ipc') },
  'shared pid': { request: { ...TWO, pid: 'POD' }, own: ALL },
  'uid 1000': { request: { uid: 1000 }, own: ALL },
  'slice parent': { request: { cgroupParent: (uid) => `/kubepods-pod${uid.replaceAll('-', '_')}.slice` }, own: ALL },
  'user namespace': {
    request: { ...TWO, userns: { hostId: 131_072, length: 65_536 } },
    own: ['user', ...ALL],
    map: [[0, 131_072, 65_536]],
  },
};

async function checkContainerd(lab: Lab, version: ContainerdVersion, names: readonly string[]): Promise<void> {
  const containerd = await startContainerd(lab, version);
  seen.pids.add(containerd.pid);
  try {
    for (const name of names) {
      const entry = PODS[name];
      if (entry === undefined) throw new Error(`no case ${name}`);
      // 1.6 answers a pod that asks for a user namespace by one without, and says nothing.
      const drift = version === 'v1.6' && entry.request.userns !== undefined;
      const own = drift ? ALL : entry.own;
      const map = drift ? FULL_MAP : (entry.map ?? FULL_MAP);
      const pod = await containerd.runPod({ ...entry.request, name: name.replaceAll(' ', '-') });
      const label = `containerd ${containerd.version.split(/[+~]/)[0] ?? ''}: ${name}`;
      for (const one of [pod.sandbox, ...pod.containers]) witness(`${label}, ${one.name}`, one.pid, own, map);
      checkGroundTruth(pod, drift);
      if (name === 'uid 1000') checkUid(pod.containers, 1000);
      if (name === 'shared pid')
        for (const one of pod.containers)
          require(namespaceInode(one.pid, 'pid') ===
            namespaceInode(pod.sandbox.pid, 'pid'), 'the pid namespace is not shared');
    }
  } finally {
    await containerd.stop();
  }
}

function checkGroundTruth(pod: Pod, drift: boolean): void {
  for (const one of [pod.sandbox, ...pod.containers]) {
    const mapped = one.uidMappings.map(({ containerID, hostID, size }) => [containerID, hostID, size]);
    const expected = mapped.length === 0 ? FULL_MAP : mapped;
    require(JSON.stringify(expected) ===
      JSON.stringify(uidMap(one.pid)), `the runtime's mappings of ${one.name} are not in force`);
    require(!drift || mapped.length === 0, 'containerd 1.6 honors user namespaces after all');
  }
}

function checkUid(containers: readonly CriContainer[], uid: number): void {
  for (const { pid } of containers)
    require(readFileSync(`/proc/${pid}/status`, 'utf8').includes(
      `\nUid:\t${uid}\t`,
    ), `the container does not run as ${uid}`);
}

async function checkSpawner(lab: Lab): Promise<void> {
  const prefix = `userns-audit-self-check-${process.pid}`;
  const script = join(import.meta.dirname, 'spawn-processes.py');
  const args = ['--containers', '20', '--processes', '3', '--prefix', prefix, '--program', lab.busybox];
  const spawner = spawn('python3', [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(spawner, 'exit');
  for await (const line of createInterface(spawner.stdout)) {
    require(line === 'ready', `the spawner says ${line}`);
    break;
  }
  const pids = readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && readIfThere(`/proc/${name}/cgroup`).includes(`/${prefix}/`),
  );
  require(pids.length === 60, `the spawner made ${pids.length} processes, not 60`);
  for (const pid of pids) seen.pids.add(Number(pid));
  for (const dir of cgroupDirectories(`/${prefix}`)) seen.cgroups.add(dir);
  console.log(`${'spawner'.padEnd(38)} ${pids.length} processes in 20 containers`);
  spawner.stdin.end();
  await exited;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function checkNothingIsLeft(): void {
  const running = [...seen.pids].filter(isRunning);
  require(running.length === 0, `processes are left: ${running.join(' ')}`);
  const mine = new RegExp(`userns-audit-lab-[a-z]+-${process.pid}-`);
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => mine.test(line));
  require(mounts.length === 0, `mounts are left: ${mounts.join('\n')}`);
  const cgroups = [...seen.cgroups].filter((dir) => existsDirectory(dir));
  require(cgroups.length === 0, `cgroups are left: ${cgroups.join(' ')}`);
  const files = [tmpdir(), '/var/lib/cni/results']
    .flatMap((dir) => (existsDirectory(dir) ? readdirSync(dir) : []))
    .filter((name) => mine.test(name));
  require(files.length === 0, `files are left: ${files.join(' ')}`);
  console.log(
    `left behind: ${running.length} processes, ${mounts.length} mounts, ${cgroups.length} cgroups, ${files.length} files`,
  );
}

function existsDirectory(dir: string): boolean {
  try {
    readdirSync(dir);
    return true;
  } catch {
    return false;
  }
}

const lab = requireLab(process.argv[2]);
if (isSkipped(lab)) {
  console.log(`skipped: ${lab.skipped}`);
} else {
  const began = performance.now();
  const timed = (what: string, since: number) => {
    console.log(`-- ${what}: ${((performance.now() - since) / 1000).toFixed(1)} s`);
    return performance.now();
  };
  let since = began;
  try {
    checkRunc(lab);
  } finally {
    stopAll();
  }
  since = timed('runc', since);
  await checkContainerd(lab, 'v2', Object.keys(PODS));
  since = timed('containerd 2', since);
  await checkContainerd(lab, 'v1.6', ['plain', 'host network', 'user namespace']);
  since = timed('containerd 1.6', since);
  await checkSpawner(lab);
  timed('spawner', since);
  checkNothingIsLeft();
  timed('all', began);
  console.log(failures === 0 ? 'all as expected' : `${failures} MISMATCHES`);
  process.exitCode = failures === 0 ? 0 : 1;
}
