import { evidenceOf } from '../core/evidence.ts';
import type { NodeFacts, SubordinateIdFile, SubordinateRange } from '../core/facts.ts';
import { FIRST_POD_ID, findOverlaps, type HeldRange, ID_SPACE } from '../core/id-map.ts';
import { describeUnread, type Reading, type Unread } from '../core/reading.ts';
import { fail, type NodeRule, notApplicable, pass, unknown } from '../core/rule.ts';

const CORRECT_LINES = 'Correct the lines named above, so that every range is owner:start:count and no two overlap.';

export const subordinateIds: NodeRule = {
  kind: 'node',
  id: 'subordinate-ids',
  title: '/etc/subuid and /etc/subgid give out ranges that fit and do not overlap',
  severity: 'medium',
  readiness: 'kubernetes',
  rationale:
    'The kubelet and Docker take the host ids of containers from these files. Two owners of one range can reach each other’s files, and the kubelet does not start when the line of the user kubelet is not one aligned range with room for every pod.',
  remediation:
    'Give the user kubelet one line, equal in both files: start and count multiples of 65536, count 65536 times the maximum of pods, apart from all other lines.',
  references: [
    'https://man7.org/linux/man-pages/man5/subuid.5.html',
    'https://kubernetes.io/docs/tasks/configure-pod-container/user-namespaces/#set-up-a-node-to-support-user-namespaces',
  ],
  check(facts) {
    const { uid, gid } = facts.subordinateIds;
    const files = [uid, gid];
    const evidence = files.map((file) => evidenceOf(file, summarize));
    const blocked = files.find((file) => !file.ok && file.why !== 'absent');
    if (blocked && !blocked.ok) return unknown(`${blocked.source} could not be read: ${blocked.detail}`, evidence);
    const open = kubeletLineUnknown(facts);
    if (open) return unknown(`whether the kubelet uses its line is not known: ${describeUnread(open)}`, evidence);
    const problems = [...files.flatMap(fileProblems), ...kubeletProblems(facts)];
    const ofKubelet = usesKubeletLine(facts) && problems.some((problem) => problem.includes('kubelet'));
    if (problems.length > 0)
      return fail(problems.slice(0, 5).join('; '), evidence, ofKubelet ? kubeletLine(facts) : CORRECT_LINES);
    if (files.every((file) => !file.ok))
      return notApplicable('no ranges are given out; the kubelet uses its own default above 65535', evidence);
    return pass(
      usesKubeletLine(facts) ? 'the ranges are sound and the kubelet’s has room for every pod' : 'the ranges are sound',
      evidence,
    );
  },
};

function summarize({ ranges, refused }: SubordinateIdFile): string {
  const lines = ranges.slice(0, 4).map(({ owner, start, count }) => `${owner}:${start}:${count}`);
  const more = ranges.length > 4 ? [`and ${ranges.length - 4} more`] : [];
  const bad = refused.length > 0 ? [`${refused.length} lines refused`] : [];
  return [...lines, ...more, ...bad].join(', ') || 'no lines';
}

function fileProblems(file: Reading<SubordinateIdFile>): readonly string[] {
  if (!file.ok) return [];
  const { ranges, refused } = file.value;
  const broken = refused.map(({ line, reason }) => `${file.source}:${line}: ${reason}`);
  const held = ranges.map((range): HeldRange<SubordinateRange> => ({
    start: range.start,
    end: range.start + range.count,
    owner: range,
  }));
  const clashes = findOverlaps(held).map(({ first, second }) => {
    const who = first.owner === second.owner ? `both of ${first.owner}` : `${first.owner} and ${second.owner}`;
    return `${file.source}:${first.line} and :${second.line} overlap (${who})`;
  });
  return [...broken, ...clashes];
}

/** What keeps from knowing whether the kubelet goes by the files. */
function kubeletLineUnknown({ kubelet, subordinateIds: { uid } }: NodeFacts): Unread | undefined {
  const named = uid.ok && uid.value.ranges.some(({ owner }) => owner === 'kubelet');
  if (kubelet.presence === 'absent' || !named) return undefined;
  const asked = [kubelet.userExists, kubelet.hasGetsubids];
  // One clear no is enough: the kubelet needs both.
  if (asked.some((reading) => reading.ok && !reading.value)) return undefined;
  return asked.filter((reading) => !reading.ok).find(({ why }) => why !== 'absent');
}

/** Without the user kubelet or getsubids, the kubelet ignores the files (KEP-127). */
function usesKubeletLine({ kubelet, subordinateIds: { uid } }: NodeFacts): boolean {
  const { presence, userExists, hasGetsubids } = kubelet;
  const named = uid.ok && uid.value.ranges.some(({ owner }) => owner === 'kubelet');
  return presence !== 'absent' && named && isTrue(hasGetsubids) && isTrue(userExists);
}

function isTrue(reading: Reading<boolean>): boolean {
  return reading.ok && reading.value;
}

function kubeletProblems(facts: NodeFacts): readonly string[] {
  if (!usesKubeletLine(facts)) return [];
  const { uid, gid } = facts.subordinateIds;
  const own = [uid, gid].map((file) => (file.ok ? file.value.ranges.filter(({ owner }) => owner === 'kubelet') : []));
  const [uids = [], gids = []] = own;
  const [range] = uids;
  const [gidRange] = gids;
  if (uids.length !== 1 || gids.length !== 1 || !range || !gidRange)
    return ['the user kubelet must have exactly one line in each file'];
  const needed = rangeLength(facts);
  return [
    ...(range.start !== gidRange.start || range.count !== gidRange.count
      ? ['the lines of kubelet differ between /etc/subuid and /etc/subgid']
      : []),
    ...(range.start % FIRST_POD_ID !== 0 || range.start < FIRST_POD_ID
      ? [`kubelet's start ${range.start} is no multiple of 65536 above 0`]
      : []),
    ...(range.count % FIRST_POD_ID !== 0 ? [`kubelet's count ${range.count} is no multiple of 65536`] : []),
    ...(range.count < needed
      ? [
          `kubelet's count ${range.count} has no room for ${facts.kubelet.maxPods.value} pods of ${facts.kubelet.idsPerPod.value} ids (${needed})`,
        ]
      : []),
  ];
}

function rangeLength({ kubelet: { maxPods, idsPerPod } }: NodeFacts): number {
  return maxPods.value * idsPerPod.value;
}

/** The line that fits this node: the first aligned place free in both files. */
function kubeletLine(facts: NodeFacts): string {
  const count = rangeLength(facts);
  const { uid, gid } = facts.subordinateIds;
  const others = [uid, gid].flatMap((file) =>
    file.ok ? file.value.ranges.filter(({ owner }) => owner !== 'kubelet') : [],
  );
  const start = firstFree(others, count);
  if (start === undefined)
    return `Free ${count} ids below 2^32: the other ranges leave no room for ${facts.kubelet.maxPods.value} pods.`;
  return `sed -i '/^kubelet:/d' /etc/subuid /etc/subgid && echo kubelet:${start}:${count} | tee -a /etc/subuid /etc/subgid`;
}

function firstFree(taken: readonly SubordinateRange[], count: number): number | undefined {
  let start = FIRST_POD_ID;
  for (const range of taken.toSorted((a, b) => a.start - b.start)) {
    if (range.start >= start + count) break;
    const end = range.start + range.count;
    if (end > start) start = Math.ceil(end / FIRST_POD_ID) * FIRST_POD_ID;
  }
  return start + count <= ID_SPACE ? start : undefined;
}
