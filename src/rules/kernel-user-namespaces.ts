import { namespaceSupport } from '../core/kernel-support.ts';
import { fail, type NodeRule, pass, unknown } from '../core/rule.ts';

export const kernelUserNamespaces: NodeRule = {
  kind: 'node',
  id: 'kernel-user-namespaces',
  title: 'The kernel has user namespaces',
  severity: 'high',
  readiness: 'kernel',
  rationale:
    'Without CONFIG_USER_NS no container can have user ids of its own: root inside every container is root on the host, whatever its manifest asks for.',
  remediation: "Run a kernel built with CONFIG_USER_NS=y. Every current distribution's standard kernel is.",
  references: [
    'https://man7.org/linux/man-pages/man7/user_namespaces.7.html',
    'https://docs.kernel.org/admin-guide/namespaces/index.html',
  ],
  check(facts) {
    const { supported, evidence, contradiction } = namespaceSupport(facts, 'user');
    const note = contradiction
      ? ' (the config file found contradicts the running kernel, so it is not the running kernel’s)'
      : '';
    if (supported === undefined)
      return unknown(
        'neither a kernel config nor /proc/self/ns tells whether the kernel has user namespaces',
        evidence,
      );
    if (supported) return pass(`the kernel has user namespaces${note}`, evidence);
    return fail(`the kernel has no user namespaces${note}`, evidence, 'Boot a kernel built with CONFIG_USER_NS=y.');
  },
};
