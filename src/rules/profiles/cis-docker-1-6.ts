import type { Profile } from '../../core/profile.ts';

export const cisDocker: Profile = {
  id: 'cis-docker-1.6',
  title: 'CIS Docker Benchmark, namespaces',
  benchmark: 'CIS Docker Benchmark 1.6.0',
  source: 'https://github.com/docker/docker-bench-security at ff26d67',
  controls: [
    {
      id: '2.9',
      title: 'Enable user namespace support',
      rules: ['docker-userns-remap'],
      otherIds: { 'up to 1.2': '2.8' },
      verified: true,
    },
    {
      id: '5.10',
      title: "Ensure that the host's network namespace is not shared",
      rules: ['host-network-namespace', 'unmanaged-container'],
      verified: true,
    },
    {
      id: '5.16',
      title: "Ensure that the host's process namespace is not shared",
      rules: ['host-pid-namespace', 'unmanaged-container'],
      verified: true,
    },
    {
      id: '5.17',
      title: "Ensure that the host's IPC namespace is not shared",
      rules: ['host-ipc-namespace', 'unmanaged-container'],
      verified: true,
    },
    {
      id: '5.21',
      title: "Ensure that the host's UTS namespace is not shared",
      rules: ['host-uts-namespace', 'unmanaged-container'],
      verified: true,
    },
    {
      id: '5.31',
      title: "Ensure that the host's user namespaces are not shared",
      rules: ['user-namespace'],
      otherIds: { '1.1 and 1.13': '5.30' },
      verified: true,
      note: 'Of a Compose service it is judged that it does not refuse the remapping (userns_mode: host); whether the daemon remaps is 2.9.',
    },
  ],
};
