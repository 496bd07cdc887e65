import { compareText } from '../core/text.ts';
import type { AuditPolicySpec, AuditPolicyStatus } from '../resources/audit-policy.ts';
import { API_VERSION, NAMESPACE_AUDIT_NAME, POLICY_NAME } from '../resources/group.ts';
import type { NamespaceAuditStatus } from '../resources/namespace-audit.ts';
import type { NodeAuditStatus } from '../resources/node-audit.ts';
import { NAMESPACE_STATUS, NODE_STATUS, POLICY_SPEC, POLICY_STATUS } from './cluster-report-shape.ts';
import { checkShape, isRecord, ReportError } from './json-shape.ts';

export interface ReportedPolicy {
  readonly spec: AuditPolicySpec;
  readonly status: AuditPolicyStatus;
  readonly generation?: number;
}

export interface ReportedNamespace {
  readonly name: string;
  readonly status: NamespaceAuditStatus;
}

export interface ReportedNode {
  readonly name: string;
  /** Empty where no agent has written: such a node is unknown, never ready. */
  readonly status: NodeAuditStatus;
}

/** The custom resources of a cluster at one time: what every format of `userns-audit report` is made from (docs/report.md). */
export interface ClusterReport {
  readonly apiVersion: 'userns-audit.dev/v1alpha1';
  readonly kind: 'ClusterReport';
  /** RFC 3339. */
  readonly generatedAt: string;
  readonly policy: ReportedPolicy | undefined;
  /** Sorted by name. */
  readonly namespaces: readonly ReportedNamespace[];
  /** Sorted by name. */
  readonly nodes: readonly ReportedNode[];
}

/** A custom resource as the API server gives it. */
interface Resource {
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly spec: unknown;
  readonly status: unknown;
}

/** One object of a list, which bears no kind: the list does. */
export function listedAs(
  kind: string,
  { metadata, spec, status }: { readonly metadata?: object; readonly spec?: unknown; readonly status?: unknown },
): Resource {
  return { kind, metadata: { ...metadata }, spec, status };
}

const NO_PODS = { running: 0, private: 0, host: 0, notEffective: 0, undeclaredPrivate: 0, overlapping: 0, unknown: 0 };
const NO_FINDINGS = { critical: 0, high: 0, medium: 0, low: 0, info: 0, accepted: 0 };
const NOT_AUDITED: NamespaceAuditStatus = { pods: NO_PODS, findingTotals: NO_FINDINGS };

/**
 * Reads a saved report, or what `kubectl get nodeaudits,namespaceaudits,auditpolicies -A -o json` prints. A list bears no time: the
 * newest one in it stands for it. @throws ReportError naming the field that is wrong
 */
export function parseClusterReport(json: unknown): ClusterReport {
  if (!isRecord(json)) throw new ReportError('the document must be an object');
  const { kind } = json;
  if (kind === 'ClusterReport') return parseSaved(json);
  if (typeof kind === 'string' && Array.isArray(json['items']))
    return createClusterReport(json['items'].map((item, index) => parseResource(item, `items[${index}]`)));
  if (typeof kind === 'string' && ['NodeAudit', 'NamespaceAudit', 'AuditPolicy'].includes(kind))
    return createClusterReport([parseResource(json, 'the document')]);
  throw new ReportError(
    `kind is ${shown(kind)}: neither a ClusterReport nor a list of NodeAudit, NamespaceAudit and AuditPolicy objects`,
  );
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 60);
}

function parseSaved(json: Readonly<Record<string, unknown>>): ClusterReport {
  if (json['apiVersion'] !== API_VERSION)
    throw new ReportError(`apiVersion is ${shown(json['apiVersion'])}; this reads ${API_VERSION}`);
  checkShape(json, { generatedAt: 'text', namespaces: [{ name: 'text' }], nodes: [{ name: 'text' }] }, 'report');
  if (Number.isNaN(Date.parse(json['generatedAt'] as string)))
    throw new ReportError('report.generatedAt must be a time, such as 2026-11-24T10:00:00Z');
  const { policy, namespaces, nodes } = json as { policy?: unknown; namespaces: Named[]; nodes: Named[] };
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterReport',
    generatedAt: json['generatedAt'] as string,
    policy: policy === undefined || policy === null ? undefined : parsePolicy(policy, 'report.policy'),
    namespaces: sorted(namespaces.map(({ name, status }) => parseNamespace(name, status, `namespace ${name}`))),
    nodes: sorted(nodes.map(({ name, status }) => parseNode(name, status, `node ${name}`))),
  };
}

interface Named {
  readonly name: string;
  readonly status?: unknown;
}

function parseResource(item: unknown, path: string): Resource {
  checkShape(item, { apiVersion: 'text', kind: 'text', metadata: { name: 'text' } }, path);
  const { kind, metadata, spec, status } = item as Resource;
  return { kind, metadata, spec, status };
}

/** A report of objects as the API server gives them; those of other kinds are passed over. @throws ReportError */
export function createClusterReport(objects: readonly Resource[], generatedAt?: string): ClusterReport {
  const namespaces: ReportedNamespace[] = [];
  const nodes: ReportedNode[] = [];
  let policy: ReportedPolicy | undefined;
  for (const { kind, metadata, spec, status } of objects) {
    const name = String(metadata['name']);
    if (kind === 'NodeAudit') nodes.push(parseNode(name, status, `NodeAudit ${name}`));
    if (kind === 'NamespaceAudit' && name === NAMESPACE_AUDIT_NAME) {
      const { namespace } = metadata;
      if (typeof namespace !== 'string') throw new ReportError(`NamespaceAudit ${name}: metadata.namespace is missing`);
      namespaces.push(parseNamespace(namespace, status, `NamespaceAudit of ${namespace}`));
    }
    if (kind === 'AuditPolicy' && name === POLICY_NAME)
      policy = parsePolicy({ spec, status, generation: metadata['generation'] }, `AuditPolicy ${name}`);
  }
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterReport',
    generatedAt: generatedAt ?? newestTime(policy, namespaces, nodes),
    policy,
    namespaces: sorted(namespaces),
    nodes: sorted(nodes),
  };
}

function parseNode(name: string, status: unknown, path: string): ReportedNode {
  if (status === undefined || status === null) return { name, status: {} };
  checkShape(status, NODE_STATUS, `${path}: status`);
  return { name, status };
}

function parseNamespace(name: string, status: unknown, path: string): ReportedNamespace {
  if (status === undefined || status === null) return { name, status: NOT_AUDITED };
  checkShape(status, NAMESPACE_STATUS, `${path}: status`);
  return { name, status: status as NamespaceAuditStatus };
}

function parsePolicy(value: unknown, path: string): ReportedPolicy {
  checkShape(value, { 'spec?': POLICY_SPEC, 'status?': POLICY_STATUS }, path);
  const { spec, status, generation } = value as Partial<ReportedPolicy>;
  return { spec: spec ?? {}, status: status ?? {}, ...(typeof generation === 'number' ? { generation } : {}) };
}

function sorted<Item extends { readonly name: string }>(items: readonly Item[]): readonly Item[] {
  return items.toSorted((a, b) => compareText(a.name, b.name));
}

function newestTime(
  policy: ReportedPolicy | undefined,
  namespaces: readonly ReportedNamespace[],
  nodes: readonly ReportedNode[],
): string {
  const times = [
    policy?.status.observedTime,
    ...namespaces.map(({ status }) => status.observedTime),
    ...nodes.flatMap(({ status }) => [status.observedTime, status.lastHeartbeatTime]),
  ].map((time) => Date.parse(time ?? ''));
  const newest = times.reduce((latest, time) => (time > latest ? time : latest), 0);
  return new Date(newest).toISOString();
}

/** One report of several, such as one file a kind: of what stands in more than one, the newest report has the say. */
export function mergeClusterReports([first, ...others]: readonly [ClusterReport, ...ClusterReport[]]): ClusterReport {
  if (others.length === 0) return first;
  const all = [first, ...others].toSorted((a, b) => Date.parse(a.generatedAt) - Date.parse(b.generatedAt));
  return {
    ...first,
    generatedAt: all.at(-1)?.generatedAt ?? first.generatedAt,
    policy: all.findLast(({ policy }) => policy !== undefined)?.policy,
    namespaces: sorted([...new Map(all.flatMap((one) => one.namespaces).map((item) => [item.name, item])).values()]),
    nodes: sorted([...new Map(all.flatMap((one) => one.nodes).map((item) => [item.name, item])).values()]),
  };
}
