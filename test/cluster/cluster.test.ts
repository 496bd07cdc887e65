// The cluster itself: that it is a real one, that it touches nothing of the machine, and that nothing of it stays.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cgroupDirectories } from '../lab/cgroups.ts';
import { isRunning, makeRunDirectory, removeRunDirectory, waitSync } from '../lab/run-directory.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { requireCluster } from './parts.ts';
import { apply, initOf, type PodObject, processesWith, readyPod, succeed } from './pods.ts';

const MACHINE_FILES = ['/var/lib/kubelet', '/var/lib/cni', '/var/log/pods', '/var/log/containers', '/run/containerd'];
const MACHINE_SETTINGS = ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops', 'net/ipv4/ip_forward'];

const parts = requireCluster();
const title = 'a real cluster of one node';
if ('skipped' in parts) {
  test.skip(`${title} (skipped, because ${parts.skipped})`, () => undefined);
} else {
  describe(title, () => {
    const before = machine();
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startCluster(parts);
    });
    afterAll(async () => cluster.stop());

    test('has a node that is ready, and a runtime that says it has user namespaces', () => {
      const node = JSON.parse(succeed(cluster, ['get', 'node', cluster.nodeName, '-o', 'json'])) as NodeObject;
      expect(node.status.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }));
      expect(node.status.runtimeHandlers).toContainEqual(
        expect.objectContaining({ features: expect.objectContaining({ userNamespaces: true }) as object }),
      );
      expect(node.status.nodeInfo.kubeletVersion).toMatch(/^v1\.\d+\.\d+$/);
    });

    test('gives a pod of hostUsers: false ids of its own, and another pod the host’s', () => {
      apply(cluster, pod('apart', { hostUsers: false }), pod('plain', {}));
      const apart = readyPod(cluster, 'apart');
      const plain = readyPod(cluster, 'plain');
      expect(idMap(plain)).toEqual([0, 0, 4_294_967_295]);
      const record = join(cluster.kubeletDirectory, 'pods', apart.metadata.uid, 'userns');
      const { uidMappings } = JSON.parse(readFileSync(record, 'utf8')) as UserNamespaceRecord;
      expect(uidMappings.map(({ containerId, hostId, length }) => [containerId, hostId, length])).toEqual([
        idMap(apart),
      ]);
      expect(uidMappings[0]?.hostId).toBeGreaterThanOrEqual(65_536);
    });

    test('lets kubectl read logs and run programs, through its kubelet', () => {
      apply(cluster, pod('speaks', { command: ['sh', '-c', 'echo said; exec sleep 3600'] }));
      readyPod(cluster, 'speaks');
      expect(succeed(cluster, ['logs', 'speaks'])).toBe('said\n');
      expect(succeed(cluster, ['exec', 'speaks', '--', 'hostname'])).toBe('speaks\n');
    });

    test('has a network in which pods and the API server are reached', () => {
      apply(cluster, pod('serves', { command: ['httpd', '-f', '-p', '8080', '-h', '/etc'] }));
      const { podIP = '' } = readyPod(cluster, 'serves').status;
      const program = `fetch('http://${podIP}:8080/passwd').then((r) => r.text()).then((t) => process.stdout.write(t))`;
      expect(cluster.inNamespace(process.execPath, ['-e', program])).toMatchObject({
        status: 0,
        stdout: expect.stringContaining('root:x:0:0') as string,
      });
      expect(succeed(cluster, ['exec', 'serves', '--', 'sh', '-c', 'nc -w 5 10.96.0.1 443 < /dev/null'])).toBe('');
    });

    test('runs static pods, known by the hash of their file', () => {
      const file = join(cluster.staticPodDirectory, 'static.json');
      writeFileSync(file, JSON.stringify(pod('static', {})));
      const mirror = readyPod(cluster, `static-${cluster.nodeName}`);
      const hash = mirror.metadata.annotations?.['kubernetes.io/config.hash'] ?? '';
      expect(hash).toMatch(/^[0-9a-f]{32}$/);
      expect(readFileSync(`/proc/${initOf(mirror)}/cgroup`, 'utf8')).toContain(`/pod${hash}/`);
      rmSync(file);
    });

    test('survives the end of its API server', async () => {
      await cluster.restartApiServer();
      expect(succeed(cluster, ['get', 'nodes', '-o', 'name'])).toBe(`node/${cluster.nodeName}\n`);
    });

    test('leaves the machine as it is while it runs', () => {
      expect(machine()).toEqual(before);
    });

    test('leaves nothing when its owner was killed', async () => {
      const script = `
        const { requireCluster } = await import('${fileUrl('parts.ts')}');
        const { startCluster } = await import('${fileUrl('cluster.ts')}');
        const { directory, cgroup } = await startCluster(requireCluster(), { name: 'other' });
        process.stdout.write(JSON.stringify({ directory, cgroup }));`;
      const owner = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [told] = (await once(owner.stdout, 'data')) as [Buffer];
      const other = JSON.parse(told.toString()) as Pick<Cluster, 'directory' | 'cgroup'>;
      const daemons = processesWith('cmdline', `${other.directory}/`);
      expect(daemons.length).toBeGreaterThanOrEqual(6);
      owner.kill('SIGKILL');
      await once(owner, 'exit');
      removeRunDirectory(makeRunDirectory('next'));
      expectGone(other, daemons);
      expect(succeed(cluster, ['get', 'nodes', '-o', 'name'])).toBe(`node/${cluster.nodeName}\n`);
    }, 120_000);

    test('leaves nothing when it is stopped', async () => {
      const processes = [
        ...processesWith('cmdline', `${cluster.directory}/`),
        ...processesWith('cgroup', `${cluster.cgroup}/`),
      ];
      expect(processes.length).toBeGreaterThan(12);
      await cluster.stop();
      expectGone(cluster, processes);
      expect(machine()).toEqual(before);
    });
  });
}

interface NodeObject {
  readonly status: {
    readonly conditions: readonly object[];
    readonly runtimeHandlers: readonly object[];
    readonly nodeInfo: { readonly kubeletVersion: string };
  };
}

interface UserNamespaceRecord {
  readonly uidMappings: readonly { readonly containerId: number; readonly hostId: number; readonly length: number }[];
}

function pod(name: string, { command = ['sleep', '3600'], ...spec }: { command?: string[]; hostUsers?: boolean }) {
  const containers = [{ name: 'main', image: 'localhost/busybox:lab', imagePullPolicy: 'Never', command }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: { ...spec, containers } };
}

/** The only line of uid_map, as the kernel gives it. */
function idMap(object: PodObject): readonly number[] {
  return readFileSync(`/proc/${initOf(object)}/uid_map`, 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number);
}

/** What of the machine a kubelet or a runtime would change. */
function machine() {
  return {
    files: MACHINE_FILES.filter((path) => existsSync(path)),
    settings: MACHINE_SETTINGS.map((name) => readFileSync(`/proc/sys/${name}`, 'utf8')),
  };
}

function expectGone({ directory, cgroup }: Pick<Cluster, 'directory' | 'cgroup'>, processes: readonly number[]): void {
  expect(waitSync(() => !processes.some(isRunning))).toBe(true);
  expect(processesWith('cgroup', `${cgroup}/`).filter(isRunning)).toEqual([]);
  expect(processesWith('cmdline', `${directory}/`)).toEqual([]);
  expect(cgroupDirectories(cgroup).filter((path) => existsSync(path))).toEqual([]);
  expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(directory);
  expect(existsSync(directory)).toBe(false);
}

function fileUrl(name: string): string {
  return pathToFileURL(join(import.meta.dirname, name)).href;
}
