import type { Container, DockerDeclaration } from '../core/container.ts';
import { type EffectiveContext, type EffectiveRule, fail, pass, unknown } from '../core/rule.ts';
import type { PodSpec } from '../core/workload.ts';
import { usernsRemapOf } from '../core/userns-remap.ts';
import { namespaceEvidence, outOfScope, SHAREABLE, typesWith } from '../core/container-scope.ts';

type Shareable = (typeof SHAREABLE)[number];

export const undeclaredHostNamespace: EffectiveRule = {
  kind: 'effective',
  id: 'undeclared-host-namespace',
  title: 'The container is in no host namespace it did not declare',
  severity: 'critical',
  rationale:
    'Review and admission read what is declared. A container in a host namespace nobody asked for has escaped both: by a mistake of its runtime, or by a change behind its back.',
  remediation:
    'Find out who started it: look at the parent process and the runtime’s record, then delete it and start it anew.',
  references: ['https://man7.org/linux/man-pages/man7/namespaces.7.html'],
  check(container, context) {
    const excluded = outOfScope(container);
    if (excluded) return excluded;
    const shared = typesWith(container, SHAREABLE, 'host');
    const hidden = typesWith(container, SHAREABLE, 'unknown');
    if (shared.length === 0 && hidden.length === 0) return pass('is in no host namespace');
    const evidence = [...shared, ...hidden].map((type) => namespaceEvidence(container, type));
    const { docker, pod } = container;
    if (pod) return judgeAgainstPod(pod, shared, hidden, evidence);
    if (!docker) return judgeUndeclared(container, shared, hidden, evidence);
    const surprising = shared.filter((type) => declares(docker, type, context) === false);
    if (surprising.length > 0)
      return fail(`is in the host's ${surprising.join(', ')} namespace without having declared it`, evidence);
    if (hidden.length > 0) return unknown(`${hidden.join(', ')} namespace not visible`, evidence);
    const open = shared.filter((type) => declares(docker, type, context) === undefined);
    if (open.length > 0)
      return unknown(`whether it declared the host's ${open.join(', ')} namespace is not known`, evidence);
    return pass('is only in the host namespaces it declared', evidence);
  },
};

/** The field that declares each; the host's UTS namespace comes with its network (containerd, cri-dockerd). */
const DECLARED_BY = { pid: 'hostPID', net: 'hostNetwork', ipc: 'hostIPC', uts: 'hostNetwork' } as const;

/** The host's user namespace is the default, and where it is not user-namespace-not-effective speaks. */
function judgeAgainstPod(
  pod: PodSpec,
  shared: readonly Shareable[],
  hidden: readonly Shareable[],
  evidence: ReturnType<EffectiveRule['check']>['evidence'],
): ReturnType<EffectiveRule['check']> {
  const surprising = shared.filter((type) => type !== 'user' && pod[DECLARED_BY[type]] !== true);
  if (surprising.length > 0)
    return fail(`is in the host's ${surprising.join(', ')} namespace without having declared it`, evidence);
  const open = hidden.filter((type) => type !== 'user' && pod[DECLARED_BY[type]] !== true);
  if (open.length > 0) return unknown(`${open.join(', ')} namespace not visible`, evidence);
  return pass('is only in the host namespaces it declared', evidence);
}

/** Without a declaration only the user namespace is surely no surprise: the host's is the default everywhere. */
function judgeUndeclared(
  { podUid }: Container,
  shared: readonly Shareable[],
  hidden: readonly Shareable[],
  evidence: ReturnType<EffectiveRule['check']>['evidence'],
): ReturnType<EffectiveRule['check']> {
  const telling = shared.filter((type) => type !== 'user');
  if (telling.length === 0 && hidden.length === 0)
    return pass("is only in the host's user namespace, which is the default", evidence);
  const who = podUid ? 'its pod declares' : 'it was started with';
  return unknown(`what ${who} is not known on this machine`, evidence);
}

/** `container:<id>` is followed this far: Docker allows no circles, but a file may hold anything. */
const MAX_JOINS = 8;

/** Whether a Docker container asked for the host's namespace, itself or by joining another; `undefined` where that is not known. */
function declares(
  docker: DockerDeclaration,
  type: Shareable,
  context: EffectiveContext,
  joins = MAX_JOINS,
): boolean | undefined {
  if (type === 'user') {
    const state = context.docker ? usernsRemapOf(context.docker).state : 'unknown';
    if (docker.usernsMode === 'host' || state === 'off') return true;
    return state === 'on' ? false : undefined;
  }
  const mode = modeOf(docker, type);
  const target = /^container:(.+)$/.exec(mode)?.[1];
  if (target === undefined) return mode === 'host';
  const joined = context.containers.find(({ id, docker: other }) => id === target || other?.name === target)?.docker;
  return joined && joins > 0 ? declares(joined, type, context, joins - 1) : undefined;
}

function modeOf(
  { pidMode, networkMode, ipcMode, utsMode }: DockerDeclaration,
  type: Exclude<Shareable, 'user'>,
): string {
  return { pid: pidMode, net: networkMode, ipc: ipcMode, uts: utsMode }[type];
}
