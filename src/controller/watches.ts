import { type ClusterModel } from '../cluster/model.ts';
import { readNodeEvidence } from '../cluster/node-evidence.ts';
import { NODE_WORD_FIELDS, type NodeWord, readNodeWord } from '../cluster/node-word.ts';
import { type ApiObject, listAt, objectAt, textAt } from '../cluster/pod-spec.ts';
import { createPodInterner, isSamePod, POD_FIELDS, slimPod } from '../cluster/pod.ts';
import type { KubeClient } from '../kube/client.ts';
import { type KubeObject, objectKey } from '../kube/kube-object.ts';
import { createListWatch, type ListWatch, type ListWatchOptions, type ListWatchProgress } from '../kube/list-watch.ts';
import { resourcePath } from '../kube/paths.ts';
import { GROUP, VERSION } from '../resources/group.ts';
import { EVIDENCE_ACCEPTED } from '../resources/condition.ts';
import { NAMESPACE_CONDITIONS } from './write-namespace.ts';
import { readWritten, type Written } from './written.ts';

/** A node as far as it is kept. */
export interface SlimNode {
  readonly name: string;
  readonly uid: string;
  readonly word: NodeWord;
}

/** A NodeAudit as its writer looks at it; its evidence goes into the model. */
export interface SlimNodeAudit {
  readonly name: string;
  readonly uid: string;
  /** The uid of the node that owns it. */
  readonly owner: string | undefined;
  readonly heard: string;
  readonly resourceVersion: string;
  readonly accepted: Written['conditions'];
}

/** The AuditPolicy, whole: there is one. */
export interface SlimPolicy {
  readonly name: string;
  readonly generation: number;
  readonly spec: unknown;
  readonly status: ApiObject;
}

export interface Watches {
  readonly nodes: ReadonlyMap<string, SlimNode>;
  readonly nodeAudits: ReadonlyMap<string, SlimNodeAudit>;
  readonly namespaceAudits: ReadonlyMap<string, Written>;
  readonly policies: ReadonlyMap<string, SlimPolicy>;
  readonly synced: boolean;
  /** By resource. */
  readonly all: ReadonlyMap<string, ListWatch<unknown>>;
  run(signal: AbortSignal): Promise<void>;
}

export interface WatchOptions {
  readonly client: KubeClient;
  readonly model: ClusterModel;
  readonly now: () => number;
  readonly onNode: (name: string) => void;
  readonly onNamespace: (name: string) => void;
  readonly onPolicy: () => void;
  readonly onSynced: () => void;
  readonly onProgress: (resource: string, what: ListWatchProgress) => void;
  readonly onError: (resource: string, error: unknown) => void;
}

/** Everything the controller looks at, fed into the model as it changes. */
export function createWatches(options: WatchOptions): Watches {
  const { client, model, now, onNode } = options;
  const all = new Map<string, ListWatch<unknown>>();

  function watch<T>(
    resource: string,
    own: boolean,
    handlers: Omit<ListWatchOptions<T>, 'client' | 'path' | 'keyOf'> & {
      readonly keyOf?: ListWatchOptions<T>['keyOf'];
    },
  ): ListWatch<T> {
    const created = createListWatch<T>({
      client,
      path: resourcePath(own ? { group: GROUP, version: VERSION, resource } : { group: '', version: 'v1', resource }),
      keyOf: objectKey,
      ...handlers,
      onSynced: () => {
        if (isSynced()) options.onSynced();
      },
      onProgress: (what) => {
        options.onProgress(resource, what);
      },
      onError: (error) => {
        options.onError(resource, error);
      },
    });
    all.set(resource, created);
    return created;
  }
  const isSynced = (): boolean => [...all.values()].every(({ synced }) => synced);

  const nodes = watch<SlimNode>('nodes', false, {
    fields: { metadata: { name: true, uid: true }, status: NODE_WORD_FIELDS },
    slim: (object) => slimNode(object),
    equal: (a, b) => a.uid === b.uid && a.word === b.word,
    onUpsert: (name, node) => {
      model.setNode(name, node.word);
      onNode(name);
    },
    onDelete: (name) => {
      model.removeNode(name);
      onNode(name);
    },
  });
  watch<ApiObject>('namespaces', false, {
    fields: { metadata: { name: true, labels: true } },
    slim: (object) => ({ ...object.metadata.labels }),
    equal: (a, b) => JSON.stringify(a) === JSON.stringify(b),
    onUpsert: (name, labels) => {
      model.setNamespace(name, labels as Readonly<Record<string, string>>);
    },
    onDelete: (name) => {
      model.removeNamespace(name);
    },
  });
  const nodeAudits = watch<SlimNodeAudit>('nodeaudits', true, {
    fields: {
      metadata: { name: true, uid: true, resourceVersion: true, ownerReferences: true },
      status: true,
    },
    // Evidence is large and belongs to the model: what is kept here is what its writer needs.
    slim: (object) => {
      model.setEvidence(readNodeEvidence(object as unknown as ApiObject, now()));
      return slimNodeAudit(object as unknown as ApiObject);
    },
    onUpsert: onNode,
    onDelete: (name) => {
      model.removeEvidence(name);
      onNode(name);
    },
  });
  const namespaceAudits = watch<Written>('namespaceaudits', true, {
    fields: { metadata: { name: true, namespace: true }, status: true },
    slim: (object) => readWritten(object as unknown as ApiObject, NAMESPACE_CONDITIONS),
    keyOf: ({ metadata: { namespace = '', name } }) => (name === 'userns-audit' ? namespace : `${namespace}/${name}`),
    equal: (a, b) => a.content === b.content,
    onUpsert: options.onNamespace,
    onDelete: options.onNamespace,
  });
  const policies = watch<SlimPolicy>('auditpolicies', true, {
    slim: (object) => slimPolicy(object as unknown as ApiObject),
    onUpsert: options.onPolicy,
    onDelete: options.onPolicy,
  });
  const interner = createPodInterner();
  watch('pods', false, {
    fields: POD_FIELDS,
    // A stream holds one pod at a time; a page of them is megabytes.
    watchList: true,
    pageSize: 250,
    slim: (object: KubeObject) => slimPod(object as unknown as ApiObject, interner),
    equal: isSamePod,
    onUpsert: (_, pod, previous) => {
      model.upsertPod(pod, previous);
    },
    onDelete: (_, pod) => {
      model.removePod(pod);
    },
  });

  return {
    nodes: nodes.records,
    nodeAudits: nodeAudits.records,
    namespaceAudits: namespaceAudits.records,
    policies: policies.records,
    all,
    get synced() {
      return isSynced();
    },
    async run(signal) {
      await Promise.all([...all.values()].map((one) => one.run(signal)));
    },
  };
}

function slimNode(object: KubeObject): SlimNode {
  return {
    name: object.metadata.name,
    uid: object.metadata.uid ?? '',
    word: readNodeWord(object as unknown as ApiObject),
  };
}

function slimNodeAudit(object: ApiObject): SlimNodeAudit {
  const metadata = objectAt(object, 'metadata');
  const status = objectAt(object, 'status');
  const owner = listAt(metadata, 'ownerReferences').find(({ kind }) => kind === 'Node');
  return {
    name: textAt(metadata, 'name') ?? '',
    uid: textAt(metadata, 'uid') ?? '',
    owner: owner && textAt(owner, 'uid'),
    heard: textAt(status, 'lastHeartbeatTime') ?? textAt(status, 'observedTime') ?? '',
    resourceVersion: textAt(metadata, 'resourceVersion') ?? '',
    accepted: readWritten(object, [EVIDENCE_ACCEPTED]).conditions,
  };
}

function slimPolicy(object: ApiObject): SlimPolicy {
  const metadata = objectAt(object, 'metadata');
  const generation = metadata['generation'];
  return {
    name: textAt(metadata, 'name') ?? '',
    generation: typeof generation === 'number' ? generation : 0,
    spec: object['spec'],
    status: objectAt(object, 'status'),
  };
}
