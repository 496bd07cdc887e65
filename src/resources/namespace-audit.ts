import type { Static } from 'typebox';
import { MAX_BLOCKERS, MAX_FINDINGS } from './limits.ts';
import {
  conditions,
  count,
  flag,
  listOf,
  object,
  oneOf,
  optional,
  percent,
  replaced,
  type ResourceDefinition,
  text,
  time,
} from './schema.ts';

/** Counts of running pods by the verdict on their user namespace; every running pod is in exactly one. */
export const podCounts = replaced('Running pods by what is known of their user namespace. Each is counted once.', {
  running: count('Running Linux pods: the sum of the others.'),
  private: count('Declared hostUsers: false, and the kernel agrees.'),
  host: count("Declare no user namespace of their own, and run in the host's."),
  notEffective: count("Declared hostUsers: false and run in the host's user namespace all the same."),
  undeclaredPrivate: count('In a user namespace of their own that nobody declared.'),
  overlapping: count('In a private user namespace whose host ids another pod holds, too.'),
  unknown: count('Nobody can tell: no agent, stale evidence, not seen, a sandbox.'),
});
export type PodCounts = Static<typeof podCounts>;

const finding = object('A rule that workloads of this namespace break, or that could not be judged.', {
  rule: text('Id of the rule.', 63),
  severity: oneOf('How bad it is.', ['critical', 'high', 'medium', 'low', 'info']),
  status: oneOf('unknown is an answer and never counted as pass.', ['fail', 'unknown']),
  workload: text('Kind/name of what the pods belong to.', 320),
  pods: count('How many of its pods.'),
  message: text('What is so, in one sentence.', 1024),
  example: optional(text('The name of one of the pods.', 253)),
  accepted: optional(text('The reason of the exception that accepts it.', 1024)),
});
export type NamespaceFinding = Static<typeof finding>;

const blocker = object('Something that keeps workloads from hostUsers: false.', {
  reason: text('What it is.', 512),
  workloads: count('How many workloads.'),
  example: text('One of them, as Kind/name.', 320),
});
export type Blocker = Static<typeof blocker>;

const floor = object('The fewest private pods the policy allows here.', {
  minPrivatePods: optional(count('Pods.')),
  minAdoptionPercent: optional(percent('Share of the running pods.')),
  met: flag('Whether it is so.'),
});

export const namespaceAuditStatus = object('How the pods of this namespace stand to user namespaces.', {
  observedTime: optional(time('When this last changed.')),
  pods: podCounts,
  adoptionPercent: optional(
    percent('Share of running pods that are private, declared and effective. Absent where none runs.'),
  ),
  unknown: optional(
    listOf(
      'Why nobody can tell.',
      object('One reason.', { reason: text('In CamelCase.', 63), pods: count('How many pods.') }),
      16,
    ),
  ),
  workloads: optional(
    replaced('Workloads by what hostUsers: false would take.', {
      adopted: count('Declare it.'),
      ready: count('Nothing they declare speaks against it.'),
      blocked: count('Something has to change first.'),
    }),
  ),
  findingTotals: replaced('Broken rules by severity, a workload and rule counted once; accepted ones apart.', {
    critical: count('Critical.'),
    high: count('High.'),
    medium: count('Medium.'),
    low: count('Low.'),
    info: count('Informational.'),
    accepted: count('Accepted by an exception.'),
  }),
  findings: optional(listOf('The worst first.', finding, MAX_FINDINGS)),
  blockers: optional(listOf('What keeps the rest from adopting, the most frequent first.', blocker, MAX_BLOCKERS)),
  floor: optional(floor),
  conditions: optional(conditions('FloorMet where the policy sets a floor, Truncated where a list was cut.')),
});

export type NamespaceAuditStatus = Static<typeof namespaceAuditStatus>;

const FIXED_NAME = {
  rule: "self.metadata.name == 'userns-audit'",
  message: 'there is one NamespaceAudit a namespace, and its name is userns-audit',
};

export const namespaceAudit: ResourceDefinition = {
  kind: 'NamespaceAudit',
  plural: 'namespaceaudits',
  singular: 'namespaceaudit',
  shortNames: ['nsau'],
  scope: 'Namespaced',
  description:
    'NamespaceAudit sums up what the pods of a namespace declare and what is really in force. The controller writes one a namespace, named userns-audit.',
  status: namespaceAuditStatus,
  rules: [FIXED_NAME],
  columns: [
    { name: 'Pods', type: 'integer', jsonPath: '.status.pods.running', description: 'Running pods.' },
    {
      name: 'Private',
      type: 'integer',
      jsonPath: '.status.pods.private',
      description: 'Pods whose user namespace is private, declared and effective.',
    },
    {
      name: 'Adoption',
      type: 'integer',
      jsonPath: '.status.adoptionPercent',
      description: 'The same in percent.',
    },
    {
      name: 'Not-Effective',
      type: 'integer',
      jsonPath: '.status.pods.notEffective',
      description: "Declared private and in the host's user namespace.",
    },
    { name: 'Unknown', type: 'integer', jsonPath: '.status.pods.unknown', description: 'Pods nobody can tell of.' },
    {
      name: 'Critical',
      type: 'integer',
      jsonPath: '.status.findingTotals.critical',
      description: 'Critical findings.',
    },
    { name: 'High', type: 'integer', jsonPath: '.status.findingTotals.high', description: 'High findings.' },
    {
      name: 'Ready',
      type: 'integer',
      jsonPath: '.status.workloads.ready',
      description: 'Workloads that could adopt as they are.',
      priority: 1,
    },
    {
      name: 'Blocked',
      type: 'integer',
      jsonPath: '.status.workloads.blocked',
      description: 'Workloads that must change first.',
      priority: 1,
    },
    {
      name: 'Changed',
      type: 'date',
      jsonPath: '.status.observedTime',
      description: 'When it last changed.',
      priority: 1,
    },
  ],
};
