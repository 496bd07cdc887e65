import type { JudgedFor } from './rule.ts';
import type { KubernetesVersion, PodSpec, Workload } from './workload.ts';

/** The newest version whose rules are known here; the default to judge for. */
export const LATEST_KUBERNETES_VERSION: KubernetesVersion = { major: 1, minor: 36 };

/** True from Kubernetes 1.`minor` on. */
export function isSince({ major, minor }: KubernetesVersion, since: number): boolean {
  return major > 1 || (major === 1 && minor >= since);
}

/** Reads `1.36`, `v1.36` or `1.36.2`; undefined for anything else. */
export function parseKubernetesVersion(text: string): KubernetesVersion | undefined {
  const match = /^v?([1-9]\d?)\.(\d{1,3})(?:\.\d+)?$/.exec(text);
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : undefined;
}

/**
 * True where the pod will run in a user namespace of its own, or not at all. Before 1.33 the API server may drop the field and
 * an old runtime ignores it, so that `hostUsers: false` promises nothing (KEP-127, Version Skew Strategy).
 */
export function hasOwnUserNamespace({ podSpec }: Workload, target: JudgedFor): boolean {
  return podSpec.hostUsers === false && isSince(target, 33);
}

/** Windows has no Linux namespaces: rules over them do not judge such a pod. */
export function isLinux({ podSpec }: Workload): boolean {
  return podSpec.osName !== 'windows';
}

/**
 * True where a rule that a Pod Security level asks for judges the pod. As a rule that is where it runs on Linux; the checks of the
 * admission for host namespaces, /proc and root make no exception for Windows (pod-security-admission, policy/check_*.go).
 */
export function isJudged(workload: Workload, { podSecurity }: JudgedFor): boolean {
  return podSecurity !== undefined || isLinux(workload);
}

/** The host namespaces that exclude `hostUsers: false`, as the pod spec names them. */
export function sharedHostNamespaces(podSpec: PodSpec): readonly ('hostPID' | 'hostIPC' | 'hostNetwork')[] {
  return (['hostPID', 'hostIPC', 'hostNetwork'] as const).filter((field) => podSpec[field] === true);
}

/** True where adding `hostUsers: false` is advice worth giving: it is not there yet, and nothing beside it would be rejected. */
export function couldAddHostUsers(workload: Workload): boolean {
  const { platform, podSpec } = workload;
  if (platform !== 'kubernetes' || !isLinux(workload)) return false;
  return podSpec.hostUsers !== false && sharedHostNamespaces(podSpec).length === 0;
}

/** The texts for both platforms a manifest may be written for. */
export function onPlatform<T>({ platform }: Workload, texts: Readonly<Record<Workload['platform'], T>>): T {
  return texts[platform];
}

/** `a`, `a and b`, `a, b and c`, at most five by name. */
export function enumerate(names: readonly string[]): string {
  const shown = names.length > 5 ? [...names.slice(0, 4), `${names.length - 4} more`] : names;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1) ?? ''}`;
}
