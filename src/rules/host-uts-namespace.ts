import { type EffectiveRule, fail, pass, unknown } from '../core/rule.ts';
import { namespaceEvidence, outOfScope } from '../core/container-scope.ts';

export const hostUtsNamespace: EffectiveRule = {
  kind: 'effective',
  id: 'host-uts-namespace',
  title: 'The container has its own UTS namespace',
  severity: 'medium',
  rationale:
    'In the host UTS namespace a container sees the host’s name, and with CAP_SYS_ADMIN changes it. Kubernetes has no field for it: containerd and cri-dockerd share it with hostNetwork: true, CRI-O does not, so only the kernel can tell.',
  remediation:
    'Docker: drop --uts=host, in a Compose file uts: host. Kubernetes on containerd: drop hostNetwork: true.',
  references: ['https://man7.org/linux/man-pages/man7/uts_namespaces.7.html', 'CIS Docker Benchmark 1.6.0, 5.21'],
  check(container) {
    const excluded = outOfScope(container);
    if (excluded) return excluded;
    const { uts, net } = container.namespaces;
    const evidence = [namespaceEvidence(container, 'uts')];
    if (uts.relation === 'private') return pass('has its own UTS namespace', evidence);
    if (uts.relation === 'unknown') return unknown(`UTS namespace not visible: ${uts.reason}`, evidence);
    const why = net.relation === 'host' ? ", as containerd and cri-dockerd do with the host's network" : '';
    return fail(
      `shares the host's UTS namespace${why}`,
      evidence,
      container.podUid ? 'Drop hostNetwork: true.' : 'Drop --uts=host.',
    );
  },
  *checkDeclared({ podSpec }) {
    if (podSpec.hostUTS !== true) return;
    yield { path: ['hostUTS'], message: "shares the host's UTS namespace", fix: 'Drop uts: host.' };
  },
};
