import type { Profile } from '../../core/profile.ts';

export const cisDocker: Profile = {
  id: 'cis-docker-1.6',
  title: 'CIS Docker Benchmark, namespaces',
  benchmark: 'CIS Docker Benchmark 1.6.0',
  source: 'https://github.com/docker/docker-bench-security at ff26d67',
  notCovered: 'Everything but namespaces: host, daemon, images, Swarm.',
  controls: [
    {
      id: '2.9',
      title: 'The daemon maps containers to users of their own',
      assessment: 'automated',
      rules: ['docker-userns-remap'],
      otherIds: { 'up to 1.2': '2.8' },
      verified: true,
    },
    {
      id: '5.10',
      title: 'No container shares the host’s network namespace',
      assessment: 'automated',
      rules: ['host-network-namespace', 'unmanaged-container'],
      verified: true,
    },
    {
      id: '5.16',
      title: 'No container shares the host’s PID namespace',
      assessment: 'automated',
      rules: ['host-pid-namespace', 'unmanaged-container'],
      verified: true,
    },
    {
      id: '5.17',
      title: 'No container shares the host’s IPC namespace',
      assessment: 'automated',
      rules: ['host-ipc-namespace', 'unmanaged-container'],
      verified: true,
    },
    {
      id: '5.21',
      title: 'No container shares the host’s UTS namespace',
      assessment: 'automated',
      rules: ['host-uts-namespace', 'unmanaged-container'],
      verified: true,
    },
    {
      id: '5.31',
      title: 'No container opts out of the remapping of users',
      assessment: 'automated',
      rules: ['user-namespace'],
      otherIds: { '1.1 and 1.13': '5.30' },
      verified: true,
      notCovered:
        'docker run --userns=host of a container that is not in a Compose file: userns-audit node shows it as effective.',
      note: 'Of a Compose service it is judged that it does not refuse the remapping (userns_mode: host); whether the daemon remaps is 2.9.',
    },
  ],
};
