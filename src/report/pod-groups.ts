import type { Container } from '../core/container.ts';
import { formatIdMap, type IdMap, standardMap } from '../core/id-map.ts';
import { NAMESPACE_LETTERS, NAMESPACE_TYPES, type NamespaceType } from '../core/namespace.ts';
import { compareText } from '../core/text.ts';
import { MAX_POD_GROUPS, MAX_PODS_PER_GROUP } from '../resources/limits.ts';
import type { PodGroup } from '../resources/node-audit.ts';

/** A pod as its running containers show it together. */
export interface SeenPod {
  readonly uid: string;
  /** The least isolated of its containers, type by type. */
  readonly vector: string;
  readonly sandbox?: 'gvisor' | 'kata';
  readonly uidMap?: IdMap;
  readonly gidMap?: IdMap;
}

/** Containers that count: they run, and no other container of this machine runs them inside itself. */
export function managed(containers: readonly Container[]): readonly Container[] {
  return containers.filter(({ state, nestedIn }) => state === 'running' && nestedIn === undefined);
}

/** The pods behind the containers of a node, sorted by uid. */
export function podsOf(containers: readonly Container[]): readonly SeenPod[] {
  const byPod = Map.groupBy(
    managed(containers).filter(({ podUid }) => podUid !== undefined),
    ({ podUid = '' }) => podUid,
  );
  return [...byPod].map(([uid, members]) => seePod(uid, members)).toSorted((a, b) => compareText(a.uid, b.uid));
}

function seePod(uid: string, members: readonly Container[]): SeenPod {
  const vector = NAMESPACE_TYPES.map((type) => weakest(members, type)).join('');
  const sandbox = members.find((member) => member.sandbox)?.sandbox;
  const isPrivate = vector.startsWith(NAMESPACE_LETTERS.user);
  return {
    uid,
    vector,
    ...(sandbox ? { sandbox } : {}),
    ...(isPrivate ? { ...mapsOf(members, 'uidMap'), ...mapsOf(members, 'gidMap') } : {}),
  };
}

/** One container in the host's namespace is a way out for the whole pod; one that can not be seen may be. */
function weakest(members: readonly Container[], type: NamespaceType): string {
  const relations = members.map(({ namespaces }) => namespaces[type].relation);
  if (relations.includes('host') || relations.includes('unsupported')) return '-';
  return relations.includes('unknown') ? '?' : NAMESPACE_LETTERS[type];
}

/** All containers of a pod share one map; where somebody has given one another, the pod reaches the ids of both. */
function mapsOf(members: readonly Container[], key: 'uidMap' | 'gidMap'): Partial<Record<typeof key, IdMap>> {
  const maps = new Map(
    members.flatMap((member) => (member[key].ok ? [[formatIdMap(member[key].value), member[key].value] as const] : [])),
  );
  if (maps.size === 0 || members.some((member) => !member[key].ok)) return {};
  return { [key]: [...maps].toSorted(([a], [b]) => compareText(a, b)).flatMap(([, map]) => map) };
}

/** The longest entry; longer lists of ranges are cut, no kubelet makes them. */
const MAX_ENTRY = 512;
/** Ranges that have room in an entry, those of gid_map beside them. */
const RANGES_KEPT = 6;

interface Entry {
  readonly text: string;
  readonly cut: boolean;
}

function entryOf({ uid, uidMap, gidMap }: SeenPod): Entry {
  if (!uidMap || uidMap.length === 0) return { text: uid, cut: false };
  const text = entryText(uid, uidMap, gidMap);
  if (text.length <= MAX_ENTRY) return { text, cut: false };
  return { text: entryText(uid, uidMap.slice(0, RANGES_KEPT), gidMap?.slice(0, RANGES_KEPT)), cut: true };
}

/** What a kubelet makes is told by its start alone: most private pods have it, and etcd keeps every word of every pod. */
function entryText(uid: string, uidMap: IdMap, gidMap: IdMap | undefined): string {
  const uids = formatIdMap(uidMap);
  const gids = gidMap?.length && formatIdMap(gidMap) !== uids ? ` gid ${formatIdMap(gidMap)}` : '';
  const [first] = uidMap;
  const start = gids === '' && first !== undefined && uids === standardMap(first.outside) ? first.outside : undefined;
  return `${uid} ${start ?? `${uids}${gids}`}`;
}

/** Pods grouped by how they stand, the least isolated groups first, and whether all of them found room. */
export function groupPods(pods: readonly SeenPod[]): { readonly groups: readonly PodGroup[]; readonly whole: boolean } {
  const byVector = Map.groupBy(pods, ({ vector, sandbox = '' }) => `${vector} ${sandbox}`);
  const all = [...byVector.values()]
    .map((members): { readonly group: PodGroup; readonly cut: boolean } => {
      const { vector = '', sandbox } = members[0] ?? {};
      const entries = members.slice(0, MAX_PODS_PER_GROUP).map(entryOf);
      return {
        group: {
          namespaces: vector,
          ...(sandbox ? { sandbox } : {}),
          pods: entries.map(({ text }) => text),
        },
        cut: members.length > MAX_PODS_PER_GROUP || entries.some(({ cut }) => cut),
      };
    })
    .toSorted(
      (a, b) =>
        openness(b.group.namespaces) - openness(a.group.namespaces) ||
        compareText(a.group.namespaces, b.group.namespaces) ||
        compareText(a.group.sandbox ?? '', b.group.sandbox ?? ''),
    );
  const kept = all.slice(0, MAX_POD_GROUPS);
  return {
    groups: kept.map(({ group }) => group),
    whole: all.length === kept.length && kept.every(({ cut }) => !cut),
  };
}

function openness(vector: string): number {
  return vector.replaceAll(/[^-]/g, '').length;
}
