import type { Profile } from '../../core/profile.ts';

export const usernsRollout: Profile = {
  id: 'userns-rollout',
  title: 'Rollout of hostUsers: false, as a gate',
  benchmark: 'userns-audit',
  source: 'docs/policy.md',
  notCovered: 'Whether the workloads do their work in a user namespace: only running them tells.',
  controls: [
    {
      id: 'nodes',
      title: 'Nodes can run private user namespaces',
      assessment: 'automated',
      rules: [
        'idmapped-mounts',
        'kernel-namespaces',
        'kernel-user-namespaces',
        'kubelet-user-namespaces',
        'runtime-user-namespaces',
        'subordinate-ids',
        'user-namespace-boot-parameter',
        'user-namespace-limit',
      ],
      verified: true,
    },
    {
      id: 'adopted',
      title: 'Workloads ask for a user namespace of their own',
      assessment: 'automated',
      rules: ['scc-user-namespace-level', 'user-namespace'],
      verified: true,
    },
    {
      id: 'startable',
      title: 'Workloads that ask for it can start',
      assessment: 'automated',
      rules: ['user-namespace-conflict', 'user-namespace-ids', 'user-namespace-volumes'],
      verified: true,
    },
    {
      id: 'worst-first',
      title: 'Nothing runs as root of the host for want of it',
      assessment: 'automated',
      rules: ['privileged-in-host-user-namespace', 'root-in-host-user-namespace', 'unmasked-proc-mount'],
      verified: true,
    },
    {
      id: 'in-force',
      title: 'What is declared is in force',
      assessment: 'automated',
      rules: ['id-range-host-ids', 'id-range-overlap', 'id-range-short', 'user-namespace-not-effective'],
      verified: true,
    },
  ],
  severities: { 'user-namespace': 'high', 'user-namespace-ids': 'high', 'user-namespace-volumes': 'high' },
};
