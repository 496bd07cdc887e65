import { SEVERITIES, type Severity } from '../../src/core/finding.ts';
import type { AuditPolicy, PolicyException } from '../../src/core/policy.ts';
import type { KubernetesVersion } from '../../src/core/workload.ts';
import { judgeAdoption } from '../../src/cluster/adoption-plan.ts';
import { asWorkload } from '../../src/cluster/judgement.ts';
import type { NodeEvidence } from '../../src/cluster/node-evidence.ts';
import type { SlimPod } from '../../src/cluster/pod.ts';
import { choosePodRules } from '../../src/cluster/rule-choice.ts';
import { STALE_AFTER_MS } from './cluster-facts.ts';

/** All there is to know at one moment. */
export interface Facts {
  readonly pods: readonly SlimPod[];
  readonly evidence: readonly NodeEvidence[];
  readonly nodes: ReadonlySet<string>;
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly policy: AuditPolicy | undefined;
  readonly version: KubernetesVersion;
  readonly now: number;
}

interface Found {
  readonly rule: string;
  readonly severity: Severity;
  readonly status: 'fail' | 'unknown';
}

interface Stand {
  readonly state?: string;
  readonly reason?: string;
  readonly found: readonly Found[];
}

/** Plain texts, sorted: what is counted, without the words and names that may be another pod's. */
export interface Recount {
  readonly namespaces: Readonly<Record<string, NamespaceCount>>;
  readonly totals: Readonly<Record<string, number>>;
  readonly critical: readonly string[];
  readonly exceptions: readonly string[];
}

export interface NamespaceCount {
  readonly pods: Record<string, number>;
  readonly unknown: Record<string, number>;
  readonly totals: Record<string, number>;
  readonly findings: string[];
  readonly workloads: Record<string, number>;
}

type Stands = ReadonlyMap<SlimPod, Stand>;

/** What was counted of all namespaces together. */
interface Sums {
  readonly totals: Record<string, number>;
  readonly critical: string[];
  /** How often each exception was needed. */
  readonly matched: number[];
}

/** Counts everything from the beginning, pod by pod and by hand: nothing is kept and nothing is shared. */
export function recount(facts: Facts): Recount {
  const stands = new Map(facts.pods.map((pod) => [pod, standOf(pod, facts)]));
  const exceptions = facts.policy?.exceptions ?? [];
  const sums: Sums = { totals: noTotals(), critical: [], matched: exceptions.map(() => 0) };
  const names = new Set([...facts.namespaces.keys(), ...facts.pods.map(({ namespace }) => namespace)]);
  const namespaces = [...names].sort().map((name) => [name, countNamespace(name, facts, stands, sums)] as const);
  countNodes(facts, sums);
  const { totals, critical, matched } = sums;
  return {
    namespaces: Object.fromEntries(namespaces),
    totals,
    critical: critical.sort(),
    exceptions: exceptions.map((exception, index) => useOf(exception, matched[index] ?? 0, facts)),
  };
}

function countNamespace(name: string, facts: Facts, stands: Stands, sums: Sums): NamespaceCount {
  const own = facts.pods.filter(({ namespace }) => namespace === name);
  const words = ['running', 'private', 'host', 'notEffective', 'undeclaredPrivate', 'overlapping', 'unknown'];
  const count: NamespaceCount = {
    pods: Object.fromEntries(words.map((word) => [word, 0])),
    unknown: {},
    totals: noTotals(),
    findings: [],
    workloads: { adopted: 0, ready: 0, blocked: 0 },
  };
  for (const pod of own) {
    const { state, reason } = stands.get(pod) ?? { found: [] };
    if (state !== undefined) increase(count.pods, 'running', state);
    if (reason !== undefined) increase(count.unknown, reason);
  }
  for (const workload of new Set(own.map((pod) => pod.workload))) {
    const members = own.filter((pod) => pod.workload === workload);
    const standing = standingOf(members);
    if (standing !== undefined) increase(count.workloads, standing);
    const found = members.flatMap((pod) => stands.get(pod)?.found ?? []);
    countFindings({ namespace: name, workload }, found, facts, sums, count);
  }
  count.findings.sort();
  return count;
}

interface Place {
  readonly namespace: string;
  readonly workload: string;
}

function countFindings(place: Place, all: readonly Found[], facts: Facts, sums: Sums, count: NamespaceCount): void {
  const lines = Map.groupBy(all, ({ rule, status, severity }) => `${rule} ${status} ${severity}`);
  const failed = new Set<string>();
  for (const [key, { length, 0: found }] of lines) {
    if (!found) continue;
    const reason = acceptedBy(found.rule, place, facts);
    count.findings.push(`${place.workload} ${key} ${length} ${reason ?? '-'}`);
    if (found.status !== 'fail') continue;
    const total = reason === undefined ? found.severity : 'accepted';
    increase(count.totals, total);
    increase(sums.totals, total);
    if (total === 'critical') sums.critical.push(`${place.namespace} ${place.workload} ${found.rule} ${length}`);
    failed.add(found.rule);
  }
  for (const rule of failed)
    facts.policy?.exceptions.forEach((exception, index) => {
      if (names(exception, rule, place, facts)) sums.matched[index] = (sums.matched[index] ?? 0) + 1;
    });
}

function countNodes({ evidence, nodes, policy }: Facts, { totals, critical }: Sums): void {
  for (const { node, verdicts } of evidence)
    for (const { rule, status, severity } of nodes.has(node) ? verdicts : []) {
      const setting = policy?.rules.find(({ id }) => id === rule);
      if (status !== 'fail' || setting?.enabled === false) continue;
      const weight = setting?.severity ?? severity;
      increase(totals, weight);
      if (weight === 'critical') critical.push(` Node/${node} ${rule} 0`);
    }
}

function useOf({ expires = '9999-12-31' }: PolicyException, matched: number, { now }: Facts): string {
  const daysLeft = (Date.parse(expires) - Date.parse(new Date(now).toISOString().slice(0, 10))) / 86_400_000;
  if (daysLeft < 0) return `expired ${matched}`;
  if (matched === 0) return 'unused 0';
  return `${daysLeft <= 14 ? 'expiring' : 'matched'} ${matched}`;
}

function noTotals(): Record<string, number> {
  return Object.fromEntries([...SEVERITIES, 'accepted'].map((word) => [word, 0]));
}

function increase(counts: Record<string, number>, ...words: readonly string[]): void {
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
}

function acceptedBy(rule: string, place: Place, facts: Facts): string | undefined {
  const today = new Date(facts.now).toISOString().slice(0, 10);
  return facts.policy?.exceptions.find(
    (one) => (one.expires === undefined || one.expires >= today) && names(one, rule, place, facts),
  )?.reason;
}

/** Globs of the test are names, or `*` alone, or end in `*`. */
function names(one: PolicyException, rule: string, { namespace, workload }: Place, facts: Facts): boolean {
  const fits = (patterns: readonly string[] | undefined, text: string): boolean =>
    patterns?.some((glob) => (glob.endsWith('*') ? text.startsWith(glob.slice(0, -1)) : text === glob)) ?? true;
  const labels = facts.namespaces.get(namespace);
  const { matchLabels = {}, matchExpressions = [] } = one.namespaceSelector ?? {};
  const selected =
    labels !== undefined &&
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    // The test asks for no other operator than this.
    matchExpressions.every(({ key }) => labels[key] === undefined);
  return (
    (one.rules.includes('*') || one.rules.includes(rule)) &&
    fits(one.namespaces, namespace) &&
    fits(one.workloads, workload) &&
    (one.namespaceSelector === undefined || selected)
  );
}

function standOf(pod: SlimPod, facts: Facts): Stand {
  if (pod.phase === 'Ended') return { found: [] };
  const { spec } = pod.shape;
  const { workload: rules, target } = choosePodRules(facts.policy, facts.version);
  const declared = rules.flatMap(({ rule, severity }): Found[] => {
    const worst = [...rule.check(asWorkload(spec), target)]
      .map((violation) => severity ?? violation.severity ?? rule.severity)
      .sort((a, b) => SEVERITIES.indexOf(a) - SEVERITIES.indexOf(b))[0];
    return worst === undefined ? [] : [{ rule: rule.id, severity: worst, status: 'fail' }];
  });
  if (pod.phase === 'Pending' || spec.osName === 'windows') return { found: declared };
  const unknown = (reason: string): Stand => ({ state: 'unknown', reason, found: declared });
  const evidence = facts.evidence.find(({ node }) => node === pod.node);
  if (evidence?.heardAt === undefined) return unknown('NoAgent');
  if (evidence.rejected !== undefined) return unknown('EvidenceRejected');
  if (facts.now - evidence.heardAt > STALE_AFTER_MS) return unknown('Stale');
  const seen = evidence.pods.get(pod.cgroupUid);
  if (!seen) return unknown('NotSeen');
  if (seen.sandbox) return unknown('Sandboxed');
  const rivals = [...evidence.pods].some(
    ([uid, other]) =>
      uid !== pod.cgroupUid && !other.sandbox && seen.vector.startsWith('U') && sharesIds(seen.uidMap, other.uidMap),
  );
  const found = [...declared, ...effectiveFindings(pod, seen.vector, seen.uidMap, rivals, facts.policy)];
  if (seen.vector.startsWith('?')) return { ...unknown('NotVisible'), found };
  const isPrivate = seen.vector.startsWith('U');
  const isDeclared = spec.hostUsers === false;
  let state = isDeclared ? 'notEffective' : 'host';
  if (isPrivate) state = isDeclared ? 'private' : 'undeclaredPrivate';
  return { state: isPrivate && rivals ? 'overlapping' : state, found };
}

type Seen = NonNullable<NodeEvidence['pods'] extends ReadonlyMap<string, infer Pod> ? Pod : never>;

function sharesIds(a: Seen['uidMap'] = [], b: Seen['uidMap'] = []): boolean {
  return a.some((one) =>
    b.some((two) => one.outside < two.outside + two.length && two.outside < one.outside + one.length),
  );
}

/** What the rules over containers say, by hand. */
function effectiveFindings(
  { shape: { spec } }: SlimPod,
  vector: string,
  map: Seen['uidMap'],
  rivals: boolean,
  policy: AuditPolicy | undefined,
): readonly Found[] {
  const [user = '', pid = '', net = '', ipc = '', uts = ''] = vector;
  const undeclared = [
    spec.hostPID === true ? '' : pid,
    spec.hostNetwork === true ? '' : net + uts,
    spec.hostIPC === true ? '' : ipc,
  ];
  const unread = user === '?' || map === undefined ? '?' : '';
  const isEffective = user === 'U' ? unread : user;
  const said: readonly (readonly [rule: string, severity: Severity, signs: string])[] = [
    ['host-uts-namespace', 'medium', uts],
    ['undeclared-host-namespace', 'critical', undeclared.join('')],
    ['user-namespace-not-effective', 'critical', spec.hostUsers === false ? isEffective : ''],
    ...(user === '-' ? [] : idRangeSigns(map, unread, rivals)),
  ];
  return said.flatMap(([rule, severity, signs]): Found[] => {
    const setting = policy?.rules.find(({ id }) => id === rule);
    const status = signs.includes('-') ? 'fail' : 'unknown';
    if (setting?.enabled === false || !/[-?]/.test(signs)) return [];
    return [{ rule, severity: setting?.severity ?? severity, status }];
  });
}

/** `-` where a rule over the ids of a private user namespace is broken, `?` where that can not be seen. */
function idRangeSigns(
  map: Seen['uidMap'] = [],
  unread: string,
  rivals: boolean,
): readonly (readonly [rule: string, severity: Severity, signs: string])[] {
  const ids = map.reduce((sum, { length }) => sum + length, 0);
  const sign = (broken: boolean): string => unread || (broken ? '-' : '');
  return [
    ['id-range-overlap', 'critical', sign(rivals)],
    ['id-range-host-ids', 'high', sign(map.some(({ outside }) => outside < 65_536))],
    ['id-range-short', 'low', sign(ids < 65_536)],
  ];
}

/** By the shape most of the pods have that have not ended; of as many that with the greater id. */
function standingOf(members: readonly SlimPod[]): 'adopted' | 'ready' | 'blocked' | undefined {
  const shapes = members.filter(({ phase }) => phase !== 'Ended').map(({ shape }) => shape);
  const count = (id: number): number => shapes.filter((shape) => shape.id === id).length;
  const [shape] = shapes.toSorted((a, b) => count(b.id) - count(a.id) || b.id - a.id);
  if (!shape) return undefined;
  const { standing } = judgeAdoption(asWorkload(shape.spec), { major: 1, minor: 36 });
  if (standing === 'not-applicable') return undefined;
  return standing === 'adopted' || standing === 'ready' ? standing : 'blocked';
}
