import type { Static } from 'typebox';
import {
  MAX_CONTROLS,
  MAX_CRITICAL_FINDINGS,
  MAX_EXCEPTIONS,
  MAX_FLOORS,
  MAX_HISTORY_DAYS,
  MAX_PROFILES,
} from './limits.ts';
import { podCounts } from './namespace-audit.ts';
import {
  conditions,
  count,
  flag,
  labels,
  listOf,
  object,
  oneOf,
  optional,
  percent,
  type ResourceDefinition,
  text,
  time,
} from './schema.ts';

const RULE_ID = { minLength: 1, pattern: '^[a-z][a-z0-9-]*$' };
const DATE = { pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' };
const SEVERITY_WORDS = ['critical', 'high', 'medium', 'low', 'info'] as const;

const ruleSetting = object('A rule switched on or off, or weighed differently.', {
  id: text('Id of the rule.', 63, RULE_ID),
  enabled: optional(flag('false takes it out, true adds it beside the profiles.')),
  severity: optional(oneOf('Its weight instead of its own.', SEVERITY_WORDS)),
});

const requirement = object('One requirement on a label.', {
  key: text('The label.', 317),
  operator: oneOf('How it is compared.', ['In', 'NotIn', 'Exists', 'DoesNotExist']),
  values: optional(listOf('For In and NotIn.', text('A value.', 63), 64)),
});

const selector = object('Labels of namespaces, as in every selector of Kubernetes.', {
  matchLabels: optional(labels('Labels and their values, all of which must be there.')),
  matchExpressions: optional(listOf('Requirements, all of which must hold.', requirement, 32)),
});

const exception = object(
  'Findings accepted by name: who, why, until when.',
  {
    rules: listOf('Ids of rules, or *.', text('Id of a rule, or *.', 63, { pattern: '^([a-z][a-z0-9-]*|[*])$' }), 64, {
      minItems: 1,
    }),
    namespaces: optional(listOf('Globs over namespaces; * is all.', text('A glob.', 253, { minLength: 1 }), 64)),
    namespaceSelector: optional(selector),
    workloads: optional(
      listOf('Globs over Kind/name: DaemonSet/node-agent.', text('A glob.', 320, { minLength: 1 }), 64),
    ),
    files: optional(listOf('Globs over files, which only a scan has.', text('A glob.', 1024, { minLength: 1 }), 64)),
    reason: text('Why it is accepted, in words.', 1024, { minLength: 1 }),
    approver: optional(text('Who accepted it.', 256)),
    expires: optional(text('The last day it holds, as 2027-03-31, in UTC.', 10, DATE)),
  },
  [
    {
      rule: 'has(self.namespaces) || has(self.namespaceSelector) || has(self.workloads) || has(self.files)',
      message: 'must say for what: namespaces, namespaceSelector, workloads or files; namespaces: ["*"] is everything',
    },
    {
      rule: "self.reason.matches('.*[^\\\\s\\\\d\\\\pP].*')",
      message: 'must give a reason in words',
      fieldPath: '.reason',
    },
  ],
);

const floor = object(
  'A ratchet: never fewer private pods than this.',
  {
    namespaces: listOf('Globs over namespaces.', text('A glob.', 253, { minLength: 1 }), 64, { minItems: 1 }),
    minPrivatePods: optional(count('The fewest private pods, declared and effective, in each of them.')),
    minAdoptionPercent: optional(percent('The smallest share of running pods that are private.')),
  },
  [
    {
      rule: 'has(self.minPrivatePods) || has(self.minAdoptionPercent)',
      message: 'must set minPrivatePods or minAdoptionPercent',
    },
  ],
);

export const auditPolicySpec = object(
  'What a platform team has decided. What it does not say stays as the rules and profiles have it.',
  {
    profiles: optional(
      listOf(
        'Ids of profiles; their rules are judged. Without one, all rules are.',
        text('Id of a profile.', 63),
        MAX_PROFILES,
      ),
    ),
    rules: optional(listOf('Single rules.', ruleSetting, 64)),
    exceptions: optional(listOf('Accepted findings.', exception, MAX_EXCEPTIONS)),
    floors: optional(listOf('Fewest private pods.', floor, MAX_FLOORS)),
  },
  [
    {
      rule: '!has(self.rules) || self.rules.all(r, self.rules.exists_one(o, o.id == r.id))',
      message: 'a rule is set twice',
      fieldPath: '.rules',
    },
  ],
);

const control = object('One control of the benchmark.', {
  id: text('As the benchmark writes it.', 64),
  status: oneOf('inconsistent: nodes of one kind differ. manual: no rule can answer it.', [
    'pass',
    'fail',
    'unknown',
    'not-applicable',
    'inconsistent',
    'manual',
  ]),
  findings: count('How many subjects fail.'),
});

const profile = object('Compliance with one profile.', {
  id: text('Id of the profile.', 63),
  compliancePercent: optional(percent('Controls that pass, of those that pass or fail. Absent where none does.')),
  controls: listOf('In the order of the benchmark.', control, MAX_CONTROLS),
});
export type ProfileStatus = Static<typeof profile>;

const exceptionStatus = object('How one exception of the spec is used.', {
  index: count('Its place in spec.exceptions, from 0.'),
  reason: text('As in the spec.', 1024),
  state: oneOf('expiring: it ends within 14 days. unused: no finding needs it.', [
    'matched',
    'unused',
    'expiring',
    'expired',
  ]),
  matched: count('Findings it names, a workload and rule counted once.'),
  expires: optional(text('As in the spec.', 10)),
});
export type ExceptionStatus = Static<typeof exceptionStatus>;

const day = object('One day.', {
  date: text('In UTC.', 10, DATE),
  running: count('Running pods.'),
  private: count('Private, declared and effective.'),
  critical: count('Critical findings.'),
  high: count('High findings.'),
  readyNodes: count('Nodes that can run private user namespaces.'),
  nodes: count('All nodes.'),
});
export type HistoryDay = Static<typeof day>;

export const auditPolicyStatus = object('The cluster as a whole.', {
  observedTime: optional(time('When this last changed.')),
  observedGeneration: optional(count('The generation of the spec that was judged.')),
  kubernetes: optional(
    object('The API server.', {
      version: text('Its version.', 64),
      keepsHostUsers: oneOf('Whether it keeps spec.hostUsers of a pod, or drops it without a word.', [
        'True',
        'False',
        'Unknown',
      ]),
      reason: text('How that is known.', 512),
    }),
  ),
  pods: optional(podCounts),
  adoptionPercent: optional(percent('Share of running pods that are private, declared and effective.')),
  nodes: optional(
    object('Nodes by whether they can run private user namespaces.', {
      total: count('All.'),
      ready: count('Can.'),
      notReady: count('Can not.'),
      unknown: count('Nobody can tell.'),
      stale: count('Of all: those whose agent has not been heard of for too long, or never.'),
      reasons: listOf(
        'What speaks against it, the most frequent first.',
        object('A rule.', { rule: text('Its id.', 63), nodes: count('How many nodes.') }),
        32,
      ),
    }),
  ),
  findingTotals: optional(
    object('Broken rules by severity in all namespaces and on all nodes; accepted ones apart.', {
      critical: count('Critical.'),
      high: count('High.'),
      medium: count('Medium.'),
      low: count('Low.'),
      info: count('Informational.'),
      accepted: count('Accepted by an exception.'),
    }),
  ),
  criticalFindings: optional(
    listOf(
      'The critical ones, at most 50.',
      object('A critical finding.', {
        rule: text('Id of the rule.', 63),
        namespace: optional(text('Where.', 253)),
        subject: text('Kind/name.', 320),
        pods: count('How many pods.'),
        message: text('What is so.', 1024),
      }),
      MAX_CRITICAL_FINDINGS,
    ),
  ),
  profiles: optional(listOf('Compliance, profile by profile.', profile, MAX_PROFILES)),
  exceptions: optional(listOf('Every exception of the spec.', exceptionStatus, MAX_EXCEPTIONS)),
  floors: optional(
    listOf(
      'Floors that are not met.',
      object('A namespace below its floor.', {
        namespace: text('Which.', 253),
        required: text('What the policy asks for.', 128),
        actual: text('What there is.', 128),
      }),
      MAX_FLOORS,
    ),
  ),
  history: optional(listOf('One entry a day, the newest last.', day, MAX_HISTORY_DAYS)),
  conditions: optional(
    conditions('Valid tells whether the spec can be followed, FloorsMet whether any namespace is below its floor.'),
  ),
});

export type AuditPolicySpec = Static<typeof auditPolicySpec>;
export type AuditPolicyStatus = Static<typeof auditPolicyStatus>;

const FIXED_NAME = {
  rule: "self.metadata.name == 'cluster'",
  message: 'there is one AuditPolicy for all, and its name is cluster',
};

export const auditPolicy: ResourceDefinition = {
  kind: 'AuditPolicy',
  plural: 'auditpolicies',
  singular: 'auditpolicy',
  shortNames: ['aup'],
  scope: 'Cluster',
  description:
    'AuditPolicy says which rules are judged, how they weigh, what is accepted and how few private pods a namespace may have; its status is the sum of the cluster. There is one, named cluster. The command line reads the same document with --policy.',
  spec: auditPolicySpec,
  status: auditPolicyStatus,
  rules: [FIXED_NAME],
  columns: [
    {
      name: 'Adoption',
      type: 'integer',
      jsonPath: '.status.adoptionPercent',
      description: 'Running pods that are private, declared and effective, in percent.',
    },
    { name: 'Pods', type: 'integer', jsonPath: '.status.pods.running', description: 'Running pods.' },
    { name: 'Ready-Nodes', type: 'integer', jsonPath: '.status.nodes.ready', description: 'Nodes that can run them.' },
    { name: 'Nodes', type: 'integer', jsonPath: '.status.nodes.total', description: 'All nodes.' },
    {
      name: 'Critical',
      type: 'integer',
      jsonPath: '.status.findingTotals.critical',
      description: 'Critical findings.',
    },
    { name: 'High', type: 'integer', jsonPath: '.status.findingTotals.high', description: 'High findings.' },
    {
      name: 'Valid',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Valid")].status',
      description: 'Whether the spec can be followed.',
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
