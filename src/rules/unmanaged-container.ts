import { type EffectiveRule, fail, notApplicable, pass, unknown } from '../core/rule.ts';
import { namespaceEvidence, outOfScope, SHAREABLE, typesWith } from '../core/container-scope.ts';

export const unmanagedContainer: EffectiveRule = {
  kind: 'effective',
  id: 'unmanaged-container',
  title: 'Containers outside Kubernetes do not share host namespaces',
  severity: 'medium',
  rationale:
    'No admission policy sees a container that was started with Docker, Podman or an OCI runtime on the node itself. In the host user namespace its root is root of the machine.',
  remediation:
    'Run it as a pod, or start it without host namespaces: Docker with userns-remap, Podman with --userns=auto.',
  references: ['CIS Docker Benchmark 1.6.0, 5.10, 5.16, 5.17, 5.21, 5.31'],
  check(container) {
    if (container.podUid !== undefined) return notApplicable('belongs to a pod');
    const excluded = outOfScope(container);
    if (excluded) return excluded;
    const shared = typesWith(container, SHAREABLE, 'host');
    const hidden = typesWith(container, SHAREABLE, 'unknown');
    const evidence = [...shared, ...hidden].map((type) => namespaceEvidence(container, type));
    if (shared.length > 0)
      return fail(`shares the host's ${shared.join(', ')} namespace${shared.length > 1 ? 's' : ''}`, evidence);
    if (hidden.length > 0) return unknown(`${hidden.join(', ')} namespace not visible`, evidence);
    return pass('shares no namespace with the host', evidence);
  },
};
