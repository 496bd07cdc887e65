// The agent's process on a real API server, with the containers of this machine: in a container with the rights a DaemonSet gives
// it, and as a process of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { get } from 'node:http';
import { release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { NodeAuditStatus } from '../../src/resources/node-audit.ts';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../control-plane/control-plane.ts';
import { isSkipped as isLabSkipped, requireLab } from '../lab/lab.ts';
import { isRunning, kill } from '../lab/run-directory.ts';
import { bind, cgroupPath, type Container, containerId, nodeMounts, startContainer, stopAll } from '../lab/runc.ts';
import { CLI } from '../support/audit.ts';
import { AGENT_RIGHTS } from '../support/agent-rights.ts';
import { until } from '../support/until.ts';

const controlPlane = requireControlPlane();
const lab = requireLab();
const title = 'the agent on a real API server';

const MINUTE = 60_000;
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

interface NodeAudit {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly managedFields?: readonly {
      readonly manager: string;
      readonly operation: string;
      readonly fieldsV1: object;
    }[];
  };
  readonly status?: NodeAuditStatus;
}

/** `expect.stringContaining` with a type. */
function containing(text: string): string {
  return expect.stringContaining(text) as string;
}

interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

function parseLog(text: string): readonly LogLine[] {
  return text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as LogLine);
}

if (isSkipped(controlPlane) || isLabSkipped(lab)) {
  const why = [controlPlane, lab].map((found) => ('skipped' in found ? found.skipped : '')).join(' ');
  test.skip(`${title} (skipped, because ${why})`, () => undefined);
} else {
  const runtimes = lab;
  describe(title, () => {
    let api: ApiServer;
    let directory: string;
    const processes: ChildProcess[] = [];

    beforeAll(async () => {
      api = await startApiServer(controlPlane);
      await api.kubectl('apply', '-f', join(import.meta.dirname, '../../charts/userns-audit/crds'));
      await api.kubectlWith(AGENT_RIGHTS, 'apply', '-f', '-');
      await api.kubectl('wait', '--for=condition=Established', 'crd/nodeaudits.userns-audit.dev');
      directory = mkdtempSync(join(tmpdir(), 'agent-process-'));
      chmodSync(directory, 0o755);
      mkdirSync(join(directory, 'program'));
      cpSync(dirname(CLI), join(directory, 'program'), { recursive: true });
    }, 2 * MINUTE);

    afterAll(async () => {
      for (const child of processes) child.kill('SIGKILL');
      stopAll();
      rmSync(directory, { recursive: true, force: true });
      await api.stop();
    });

    const create = (name: string) =>
      api.kubectlWith(
        JSON.stringify({ apiVersion: 'userns-audit.dev/v1alpha1', kind: 'NodeAudit', metadata: { name } }),
        'create',
        '-f',
        '-',
      );

    async function read(name: string): Promise<NodeAudit> {
      return JSON.parse(
        await api.kubectl('get', 'nodeaudit', name, '-o', 'json', '--show-managed-fields'),
      ) as NodeAudit;
    }

    const statusOf = (name: string) => until(`status of ${name}`, async () => (await read(name)).status);

    /** The group a pod is reported in, and its entry. */
    async function seen(node: string, pod: string): Promise<readonly [string, string] | undefined> {
      const { status } = await read(node);
      for (const { namespaces, pods } of status?.podGroups ?? []) {
        const entry = pods.find((text) => text.startsWith(pod));
        if (entry !== undefined) return [namespaces, entry];
      }
      return undefined;
    }

    /** The files a kubelet would mount, for a token that may do what an agent may. */
    async function serviceAccount(): Promise<string> {
      const mounted = mkdtempSync(join(directory, 'account-'));
      chmodSync(mounted, 0o755);
      writeFileSync(join(mounted, 'token'), await api.createToken({ namespace: 'default', serviceAccount: 'agent' }));
      writeFileSync(join(mounted, 'ca.crt'), api.ca);
      writeFileSync(join(mounted, 'namespace'), 'default');
      return mounted;
    }

    /** The agent as a DaemonSet runs it, but for the network, which is that of the API server. */
    async function startInContainer(node: string, ...options: readonly string[]): Promise<Container> {
      const { port } = new URL(api.url);
      return startContainer(runtimes, {
        uid: 65_532,
        capabilities: [],
        ambientCapabilities: ['CAP_SYS_PTRACE'],
        noNewPrivileges: true,
        namespaces: { network: 'host' },
        cgroupsPath: cgroupPath.systemdContainerd(randomUUID(), containerId()),
        mounts: [
          ...nodeMounts(process.execPath, join(directory, 'program')),
          bind('/proc', '/host/proc'),
          bind(await serviceAccount(), ACCOUNT),
        ],
        env: [`NODE_NAME=${node}`, 'KUBERNETES_SERVICE_HOST=127.0.0.1', `KUBERNETES_SERVICE_PORT=${port}`],
        args: ['/opt/node', '/agent/userns-audit.cjs', 'agent', '--host-root=/host', '--listen=:0', ...options],
      });
    }

    interface Process {
      readonly child: ChildProcess;
      readonly log: () => readonly LogLine[];
      readonly ended: Promise<number | null>;
    }

    function startProcess(kubeconfig: string, ...options: readonly string[]): Process {
      const child = spawn(
        process.execPath,
        [CLI, 'agent', '--kubeconfig', kubeconfig, '--listen', '127.0.0.1:0', ...options],
        { stdio: ['ignore', 'ignore', 'pipe'] },
      );
      processes.push(child);
      let text = '';
      child.stderr.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
      return { child, log: () => parseLog(text), ended };
    }

    const portOf = (log: () => readonly LogLine[]) =>
      until('port', () => log().find(({ message }) => message === 'agent started')?.['port'] as number | undefined);

    test(
      'waits for its NodeAudit, and then reports what the kernel shows',
      async () => {
        const pods = { apart: randomUUID(), plain: randomUUID(), shared: randomUUID() };
        const started = {
          apart: startContainer(runtimes, {
            cgroupsPath: cgroupPath.systemdContainerd(pods.apart, containerId()),
            namespaces: { user: 'new' },
            uidMappings: [{ containerID: 0, hostID: 1_310_720, size: 65_536 }],
          }),
          plain: startContainer(runtimes, { cgroupsPath: cgroupPath.cgroupfsBurstable(pods.plain, containerId()) }),
          shared: startContainer(runtimes, {
            cgroupsPath: cgroupPath.systemdCrio(pods.shared, containerId()),
            namespaces: { network: 'host', pid: 'host', ipc: 'host', uts: 'host' },
          }),
        };
        const agent = await startInContainer('node-a', '--interval=1', '--heartbeat=3600');
        const log = () => parseLog(agent.output());
        const refused = await until('word of the missing object', () =>
          log().find(({ message }) => message === 'NodeAudit not written'),
        );
        expect(refused).toMatchObject({ node: 'node-a', fix: containing('is the controller running?') });
        await create('node-a');

        for (const name of ['apart', 'plain', 'shared'] as const) {
          const [vector, entry] = await until(name, () => seen('node-a', pods[name]));
          expect({ name, vector }).toEqual({ name, vector: witnessVector(started[name].pid) });
          const start = /^0 (\d+) 65536$/.exec(witnessMap(started.apart.pid))?.[1];
          expect(entry).toBe(name === 'apart' ? `${pods.apart} ${start}` : pods[name]);
        }
        const status = await statusOf('node-a');
        expect(status.agent?.evidence).toBe('full');
        expect(status.system?.kernelRelease).toBe(release());
        expect(status.conditions?.map(({ type, status: word }) => [type, word])).toEqual(
          expect.arrayContaining([['EvidenceComplete', 'True']]),
        );
        expect(status.rules?.find(({ rule }) => rule === 'subordinate-ids')?.status).toBe('unknown');

        // Over TLS with a certificate of its own, and closed to those without a token.
        const port = await portOf(log);
        expect(await overTls(port, '/readyz')).toMatchObject({ status: 200 });
        expect(await overTls(port, '/metrics')).toMatchObject({ status: 401 });
        const token = await api.createToken({ namespace: 'default', serviceAccount: 'agent' });
        expect(await overTls(port, '/metrics', token)).toMatchObject({
          status: 403,
          body: containing('system:auth-delegator'),
        });

        // An outage: what changes meanwhile is there as soon as the API server is.
        const late = randomUUID();
        await api.halt('crash');
        startContainer(runtimes, { cgroupsPath: cgroupPath.systemdContainerd(late, containerId()) });
        await until('word of the outage', () =>
          log().find(({ fix }) => typeof fix === 'string' && fix.includes('the latest result is kept')),
        );
        expect(await overTls(port, '/healthz')).toMatchObject({ status: 200 });
        await api.resume();
        expect((await until('the late pod', () => seen('node-a', late)))[0]).toBe('-pnium--');

        // The polite end.
        kill(agent.pid, 'SIGTERM');
        await until('end', () => (isRunning(agent.pid) ? undefined : true), 5000);
        started.apart.stop();
      },
      3 * MINUTE,
    );

    test(
      'writes nothing when nothing changes',
      async () => {
        await create('node-b');
        const { child, log, ended } = startProcess(
          api.kubeconfig,
          '--node-name=node-b',
          '--interval=0.3',
          '--heartbeat=3600',
        );
        await statusOf('node-b');
        const port = await portOf(log);
        const scans = async (): Promise<number> =>
          Number(/scan_duration_seconds_count (\d+)/.exec((await plainly(port, '/metrics')).body)?.[1]);
        // Other tests start containers on this machine: wait for a moment in which none came or went.
        await until('a quiet moment', async () => {
          const before = await read('node-b');
          const count = await scans();
          await until('three more audits', async () => ((await scans()) > count + 3 ? true : undefined));
          const after = await read('node-b');
          if (JSON.stringify(before.status?.podGroups) !== JSON.stringify(after.status?.podGroups)) return undefined;
          if (JSON.stringify(before.status?.unmanaged) !== JSON.stringify(after.status?.unmanaged)) return undefined;
          expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
          return true;
        });
        child.kill('SIGTERM');
        expect(await ended).toBe(0);
      },
      2 * MINUTE,
    );

    test(
      'says that it is alive without touching anything else, and sees a new container before the interval is over',
      async () => {
        await create('node-c');
        const { child, ended } = startProcess(
          api.kubeconfig,
          '--node-name=node-c',
          '--interval=600',
          '--heartbeat=0.5',
        );
        const first = await statusOf('node-c');
        const later = await until('sign of life', async () => {
          const { status } = await read('node-c');
          return status?.lastHeartbeatTime === first.lastHeartbeatTime ? undefined : status;
        });
        expect(later.observedTime).toBe(first.observedTime);
        expect(later.conditions).toEqual(first.conditions);

        const pod = randomUUID();
        startContainer(runtimes, {
          cgroupsPath: cgroupPath.systemdContainerd(pod, containerId()),
        });
        await until('the new pod', () => seen('node-c', pod), 30_000);

        // Applied many times, owned once; a condition of another owner stays.
        const { metadata } = await read('node-c');
        expect(metadata.managedFields?.filter(({ manager }) => manager === 'userns-audit-agent')).toEqual([
          expect.objectContaining({ operation: 'Apply', subresource: 'status' }),
        ]);
        const foreign = {
          type: 'EvidenceAccepted',
          status: 'True',
          reason: 'Read',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        };
        await api.kubectlWith(
          JSON.stringify({
            apiVersion: 'userns-audit.dev/v1alpha1',
            kind: 'NodeAudit',
            metadata: { name: 'node-c' },
            status: { conditions: [foreign] },
          }),
          ...['apply', '--server-side', '--subresource=status', '--field-manager=controller', '-f', '-'],
        );
        const beat = (await read('node-c')).status?.lastHeartbeatTime;
        const after = await until('another sign of life', async () => {
          const { status } = await read('node-c');
          return status?.lastHeartbeatTime === beat ? undefined : status;
        });
        expect(after.conditions?.map(({ type }) => type).toSorted()).toEqual([
          'EvidenceAccepted',
          'EvidenceComplete',
          'UserNamespacesReady',
        ]);

        // The next start knows what the last one has said.
        child.kill('SIGTERM');
        expect(await ended).toBe(0);
        const before = await read('node-c');
        const next = startProcess(api.kubeconfig, '--node-name=node-c', '--interval=600', '--heartbeat=3600');
        const again = await until('word of the next start', async () => {
          const { status } = await read('node-c');
          return status?.lastHeartbeatTime === before.status?.lastHeartbeatTime ? undefined : status;
        });
        expect(again.conditions).toEqual(expect.arrayContaining([...(first.conditions ?? [])]));
        next.child.kill('SIGTERM');
        expect(await next.ended).toBe(0);
      },
      2 * MINUTE,
    );

    test(
      'that is not allowed to write says so once, and goes on trying',
      async () => {
        await create('node-d');
        const nobody = api.issue('/CN=nobody');
        const kubeconfig = join(directory, 'nobody.conf');
        writeFileSync(
          kubeconfig,
          readFileSync(api.kubeconfig, 'utf8')
            .replaceAll(/"client-certificate":"[^"]*"/g, `"client-certificate":"${nobody.certFile}"`)
            .replaceAll(/"client-key":"[^"]*"/g, `"client-key":"${nobody.keyFile}"`),
        );
        const { child, log, ended } = startProcess(kubeconfig, '--node-name=node-d');
        const port = await portOf(log);
        await until('three attempts', async () =>
          /publishes_total\{result="refused"\} [3-9]/.test((await plainly(port, '/metrics')).body) ? true : undefined,
        );
        expect(log().filter(({ level }) => level === 'warn')).toEqual([
          expect.objectContaining({
            node: 'node-d',
            error: expect.stringMatching(/403 .*nodeaudits.*"nobody".*status/) as string,
            fix: containing('its own service account'),
          }),
        ]);
        const start = Date.now();
        child.kill('SIGTERM');
        expect(await ended).toBe(0);
        expect(Date.now() - start).toBeLessThan(2000);
      },
      MINUTE,
    );

    test.each([
      ['without a node name', ['--interval=1'], 2, 'no node name'],
      ['on an address that is not there', ['--node-name=x', '--listen=192.0.2.1:9464'], 1, 'the agent can not run'],
      ['with half a certificate', ['--node-name=x', '--tls-cert=/x.pem'], 1, 'the agent can not run'],
    ])('%s ends with a word why', async (_, options, code, message) => {
      const { log, ended } = startProcess(api.kubeconfig, ...options);
      expect(await ended).toBe(code);
      expect(log().at(-1)).toMatchObject({ level: 'error', message });
    });
  });
}

const TYPES = ['user', 'pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup', 'time'];

/** The vector by the links themselves, against kthreadd, which is always in the host's (pid 1 may be closed). */
function witnessVector(pid: number): string {
  return TYPES.map((type, index) =>
    readlinkSync(`/proc/${pid}/ns/${type}`) === readlinkSync(`/proc/2/ns/${type}`) ? '-' : 'UpniumCT'[index],
  ).join('');
}

function witnessMap(pid: number): string {
  return readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split(/\s+/).join(' ');
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function overTls(port: number, path: string, token?: string): Promise<Answer> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const sent = request(
      { port, path, host: '127.0.0.1', rejectUnauthorized: false, agent: false, headers },
      (response) => {
        collect(response, resolve);
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

function plainly(port: number, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get({ port, path, host: '127.0.0.1', agent: false }, (response) => {
      collect(response, resolve);
    }).on('error', reject);
  });
}

function collect(
  response: NodeJS.ReadableStream & { readonly statusCode?: number | undefined },
  resolve: (answer: Answer) => void,
): void {
  let body = '';
  response.on('data', (chunk: Buffer) => {
    body += chunk.toString();
  });
  response.on('end', () => {
    resolve({ status: response.statusCode ?? 0, body });
  });
}
