import type { EffectiveRule, ManifestRule, NodeRule, Rule } from '../core/rule.ts';
import { dockerUsernsRemap } from './docker-userns-remap.ts';
import { hardeningConflict } from './hardening-conflict.ts';
import { hostUtsNamespace } from './host-uts-namespace.ts';
import { idRangeHostIds } from './id-range-host-ids.ts';
import { idRangeOverlap } from './id-range-overlap.ts';
import { idRangeShort } from './id-range-short.ts';
import { idmappedMounts } from './idmapped-mounts.ts';
import { kernelNamespaces } from './kernel-namespaces.ts';
import { kernelUserNamespaces } from './kernel-user-namespaces.ts';
import { kubeletUserNamespaces } from './kubelet-user-namespaces.ts';
import { runtimeUserNamespaces } from './runtime-user-namespaces.ts';
import { subordinateIds } from './subordinate-ids.ts';
import { undeclaredHostNamespace } from './undeclared-host-namespace.ts';
import { unmanagedContainer } from './unmanaged-container.ts';
import { userNamespaceBootParameter } from './user-namespace-boot-parameter.ts';
import { userNamespaceLimit } from './user-namespace-limit.ts';
import { userNamespaceNotEffective } from './user-namespace-not-effective.ts';

/** Rules over a node's facts. */
export const NODE_RULES: readonly NodeRule[] = [
  dockerUsernsRemap,
  hardeningConflict,
  idmappedMounts,
  kernelNamespaces,
  kernelUserNamespaces,
  kubeletUserNamespaces,
  runtimeUserNamespaces,
  subordinateIds,
  userNamespaceBootParameter,
  userNamespaceLimit,
];

/** Rules over what the kernel shows of one container. */
export const EFFECTIVE_RULES: readonly EffectiveRule[] = [
  hostUtsNamespace,
  idRangeHostIds,
  idRangeOverlap,
  idRangeShort,
  undeclaredHostNamespace,
  unmanagedContainer,
  userNamespaceNotEffective,
];

/** Rules over manifests. */
export const MANIFEST_RULES: readonly ManifestRule[] = [];

/** The whole catalogue, sorted by id: the only registry. */
export const RULES: readonly Rule[] = [...NODE_RULES, ...EFFECTIVE_RULES].toSorted((a, b) => (a.id < b.id ? -1 : 1));
