import { FIRST_POD_ID, formatIdMap, hostIdRanges, isIdentityMap, toHostId } from '../core/id-map.ts';
import { type EffectiveRule, fail, pass, unknown } from '../core/rule.ts';
import { outOfScope, withoutOwnUserNamespace } from '../core/container-scope.ts';

export const idRangeHostIds: EffectiveRule = {
  kind: 'effective',
  id: 'id-range-host-ids',
  title: 'A private user namespace maps no id of the host’s own users',
  severity: 'high',
  rationale:
    'Ids below 65536 are those of the host’s root, daemons and people. A user namespace that maps them is private in name only: its root, or one of its users, owns files and processes of the host.',
  remediation: 'Map ranges that start at 65536 or above; the kubelet does by default.',
  references: ['https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/127-user-namespaces'],
  check(container) {
    const excluded = outOfScope(container) ?? withoutOwnUserNamespace(container);
    if (excluded) return excluded;
    const { uidMap, gidMap } = container;
    if (!uidMap.ok || !gidMap.ok) return unknown('uid_map or gid_map could not be read');
    const evidence = [uidMap, gidMap].map(({ source, value }) => ({ source, value: formatIdMap(value) }));
    const fix = `Map ids from ${FIRST_POD_ID} on.`;
    if (isIdentityMap(uidMap.value))
      return fail('maps every id to itself: root inside is root on the host', evidence, fix);
    const [range] = [...hostIdRanges(uidMap.value), ...hostIdRanges(gidMap.value)];
    if (!range) return pass('maps only ids from 65536 on', evidence);
    const inside = [uidMap.value, gidMap.value].some((map) => toHostId(map, 0) === 0);
    const what = inside
      ? 'root inside is root on the host'
      : `id ${range.inside} inside is id ${range.outside} on the host`;
    return fail(`maps host ids ${range.outside} to ${range.outside + range.length - 1}: ${what}`, evidence, fix);
  },
};
