import { createClusterModel, type ClusterModel } from '../cluster/model.ts';
import { LATEST_KUBERNETES_VERSION } from '../core/pod-user-namespace.ts';
import type { PolicyError } from '../core/policy.ts';
import type { KubeClient } from '../kube/client.ts';
import { type Clock, systemClock } from '../kube/clock.ts';
import type { ListWatchProgress } from '../kube/list-watch.ts';
import { discover } from '../kube/discovery.ts';
import { KubeError } from '../kube/kube-error.ts';
import { createWorkQueue, type WorkQueue } from '../kube/work-queue.ts';
import { POLICY_NAME } from '../resources/group.ts';
import { readClusterEvidence } from './cluster-evidence.ts';
import { createEventWriter } from './events.ts';
import { readPolicy } from './read-policy.ts';
import { createWatches, type Watches } from './watches.ts';
import { createNamespaceWriter, type NamespaceWriter } from './write-namespace.ts';
import { writeNode } from './write-node.ts';
import { createReportWriter } from './write-reports.ts';
import { type KubernetesStatus, writePolicy } from './write-policy.ts';

export interface ControllerSettings {
  readonly client: KubeClient;
  readonly staleAfterMs: number;
  /** Changes are gathered for so long before they are written. */
  readonly settleMs?: number;
  readonly clock?: Clock;
  /** The time people read, in milliseconds since 1970. */
  readonly now?: () => number;
  readonly onProgress?: (resource: string, what: ListWatchProgress) => void;
  readonly onWrite?: (kind: WriteKind, result: 'written' | 'failed') => void;
  readonly onError?: (what: string, error: unknown) => void;
  /** Names this controller in events: its pod. */
  readonly instance: string;
}

export type WriteKind = 'NodeAudit' | 'NamespaceAudit' | 'AuditPolicy' | 'Report' | 'Event';

export interface Controller {
  readonly model: ClusterModel;
  readonly watches: Watches;
  readonly namespaces: NamespaceWriter;
  readonly queueDepth: number;
  readonly kubernetes: KubernetesStatus | undefined;
  readonly policyErrors: readonly PolicyError[];
  /** Watches until the signal aborts. */
  watch(signal: AbortSignal): Promise<void>;
  /** Writes until the signal aborts: the work of the leader. */
  lead(signal: AbortSignal): Promise<void>;
}

const TICK_MS = 5000;
/** Whoever installs this may bring a policy in the next moment; only then is an empty one made. */
const POLICY_GRACE_MS = 3000;
/** The gate can change with the API server alone, and that takes minutes. */
const CLUSTER_EVIDENCE_MS = 10 * 60_000;
const RETRY_EVIDENCE_MS = 5000;

/** Joins, sums up and writes. Everything that is written can be computed anew from what is watched. */
export function createController(settings: ControllerSettings): Controller {
  const { client, staleAfterMs, settleMs = 1000, clock = systemClock } = settings;
  const now = settings.now ?? Date.now;
  let queue: WorkQueue | undefined;
  let kubernetes: KubernetesStatus | undefined;
  /** The API server has told what it is, or that it does not tell: pods are judged by its version. */
  let isServerKnown = false;
  let errors: readonly PolicyError[] = [];

  /** A key is written once it has settled; without a leader's queue nothing is. */
  const enqueue = (key: string): void => queue?.addAfter(key, settleMs);
  const onCluster = (): void => {
    enqueue('cluster');
  };
  const onNamespace = (name: string): void => {
    if (model.namespaces.get(name)?.exists !== true) {
      // Another may have its name before this is written.
      reports.forget(name);
      events.forget(name);
    }
    enqueue(`namespace/${name}`);
    onCluster();
  };

  const model = createClusterModel({ staleAfterMs, now, onNamespace, onCluster });
  const watches: Watches = createWatches({
    client,
    model,
    now,
    onNode: (name) => {
      enqueue(`node/${name}`);
    },
    onNamespace: (name) => {
      enqueue(`namespace/${name}`);
    },
    onPolicy: () => {
      followPolicy();
      onCluster();
    },
    onSynced: enqueueAll,
    onProgress: (resource, what) => settings.onProgress?.(resource, what),
    onError: (resource, error) => settings.onError?.(`watch ${resource}`, error),
  });
  const namespaces = createNamespaceWriter(client, model, watches.namespaceAudits, now);

  const reports = createReportWriter(client);
  const events = createEventWriter(client, settings.instance, now);

  let createPolicyAt = 0;

  let followed = '';
  function followPolicy(): void {
    const object = watches.policies.get(POLICY_NAME);
    const text = JSON.stringify(object?.spec ?? {});
    if (text === followed) return;
    followed = text;
    const read = readPolicy({ spec: object?.spec });
    ({ errors } = read);
    model.setSettings({ policy: read.policy });
  }

  function enqueueAll(): void {
    if (!queue || !watches.synced || !isServerKnown) return;
    for (const name of new Set([...watches.nodes.keys(), ...watches.nodeAudits.keys()])) queue.add(`node/${name}`);
    for (const name of new Set([...model.namespaces.keys(), ...namespaces.summaries.keys()]))
      queue.add(`namespace/${name}`);
    queue.add('cluster');
  }

  async function handle(key: string): Promise<void> {
    // Half of the facts would be written as if they were the whole.
    if (!watches.synced || !isServerKnown) return;
    const [kind, name = ''] = key.split('/');
    if (kind === 'node') await counted('NodeAudit', writeNode(client, model, watches, name, now));
    else if (kind === 'namespace') {
      await counted('NamespaceAudit', namespaces.write(name));
      await counted('Report', reports.writeNamespace(name, namespaces.summaries.get(name)));
      const state = model.namespaces.get(name);
      if (state?.exists === true) await counted('Event', events.tell(state, model.exceptions.isAccepted));
    } else {
      const policy = watches.policies.get(POLICY_NAME);
      if (policy || clock.now() >= createPolicyAt)
        await counted('AuditPolicy', writePolicy(client, model, { policy, errors, kubernetes, now }));
      else queue?.addAfter('cluster', createPolicyAt - clock.now());
      await counted('Report', reports.writeNodes(model));
    }
  }

  async function counted(kind: WriteKind, write: Promise<boolean | number>): Promise<void> {
    try {
      // A number counts what was written.
      for (let left = Number(await write); left > 0; left -= 1) settings.onWrite?.(kind, 'written');
    } catch (error) {
      settings.onWrite?.(kind, 'failed');
      throw error;
    }
  }

  async function watchClock(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      model.tick();
      for (const { name, stale } of model.nodes.values()) if (stale) enqueue(`node/${name}`);
      await clock.sleep(TICK_MS, signal);
    }
  }

  async function watchApiServer(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let wait = CLUSTER_EVIDENCE_MS;
      let isAnswered = true;
      try {
        const evidence = await readClusterEvidence(client, signal);
        kubernetes = evidence.status;
        const isNewKind = reports.served(await discover(client, signal));
        model.setSettings({ version: evidence.version ?? LATEST_KUBERNETES_VERSION });
        if (isNewKind) enqueueAll();
        else onCluster();
      } catch (error) {
        wait = RETRY_EVIDENCE_MS;
        if (!hasEnded(signal)) settings.onError?.('evidence of the API server', error);
        isAnswered = error instanceof KubeError && error.status > 0;
      }
      if (isAnswered && !isServerKnown) {
        isServerKnown = true;
        enqueueAll();
      }
      await clock.sleep(wait, signal);
    }
  }

  const controller: Controller = {
    model,
    watches,
    namespaces,
    get queueDepth() {
      return queue?.depth ?? 0;
    },
    get kubernetes() {
      return kubernetes;
    },
    get policyErrors() {
      return errors;
    },
    async watch(signal) {
      await Promise.all([watches.run(signal), watchClock(signal), watchApiServer(signal)]);
    },
    async lead(signal) {
      const own = createWorkQueue({
        handle,
        concurrency: 4,
        onError: (error, key) => settings.onError?.(`write ${key}`, error),
        clock,
      });
      queue = own;
      reports.forget();
      createPolicyAt = clock.now() + POLICY_GRACE_MS;
      enqueueAll();
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else
          signal.addEventListener(
            'abort',
            () => {
              resolve();
            },
            { once: true },
          );
      });
      queue = undefined;
      await own.stop();
    },
  };
  return controller;
}

/** It may have since the last look. */
function hasEnded(signal: AbortSignal): boolean {
  return signal.aborted;
}
