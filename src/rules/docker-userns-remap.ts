import { evidenceOf, evidenceOfSetting } from '../core/evidence.ts';
import type { DockerFacts, NodeFacts } from '../core/facts.ts';
import { fail, type NodeRule, notApplicable, pass, unknown, type Verdict } from '../core/rule.ts';
import { usernsRemapOf } from '../core/userns-remap.ts';

/** The user Docker creates for `userns-remap: default`. */
const DEFAULT_USER = 'dockremap';

const FIX = `Add "userns-remap": "default" to /etc/docker/daemon.json and restart dockerd. Images and containers move to /var/lib/docker/<uid>.<gid>; containers that need --privileged, --pid=host or --network=host then also need --userns=host.`;

export const dockerUsernsRemap: NodeRule = {
  kind: 'node',
  id: 'docker-userns-remap',
  title: 'The Docker daemon maps containers into a user namespace',
  severity: 'medium',
  readiness: 'docker',
  rationale:
    'Docker isolates user ids for the whole daemon or not at all. Without userns-remap, root in every container is root on the host, whatever the container was started with.',
  remediation: FIX,
  references: ['https://docs.docker.com/engine/security/userns-remap/', 'CIS Docker Benchmark 1.6.0, 2.9'],
  check(facts) {
    const { docker } = facts;
    if (docker.presence === 'absent') return notApplicable('no Docker daemon on this machine');
    const evidence = evidenceFor(docker);
    if (docker.rootless) return pass('the daemon is rootless: it runs in a user namespace itself', evidence);
    const [setting] = docker.usernsRemap;
    const [blocked] = docker.unread;
    if (!setting && blocked)
      return unknown(
        `${blocked.source} could not be read (${blocked.why}), so userns-remap may be set there`,
        evidence,
      );
    if (!setting) return fail('userns-remap is not set: root in a container is root on the host', evidence, FIX);
    if (usernsRemapOf(docker).state === 'off')
      return fail(`userns-remap is "${setting.value}", which leaves it off`, evidence, FIX);
    return judgeUser(facts, setting.value, evidence);
  },
};

function evidenceFor({ usernsRemap, unread, presence }: DockerFacts): Verdict['evidence'] {
  const settings = usernsRemap.map((setting) => evidenceOfSetting(setting, 'userns-remap'));
  if (settings.length > 0 || unread.length > 0) return [...settings, ...unread.map((reading) => evidenceOf(reading))];
  const where =
    presence === 'running'
      ? 'dockerd command line, /etc/docker/daemon.json'
      : '/etc/docker/daemon.json, /etc/default/docker, /etc/sysconfig/docker';
  return [{ source: where, value: 'no userns-remap' }];
}

function judgeUser({ subordinateIds: { uid } }: NodeFacts, value: string, evidence: Verdict['evidence']): Verdict {
  const [name = ''] = value.split(':');
  const user = name === 'default' ? DEFAULT_USER : name;
  if (!uid.ok) return unknown(`userns-remap is "${value}", but ${uid.source} could not be read (${uid.why})`, evidence);
  const range = uid.value.ranges.find(({ owner }) => owner === user);
  const all = [
    ...evidence,
    { source: uid.source, value: range ? `${range.owner}:${range.start}:${range.count}` : `no line for ${user}` },
  ];
  if (range) return pass(`userns-remap is "${value}": containers get the ids of ${user} from ${range.start}`, all);
  // A numeric uid may own its range by name, which only the user database could tell.
  if (/^\d+$/.test(user))
    return unknown(`userns-remap is "${value}", and ${uid.source} has no line for that number`, all);
  return fail(
    `userns-remap is "${value}", but ${uid.source} has no range for ${user}`,
    all,
    // Anyone may run a process named dockerd: only a plain name goes into a command to be pasted.
    /^[A-Za-z_][\w.-]{0,31}$/.test(user)
      ? `echo ${user}:231072:65536 | tee -a /etc/subuid /etc/subgid    # then restart dockerd`
      : undefined,
  );
}
