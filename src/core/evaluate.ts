import type { Container } from './container.ts';
import type { NodeFacts } from './facts.ts';
import { compareFindings, type Finding, type FindingSubject } from './finding.ts';
import { findOverlaps, formatIdMap, type HeldRange, type IdMap, isIdentityMap, type Overlap } from './id-map.ts';
import type { AuditRule, EffectiveContext, RuleMeta, Verdict } from './rule.ts';

/** Judges a node and every container on it by every rule. Pure; the findings are sorted, failures first. */
export function evaluate(rules: readonly AuditRule[], facts: NodeFacts): readonly Finding[] {
  const { docker, kubelet, containers } = facts;
  const context: EffectiveContext = {
    docker,
    kubeletPods: kubelet.pods,
    containers,
    overlaps: findPodOverlaps(containers),
  };
  return rules
    .flatMap((rule) =>
      rule.kind === 'node'
        ? [toFinding(rule, { kind: 'Node' }, rule.check(facts))]
        : facts.containers.map((container) => toFinding(rule, subjectOf(container), rule.check(container, context))),
    )
    .toSorted(compareFindings);
}

function toFinding({ id, severity }: RuleMeta, subject: FindingSubject, verdict: Verdict): Finding {
  return { rule: id, severity, subject, ...verdict };
}

function subjectOf({ id, podUid, docker }: Container): FindingSubject {
  return { kind: 'Container', id, ...(docker?.name ? { name: docker.name } : {}), ...(podUid ? { podUid } : {}) };
}

/**
 * Host id ranges held twice, by the cgroup of each container concerned. One user namespace is one owner, so the containers of
 * a pod do not overlap each other; where its identity is not visible, the pod is the owner. A Docker daemon gives all its
 * containers one range, so it is one owner, too. Who maps every id to itself overlaps everybody, and is not counted here.
 */
export function findPodOverlaps(containers: readonly Container[]): EffectiveContext['overlaps'] {
  const members = new Map<string, Container[]>();
  for (const container of containers) {
    const { namespaces, uidMap, sandbox, nestedIn } = container;
    if (
      namespaces.user.relation !== 'private' ||
      sandbox ||
      nestedIn !== undefined ||
      !uidMap.ok ||
      isIdentityMap(uidMap.value)
    )
      continue;
    const key = ownerKey(container, uidMap.value);
    addTo(members, key, container);
  }
  const ranges = [...members.values()].flatMap(([owner]) => (owner ? heldBy(owner) : []));
  const found = new Map<string, Overlap<Container>[]>();
  for (const overlap of findOverlaps(ranges)) {
    for (const side of [overlap.first, overlap.second]) {
      const peers = side.uidMap.ok ? (members.get(ownerKey(side, side.uidMap.value)) ?? []) : [];
      for (const { cgroup } of peers) addTo(found, cgroup, overlap);
    }
  }
  return found;
}

function addTo<Key, Item>(lists: Map<Key, Item[]>, key: Key, item: Item): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

function heldBy(owner: Container): readonly HeldRange<Container>[] {
  if (!owner.uidMap.ok) return [];
  return owner.uidMap.value.map(({ outside, length }) => ({ start: outside, end: outside + length, owner }));
}

/** Who holds the ids of a container, as a name. */
export function ownerKey({ namespaces: { user }, podUid, cgroup, runtime }: Container, map: IdMap): string {
  if (runtime === 'docker') return `docker:${formatIdMap(map)}`;
  if (user.relation === 'private' && user.inode !== undefined) return `user:${user.inode}`;
  return podUid ?? cgroup;
}
