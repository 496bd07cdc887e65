import type { Container } from '../core/container.ts';
import { evaluate } from '../core/evaluate.ts';
import type { NodeFacts } from '../core/facts.ts';
import type { Finding } from '../core/finding.ts';
import { namespaceVector } from '../core/namespace.ts';
import { judgeReadiness, type Readiness } from '../core/readiness.ts';
import { valueOf } from '../core/reading.ts';
import { compareText, printable } from '../core/text.ts';
import { type ConditionWord, TRUNCATED } from '../resources/condition.ts';
import { MAX_EVIDENCE, MAX_NODE_VERDICTS, MAX_UNMANAGED } from '../resources/limits.ts';
import type { NodeAuditStatus, NodeAuditVerdict, UnmanagedContainer } from '../resources/node-audit.ts';
import { AUDIT_RULES, NODE_RULES } from '../rules/index.ts';
import { groupPods, managed, podsOf, type SeenPod } from './pod-groups.ts';

/** The status without what only its writer knows: when it was seen and when a condition last changed. */
export type NodeAuditContent = Omit<NodeAuditStatus, 'observedTime' | 'lastHeartbeatTime' | 'conditions'>;

/** The verdict in the words of the resources and metrics. */
export const READINESS_WORDS = { READY: 'Ready', 'NOT READY': 'NotReady', UNKNOWN: 'Unknown' } as const;
const CONDITION_WORDS = { READY: 'True', 'NOT READY': 'False', UNKNOWN: 'Unknown' } as const;

/**
 * What the agent writes of its node: the evidence, the verdict of every rule over nodes, and the namespaces of every pod. Nothing in
 * it changes by itself: two audits of a node on which nothing happened are equal, so that nothing is written. Pure.
 */
export function createNodeAuditStatus(
  facts: NodeFacts,
  version: string,
): { readonly content: NodeAuditContent; readonly conditions: readonly ConditionWord[] } {
  const findings = evaluate(AUDIT_RULES, facts);
  const readiness = judgeReadiness(facts, NODE_RULES, findings);
  const pods = podsOf(facts.containers);
  const { groups, whole } = groupPods(pods);
  const outside = managed(facts.containers).filter(({ podUid }) => podUid === undefined);
  const unmanaged = unmanagedOf(outside, findings);
  const { sight } = facts;
  const reasons = sight.reasons.map((reason) => printable(reason, 1024));
  const content: NodeAuditContent = {
    agent: {
      version,
      evidence: evidenceLevel(facts),
      ...(reasons.length > 0 ? { reasons: reasons.slice(0, 16) } : {}),
    },
    system: systemOf(facts, readiness),
    readiness: {
      status: READINESS_WORDS[readiness.status],
      reasons: readiness.reasons.map(({ rule }) => rule).slice(0, MAX_NODE_VERDICTS),
    },
    totals: {
      containers: managed(facts.containers).length,
      pods: pods.length,
      privatePods: countPods(pods, 'U'),
      hostPods: countPods(pods, '-'),
      unknownPods: pods.length - countPods(pods, 'U') - countPods(pods, '-'),
      unmanagedContainers: outside.length,
    },
    rules: verdictsOf(findings),
    podGroups: groups,
    unmanaged: unmanaged.slice(0, MAX_UNMANAGED),
  };
  const truncated = !whole || unmanaged.length > MAX_UNMANAGED;
  return { content, conditions: conditionsOf(readiness, facts, truncated) };
}

function countPods(pods: readonly SeenPod[], letter: string): number {
  return pods.filter(({ vector, sandbox }) => sandbox === undefined && vector.startsWith(letter)).length;
}

/** Without any sight of processes nothing is known; without links, user and PID namespaces still are. */
function evidenceLevel({ sight }: NodeFacts): 'full' | 'basic' | 'none' {
  if (sight.procfs !== 'host' || sight.userNamespace === 'child') return 'none';
  return sight.namespaceLinks === 'readable' ? 'full' : 'basic';
}

function systemOf(facts: NodeFacts, { engine }: Readiness): NonNullable<NodeAuditStatus['system']> {
  const { osRelease, kernelConfig, sysctls, kubelet } = facts;
  const option = kernelConfig.options.USER_NS;
  const limit = valueOf(sysctls['user.max_user_namespaces']);
  const release = valueOf(facts.kernelRelease)?.raw;
  const os = valueOf(osRelease)?.prettyName;
  const kubeletVersion = valueOf(kubelet.version);
  const runtime = runtimeOf(facts);
  return {
    ...(os === undefined ? {} : { osImage: printable(os, 256) }),
    ...(release === undefined ? {} : { kernelRelease: printable(release, 128) }),
    userNamespaces: option.ok ? option.value : 'unknown',
    ...(limit === undefined ? {} : { maxUserNamespaces: limit }),
    engine,
    ...(runtime === undefined ? {} : { runtime: printable(runtime, 128) }),
    ...(kubeletVersion === undefined ? {} : { kubeletVersion: printable(kubeletVersion, 64) }),
    ...(knowsSettings(kubelet) ? { idsPerPod: kubelet.idsPerPod.value } : {}),
  };
}

/** A default counts only where it is known that nothing else is set. */
function knowsSettings({ presence, config }: NodeFacts['kubelet']): boolean {
  return presence !== 'absent' && (config.ok || config.why === 'absent');
}

/** The one that runs; what is only installed does not count. */
function runtimeOf({ crio, containerd, docker }: NodeFacts): string | undefined {
  const candidates = [
    { name: 'cri-o', ...crio },
    { name: 'docker', ...docker },
    { name: 'containerd', ...containerd },
  ];
  const running = candidates.find(({ presence }) => presence === 'running');
  return running && [running.name, valueOf(running.version)].filter(Boolean).join(' ');
}

/** Ids of processes differ from one start of a daemon to the next, and say nothing: `/proc/PID`. */
const PROCESS_PATH = /\/proc\/\d+\b/g;

function stable(text: string, length: number): string {
  return printable(text.replace(PROCESS_PATH, '/proc/PID'), length);
}

/** A fix may have several lines, to be pasted as they are. */
function pasteable(fix: string): string {
  return fix
    .split('\n')
    .map((line) => printable(line, 2048))
    .join('\n')
    .slice(0, 2048);
}

function verdictsOf(findings: readonly Finding[]): readonly NodeAuditVerdict[] {
  return findings
    .filter(({ subject }) => subject.kind === 'Node')
    .slice(0, MAX_NODE_VERDICTS)
    .map(({ rule, severity, status, message, evidence, fix }) => ({
      rule,
      ...(isOpen(status) ? { severity } : {}),
      status,
      // Why a rule does not apply is no news, and of a fleet it is megabytes.
      ...(status === 'not-applicable' ? {} : { message: stable(message, 1024) }),
      // What passes says so in its message; its evidence would be a third of the object.
      ...(evidence.length > 0 && isOpen(status)
        ? {
            evidence: evidence
              .slice(0, MAX_EVIDENCE)
              .map(({ source, value }) => ({ source: stable(source, 512), value: stable(value, 1024) })),
          }
        : {}),
      ...(fix === undefined ? {} : { fix: pasteable(fix) }),
    }));
}

function isOpen(status: Finding['status']): boolean {
  return status === 'fail' || status === 'unknown';
}

const STATUS_ORDER: readonly UnmanagedContainer['status'][] = ['fail', 'unknown', 'pass', 'not-applicable'];

function unmanagedOf(containers: readonly Container[], findings: readonly Finding[]): readonly UnmanagedContainer[] {
  // Anybody may give his cgroup the id of another container. The failures come first, so of equal ids the last to be set is the worst.
  const verdicts = new Map(
    findings
      .toReversed()
      .flatMap((finding) =>
        finding.rule === 'unmanaged-container' && finding.subject.kind === 'Container'
          ? [[finding.subject.id, finding] as const]
          : [],
      ),
  );
  return containers
    .map(({ id, docker, runtime, namespaces }): UnmanagedContainer => {
      const { status = 'unknown', message = 'was not judged' } = verdicts.get(id) ?? {};
      return {
        id: printable(id, 128),
        ...(docker?.name ? { name: printable(docker.name, 256) } : {}),
        runtime,
        namespaces: namespaceVector(namespaces),
        status,
        message: stable(message, 1024),
      };
    })
    .toSorted((a, b) => STATUS_ORDER.indexOf(a.status) - STATUS_ORDER.indexOf(b.status) || compareText(a.id, b.id));
}

function conditionsOf(readiness: Readiness, { sight }: NodeFacts, truncated: boolean): readonly ConditionWord[] {
  const [first] = readiness.reasons;
  return [
    {
      type: 'UserNamespacesReady',
      status: CONDITION_WORDS[readiness.status],
      reason: first ? pascalCase(first.rule) : 'Ready',
      message: first
        ? readiness.reasons
            .map(({ rule, message }) => `${rule}: ${stable(message, 512)}`)
            .join('; ')
            .slice(0, 4096)
        : 'this node can run private user namespaces',
    },
    {
      type: 'EvidenceComplete',
      status: sight.complete ? 'True' : 'False',
      reason: sight.complete ? 'EverythingSeen' : 'LimitedSight',
      message: sight.complete
        ? 'the agent can see every namespace of every container'
        : printable(sight.reasons.join('; '), 4096),
    },
    ...(truncated ? [TRUNCATED] : []),
  ];
}

function pascalCase(id: string): string {
  return id.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
