import type { Container, Sandbox } from '../core/container.ts';
import { type IdMap, type IdRange, standardMap } from '../core/id-map.ts';
import { NAMESPACE_LETTERS, NAMESPACE_TYPES, type NamespaceState, type NamespaceStates } from '../core/namespace.ts';
import { read, unread } from '../core/reading.ts';
import type { PodSpec } from '../core/workload.ts';

/** What the kernel of its node shows of a pod, as its agent reported it. */
export interface EffectivePod {
  /** As `namespaceVector` writes it: `Upnium--`. */
  readonly vector: string;
  readonly sandbox?: Sandbox;
  /** Of a private user namespace. */
  readonly uidMap?: IdMap;
  readonly gidMap?: IdMap;
}

const SOURCE = 'NodeAudit';

/** Reads an entry of `podGroups[].pods`: a uid, then its maps. `undefined` where it is none. */
export function parsePodEntry(
  entry: string,
): { readonly uid: string; readonly uidMap?: IdMap; readonly gidMap?: IdMap } | undefined {
  const match = /^([0-9a-f-]{32,36})(?: ([\d ,]+?))?(?: gid ([\d ,]+))?$/.exec(entry);
  if (!match) return undefined;
  const [, uid = '', uids, gids] = match;
  const uidMap = uids === undefined ? undefined : parseMap(uids);
  const gidMap = gids === undefined ? uidMap : parseMap(gids);
  if (uidMap === null || gidMap === null) return undefined;
  return { uid, ...(uidMap ? { uidMap } : {}), ...(gidMap ? { gidMap } : {}) };
}

/** `0 100000 65536, …`, or the start of a kubelet's map; null where it is no map a kernel would show. */
function parseMap(text: string): IdMap | null {
  // Tens of thousands are kept: an array that is mapped is as long as it must be, one that is filled is longer.
  const lines = /^\d+$/.test(text) ? [standardMap(Number(text))] : text.split(', ');
  const ranges = lines.map(parseRange);
  return ranges.every((range) => range !== undefined) ? ranges : null;
}

function parseRange(line: string): IdRange | undefined {
  const match = /^(\d{1,10}) (\d{1,10}) (\d{1,10})$/.exec(line);
  if (!match) return undefined;
  const [inside = 0, outside = 0, length = 0] = match.slice(1).map(Number);
  // user_namespaces(7): a length of 0 is refused, and no range goes beyond 32 bits.
  if (length === 0 || Math.max(inside, outside) + length > 2 ** 32) return undefined;
  return { inside, outside, length };
}

const PRIVATE: NamespaceState = { relation: 'private', basis: 'inode' };
const HOST: NamespaceState = { relation: 'host', basis: 'inode' };
const HIDDEN: NamespaceState = { relation: 'unknown', reason: 'the agent on its node could not see it' };

/** The states behind a vector; `undefined` where it is none. */
export function parseVector(vector: string): NamespaceStates | undefined {
  if (vector.length !== NAMESPACE_TYPES.length) return undefined;
  const states: Partial<Record<keyof NamespaceStates, NamespaceState>> = {};
  for (const [index, type] of NAMESPACE_TYPES.entries()) {
    const letter = vector[index];
    if (letter === NAMESPACE_LETTERS[type]) states[type] = PRIVATE;
    else if (letter === '-') states[type] = HOST;
    else if (letter === '?') states[type] = HIDDEN;
    else return undefined;
  }
  return states as NamespaceStates;
}

/**
 * The pod as one container of the catalogue's rules: the least isolated of its containers, which is what they judge. What no rule
 * over pods asks for is absent.
 */
export function asContainer(uid: string, effective: EffectivePod, states: NamespaceStates, pod?: PodSpec): Container {
  const none = unread(SOURCE, 'absent', 'not part of the report');
  const { sandbox, uidMap, gidMap } = effective;
  return {
    id: uid,
    cgroup: uid,
    runtime: 'unknown',
    podUid: uid,
    state: 'running',
    init: { pid: 0, command: '' },
    processes: 1,
    shim: none,
    ...(sandbox ? { sandbox } : {}),
    namespaces: states,
    uidMap: uidMap ? read(SOURCE, uidMap) : none,
    gidMap: gidMap ? read(SOURCE, gidMap) : none,
    nspid: none,
    hostUid: none,
    rootHostUid: none,
    hostname: none,
    ...(pod ? { pod } : {}),
  };
}
