import type { Container } from './container.ts';
import type { NodeFacts } from './facts.ts';
import { compareFindings, type Finding, type FindingSubject } from './finding.ts';
import { findOverlaps, type HeldRange, type Overlap } from './id-map.ts';
import type { AuditRule, EffectiveContext, RuleMeta, Verdict } from './rule.ts';

/** Judges a node and every container on it by every rule. Pure; the findings are sorted, failures first. */
export function evaluate(rules: readonly AuditRule[], facts: NodeFacts): readonly Finding[] {
  const context: EffectiveContext = { facts, overlaps: findPodOverlaps(facts.containers) };
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
 * a pod do not overlap each other; where its identity is not visible, the pod is the owner.
 */
function findPodOverlaps(containers: readonly Container[]): EffectiveContext['overlaps'] {
  const owners = new Map<string, Container>();
  const members = new Map<Container, Container[]>();
  for (const container of containers) {
    if (container.namespaces.user.relation !== 'private' || container.sandbox) continue;
    const key = ownerKey(container);
    const owner = owners.get(key) ?? container;
    owners.set(key, owner);
    members.set(owner, [...(members.get(owner) ?? []), container]);
  }
  const ranges = [...owners.values()].flatMap((owner): HeldRange<Container>[] =>
    owner.uidMap.ok
      ? owner.uidMap.value.map(({ outside, length }) => ({ start: outside, end: outside + length, owner }))
      : [],
  );
  const found = new Map<string, Overlap<Container>[]>();
  for (const overlap of findOverlaps(ranges)) {
    for (const side of [overlap.first, overlap.second]) {
      for (const { cgroup } of members.get(side) ?? []) found.set(cgroup, [...(found.get(cgroup) ?? []), overlap]);
    }
  }
  return found;
}

function ownerKey({ namespaces: { user }, podUid, cgroup }: Container): string {
  if (user.relation === 'private' && user.inode !== undefined) return `user:${user.inode}`;
  return podUid ?? cgroup;
}
