import type { Profile } from '../../core/profile.ts';

const OPPOSITE =
  'Conflict: it asks for user.max_user_namespaces = 0, the opposite of what hostUsers: false needs: the rule shows what was chosen, and a person decides.';
const MKE = 'Not applicable with Kubernetes orchestration. The text of the STIG is not verified.';

export const disaStig: Profile = {
  id: 'disa-stig',
  title: 'DISA STIGs, namespaces',
  benchmark: 'DISA STIGs for Docker Enterprise 2.x, MKE V2R1, OpenShift, RHEL 8 and RHEL 9',
  source: 'https://github.com/ComplianceAsCode/content; docs/rules of this project for each rule',
  notCovered:
    'Everything but namespaces. A control of the Kubernetes STIG (CNTR-K8-*) on host namespaces is not verified, and so is not here.',
  controls: [
    {
      id: 'DKER-EE-002120',
      title: 'No container shares the host’s user namespace (Docker Enterprise)',
      assessment: 'automated',
      rules: ['docker-userns-remap', 'user-namespace'],
      otherIds: { 'vulnerability id': 'V-235817' },
      verified: true,
    },
    {
      id: 'V-260939',
      title: 'No container shares the host’s user namespace (MKE)',
      assessment: 'automated',
      rules: ['user-namespace'],
      verified: false,
      note: MKE,
    },
    {
      id: 'V-260930',
      title: 'No container shares the host’s PID namespace (MKE)',
      assessment: 'automated',
      rules: ['host-pid-namespace'],
      verified: false,
      note: MKE,
    },
    {
      id: 'CNTR-OS-000660',
      title: 'Containers of OpenShift have the least privileges they need',
      assessment: 'automated',
      notCovered: 'Other privileges than host namespaces: capabilities, volumes, users.',
      rules: ['host-ipc-namespace', 'host-network-namespace', 'host-pid-namespace', 'scc-host-namespaces'],
      verified: true,
    },
    {
      id: 'RHEL-09-213105',
      title: 'RHEL 9 has user namespaces switched off',
      assessment: 'manual',
      notCovered: 'Whether the need for containers is documented with the ISSM, which makes it not applicable.',
      rules: ['hardening-conflict'],
      otherIds: { 'vulnerability id': 'V-257816' },
      verified: true,
      note: OPPOSITE,
    },
    {
      id: 'RHEL-08-040284',
      title: 'RHEL 8 has user namespaces switched off',
      assessment: 'manual',
      notCovered: 'Whether the need for containers is documented with the ISSM, which makes it not applicable.',
      rules: ['hardening-conflict'],
      otherIds: { 'Oracle Linux 8': 'OL08-00-040284' },
      verified: true,
      note: OPPOSITE,
    },
  ],
};
