import { FIRST_POD_ID, formatIdMap, mappedIds } from '../core/id-map.ts';
import { type EffectiveRule, fail, pass, unknown } from '../core/rule.ts';
import { outOfScope, withoutOwnUserNamespace } from '../core/container-scope.ts';

export const idRangeShort: EffectiveRule = {
  kind: 'effective',
  id: 'id-range-short',
  title: 'A private user namespace maps at least 65536 ids',
  severity: 'low',
  rationale:
    'Images expect ids up to 65535, nobody among them. Files of ids that are not mapped belong to nobody in the container, and processes can not become those users.',
  remediation: 'Map at least 65536 ids.',
  references: ['https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/127-user-namespaces'],
  check(container) {
    const excluded = outOfScope(container) ?? withoutOwnUserNamespace(container);
    if (excluded) return excluded;
    const { uidMap } = container;
    if (!uidMap.ok) return unknown('uid_map could not be read');
    const count = mappedIds(uidMap.value);
    const evidence = [{ source: uidMap.source, value: formatIdMap(uidMap.value) }];
    if (count >= FIRST_POD_ID) return pass(`maps ${count} ids`, evidence);
    return fail(`maps ${count} ids, fewer than 65536`, evidence, 'Map at least 65536 ids.');
  },
};
