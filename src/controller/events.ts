import { createHash } from 'node:crypto';
import { currentFindings, type IsAccepted, type NamespaceState } from '../cluster/namespace-state.ts';
import { cut } from '../cluster/namespace-status.ts';
import type { SlimPod } from '../cluster/pod.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict, KubeError } from '../kube/kube-error.ts';
import { resourcePath } from '../kube/paths.ts';

export interface EventWriter {
  /** Tells of critical findings that are new in a namespace, once for a rule and workload. Resolves to how many were told. */
  tell(namespace: NamespaceState, isAccepted: IsAccepted): Promise<number>;
  /** A namespace is gone, and what was told of it. */
  forget(namespace: string): void;
}

/** Events of one namespace at a time: a cluster that goes wrong as a whole must not flood its API server. */
const MAX_EVENTS = 10;

/**
 * Events for critical findings (events.k8s.io/v1), on the pod each was found in. Their names follow from rule and pod, so that
 * another controller, or this one after a restart, does not tell the same again while the cluster remembers.
 */
export function createEventWriter(
  client: Pick<KubeClient, 'create'>,
  instance: string,
  now: () => number,
): EventWriter {
  const told = new Map<string, ReadonlySet<string>>();

  /** False where the cluster has been told, or the namespace is no more. */
  async function create(
    { namespace, name, uid }: SlimPod,
    key: string,
    rule: string,
    message: string,
  ): Promise<boolean> {
    const hash = createHash('sha256').update(`${key} ${uid}`).digest('hex').slice(0, 16);
    const body = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      // A name of labels, none of which ends with a hyphen where it is cut.
      metadata: { name: `${name.slice(0, 200).replace(/[-.]+$/, '')}.${hash}`, namespace },
      eventTime: microseconds(now()),
      type: 'Warning',
      reason: rule.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      note: cut(message, 1000),
      action: 'Audit',
      // With the uid: `kubectl describe` shows no events without it.
      regarding: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
      reportingController: 'userns-audit.dev/controller',
      reportingInstance: instance.slice(0, 128),
    };
    try {
      await client.create(resourcePath({ group: 'events.k8s.io', version: 'v1', resource: 'events', namespace }), body);
      return true;
    } catch (error) {
      const gone = error instanceof KubeError && (error.status === 403 || error.status === 404);
      if (!isConflict(error) && !gone) throw error;
      return false;
    }
  }

  return {
    async tell(namespace, isAccepted) {
      const before = told.get(namespace.name) ?? new Set<string>();
      const present = new Set<string>();
      let asked = 0;
      let count = 0;
      for (const group of namespace.groups.values())
        for (const { finding, example } of currentFindings(group)) {
          const { rule, severity, status, message } = finding;
          if (severity !== 'critical' || status !== 'fail' || isAccepted(group, rule)) continue;
          const key = `${rule} ${group.workload}`;
          if (before.has(key)) present.add(key);
          if (before.has(key) || asked >= MAX_EVENTS) continue;
          const pod = [...group.pods].find(({ name }) => name === example);
          // It may have gone while others were told.
          if (!pod) continue;
          const isNew = await create(pod, key, rule, `${rule}: ${message}`);
          present.add(key);
          asked += 1;
          count += Number(isNew);
        }
      if (present.size > 0) told.set(namespace.name, present);
      else told.delete(namespace.name);
      return count;
    },
    forget(namespace) {
      told.delete(namespace);
    },
  };
}

/** metav1.MicroTime. */
function microseconds(time: number): string {
  return new Date(time).toISOString().replace('Z', '000Z');
}
