import type { Container } from '../core/container.ts';
import { ownerKey } from '../core/evaluate.ts';
import { isIdentityMap, PARTNERS_NAMED } from '../core/id-map.ts';
import { type EffectiveRule, fail, notApplicable, pass, unknown } from '../core/rule.ts';
import { insideAnother, outOfScope, withoutOwnUserNamespace } from '../core/container-scope.ts';

export const idRangeOverlap: EffectiveRule = {
  kind: 'effective',
  id: 'id-range-overlap',
  title: 'The host ids of pods are disjoint',
  severity: 'critical',
  rationale:
    'Two pods with common host ids are one user to the kernel wherever files or processes meet: what escapes from one may touch the other. The kubelet gives every pod a range of its own; other tools may not.',
  remediation: 'Give every pod its own range, or let the kubelet do it; check /etc/subuid for lines that overlap.',
  references: ['https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/127-user-namespaces'],
  check(container, { overlaps }) {
    const excluded = outOfScope(container) ?? insideAnother(container) ?? withoutOwnUserNamespace(container);
    if (excluded) return excluded;
    if (!container.uidMap.ok) return unknown('uid_map could not be read');
    if (isIdentityMap(container.uidMap.value)) return notApplicable('maps every id to itself: see id-range-host-ids');
    const own = ownerKey(container, container.uidMap.value);
    const rivals = (overlaps.get(container.cgroup) ?? []).map((overlap) => ({
      ...overlap,
      other: isOwner(overlap.first, own) ? overlap.second : overlap.first,
    }));
    const [first] = rivals;
    // Its range is that of all its daemon's containers; that is Docker's design and no mistake of this container.
    if (!first && container.runtime === 'docker') return notApplicable('dockerd maps all its containers to one range');
    if (!first) return pass('shares its host ids with no other pod');
    // One rival may share several ranges.
    const others = new Set(rivals.map(({ other }) => other)).size;
    const evidence = rivals.slice(0, 5).map(({ other, start, end }) => ({
      source: other.uidMap.source,
      value: `${other.podUid ? `pod ${other.podUid}` : `container ${other.id.slice(0, 12)}`} holds ${start} to ${end - 1} too`,
    }));
    const count = `${others}${others >= PARTNERS_NAMED ? ' or more' : ''} other ${others === 1 ? 'pod' : 'pods'}`;
    return fail(
      `shares host ids ${first.start} to ${first.end - 1} with ${count}`,
      evidence,
      'Give each pod a range of its own.',
    );
  },
};

function isOwner(container: Container, key: string): boolean {
  return container.uidMap.ok && ownerKey(container, container.uidMap.value) === key;
}
