// The whole operator as people install it: chart, image, kubelet, containers. What it says is compared with what was asked for and
// with the kernel.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { requireCluster } from '../cluster/parts.ts';
import { requireHelm } from '../helm/helm.ts';
import { isSkipped } from '../lab/lab.ts';
import { containerId, startContainer, stopAll } from '../lab/runc.ts';
import { serveMetrics } from '../prometheus/exposition.ts';
import { requirePrometheus, startPrometheus } from '../prometheus/prometheus.ts';
import { CLI } from '../support/audit.ts';
import { until } from '../support/until.ts';
import { IMAGE, makeImage } from './image.ts';

const parts = requireCluster();
const helm = requireHelm();
const prometheus = requirePrometheus();
const skipped = [parts, helm, prometheus].flatMap((part) => ('skipped' in part ? [part.skipped] : []))[0];
const NAMESPACE = 'userns-audit';

interface Finding {
  readonly rule: string;
  readonly severity: string;
  readonly status: string;
  readonly workload: string;
  readonly pods: number;
}

interface NamespaceStatus {
  readonly pods: Readonly<Record<string, number>>;
  readonly adoptionPercent?: number;
  readonly findings: readonly Finding[];
  readonly findingTotals: Readonly<Record<string, number>>;
}

const suite = skipped === undefined ? describe : describe.skip;

suite(`the operator on a real cluster${skipped === undefined ? '' : ` (${skipped})`}`, () => {
  let cluster: Cluster;

  function kubectl(args: string, input?: string): string {
    const { status, stdout, stderr } = cluster.kubectl(args.split(' '), input);
    if (status !== 0) throw new Error(`kubectl ${args}: ${stderr}`);
    return stdout;
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what is expected is said where it is asked for
  function json<T>(args: string): T {
    return JSON.parse(kubectl(`${args} -o json`)) as T;
  }

  function runHelm(args: readonly string[]): string {
    if ('skipped' in helm) throw new Error(helm.skipped);
    const { status, stdout, stderr } = spawnSync(helm.helm, args, {
      encoding: 'utf8',
      env: { ...process.env, KUBECONFIG: cluster.kubeconfig, HELM_CACHE_HOME: join(cluster.directory, 'helm') },
    });
    if (status !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** The commands of the README for a cluster, as they stand there. */
  function readmeCommands(program: string): readonly (readonly string[])[] {
    const lines = readFileSync('README.md', 'utf8').split('\n');
    return lines.filter((line) => line.startsWith(`${program} `)).map((line) => line.split(' ').slice(1));
  }

  const chartValues = [
    `image.repository=${IMAGE.repository}`,
    `image.tag=${IMAGE.tag}`,
    'image.pullPolicy=Never',
    'agent.intervalSeconds=5',
    'controller.replicas=1',
  ];

  function namespaceStatus(namespace: string): NamespaceStatus | undefined {
    const { items } = json<{ items: { status?: NamespaceStatus }[] }>(`get namespaceaudits -n ${namespace}`);
    return items[0]?.status;
  }

  function pod(name: string): {
    readonly metadata: { readonly uid: string };
    readonly status: { readonly podIP: string };
  } {
    return json(`get pod ${name} -n shop`);
  }

  /** What a scraper of the controller reads. */
  function metrics(): string {
    const [{ status }] = json<{ items: [{ status: { podIP: string } }] }>(
      `get pods -n ${NAMESPACE} -l app.kubernetes.io/component=controller`,
    ).items;
    const token = kubectl(`create token scraper -n ${NAMESPACE}`).trim();
    const script = `const https = require('node:https');
      https.get({ host: '${status.podIP}', port: 8443, path: '/metrics', rejectUnauthorized: false, headers: { authorization: 'Bearer ' + process.argv[1] } },
        (answer) => { answer.pipe(process.stdout); });`;
    return cluster.inNamespace(process.execPath, ['-e', script, token]).stdout;
  }

  /** What the agent tells whoever reaches its port. */
  function agentMetrics(): string {
    const [{ status }] = json<{ items: [{ status: { podIP: string } }] }>(
      `get pods -n ${NAMESPACE} -l app.kubernetes.io/component=agent`,
    ).items;
    const script = `require('node:http').get('http://${status.podIP}:9464/metrics', (answer) => { answer.pipe(process.stdout); });`;
    return cluster.inNamespace(process.execPath, ['-e', script]).stdout;
  }

  beforeAll(async () => {
    if (isSkipped(parts)) return;
    cluster = await startCluster(parts);
    const image = makeImage();
    cluster.importImage(image.tarFile);
    image.remove();
    kubectl('apply -f -', readFileSync('test/e2e/open-reports.yaml', 'utf8'));
    const [install = []] = readmeCommands('helm');
    runHelm([...install, '--wait', '--timeout', '2m', ...chartValues.flatMap((value) => ['--set', value])]);
    kubectl(`create serviceaccount scraper -n ${NAMESPACE}`);
    kubectl(
      `create clusterrolebinding scraper --clusterrole=userns-audit-metrics-reader --serviceaccount=${NAMESPACE}:scraper`,
    );
    kubectl('apply -f test/e2e/pods.yaml');
    writeFileSync(
      join(cluster.staticPodDirectory, 'keeper.yaml'),
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'keeper', namespace: 'shop' },
        spec: {
          hostUsers: false,
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'keeper', image: 'localhost/busybox:lab', imagePullPolicy: 'Never' }],
        },
      }),
    );
  }, 240_000);

  afterAll(async () => {
    stopAll();
    await cluster.stop();
  }, 60_000);

  test('every pod is told as the kernel has it', async () => {
    const status = await until('six pods in shop', () => {
      const found = namespaceStatus('shop');
      return found?.pods['running'] === 6 && found.pods['unknown'] === 0 ? found : undefined;
    });
    // Two of web, classy and the static pod; plain and exporter.
    expect(status.pods).toMatchObject({ private: 4, host: 2, notEffective: 0, undeclaredPrivate: 0, overlapping: 0 });
    expect(status.adoptionPercent).toBe(66);
    const broken = status.findings.map(({ rule, workload }) => `${rule} ${workload}`);
    expect(broken).toEqual(
      expect.arrayContaining([
        'host-network-namespace Pod/exporter',
        'host-pid-namespace Pod/exporter',
        'host-ipc-namespace Pod/exporter',
        'user-namespace Pod/plain',
      ]),
    );
    expect(broken.filter((text) => text.includes('web') || text.includes('keeper') || text.includes('classy'))).toEqual(
      [],
    );
  }, 90_000);

  test('the commands of the README for a cluster answer', async () => {
    // The controller makes a policy when nobody has brought one.
    await until('a policy', () => cluster.kubectl(['get', 'auditpolicy', 'cluster']).status === 0 || undefined);
    const commands = readmeCommands('kubectl');
    expect(commands).toHaveLength(3);
    for (const command of commands) expect(kubectl(command.join(' '))).not.toBe('');
  });

  test('the node is ready, and its agent sees everything', () => {
    const { status } = json<{
      status: { readiness: object; agent: { evidence: string }; totals: { privatePods: number } };
    }>(`get nodeaudit ${cluster.nodeName}`);
    expect(status.readiness).toEqual({ status: 'Ready', reasons: [] });
    expect(status.agent.evidence).toBe('full');
    expect(status.totals.privatePods).toBe(4);
  });

  test('one command makes the report, and one the plan, and both are true', () => {
    const audit = (...command: readonly string[]): string => {
      const args = [CLI, ...command, '--kubeconfig', cluster.kubeconfig];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (status !== 0 && status !== 1) throw new Error(stderr);
      return stdout;
    };
    // Two of web, classy and the static pod; plain, exporter, agent and controller.
    expect(audit('report', '-o', 'table')).toMatch(/ADOPTION +50 % of 8 running pods isolated/);
    interface Plan {
      readonly workloads: readonly {
        readonly subject: { readonly kind: string; readonly namespace: string; readonly name: string };
        readonly standing: string;
      }[];
    }
    const { workloads } = JSON.parse(audit('plan', '--cluster', '-o', 'json')) as Plan;
    const standings = workloads.map(({ subject: { kind, namespace, name }, standing }) => [
      `${kind} ${namespace}/${name}`,
      standing,
    ]);
    expect(Object.fromEntries(standings)).toEqual({
      'Deployment shop/web': 'adopted',
      'Pod shop/classy': 'adopted',
      [`Pod shop/keeper-${cluster.nodeName}`]: 'adopted',
      'Pod shop/plain': 'ready',
      'Pod shop/exporter': 'blocked',
      'DaemonSet userns-audit/userns-audit-agent': 'blocked',
      'Deployment userns-audit/userns-audit-controller': 'ready',
    });
  });

  test('the ids of a private pod are those the kubelet has allocated', () => {
    const { metadata } = pod('classy');
    const record = JSON.parse(readFileSync(join(cluster.kubeletDirectory, 'pods', metadata.uid, 'userns'), 'utf8')) as {
      uidMappings: [{ hostId: number; length: number }];
    };
    const [{ hostId, length }] = record.uidMappings;
    const { status } = json<{ status: { podGroups: { namespaces: string; pods: string[] }[] } }>(
      `get nodeaudit ${cluster.nodeName}`,
    );
    const entries = status.podGroups.filter(({ namespaces }) => namespaces.startsWith('U')).flatMap(({ pods }) => pods);
    expect(length).toBe(65_536);
    expect(entries).toContain(`${metadata.uid} ${hostId}`);
  });

  test('a pod that asks for hostUsers: false and does not get it is critical everywhere, until it is mended', async () => {
    const { metadata } = pod('classy');
    if (isSkipped(parts)) return;
    // What no kubelet of today does: a container of the pod in the host's user namespace.
    const intruder = startContainer(parts.lab, {
      cgroupsPath: `${cluster.cgroup}/kubepods/besteffort/pod${metadata.uid}/${containerId()}`,
    });
    const critical = (findings: readonly Finding[] = []): Finding | undefined =>
      findings.find(({ rule, workload }) => rule === 'user-namespace-not-effective' && workload === 'Pod/classy');
    const status = await until('a critical finding', () => {
      const found = namespaceStatus('shop');
      return critical(found?.findings) ? found : undefined;
    });
    expect(critical(status.findings)).toMatchObject({ severity: 'critical', status: 'fail', pods: 1 });
    expect(status.pods['notEffective']).toBe(1);

    const policy = await until('the sum of the cluster', () => {
      const found = json<{
        status: { criticalFindings: { rule: string; subject: string }[]; pods: { notEffective: number } };
      }>('get auditpolicy cluster').status;
      return found.pods.notEffective === 1 ? found : undefined;
    });
    expect(policy.criticalFindings).toContainEqual(
      expect.objectContaining({ rule: 'user-namespace-not-effective', subject: 'Pod/classy', namespace: 'shop' }),
    );
    expect(metrics()).toMatch(/^userns_audit_pods\{namespace="shop",state="not_effective"\} 1$/m);
    const report = json<{ results: { rule: string; severity: string; result: string }[] }>(
      'get reports.openreports.io userns-audit -n shop',
    );
    expect(report.results).toContainEqual(
      expect.objectContaining({ rule: 'user-namespace-not-effective', severity: 'critical', result: 'fail' }),
    );
    const events = json<{ items: { reason: string; regarding?: { name: string } }[] }>(
      'get events.events.k8s.io -n shop',
    ).items;
    expect(events).toContainEqual(
      expect.objectContaining({
        reason: 'UserNamespaceNotEffective',
        regarding: expect.objectContaining({ kind: 'Pod', name: 'classy' }) as unknown,
      }),
    );

    intruder.stop();
    await until('the finding is gone', () => (namespaceStatus('shop')?.pods['notEffective'] === 0 ? true : undefined));
    expect(critical(namespaceStatus('shop')?.findings)).toBeUndefined();
    expect(metrics()).toMatch(/^userns_audit_pods\{namespace="shop",state="not_effective"\} 0$/m);
  }, 180_000);

  test('two pods that share ids are told of both, until one of them ends', async () => {
    if (isSkipped(parts)) return;
    const { metadata } = pod('classy');
    const record = JSON.parse(readFileSync(join(cluster.kubeletDirectory, 'pods', metadata.uid, 'userns'), 'utf8')) as {
      uidMappings: [{ hostId: number; length: number }];
    };
    const [{ hostId }] = record.uidMappings;
    const [web] = json<{ items: [{ metadata: { uid: string } }] }>('get pods -n shop -l app=web').items;
    // The kubelet keeps ranges apart: this container of web takes that of classy.
    const mapping = [{ containerID: 0, hostID: hostId, size: 65536 }];
    const intruder = startContainer(parts.lab, {
      namespaces: { user: 'new' },
      uidMappings: mapping,
      gidMappings: mapping,
      cgroupsPath: `${cluster.cgroup}/kubepods/besteffort/pod${web.metadata.uid}/${containerId()}`,
    });
    const status = await until('both pods', () => {
      const found = namespaceStatus('shop');
      return found?.pods['overlapping'] === 2 ? found : undefined;
    });
    const told = status.findings.filter(({ rule }) => rule === 'id-range-overlap').map(({ workload }) => workload);
    expect(told).toEqual(expect.arrayContaining(['Pod/classy', 'Deployment/web']));
    intruder.stop();
    await until('ids of their own', () => (namespaceStatus('shop')?.pods['overlapping'] === 0 ? true : undefined));
  }, 120_000);

  test('a container that no kubelet started shows with the node', async () => {
    if (isSkipped(parts)) return;
    const stranger = startContainer(parts.lab, { namespaces: { pid: 'host' } });
    interface Unmanaged {
      readonly status: { readonly unmanaged?: readonly { readonly id: string; readonly status: string }[] };
    }
    const shown = (): string | undefined =>
      json<Unmanaged>(`get nodeaudit ${cluster.nodeName}`).status.unmanaged?.find(({ id }) => id === stranger.id)
        ?.status;
    expect(await until('the stranger', shown)).toBe('fail');
    stranger.stop();
    await until('the stranger is gone', () => (shown() === undefined ? true : undefined));
  }, 120_000);

  test('an ephemeral container counts like every other', async () => {
    const privileged = (): Finding | undefined =>
      namespaceStatus('shop')?.findings.find(
        ({ rule, workload }) => rule === 'privileged-in-host-user-namespace' && workload === 'Pod/plain',
      );
    expect(privileged()).toBeUndefined();
    kubectl(
      'debug plain -n shop --image=localhost/busybox:lab --image-pull-policy=Never --profile=sysadmin --container=looker',
    );
    expect(await until('the finding', privileged)).toMatchObject({ status: 'fail' });
  }, 120_000);

  test('a Prometheus that scrapes both answers the documented queries', async () => {
    if ('skipped' in prometheus) throw new Error(prometheus.skipped);
    // Pods are reached from inside the cluster's network alone: what they answer is handed on as it is.
    const relays = await Promise.all(
      [metrics, agentMetrics].map((read) => serveMetrics(() => Promise.resolve(read()))),
    );
    const started = await startPrometheus(prometheus, [
      { job: 'userns-audit', targets: relays.map(({ address }) => ({ address })) },
    ]);
    try {
      const page = readFileSync('docs/metrics.md', 'utf8');
      const queries = [...page.slice(page.indexOf('## Queries')).matchAll(/^\| [^|`]+ \| `(.+)` \|$/gm)].map(
        ([, query = '']) => query,
      );
      expect(queries.length).toBeGreaterThan(4);
      const [adoption = '', ...others] = queries;
      const shop = await until('the adoption of shop', async () => {
        const answer = await started.query(adoption);
        return answer.find(({ metric }) => metric['namespace'] === 'shop');
      });
      expect(Number(shop.value[1])).toBeCloseTo(4 / 6);
      // A query that finds nothing wrong has nothing to answer; one that is wrong itself is refused.
      for (const query of others) await started.query(query);
      // The agent may not have been scraped yet when the controller has.
      for (const query of ['userns_audit_node_readiness{status="Ready"}', 'userns_audit_agent_evidence_complete == 1'])
        await until(query, async () => ((await started.query(query)).length === 1 ? true : undefined));
    } finally {
      await started.stop();
      for (const { server } of relays) server.close();
    }
  }, 90_000);

  test('promtool finds nothing to say about what the controller tells', () => {
    if ('skipped' in prometheus) throw new Error(prometheus.skipped);
    const checked = spawnSync(prometheus.promtool, ['check', 'metrics'], { input: metrics(), encoding: 'utf8' });
    expect({ status: checked.status, said: checked.stdout + checked.stderr }).toEqual({ status: 0, said: '' });
  });

  test('nothing is written in a quiet half minute', async () => {
    const version = (): string =>
      ['nodeaudits', 'namespaceaudits -A', 'auditpolicies', 'reports.openreports.io -A']
        .map((what) => kubectl(`get ${what} -o jsonpath={range.items[*]}{.metadata.resourceVersion},{end}`))
        .join(';');
    let last = '';
    await until('the last change is written', async () => {
      const before = last;
      last = version();
      // Longer than changes are gathered before they are written.
      await sleep(2500);
      return before === last ? true : undefined;
    });
    // The agent sees the whole machine: where containers of others come or go meanwhile, it was no quiet half minute.
    const evidence = (): string => kubectl(`get nodeaudit ${cluster.nodeName} -o jsonpath={.status.observedTime}`);
    for (let attempt = 1; ; attempt += 1) {
      const seen = evidence();
      const before = version();
      await sleep(30_000);
      if (evidence() !== seen && attempt < 4) continue;
      expect(version()).toBe(before);
      return;
    }
  }, 240_000);

  test("an agent's token speaks for its own node and for nothing else", () => {
    const [{ metadata }] = json<{ items: [{ metadata: { name: string; uid: string } }] }>(
      `get pods -n ${NAMESPACE} -l app.kubernetes.io/component=agent`,
    ).items;
    const bound = `--bound-object-kind Pod --bound-object-name ${metadata.name} --bound-object-uid ${metadata.uid}`;
    const token = kubectl(`create token userns-audit-agent -n ${NAMESPACE} ${bound}`).trim();
    const unbound = kubectl(`create token userns-audit-agent -n ${NAMESPACE}`).trim();
    kubectl('apply -f -', JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'other' } }));
    const as = (bearer: string, args: string): { readonly status: number | null; readonly stderr: string } =>
      cluster.kubectl([
        ...['--kubeconfig', '/dev/null', '--server', cluster.url, '--certificate-authority', cluster.caFile],
        ...['--token', bearer, ...args.split(' ')],
      ]);
    const patch = (node: string): string =>
      `patch nodeaudit ${node} --subresource=status --type=merge -p {"status":{"readiness":{"status":"Ready","reasons":[]}}}`;
    expect(as(token, patch(cluster.nodeName)).stderr).toBe('');
    expect(as(token, patch('other')).stderr).toMatch(/may not write the NodeAudit of other|NotFound|not found/);
    expect(as(unbound, patch(cluster.nodeName)).stderr).toContain('names no node');
    for (const refused of [
      'get pods -A',
      'get secrets -A',
      'get nodes',
      'get nodeaudits',
      `delete nodeaudit ${cluster.nodeName}`,
      'get namespaceaudits -A',
    ])
      expect(as(token, refused).stderr).toContain('forbidden');
    kubectl('delete node other');
  });

  test('an upgrade replaces agent and controller, and what they know is kept', async () => {
    const heartbeat = (): string =>
      kubectl(`get nodeaudit ${cluster.nodeName} -o jsonpath={.status.lastHeartbeatTime}`);
    const identity = (): string => kubectl(`get nodeaudit ${cluster.nodeName} -o jsonpath={.metadata.uid}`);
    const [before, last] = [identity(), heartbeat()];
    const values = ['--reuse-values', '--set', 'agent.intervalSeconds=6', '--set', 'controller.logLevel=debug'];
    runHelm([
      'upgrade',
      'userns-audit',
      'charts/userns-audit',
      '-n',
      NAMESPACE,
      '--wait',
      '--timeout',
      '2m',
      ...values,
    ]);
    await until('a word of the new agent', () => (heartbeat() === last ? undefined : true));
    expect(identity()).toBe(before);
    expect(namespaceStatus('shop')?.pods['running']).toBe(6);
  }, 180_000);

  test('uninstalling leaves nothing behind but the definitions of the resources', async () => {
    runHelm(['uninstall', 'userns-audit', '--namespace', NAMESPACE, '--wait', '--timeout', '2m']);
    // Helm waits for what it made; pods go when their owners have.
    await until('no object of the release', () => {
      const left = kubectl(
        `get all,serviceaccounts,roles,rolebindings,poddisruptionbudgets -n ${NAMESPACE} -l app.kubernetes.io/instance=userns-audit -o name`,
      );
      return left === '' ? true : undefined;
    });
    const wide = kubectl(
      'get clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings -l app.kubernetes.io/instance=userns-audit -o name',
    );
    expect(wide).toBe('');
    expect(kubectl('get crd -o name').match(/userns-audit\.dev/g)).toHaveLength(3);
  }, 150_000);
});
