import type { AdoptionEvidence } from '../cluster/adoption-evidence.ts';
import { type ApiObject, listAt, objectAt, podSpecOf, textAt } from '../cluster/pod-spec.ts';
import { nameOf } from '../cluster/listed.ts';
import { WAIVE_ANNOTATION, WAIVE_PREFIX } from '../core/waiver.ts';
import type { Workload } from '../core/workload.ts';
import { readLiveObject } from '../manifests/index.ts';
import { controllerOf, type LiveObjects, type Owner, uidOf } from './live-objects.ts';

export interface LiveWorkloads {
  readonly workloads: readonly Workload[];
  /** What makes a workload, and how many pods it has that have not ended, where pods could be listed. */
  readonly evidence: Pick<AdoptionEvidence, 'makerOf' | 'podsOf'>;
}

/** One workload in the making. */
interface Entry {
  readonly object: ApiObject;
  readonly owner: Owner | undefined;
  pods: number;
  /** Of pods without an object of their own here: what they are told as. */
  readonly subject?: Pick<Workload, 'apiVersion' | 'kind' | 'name'>;
}

/**
 * The workloads of a cluster as people know them: what is made by another of them is told as that one (a ReplicaSet as its
 * Deployment, a Job as its CronJob), pods that none of them makes by whatever makes them. Left out are jobs and pods that have
 * ended, and replica sets of other makers that have no pods any more.
 */
export function liveWorkloads({ lists, pods }: LiveObjects): LiveWorkloads {
  const entries = new Map<string, Entry>();
  const ownerOf = new Map<string, Owner>();
  for (const { resource, objects } of lists)
    for (const object of objects) {
      const owner = controllerOf(object);
      const { kind, group, version } = resource;
      const apiVersion = group === '' ? version : `${group}/${version}`;
      if (owner) ownerOf.set(uidOf(object), owner);
      entries.set(uidOf(object), { object: { apiVersion, kind, ...object }, owner, pods: 0 });
    }
  const isKnown = (owner: Owner | undefined): boolean => owner !== undefined && entries.has(owner.uid);
  const top = (uid: string): Entry | undefined => {
    let current = uid;
    for (let owner = ownerOf.get(current); owner && entries.has(owner.uid); owner = ownerOf.get(current))
      current = owner.uid;
    return entries.get(current);
  };
  const loose = new Map<string, Entry>();
  for (const pod of pods ?? []) {
    if (['Succeeded', 'Failed'].includes(textAt(objectAt(pod, 'status'), 'phase') ?? '')) continue;
    const owner = controllerOf(pod);
    const entry = (owner && top(owner.uid)) ?? loosePod(pod, owner, loose);
    entry.pods += 1;
  }
  const kept = [...entries.values()].filter((entry) => !isKnown(entry.owner) && !isOver(entry));
  return readEntries([...kept, ...loose.values()], pods !== undefined);
}

function readEntries(entries: readonly Entry[], counted: boolean): LiveWorkloads {
  const sources = new Map<Workload, Entry>();
  for (const entry of entries)
    for (const workload of readLiveObject(withoutOwn(entry.object), placeName(entry)).workloads)
      sources.set(entry.subject ? { ...workload, ...entry.subject } : workload, entry);
  return {
    workloads: [...sources.keys()],
    evidence: {
      ...(counted ? { podsOf: (workload) => sources.get(workload)?.pods ?? 0 } : {}),
      makerOf: (workload) => {
        const entry = sources.get(workload);
        return entry?.owner && makerText(entry.owner, workload);
      },
    },
  };
}

/** `Deployment/shop/web` */
function placeName({ object, subject }: Entry): string {
  const namespace = textAt(objectAt(object, 'metadata'), 'namespace');
  const { kind = textAt(object, 'kind'), name = nameOf(object) } = subject ?? {};
  return [kind, namespace, name].filter((part) => part !== undefined).join('/');
}

function makerText({ kind, name }: Owner, { namespace }: Workload): string {
  return kind === 'Node'
    ? `a file on node ${name}`
    : `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** Of the annotations only waivers are read, and what kubectl last applied may be as long as all the rest. */
function withoutOwn(object: ApiObject): ApiObject {
  return JSON.parse(
    JSON.stringify(object, (key, value: unknown) =>
      key === 'annotations' && typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value).filter(([name]) => name === WAIVE_ANNOTATION || name.startsWith(WAIVE_PREFIX)),
          )
        : value,
    ),
  ) as ApiObject;
}

/** Pods of one maker that are alike are one workload, in the maker's name; a pod that nothing makes, and a static pod, is its own. */
function loosePod(pod: ApiObject, owner: Owner | undefined, loose: Map<string, Entry>): Entry {
  const isOwn = owner === undefined || owner.kind === 'Node';
  const spec = objectAt(pod, 'spec');
  // Each may have a claim of its own, and what stands behind it is judged.
  const claims = listAt(spec, 'volumes').map((volume) =>
    textAt(objectAt(volume, 'persistentVolumeClaim'), 'claimName'),
  );
  const key = isOwn ? uidOf(pod) : JSON.stringify([owner.uid, podSpecOf(spec), claims]);
  const known = loose.get(key);
  if (known) return known;
  const entry: Entry = {
    // What makes pods may send each to a node by its name, and the first one speaks for all.
    object: { apiVersion: 'v1', kind: 'Pod', ...pod, ...(isOwn ? {} : { spec: { ...spec, affinity: undefined } }) },
    owner,
    pods: 0,
    ...(isOwn ? {} : { subject: { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.name } }),
  };
  loose.set(key, entry);
  return entry;
}

/** A job that has ended makes no pods any more; nor does a replica set that something else has scaled to nothing. */
function isOver({ object, owner }: Entry): boolean {
  const kind = textAt(object, 'kind') ?? '';
  if (kind === 'Job')
    return listAt(objectAt(object, 'status'), 'conditions').some(
      ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
    );
  return kind.startsWith('Replica') && owner !== undefined && objectAt(object, 'spec')['replicas'] === 0;
}
