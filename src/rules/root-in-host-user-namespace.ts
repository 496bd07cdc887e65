import {
  couldAddHostUsers,
  enumerate,
  hasOwnUserNamespace,
  isJudged,
  isSince,
  onPlatform,
} from '../core/pod-user-namespace.ts';
import type { JudgedFor, Violation, WorkloadRule } from '../core/rule.ts';
import { containersOf, type PlacedContainer, type PodSpec, type Workload } from '../core/workload.ts';

export const rootInHostUserNamespace: WorkloadRule = {
  kind: 'workload',
  id: 'root-in-host-user-namespace',
  title: 'No container can run as root of the host',
  severity: 'high',
  rationale:
    'Without a user namespace uid 0 in a container is uid 0 of the node: whatever bug lets a process out of its container, it comes out as root. KEP-127 lists escapes that a user namespace stops, CVE-2019-5736 among them.',
  remediation:
    'Add hostUsers: false, then the uid in the container does not matter to the node. Where that can not be: runAsNonRoot: true or a runAsUser above 0; in a Compose file user: with a uid above 0.',
  references: [
    'https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/',
    'https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/127-user-namespaces',
    'https://kubernetes.io/docs/concepts/security/pod-security-standards/',
  ],
  *check(workload, target) {
    if (!isJudged(workload, target)) return;
    if (target.podSecurity === 'restricted') {
      if (!(workload.podSpec.hostUsers === false && isSince(target, 35)))
        yield* asPodSecurityRestricted(workload, target);
    } else if (!hasOwnUserNamespace(workload, target)) yield* asTheKubelet(workload, target);
  },
};

/** What the kubelet will do: it refuses root where runAsNonRoot says so, and else starts what runAsUser or the image says. */
function* asTheKubelet(workload: Workload, target: JudgedFor): Iterable<Violation> {
  const { podSpec } = workload;
  const why = unkeptPromise(podSpec, target);
  const asRoot = containersOf(podSpec).filter(
    (placed) => uidOf(placed, podSpec) === 0 && !refusesRoot(placed, podSpec),
  );
  const own = asRoot.filter(({ container }) => container.securityContext?.runAsUser === 0);
  for (const { path } of own)
    yield {
      path: [...path, 'securityContext', 'runAsUser'],
      message: `runs as root of the host${why}`,
      fix: fix(workload),
    };
  const inherited = asRoot.filter((placed) => !own.includes(placed));
  if (inherited.length > 0)
    yield {
      path: ['securityContext', 'runAsUser'],
      message: `${named(inherited)} as root of the host${why}`,
      fix: fix(workload),
    };
  const undecided = containersOf(podSpec).filter(
    (placed) => uidOf(placed, podSpec) === undefined && !refusesRoot(placed, podSpec),
  );
  if (undecided.length > 0 && workload.containersOnly !== true)
    yield {
      path: ['securityContext', 'runAsNonRoot'],
      message: `${named(undecided)} as the user of the image, which may be root of the host${why}`,
      fix: fix(workload),
      severity: 'low',
    };
}

/** What Pod Security Restricted asks for (`runAsNonRoot`, and since 1.23 `runAsUser`), place by place. */
function* asPodSecurityRestricted(workload: Workload, target: JudgedFor): Iterable<Violation> {
  const { podSpec } = workload;
  const pod = { container: { name: '', securityContext: podSpec.securityContext ?? {} }, path: [] };
  for (const { container, path } of [pod, ...containersOf(podSpec)]) {
    const { runAsUser, runAsNonRoot } = container.securityContext ?? {};
    if (runAsUser === 0 && isSince(target, 23))
      yield { path: [...path, 'securityContext', 'runAsUser'], message: 'runs as root', fix: fix(workload) };
    if (runAsNonRoot === false)
      yield { path: [...path, 'securityContext', 'runAsNonRoot'], message: 'allows root', fix: fix(workload) };
  }
  if (podSpec.securityContext?.runAsNonRoot !== undefined) return;
  const silent = containersOf(podSpec).filter(({ container }) => container.securityContext?.runAsNonRoot === undefined);
  if (silent.length > 0 && workload.containersOnly !== true)
    yield {
      path: ['securityContext', 'runAsNonRoot'],
      message: `${named(silent)} without runAsNonRoot: true`,
      fix: fix(workload),
    };
}

function uidOf({ container }: PlacedContainer, podSpec: PodSpec): number | undefined {
  return container.securityContext?.runAsUser ?? podSpec.securityContext?.runAsUser;
}

function refusesRoot({ container }: PlacedContainer, podSpec: PodSpec): boolean {
  return (container.securityContext?.runAsNonRoot ?? podSpec.securityContext?.runAsNonRoot) === true;
}

function named(containers: readonly PlacedContainer[]): string {
  const names = containers.map(({ container }) => container.name).filter((name) => name !== '');
  return `${names.length === 1 ? 'container' : 'containers'} ${enumerate(names)} ${names.length === 1 ? 'runs' : 'run'}`;
}

function unkeptPromise({ hostUsers }: PodSpec, { major, minor }: JudgedFor): string {
  return hostUsers === false ? `; hostUsers: false is not surely in force in Kubernetes ${major}.${minor}` : '';
}

function fix(workload: Workload): string {
  const otherwise = 'runAsNonRoot: true and a runAsUser above 0';
  return onPlatform(workload, {
    kubernetes: couldAddHostUsers(workload) ? `Add hostUsers: false, or ${otherwise}.` : `Set ${otherwise}.`,
    docker: 'Set user: to a uid above 0.',
  });
}
