import type { FieldPath } from '../core/workload.ts';
import { findField } from './document.ts';
import { isUnset, reportType, scalarAt } from './field-reader.ts';
import type { FieldReader } from './field-reader.ts';
import type { ObjectHead } from './pod-source.ts';
import { podSpecPathsOf } from './workload-kinds.ts';
import { NODE, resolveAlias } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';

/** True for a kind that describes pods and nothing else. */
export function isWorkloadKind({ group, kind }: ObjectHead): boolean {
  return podSpecPathsOf(group, kind).certain;
}

/**
 * Notes in `reader` what stands where the pod spec of a workload, or a parent of it, should be and is no mapping, so that there is
 * no pod to judge. A field that is missing or null is none: patches have many, and the API server takes no pod from it. `found`: how many pods there are.
 */
export function reportMisplacedPodSpec(reader: FieldReader, object: YamlNode, head: ObjectHead, found: number): void {
  const { certain, paths } = podSpecPathsOf(head.group, head.kind);
  if (!certain || (paths.length === 1 && found > 0)) return;
  const told = new Set<YamlNode>();
  for (const path of paths) reportAlong(reader, object, path.split('.'), told);
}

function reportAlong(reader: FieldReader, object: YamlNode, path: FieldPath, told: Set<YamlNode>): void {
  for (const [index, name] of path.entries()) {
    // Below lists the pods are named one by one.
    if (typeof name !== 'string' || path[index + 1] === '*') return;
    const found = findField(reader.tree, object, path.slice(0, index + 1));
    if (found?.key === undefined || told.has(found.key)) return;
    const entry = { key: found.key, value: found.value };
    if (isUnset(reader, entry)) return;
    const { type } = resolveAlias(found.value);
    if (type === NODE.MAPPING) continue;
    if (type === NODE.SCALAR && scalarAt(reader, found.value) === undefined) return;
    told.add(found.key);
    reportType(reader, path.slice(0, index + 1).join('.'), entry, 'a mapping');
    return;
  }
}
