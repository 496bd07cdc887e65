import type { Container } from './container.ts';
import type { Evidence } from './finding.ts';
import type { NamespaceState, NamespaceType } from './namespace.ts';
import { notApplicable, unknown, type Verdict } from './rule.ts';

/** The namespaces a container may share with the host by a setting of Kubernetes or Docker. */
export const SHAREABLE = ['user', 'pid', 'net', 'ipc', 'uts'] as const satisfies readonly NamespaceType[];

/** Where host namespaces say nothing: a sandbox with a kernel of its own, or no living process. */
export function outOfScope({ sandbox, state }: Container): Verdict | undefined {
  if (sandbox)
    return notApplicable(
      `${sandbox === 'kata' ? 'Kata' : 'gVisor'} puts a kernel of its own between container and host`,
    );
  return state === 'exited' ? notApplicable('no process is alive') : undefined;
}

/** What runs inside another container was not started by this machine's engine, and its ids are a part of the other's. */
export function insideAnother({ nestedIn }: Container): Verdict | undefined {
  return nestedIn === undefined ? undefined : notApplicable('runs inside another container, which is judged');
}

/** What keeps a rule on host id ranges from a container: it has no user namespace of its own, or none that can be seen. */
export function withoutOwnUserNamespace({ namespaces: { user } }: Container): Verdict | undefined {
  if (user.relation === 'unknown') return unknown(`user namespace not visible: ${user.reason}`);
  return user.relation === 'private' ? undefined : notApplicable('has no user namespace of its own');
}

/** The link of one namespace as evidence. */
export function namespaceEvidence({ init, namespaces }: Container, type: NamespaceType): Evidence {
  const source = `/proc/${init.pid}/ns/${type}`;
  return { source, value: describe(namespaces[type], type) };
}

function describe(state: NamespaceState, type: NamespaceType): string {
  if (state.relation === 'unknown') return `unknown: ${state.reason}`;
  if (state.relation === 'unsupported') return 'not built into this kernel';
  const name = state.inode === undefined ? `by ${state.basis}` : `${type}:[${state.inode}]`;
  return state.relation === 'host' ? `${name}, the host's` : `${name}, its own`;
}

/** The types among `types` that stand in a relation. */
export function typesWith<T extends NamespaceType>(
  container: Container,
  types: readonly T[],
  relation: NamespaceState['relation'],
): readonly T[] {
  return types.filter((type) => container.namespaces[type].relation === relation);
}
