import type { Profile } from '../../core/profile.ts';

const OPPOSITE =
  'It asks for user.max_user_namespaces = 0, the opposite of what hostUsers: false needs: the rule shows the conflict and never fails a node for it.';
const NO_TITLE =
  'The title is a description: the wording of the STIG is not verified. Not applicable with Kubernetes orchestration.';

export const disaStig: Profile = {
  id: 'disa-stig',
  title: 'DISA STIGs, namespaces',
  benchmark: 'DISA STIGs for Docker Enterprise 2.x, MKE V2R1, OpenShift, RHEL 8 and RHEL 9',
  source: 'https://github.com/ComplianceAsCode/content; docs/rules of this project for each rule',
  controls: [
    {
      id: 'DKER-EE-002120',
      title: 'The Docker Enterprise hosts user namespace must not be shared',
      rules: ['docker-userns-remap', 'user-namespace'],
      otherIds: { 'vulnerability id': 'V-235817' },
      verified: true,
    },
    {
      id: 'V-260939',
      title: 'User namespace of the host (MKE)',
      rules: ['user-namespace'],
      verified: false,
      note: NO_TITLE,
    },
    {
      id: 'V-260930',
      title: 'Process namespace of the host (MKE)',
      rules: ['host-pid-namespace'],
      verified: false,
      note: NO_TITLE,
    },
    {
      id: 'CNTR-OS-000660',
      title: 'Container images instantiated by OpenShift must execute using least privileges',
      rules: ['host-ipc-namespace', 'host-network-namespace', 'host-pid-namespace', 'scc-host-namespaces'],
      verified: true,
    },
    {
      id: 'RHEL-09-213105',
      title: 'RHEL 9 must disable the use of user namespaces',
      rules: ['hardening-conflict'],
      otherIds: { 'vulnerability id': 'V-257816' },
      verified: true,
      note: OPPOSITE,
    },
    {
      id: 'RHEL-08-040284',
      title: 'RHEL 8 must disable the use of user namespaces',
      rules: ['hardening-conflict'],
      otherIds: { 'Oracle Linux 8': 'OL08-00-040284' },
      verified: true,
      note: OPPOSITE,
    },
  ],
};
