import { cleanVersion } from '../core/version.ts';
import { isKubeletTooOld, kubeletUserNamespaces } from '../rules/kubelet-user-namespaces.ts';
import { isRuntimeTooOld, runtimeUserNamespaces } from '../rules/runtime-user-namespaces.ts';
import { type ApiObject, listAt, objectAt, textAt } from './pod-spec.ts';

/** What `readNodeWord` looks at in the status of a Node. */
export const NODE_WORD_FIELDS = {
  runtimeHandlers: true,
  nodeInfo: { kubeletVersion: true, containerRuntimeVersion: true, operatingSystem: true },
} as const;

/** What the kubelet of a node says there of user namespaces; it never speaks of the kernel. */
export interface NodeWord {
  /** What the runtime says of its default handler (`status.runtimeHandlers`); absent before 1.31, which denies nothing. */
  readonly handlerUserNamespaces?: boolean;
  /** Rules that the versions of kubelet and runtime fail whatever else is so, as ids. New versions say nothing. */
  readonly tooOld: readonly string[];
}

/** Of a node that says nothing. */
export const NO_WORD: NodeWord = { tooOld: [] };

/** All words that were ever said: a few, which thousands of nodes share. */
const SAID: NodeWord[] = [NO_WORD];

/** Reads the status of a Node. Equal words are the same object, so that a heartbeat costs a comparison. Never throws. */
export function readNodeWord(node: ApiObject): NodeWord {
  const [, own] = handlersOf(node).find(([handler]) => handler === '') ?? [];
  const info = objectAt(objectAt(node, 'status'), 'nodeInfo');
  const old = textAt(info, 'operatingSystem') === 'windows' ? [] : tooOldOf(info);
  // A runtime that speaks for itself is not judged by its number: distributions port features back.
  if (typeof own !== 'boolean') return shared({ tooOld: old });
  return shared({ handlerUserNamespaces: own, tooOld: old.filter((rule) => rule !== runtimeUserNamespaces.id) });
}

function tooOldOf(info: ApiObject): readonly string[] {
  const kubelet = cleanVersion(textAt(info, 'kubeletVersion') ?? '');
  const [runtime = '', version = ''] = (textAt(info, 'containerRuntimeVersion') ?? '').split('://');
  return [
    ...(kubelet !== undefined && isKubeletTooOld(kubelet) ? [kubeletUserNamespaces.id] : []),
    ...(isRuntimeTooOld(runtime, cleanVersion(version)) ? [runtimeUserNamespaces.id] : []),
  ];
}

function shared(word: NodeWord): NodeWord {
  const { handlerUserNamespaces, tooOld } = word;
  const said = SAID.find(
    (one) =>
      one.handlerUserNamespaces === handlerUserNamespaces &&
      one.tooOld.length === tooOld.length &&
      one.tooOld.every((rule, index) => rule === tooOld[index]),
  );
  if (said) return said;
  SAID.push(word);
  return word;
}

/** The runtime handlers of a node, and whether each has user namespaces. */
export function handlersOf(node: ApiObject): readonly (readonly [name: string, userNamespaces: unknown])[] {
  return listAt(objectAt(node, 'status'), 'runtimeHandlers').map((handler) => [
    textAt(handler, 'name') ?? '',
    objectAt(handler, 'features')['userNamespaces'],
  ]);
}
