import { expect, test } from '@jest/globals';
import type { ManifestJudgement } from '../../src/core/judge-manifests.ts';
import { findWaiverComments } from '../../src/core/waiver.ts';
import { readManifestText } from '../../src/manifests/index.ts';
import { judge } from './judge-sample.ts';

function scan(text: string): ManifestJudgement {
  const { workloads, sccs, waiverText = '' } = readManifestText(text, 'a.yaml');
  return judge({ workloads, sccs, waiverComments: findWaiverComments(waiverText, 'a.yaml') });
}

test('comments and annotations in a manifest', () => {
  const { findings, problems } = scan(`
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: agent
  annotations:
    waive.userns-audit.dev/host-network-namespace: serves the node's own address
    userns-audit.dev/waive: "unmasked-proc-mount: no longer true"
spec:
  template:
    metadata:
      annotations:
        waive.userns-audit.dev/root-in-host-user-namespace: reads files of root
    # userns-audit: waive user-namespace: hostPID excludes it
    spec:
      # userns-audit: waive host-pid-namespace until 2027-03-31: reads cgroups
      # of every process
      hostPID: true
      hostIPC: true # userns-audit: waive host-ipc-namespace
      hostNetwork: true
      containers:
        - name: agent
          securityContext:
            capabilities:
              add:
                - SYS_PTRACE # userns-audit: waive privileged-in-host-user-namespace: reads /proc
                - SYS_ADMIN
`);
  expect(findings.map(({ rule, place, accepted }) => [rule, place.line, accepted?.reason])).toEqual([
    ['privileged-in-host-user-namespace', 26, 'reads /proc'],
    ['privileged-in-host-user-namespace', 27, undefined],
    ['host-pid-namespace', 18, 'reads cgroups'],
    ['host-ipc-namespace', 19, undefined],
    ['host-network-namespace', 20, "serves the node's own address"],
    ['user-namespace', 15, 'hostPID excludes it'],
    ['root-in-host-user-namespace', 15, 'reads files of root'],
  ]);
  expect(problems.map(({ kind, place }) => [kind, place.line])).toEqual([
    ['unused-waiver', 8],
    ['waiver-without-reason', 19],
  ]);
});

test('a service of a Compose file', () => {
  const { findings } = scan(`
services:
  agent:
    image: example.org/agent:1
    user: "1000"
    pid: host # userns-audit: waive host-pid-namespace: shows processes
`);
  expect(findings.map(({ rule, accepted }) => [rule, accepted?.by])).toEqual([['host-pid-namespace', 'waiver']]);
});
