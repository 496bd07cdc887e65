// What Grafana's dashboard shows.

export interface Query {
  readonly expr: string;
  /** Name of a series; `{{label}}` stands for a label. */
  readonly legend?: string;
}

export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly type: 'stat' | 'timeseries' | 'bargauge' | 'table' | 'piechart' | 'gauge';
  readonly width: number;
  readonly height: number;
  readonly queries: readonly Query[];
  readonly unit?: string;
  /** Colors from a value upwards; the first has none. */
  readonly steps?: readonly (readonly [color: string, from: number | null])[];
  readonly stacked?: boolean;
  /** Of series by their names; others take what comes. */
  readonly colors?: Readonly<Record<string, string>>;
  readonly max?: number;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** What every query chooses by; a label that is not there matches `.*`. */
const CLUSTER = 'cluster=~"$cluster"';
const SCOPE = `${CLUSTER}, namespace=~"$namespace"`;
const GOOD: Panel['steps'] = [
  ['red', null],
  ['orange', 0.5],
  ['green', 0.9],
];
const NONE_IS_GOOD: Panel['steps'] = [
  ['green', null],
  ['red', 1],
];
const SOME_IS_ODD: Panel['steps'] = [
  ['green', null],
  ['orange', 1],
];
const STATE_COLORS: Panel['colors'] = {
  ...{ private: 'green', host: 'gray', undeclared_private: 'blue' },
  ...{ not_effective: 'red', overlapping: 'purple', unknown: 'orange' },
};
const READINESS_COLORS: Panel['colors'] = { Ready: 'green', NotReady: 'red', Unknown: 'orange' };
const STANDING_COLORS: Panel['colors'] = { adopted: 'green', ready: 'blue', blocked: 'orange' };
const SEVERITY_COLORS: Panel['colors'] = {
  ...{ critical: 'red', high: 'orange', medium: 'yellow', low: 'blue', info: 'gray' },
};
const STATES = `userns_audit_pods{${SCOPE}}`;

export const DASHBOARD_ROWS: readonly Row[] = [
  {
    title: 'Now',
    panels: [
      {
        title: 'Adoption',
        description: 'Share of running pods whose user namespace is private, declared and effective.',
        type: 'gauge',
        ...{ width: 4, height: 6, unit: 'percentunit', max: 1, steps: GOOD },
        queries: [{ expr: `sum(userns_audit_pods{state="private", ${SCOPE}}) / sum(${STATES})` }],
      },
      {
        title: 'Declared, not effective',
        description: 'Pods that ask for a user namespace of their own and run in the host’s.',
        type: 'stat',
        ...{ width: 4, height: 6, steps: NONE_IS_GOOD },
        queries: [{ expr: `sum(userns_audit_pods{state="not_effective", ${SCOPE}})` }],
      },
      {
        title: 'Overlapping ids',
        description: 'Pods whose host ids belong to another pod or to the host, too.',
        type: 'stat',
        ...{ width: 4, height: 6, steps: NONE_IS_GOOD },
        queries: [{ expr: `sum(userns_audit_pods{state="overlapping", ${SCOPE}})` }],
      },
      {
        title: 'Unknown',
        description: 'Running pods nobody can tell of. They are never counted as good.',
        type: 'stat',
        ...{ width: 4, height: 6, steps: SOME_IS_ODD },
        queries: [{ expr: `sum(userns_audit_pods{state="unknown", ${SCOPE}})` }],
      },
      {
        title: 'Nodes not ready',
        description: 'Nodes that can not run pods in user namespaces of their own.',
        type: 'stat',
        ...{ width: 4, height: 6, steps: SOME_IS_ODD },
        queries: [{ expr: `count(userns_audit_node_readiness{status="NotReady", ${CLUSTER}}) or vector(0)` }],
      },
      {
        title: 'API server keeps hostUsers',
        description: 'False: it drops the field of new pods without an error.',
        type: 'stat',
        ...{ width: 4, height: 6 },
        queries: [{ expr: `userns_audit_api_server_keeps_host_users{${CLUSTER}} == 1`, legend: '{{status}}' }],
      },
    ],
  },
  {
    title: 'Adoption',
    panels: [
      {
        title: 'Pods by verdict',
        description: 'Running pods; each is in exactly one state.',
        type: 'timeseries',
        ...{ width: 12, height: 9, stacked: true },
        colors: STATE_COLORS,
        queries: [{ expr: `sum by (state) (${STATES})`, legend: '{{state}}' }],
      },
      {
        title: 'Adoption by namespace',
        description: 'The namespaces with the least first.',
        type: 'bargauge',
        ...{ width: 6, height: 9, unit: 'percentunit', max: 1, steps: GOOD },
        queries: [
          {
            expr: `bottomk(20, sum by (namespace) (userns_audit_pods{state="private", ${SCOPE}}) / (sum by (namespace) (${STATES}) > 0))`,
            legend: '{{namespace}}',
          },
        ],
      },
      {
        title: 'Workloads by what adoption takes',
        description: 'adopted; ready: one line of YAML; blocked: something else has to change first.',
        type: 'piechart',
        ...{ width: 6, height: 9 },
        colors: STANDING_COLORS,
        queries: [{ expr: `sum by (standing) (userns_audit_workloads{${SCOPE}})`, legend: '{{standing}}' }],
      },
      {
        title: 'Adoption over time',
        description: 'Share of private pods, in the cluster and by namespace.',
        type: 'timeseries',
        ...{ width: 8, height: 8, unit: 'percentunit', max: 1 },
        queries: [
          {
            expr: `sum(userns_audit_pods{state="private", ${SCOPE}}) / sum(${STATES})`,
            legend: 'all',
          },
          {
            expr: `sum by (namespace) (userns_audit_pods{state="private", ${SCOPE}}) / (sum by (namespace) (${STATES}) > 0)`,
            legend: '{{namespace}}',
          },
        ],
      },
      {
        title: 'Declared against effective',
        description: 'Every namespace with pods that do not run as they declare.',
        type: 'table',
        ...{ width: 8, height: 8 },
        queries: [
          {
            expr: `sum by (namespace, state) (userns_audit_pods{state=~"not_effective|undeclared_private|overlapping|unknown", ${SCOPE}}) > 0`,
          },
        ],
      },
      {
        title: 'Why unknown',
        description: 'No agent, stale evidence, a sandbox, or not seen.',
        type: 'bargauge',
        ...{ width: 8, height: 8, steps: SOME_IS_ODD },
        queries: [{ expr: `sum by (reason) (userns_audit_pods_unknown{${SCOPE}})`, legend: '{{reason}}' }],
      },
    ],
  },
  {
    title: 'Nodes',
    panels: [
      {
        title: 'Readiness over time',
        description: 'Nodes by whether they can run private user namespaces.',
        type: 'timeseries',
        ...{ width: 8, height: 8, stacked: true },
        colors: READINESS_COLORS,
        queries: [{ expr: `sum by (status) (userns_audit_node_readiness{${CLUSTER}})`, legend: '{{status}}' }],
      },
      {
        title: 'What keeps nodes from being ready',
        description: 'Nodes by the rule that speaks against them.',
        type: 'bargauge',
        ...{ width: 8, height: 8, steps: SOME_IS_ODD },
        queries: [{ expr: `sum by (rule) (userns_audit_node_not_ready_reason{${CLUSTER}})`, legend: '{{rule}}' }],
      },
      {
        title: 'Nodes nobody tells of',
        description: 'Where no agent runs, or none has been heard of for too long.',
        type: 'table',
        ...{ width: 8, height: 8 },
        queries: [{ expr: `userns_audit_node_evidence_stale{${CLUSTER}} == 1` }],
      },
      {
        title: 'Age of evidence',
        description: 'Seconds since each agent was heard of; the oldest.',
        type: 'timeseries',
        ...{ width: 12, height: 7, unit: 's' },
        queries: [
          {
            expr: `topk(10, time() - userns_audit_node_evidence_timestamp_seconds{${CLUSTER}})`,
            legend: '{{node}}',
          },
        ],
      },
      {
        title: 'Findings on nodes',
        description: 'Nodes by rule they break, or of which it is unknown.',
        type: 'table',
        ...{ width: 12, height: 7 },
        queries: [{ expr: `sum by (rule, severity, status) (userns_audit_node_findings{${CLUSTER}})` }],
      },
    ],
  },
  {
    title: 'Findings',
    panels: [
      {
        title: 'Top blockers',
        description: 'The rules most workloads break, without what is accepted.',
        type: 'bargauge',
        ...{ width: 12, height: 9, steps: SOME_IS_ODD },
        queries: [
          {
            expr: `topk(10, sum by (rule, severity) (userns_audit_findings{status="fail", accepted="false", ${SCOPE}}))`,
            legend: '{{rule}} ({{severity}})',
          },
        ],
      },
      {
        title: 'Findings by severity',
        description: 'Workloads that break a rule, over time.',
        type: 'timeseries',
        ...{ width: 12, height: 9, stacked: true },
        colors: SEVERITY_COLORS,
        queries: [
          {
            expr: `sum by (severity) (userns_audit_findings{status="fail", accepted="false", ${SCOPE}})`,
            legend: '{{severity}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Policy',
    panels: [
      {
        title: 'Exceptions',
        description: 'matched: in use; unused: accept nothing; expiring: end within 14 days; expired.',
        type: 'bargauge',
        ...{ width: 6, height: 8 },
        colors: { matched: 'green', unused: 'gray', expiring: 'orange', expired: 'red' },
        queries: [{ expr: `sum by (state) (userns_audit_exceptions{${CLUSTER}})`, legend: '{{state}}' }],
      },
      {
        title: 'Exceptions by their end',
        description: 'Time left; below zero it has ended.',
        type: 'table',
        ...{ width: 8, height: 8, unit: 's' },
        queries: [
          {
            expr: `sort(min by (exception, reason) (userns_audit_exception_expiry_timestamp_seconds{${CLUSTER}}) - time())`,
          },
        ],
      },
      {
        title: 'Compliance',
        description: 'Controls of each profile that pass, of those that pass or fail.',
        type: 'bargauge',
        ...{ width: 6, height: 8, unit: 'percentunit', max: 1, steps: GOOD },
        queries: [{ expr: `userns_audit_profile_compliance_ratio{${CLUSTER}}`, legend: '{{profile}}' }],
      },
      {
        title: 'Floors not met',
        description: 'Namespaces with fewer private pods than the policy asks for.',
        type: 'stat',
        ...{ width: 4, height: 8, steps: NONE_IS_GOOD },
        queries: [{ expr: `count(userns_audit_floor_met{${SCOPE}} == 0) or vector(0)` }],
      },
    ],
  },
  {
    title: 'Health of userns-audit',
    panels: [
      {
        title: 'Time of an audit',
        description: 'Mean over all agents, and the slowest.',
        type: 'timeseries',
        ...{ width: 8, height: 7, unit: 's' },
        queries: [
          {
            expr: `sum(rate(userns_audit_agent_scan_duration_seconds_sum{${CLUSTER}}[$__rate_interval])) / (sum(rate(userns_audit_agent_scan_duration_seconds_count{${CLUSTER}}[$__rate_interval])) > 0)`,
            legend: 'mean',
          },
          { expr: `max(userns_audit_agent_last_scan_duration_seconds{${CLUSTER}})`, legend: 'slowest' },
        ],
      },
      {
        title: 'Agents by sight',
        description: 'Agents that see every namespace, and those that see less.',
        type: 'timeseries',
        ...{ width: 8, height: 7, stacked: true },
        colors: { complete: 'green', limited: 'orange' },
        queries: [
          { expr: `sum(userns_audit_agent_evidence_complete{${CLUSTER}})`, legend: 'complete' },
          { expr: `sum(1 - userns_audit_agent_evidence_complete{${CLUSTER}})`, legend: 'limited' },
        ],
      },
      {
        title: 'Writes of agents',
        description: 'Attempts to write NodeAudits, by how they ended.',
        type: 'timeseries',
        ...{ width: 4, height: 7 },
        queries: [
          {
            expr: `sum by (result) (rate(userns_audit_agent_publishes_total{${CLUSTER}}[$__rate_interval]))`,
            legend: '{{result}}',
          },
        ],
      },
      {
        title: 'Memory of agents',
        description: 'The largest resident memory of an agent.',
        type: 'timeseries',
        ...{ width: 4, height: 7, unit: 'bytes' },
        queries: [
          {
            expr: `max(process_resident_memory_bytes{${CLUSTER}} and on (instance, job) userns_audit_agent_build_info{${CLUSTER}})`,
            legend: 'largest',
          },
        ],
      },
      {
        title: 'Controllers',
        description: 'One leads.',
        type: 'stat',
        ...{ width: 4, height: 7 },
        queries: [
          { expr: `sum(userns_audit_leader{${CLUSTER}})`, legend: 'leading' },
          { expr: `count(userns_audit_leader{${CLUSTER}})`, legend: 'running' },
        ],
      },
      {
        title: 'Writes of the controller',
        description: 'Objects written a second; nothing is written for nothing.',
        type: 'timeseries',
        ...{ width: 7, height: 7 },
        queries: [
          {
            expr: `sum by (kind, result) (rate(userns_audit_writes_total{${CLUSTER}}[$__rate_interval]))`,
            legend: '{{kind}} {{result}}',
          },
        ],
      },
      {
        title: 'Watches',
        description: 'Failures and new lists a second, by resource.',
        type: 'timeseries',
        ...{ width: 7, height: 7 },
        queries: [
          {
            expr: `sum by (resource) (rate(userns_audit_watch_errors_total{${CLUSTER}}[$__rate_interval]))`,
            legend: 'errors of {{resource}}',
          },
          {
            expr: `sum by (resource) (rate(userns_audit_watch_restarts_total{${CLUSTER}}[$__rate_interval]))`,
            legend: 'new lists of {{resource}}',
          },
        ],
      },
      {
        title: 'Memory and queue of the controller',
        description: 'Resident memory, and objects that wait to be looked at.',
        type: 'timeseries',
        ...{ width: 6, height: 7, unit: 'bytes' },
        queries: [
          {
            expr: `process_resident_memory_bytes{${CLUSTER}} and on (instance, job) userns_audit_leader{${CLUSTER}}`,
            legend: '{{instance}}',
          },
          { expr: `sum(userns_audit_queue_depth{${CLUSTER}})`, legend: 'queue' },
        ],
      },
    ],
  },
];
