import type { Shape } from './json-shape.ts';

// The fields of the custom resources that reports read (src/resources), as far as a wrong type could mislead a reader. Nothing
// here needs the library the schemas are written with.

const SEVERITY = 'critical|high|medium|low|info';

const CONDITIONS: Shape = [{ type: 'text', status: 'True|False|Unknown', 'reason?': 'text', 'message?': 'text' }];

const TOTALS: Shape = {
  critical: 'count',
  high: 'count',
  medium: 'count',
  low: 'count',
  info: 'count',
  accepted: 'count',
};

const POD_COUNTS: Shape = {
  running: 'count',
  private: 'count',
  host: 'count',
  notEffective: 'count',
  undeclaredPrivate: 'count',
  overlapping: 'count',
  unknown: 'count',
};

export const NAMESPACE_STATUS: Shape = {
  'observedTime?': 'text',
  pods: POD_COUNTS,
  'adoptionPercent?': 'count',
  'unknown?': [{ reason: 'text', pods: 'count' }],
  'workloads?': { adopted: 'count', ready: 'count', blocked: 'count' },
  findingTotals: TOTALS,
  'findings?': [
    {
      rule: 'text',
      severity: SEVERITY,
      status: 'fail|unknown',
      workload: 'text',
      pods: 'count',
      message: 'text',
      'example?': 'text',
      'accepted?': 'text',
    },
  ],
  'blockers?': [{ reason: 'text', workloads: 'count', example: 'text' }],
  'floor?': { 'minPrivatePods?': 'count', 'minAdoptionPercent?': 'count', met: 'flag' },
  'conditions?': CONDITIONS,
};

export const NODE_STATUS: Shape = {
  'observedTime?': 'text',
  'lastHeartbeatTime?': 'text',
  'agent?': { 'version?': 'text', evidence: 'full|basic|none', 'reasons?': ['text'] },
  'system?': {
    'osImage?': 'text',
    'kernelRelease?': 'text',
    'userNamespaces?': 'text',
    'maxUserNamespaces?': 'count',
    'engine?': 'text',
    'runtime?': 'text',
    'kubeletVersion?': 'text',
    'idsPerPod?': 'count',
  },
  'readiness?': { status: 'Ready|NotReady|Unknown', reasons: ['text'] },
  'totals?': { pods: 'count', privatePods: 'count', hostPods: 'count', unknownPods: 'count' },
  'rules?': [
    {
      rule: 'text',
      'severity?': SEVERITY,
      status: 'pass|fail|unknown|not-applicable',
      'message?': 'text',
      'evidence?': [{ source: 'text', value: 'text' }],
      'fix?': 'text',
    },
  ],
  'unmanaged?': [{ id: 'text', 'name?': 'text', runtime: 'text', namespaces: 'text', status: 'text', message: 'text' }],
  'conditions?': CONDITIONS,
};

export const POLICY_SPEC: Shape = {
  'profiles?': ['text'],
  'exceptions?': [
    {
      rules: ['text'],
      'namespaces?': ['text'],
      'workloads?': ['text'],
      reason: 'text',
      'approver?': 'text',
      'expires?': 'text',
    },
  ],
};

export const POLICY_STATUS: Shape = {
  'observedTime?': 'text',
  'kubernetes?': { version: 'text', keepsHostUsers: 'True|False|Unknown', reason: 'text' },
  'pods?': POD_COUNTS,
  'adoptionPercent?': 'count',
  'nodes?': {
    total: 'count',
    ready: 'count',
    notReady: 'count',
    unknown: 'count',
    stale: 'count',
    reasons: [{ rule: 'text', nodes: 'count' }],
  },
  'findingTotals?': TOTALS,
  'profiles?': [
    {
      id: 'text',
      'compliancePercent?': 'count',
      controls: [{ id: 'text', status: 'pass|fail|unknown|not-applicable|inconsistent|manual', findings: 'count' }],
    },
  ],
  'exceptions?': [
    {
      index: 'count',
      reason: 'text',
      state: 'matched|unused|expiring|expired',
      matched: 'count',
      'expires?': 'text',
    },
  ],
  'floors?': [{ namespace: 'text', required: 'text', actual: 'text' }],
  'history?': [
    {
      date: 'text',
      running: 'count',
      private: 'count',
      critical: 'count',
      high: 'count',
      readyNodes: 'count',
      nodes: 'count',
    },
  ],
  'conditions?': CONDITIONS,
};
