import { namespaceSupport, OPTION_OF_NAMESPACE } from '../core/kernel-support.ts';
import { fail, type NodeRule, pass, unknown } from '../core/rule.ts';

/** What a container runtime needs besides user namespaces; time namespaces exist since Linux 5.6 and runtimes do without. */
const NEEDED = ['pid', 'net', 'ipc', 'uts'] as const;

export const kernelNamespaces: NodeRule = {
  kind: 'node',
  id: 'kernel-namespaces',
  title: 'The kernel has PID, network, IPC and UTS namespaces',
  severity: 'high',
  readiness: 'kernel',
  rationale:
    'A namespace type that is not built in is shared by everything on the machine. Container runtimes need PID, network, IPC and UTS namespaces beside the user namespace.',
  remediation: 'Run a kernel built with CONFIG_PID_NS, CONFIG_NET_NS, CONFIG_IPC_NS and CONFIG_UTS_NS.',
  references: [
    'https://man7.org/linux/man-pages/man7/namespaces.7.html',
    'https://github.com/moby/moby/blob/master/contrib/check-config.sh',
  ],
  check(facts) {
    const support = NEEDED.map((type) => ({ type, ...namespaceSupport(facts, type) }));
    const evidence = support.flatMap((one) => one.evidence);
    const names = (supported: boolean | undefined): readonly string[] =>
      support.filter((one) => one.supported === supported).map(({ type }) => `CONFIG_${OPTION_OF_NAMESPACE[type]}`);
    const [missing, open] = [names(false), names(undefined)];
    if (missing.length > 0)
      return fail(
        `the kernel is built without ${missing.join(', ')}`,
        evidence,
        `Boot a kernel built with ${missing.join(', ')}.`,
      );
    if (open.length > 0) return unknown(`nothing tells whether the kernel has ${open.join(', ')}`, evidence);
    return pass('the kernel has PID, network, IPC and UTS namespaces', evidence);
  },
};
