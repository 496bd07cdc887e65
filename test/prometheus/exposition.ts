// The metrics of a cluster in every state an alert or panel looks for, told by the product's own code over a model made by hand.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAgentCounters, renderAgentMetrics } from '../../src/agent/agent-metrics.ts';
import { createControllerMetrics } from '../../src/controller/controller-metrics.ts';
import type { Controller } from '../../src/controller/controller.ts';
import { createServeMetrics } from '../../src/standalone/serve-metrics.ts';
import { auditMachine } from '../support/audit.ts';
import type { AdoptionFloor } from '../../src/core/policy.ts';
import {
  evidenceOf,
  exceptionOf,
  modelAt,
  namespaceSummary,
  podOf,
  policyOf,
  uidOf,
} from '../cluster-model/cluster-facts.ts';

const DAY_MS = 86_400_000;
const USE = { residentBytes: 60_000_000, cpuSeconds: 1.5 };
const PRIVATE = 'Upnium--';
const HOST = '-pnium--';

function dayFrom(now: number, days: number): string {
  return new Date(now + days * DAY_MS).toISOString().slice(0, 10);
}

/** A controller that leads, as far as its metrics look at it. */
export function exampleController(now: number): Controller {
  const { model } = modelAt({ now });
  const floors: readonly AdoptionFloor[] = [{ namespaces: ['shop', 'bank'], minAdoptionPercent: 90 }];
  const exceptions = [
    exceptionOf({
      namespaces: ['shop'],
      rules: ['host-network-namespace'],
      reason: 'matched',
      expires: dayFrom(now, 300),
    }),
    exceptionOf({
      namespaces: ['bank'],
      rules: ['root-in-host-user-namespace'],
      reason: 'ends soon',
      expires: dayFrom(now, 3),
    }),
    exceptionOf({ namespaces: ['bank'], rules: ['user-namespace'], reason: 'has ended', expires: dayFrom(now, -3) }),
    exceptionOf({ namespaces: ['nowhere'], reason: 'matches nothing' }),
  ];
  model.setSettings({
    policy: { ...policyOf({ profiles: ['pod-security-baseline', 'userns-rollout'], exceptions }), floors },
  });
  for (const node of ['node-1', 'node-2', 'node-3', 'node-4']) model.setNode(node);
  for (const namespace of ['shop', 'bank']) model.setNamespace(namespace, {});
  let pods = 0;
  const pod = (namespace: string, node: string, spec: Readonly<Record<string, unknown>>): string => {
    pods += 1;
    model.upsertPod(podOf({ uid: uidOf(pods), name: `pod-${pods}`, namespace, node, spec }));
    return uidOf(pods);
  };
  const own = { hostUsers: false };
  const rooted = { containers: [{ name: 'app', securityContext: { privileged: true } }], hostNetwork: true };
  model.setEvidence(
    evidenceOf(
      {
        node: 'node-1',
        heardAt: now,
        pods: [
          [`${pod('shop', 'node-1', own)} 0 131072 65536`, PRIVATE],
          [`${pod('shop', 'node-1', own)} 0 262144 65536`, PRIVATE],
          [pod('shop', 'node-1', {}), HOST],
          [pod('shop', 'node-1', rooted), '-p-i-m--'],
          [`${pod('shop', 'node-1', {})} 0 327680 65536`, PRIVATE],
          [pod('bank', 'node-1', own), HOST],
          [`${pod('bank', 'node-1', own)} 0 655360 65536`, PRIVATE],
          [`${pod('bank', 'node-1', own)} 0 655360 65536`, PRIVATE],
        ],
      },
      now,
    ),
  );
  model.setEvidence(
    evidenceOf(
      {
        node: 'node-2',
        heardAt: now,
        status: {
          readiness: { status: 'NotReady', reasons: ['user-namespace-limit'] },
          rules: [{ rule: 'user-namespace-limit', severity: 'high', status: 'fail', message: 'the limit is 0' }],
        },
      },
      now,
    ),
  );
  model.setEvidence(evidenceOf({ node: 'node-3', heardAt: now - 3_600_000 }, now));
  for (const node of ['node-2', 'node-3', 'node-4']) pod('bank', node, {});
  model.tick();
  const summaries = new Map([...model.namespaces.keys()].map((name) => [name, namespaceSummary(model, name)]));
  const watch = { synced: true, lastContact: () => now };
  const all = new Map(['pods', 'nodes', 'namespaces', 'nodeaudits', 'auditpolicies'].map((name) => [name, watch]));
  const stub = {
    model,
    queueDepth: 2,
    namespaces: { summaries },
    watches: { all, synced: true },
    kubernetes: { keepsHostUsers: 'True' },
  };
  // Metrics look at no more than this of a controller.
  return stub as unknown as Controller;
}

/** /metrics of a controller that leads, and has written, failed and begun anew. */
export function controllerExposition(now = Date.now()): () => Promise<string> {
  const controller = exampleController(now);
  const metrics = createControllerMetrics(() => controller, '1.2.3');
  metrics.setLeading(true);
  return () => {
    metrics.countWrite('NamespaceAudit', 'written');
    metrics.countWrite('AuditPolicy', 'failed');
    metrics.countWatch('pods', 'restart');
    metrics.countWatch('pods', 'error');
    return metrics.render();
  };
}

/** /metrics of a controller that waits. */
export function waitingExposition(now = Date.now()): () => Promise<string> {
  const controller = exampleController(now);
  return () => createControllerMetrics(() => controller, '1.2.3').render();
}

/** /metrics of an agent. */
export function agentExposition(): () => Promise<string> {
  const counters = createAgentCounters();
  counters.evidenceComplete = true;
  return () => {
    counters.scans += 1;
    counters.scanSeconds += 0.2;
    counters.lastScanSeconds = 0.2;
    counters.containers = 12;
    counters.publishes.written += 1;
    counters.publishes.failed += 1;
    return Promise.resolve(renderAgentMetrics(counters, '1.2.3', Date.now(), USE));
  };
}

/** /metrics of `userns-audit serve`, of this machine. */
export function machineExposition(): () => Promise<string> {
  const audit = { report: auditMachine(), time: Date.now(), seconds: 0.2 };
  return () => createServeMetrics(() => audit, '1.2.3').metrics();
}

/** Serves a text under /metrics on a free port. */
export async function serveMetrics(
  render: () => Promise<string>,
): Promise<{ readonly address: string; readonly server: Server }> {
  const server = createServer((_, response) => {
    void render().then((text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
