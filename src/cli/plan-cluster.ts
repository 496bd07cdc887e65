import type { AdoptionEvidence } from '../cluster/adoption-evidence.ts';
import { selects } from '../cluster/cluster-exceptions.ts';
import { type Listed, nameOf, objectsOf } from '../cluster/listed.ts';
import {
  NODE_AUDIT_FIELDS,
  NODE_FIELDS,
  nodeStandings,
  RUNTIME_CLASS_FIELDS,
  runtimeEvidence,
} from '../cluster/node-standings.ts';
import { type ApiObject, objectAt, textAt } from '../cluster/pod-spec.ts';
import { CLAIM_FIELDS, CLASS_FIELDS, storageEvidence } from '../cluster/storage-evidence.ts';
import { compileGlob } from '../core/exception-glob.ts';
import { type AuditPolicy, parsePolicy, type PolicyException } from '../core/policy.ts';
import { parseKubernetesVersion } from '../core/pod-user-namespace.ts';
import type { ScanProblem } from '../core/scan-finding.ts';
import type { KubernetesVersion } from '../core/workload.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Fields } from '../kube/json-fields.ts';
import { isNotFound, KubeError } from '../kube/kube-error.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { listObjects } from '../kube/list-objects.ts';
import { resourcePath } from '../kube/paths.ts';
import { API_VERSION, GROUP, POLICY_NAME, VERSION } from '../resources/group.ts';
import { RULES } from '../rules/index.ts';
import { PROFILES } from '../rules/profiles/index.ts';
import { type ClusterAccess, withCluster } from './cluster-access.ts';
import {
  controllerOf,
  LIVE_POD_FIELDS,
  type LiveObjects,
  WORKLOAD_FIELDS,
  WORKLOAD_RESOURCES,
  uidOf,
  type WorkloadResource,
} from './live-objects.ts';

export interface ClusterQuestion extends ClusterAccess {
  /** Globs: only these namespaces. */
  readonly namespace?: readonly string[];
  /** Workloads too, and not the evidence alone. */
  readonly workloads: boolean;
  readonly now: Date;
}

/** What a cluster tells of a plan. */
export interface ClusterAnswer {
  /** Undefined where the server says none that is understood. */
  readonly version: KubernetesVersion | undefined;
  /** Undefined where they were not asked for. Read by the caller: this module is loaded apart, and patches need the reader's memory. */
  readonly live: LiveObjects | undefined;
  readonly evidence: AdoptionEvidence;
  /** The AuditPolicy `cluster`, if there is one that can be followed. */
  readonly policy: AuditPolicy | undefined;
  /** The exceptions of a policy, with selectors over namespaces as the names they select. */
  readonly resolve: (policy: AuditPolicy) => AuditPolicy;
  /** Why selectors over namespaces accept nothing; undefined where they are resolved. */
  readonly selectorsMissing: string | undefined;
  readonly problems: readonly ScanProblem[];
}

const NOT_SERVED = 'which the cluster does not serve';
const NOT_INSTALLED = 'NodeAudits, which this cluster does not serve: install the operator (docs/install.md)';

interface Resource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

const core = (resource: string): Resource => ({ group: '', version: 'v1', resource });
const own = (resource: string): Resource => ({ group: GROUP, version: VERSION, resource });

/**
 * Asks a cluster for its workloads and for what manifests do not tell. What may not be listed, or is not served, is told: a
 * problem where workloads are lacking, missing evidence else.
 * @throws Error where the cluster can not be reached at all
 */
export async function askCluster(question: ClusterQuestion): Promise<ClusterAnswer> {
  return withCluster(question, async (client) => {
    const { gitVersion } = await client.get<{ readonly gitVersion: string }>('/version');
    const list = createLister(client, question.namespace);
    const [live, storage, nodes, policy] = await Promise.all([
      question.workloads ? listWorkloads(list, await servedResources(client)) : undefined,
      listStorage(list),
      listNodes(list),
      readPolicy(list),
    ]);
    const namespaces = await list(core('namespaces'), { metadata: { name: true, labels: true } });
    list.refused.delete('namespaces');
    const standings = nodeStandings(nodes.nodes, nodes.audits, question.now.getTime());
    const runtimes = runtimeEvidence(nodes.classes, nodes.nodes);
    return {
      version: parseKubernetesVersion(gitVersion.replace(/[-+].*$/, '')),
      live: live && inNamespaces(live.objects, question.namespace),
      evidence: {
        ...storage,
        ...standings,
        ...runtimes,
        missing: { ...storage.missing, ...standings.missing, ...runtimes.missing },
        ...policy.kubernetes,
      },
      policy: policy.policy,
      resolve: (given) => ({ ...given, exceptions: given.exceptions.map((one) => withNames(one, namespaces)) }),
      selectorsMissing: 'missing' in namespaces ? namespaces.missing : undefined,
      problems: [
        ...(live?.problems ?? []),
        ...policy.problems,
        ...[...list.refused.entries()].map(([resource, why]) => lacking(resource, why, false)),
      ],
    };
  });
}

interface Lister {
  (resource: Resource, fields: Fields, slim?: (object: KubeObject) => KubeObject): Promise<Listed>;
  /** What could not be listed, and why. */
  readonly refused: Map<string, string>;
}

/** Namespaces that are named whole are asked one by one: there may be no right to list all. */
function createLister(client: KubeClient, namespaces: readonly string[] | undefined): Lister {
  const named = namespaces?.every((name) => /^[-a-z0-9]+$/.test(name)) === true ? namespaces : undefined;
  const refused = new Map<string, string>();
  const list = async (...[resource, fields, slim]: Parameters<Lister>): Promise<Listed> => {
    const scopes = named && IN_NAMESPACES.has(resource.resource) ? named : [undefined];
    try {
      const lists = await Promise.all(
        scopes.map((namespace) =>
          listObjects(client, resourcePath({ ...resource, namespace }), fields, undefined, slim),
        ),
      );
      return lists.flat() as unknown as readonly ApiObject[];
    } catch (error) {
      if (!(error instanceof KubeError) || error.status === 0) throw error;
      const name = resourceName(resource);
      const why = refusalText(name, error);
      refused.set(name, why);
      return { missing: why };
    }
  };
  return Object.assign(list, { refused });
}

const IN_NAMESPACES: ReadonlySet<string> = new Set([
  ...WORKLOAD_RESOURCES.map(({ resource }) => resource),
  'pods',
  'persistentvolumeclaims',
]);

function resourceName({ group, resource }: Resource): string {
  return group === '' ? resource : `${resource}.${group}`;
}

function refusalText(name: string, error: KubeError): string {
  if (isNotFound(error)) return name.startsWith('nodeaudits.') ? NOT_INSTALLED : `${name}, ${NOT_SERVED}`;
  if (error.status === 403 || error.status === 401)
    return `a right to list ${name} (the API server answers ${error.status})`;
  return `${name}, which could not be listed: ${error.message}`;
}

function lacking(name: string, why: string, fatal: boolean): ScanProblem {
  const place = { file: name, line: 0, column: 0, endLine: 0, endColumn: 0 };
  return { kind: 'unreadable', message: `missing: ${why}`, place, fatal };
}

/** Without a right to list it, a resource that is not served is refused like any other: only discovery tells. */
async function servedResources(client: KubeClient): Promise<readonly WorkloadResource[]> {
  const served = await Promise.all(
    WORKLOAD_RESOURCES.map(async ({ optional, group, version }) => {
      if (optional !== true) return true;
      try {
        await client.get(`/apis/${group}/${version}`);
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    }),
  );
  return WORKLOAD_RESOURCES.filter((_, index) => served[index]);
}

interface ListedWorkloads {
  readonly objects: LiveObjects;
  readonly problems: readonly ScanProblem[];
}

async function listWorkloads(list: Lister, resources: readonly WorkloadResource[]): Promise<ListedWorkloads> {
  const problems: ScanProblem[] = [];
  const note = (resource: Resource, listed: Listed): void => {
    const name = resourceName(resource);
    if ('missing' in listed) problems.push(lacking(name, listed.missing, true));
    list.refused.delete(name);
  };
  const lists = await Promise.all(
    resources.map(async (resource) => ({ resource, listed: await list(resource, WORKLOAD_FIELDS) })),
  );
  const known = new Set(lists.flatMap(({ listed }) => objectsOf(listed).map(uidOf)));
  // Of a pod that a known object makes, only its number is asked: a large cluster has very many.
  const pods = await list(core('pods'), LIVE_POD_FIELDS, (pod) => {
    const owner = controllerOf(pod);
    return owner && known.has(owner.uid) ? withoutSpec(pod) : pod;
  });
  note(core('pods'), pods);
  for (const { resource, listed } of lists) note(resource, listed);
  const objects: LiveObjects = {
    lists: lists.map(({ resource, listed }) => ({ resource, objects: objectsOf(listed) })),
    pods: 'missing' in pods ? undefined : pods,
  };
  return { objects, problems };
}

function withoutSpec(pod: KubeObject & { readonly status?: unknown }): KubeObject & { readonly status: unknown } {
  return { metadata: { ...pod.metadata, annotations: {} }, status: pod.status };
}

function inNamespaces({ lists, pods }: LiveObjects, patterns: readonly string[] | undefined): LiveObjects {
  const isAsked = namespaceFilter(patterns);
  const isIn = (object: ApiObject): boolean => isAsked(textAt(objectAt(object, 'metadata'), 'namespace') ?? '');
  return {
    lists: lists.map(({ resource, objects }) => ({ resource, objects: objects.filter(isIn) })),
    pods: pods?.filter(isIn),
  };
}

async function listStorage(list: Lister): Promise<ReturnType<typeof storageEvidence>> {
  const [claims, volumes, classes] = await Promise.all([
    list(core('persistentvolumeclaims'), CLAIM_FIELDS),
    list(core('persistentvolumes'), { metadata: { name: true }, spec: true }),
    list({ group: 'storage.k8s.io', version: 'v1', resource: 'storageclasses' }, CLASS_FIELDS),
  ]);
  return storageEvidence({ claims, volumes, classes });
}

async function listNodes(list: Lister): Promise<Readonly<Record<'nodes' | 'audits' | 'classes', Listed>>> {
  const [nodes, audits, classes] = await Promise.all([
    list(core('nodes'), NODE_FIELDS),
    list(own('nodeaudits'), NODE_AUDIT_FIELDS),
    list({ group: 'node.k8s.io', version: 'v1', resource: 'runtimeclasses' }, RUNTIME_CLASS_FIELDS),
  ]);
  return { nodes, audits, classes };
}

interface FollowedPolicy {
  readonly policy: AuditPolicy | undefined;
  readonly kubernetes: Pick<AdoptionEvidence, 'dropsHostUsers'>;
  readonly problems: readonly ScanProblem[];
}

/** A policy with a mistake is not followed in part: a half of it may be milder than the whole. */
async function readPolicy(list: Lister): Promise<FollowedPolicy> {
  const listed = await list(own('auditpolicies'), {
    metadata: { name: true },
    spec: true,
    status: { kubernetes: true },
  });
  // Without the operator there is none, as the missing NodeAudits tell.
  if ('missing' in listed && listed.missing.endsWith(NOT_SERVED))
    list.refused.delete(resourceName(own('auditpolicies')));
  const found = objectsOf(listed).find((object) => nameOf(object) === POLICY_NAME);
  if (!found) return { policy: undefined, kubernetes: {}, problems: [] };
  const place = { file: `AuditPolicy/${POLICY_NAME}`, line: 0, column: 0, endLine: 0, endColumn: 0 };
  const { spec = {} } = found;
  const parsed = parsePolicy(
    { apiVersion: API_VERSION, kind: 'AuditPolicy', metadata: { name: POLICY_NAME }, spec },
    { ruleIds: RULES.map(({ id }) => id), profileIds: PROFILES.map(({ id }) => id), locate: () => place },
  );
  const kubernetes = objectAt(objectAt(found, 'status'), 'kubernetes');
  const isDropped = kubernetes['keepsHostUsers'] === 'False';
  return {
    policy: parsed.ok ? parsed.policy : undefined,
    kubernetes: isDropped ? { dropsHostUsers: textAt(kubernetes, 'reason') ?? '' } : {},
    problems: parsed.ok
      ? []
      : parsed.errors.map(({ field, message }) => ({
          kind: 'unreadable',
          message: `the policy of the cluster is not followed: ${field} ${message}`,
          place,
          fatal: false,
        })),
  };
}

/** Labels nobody may read select nothing: the exception then accepts nothing. */
function withNames(exception: PolicyException, namespaces: Listed): PolicyException {
  const { namespaceSelector, ...rest } = exception;
  if (namespaceSelector === undefined || 'missing' in namespaces) return exception;
  const isNamed = namespaceFilter(rest.namespaces);
  const names = namespaces
    .filter((namespace) => {
      const labels = objectAt(objectAt(namespace, 'metadata'), 'labels') as Readonly<Record<string, string>>;
      return isNamed(nameOf(namespace)) && selects(namespaceSelector, labels);
    })
    .map(nameOf);
  return { ...rest, namespaces: names };
}

function namespaceFilter(patterns: readonly string[] | undefined): (name: string) => boolean {
  const globs = patterns?.map(compileGlob);
  return (name) => globs === undefined || globs.some((glob) => glob(name));
}
