// The alerts as the chart renders them: promtool's checks and unit tests, and their runbooks.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { find, parse, render, ROOT } from '../chart/chart.ts';
import { requireHelm } from '../helm/helm.ts';
import { requirePrometheus } from './prometheus.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A situation: series as promtool writes them (`value+increment×times`), and the labels of what must fire in it. */
interface Situation {
  readonly alert: string;
  readonly series: Readonly<Record<string, string>>;
  /** Minutes after the beginning. */
  readonly at: number;
  readonly fires: readonly Readonly<Record<string, string>>[];
}

/** Every other alert needs a leader to be silent about. */
const LEADER = { 'userns_audit_leader{instance="a"}': '1x200', 'userns_audit_leader{instance="b"}': '0x200' };
const DAY = 86_400;

const SITUATIONS: readonly Situation[] = [
  {
    alert: 'UsernsAuditDeclaredNotEffective',
    series: {
      'userns_audit_pods{namespace="a",state="not_effective"}': '0x10 2x200',
      'userns_audit_pods{namespace="b",state="not_effective"}': '0x200',
    },
    at: 20,
    fires: [{ namespace: 'a' }],
  },
  {
    alert: 'UsernsAuditDeclaredNotEffective',
    series: { 'userns_audit_pods{namespace="a",state="not_effective"}': '2x3 0x200' },
    at: 20,
    fires: [],
  },
  {
    alert: 'UsernsAuditDeclaredNotEffective',
    series: { 'userns_audit_pods{namespace="a",state="host"}': '9x200' },
    at: 20,
    fires: [],
  },
  {
    alert: 'UsernsAuditIdRangesOverlap',
    series: { 'userns_audit_pods{namespace="a",state="overlapping"}': '2x200' },
    at: 10,
    fires: [{ namespace: 'a' }],
  },
  {
    alert: 'UsernsAuditNodeNotReady',
    series: {
      'userns_audit_node_readiness{node="n1",status="NotReady"}': '1x200',
      'userns_audit_node_readiness{node="n2",status="Unknown"}': '1x200',
    },
    at: 40,
    fires: [{ node: 'n1' }],
  },
  {
    alert: 'UsernsAuditNodeNotReady',
    series: { 'userns_audit_node_readiness{node="n1",status="NotReady"}': '1x200' },
    at: 20,
    fires: [],
  },
  {
    alert: 'UsernsAuditEvidenceStale',
    series: {
      'userns_audit_node_evidence_stale{node="n1"}': '1x200',
      'userns_audit_node_evidence_stale{node="n2"}': '0x200',
    },
    at: 40,
    fires: [{ node: 'n1' }],
  },
  {
    alert: 'UsernsAuditFloorNotMet',
    series: { 'userns_audit_floor_met{namespace="a"}': '0x200', 'userns_audit_floor_met{namespace="b"}': '1x200' },
    at: 30,
    fires: [{ namespace: 'a' }],
  },
  { alert: 'UsernsAuditAdoptionLow', series: { userns_audit_adoption_ratio: '0.4x200' }, at: 90, fires: [{}] },
  { alert: 'UsernsAuditAdoptionLow', series: { userns_audit_adoption_ratio: '0.5x200' }, at: 90, fires: [] },
  {
    alert: 'UsernsAuditExceptionExpiring',
    series: {
      'userns_audit_exception_expiry_timestamp_seconds{exception="0",reason="soon"}': `${3 * DAY}x200`,
      'userns_audit_exception_expiry_timestamp_seconds{exception="1",reason="later"}': `${30 * DAY}x200`,
      'userns_audit_exception_expiry_timestamp_seconds{exception="2",reason="over"}': '0x200',
    },
    at: 20,
    fires: [{ exception: '0', reason: 'soon' }],
  },
  {
    alert: 'UsernsAuditExceptionExpired',
    series: {
      'userns_audit_exception_expiry_timestamp_seconds{exception="0",reason="soon"}': `${3 * DAY}x200`,
      'userns_audit_exception_expiry_timestamp_seconds{exception="2",reason="over"}': '60x200',
    },
    at: 20,
    fires: [{ exception: '2', reason: 'over' }],
  },
  {
    alert: 'UsernsAuditHostUsersDropped',
    series: { 'userns_audit_api_server_keeps_host_users{status="False"}': '1x200' },
    at: 20,
    fires: [{}],
  },
  {
    alert: 'UsernsAuditHostUsersDropped',
    series: { 'userns_audit_api_server_keeps_host_users{status="Unknown"}': '1x200' },
    at: 20,
    fires: [],
  },
  { alert: 'UsernsAuditNoLeader', series: { 'userns_audit_leader{instance="a"}': '0x200' }, at: 20, fires: [{}] },
  { alert: 'UsernsAuditNoLeader', series: { 'userns_audit_leader{instance="a"}': '_x200' }, at: 20, fires: [{}] },
  { alert: 'UsernsAuditNoLeader', series: LEADER, at: 20, fires: [] },
  {
    alert: 'UsernsAuditWritesFail',
    series: {
      'userns_audit_writes_total{kind="Report",result="failed"}': '0+1x200',
      'userns_audit_writes_total{kind="Event",result="written"}': '0+1x200',
    },
    at: 40,
    fires: [{ kind: 'Report' }],
  },
];

const RUNBOOKS = join(ROOT, 'docs/runbooks');
const programs = requirePrometheus();
const found = requireHelm();
const reason = 'skipped' in programs ? programs.skipped : 'skipped' in found ? found.skipped : undefined;
if (reason !== undefined) console.warn(`skipped: ${reason}`);
const helm = 'helm' in found ? found.helm : '';
const promtool = 'promtool' in programs ? programs.promtool : '';

(reason === undefined ? describe : describe.skip)('the alerts', () => {
  let dir = '';
  let rules: readonly Rule[] = [];

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'userns-audit-alerts-'));
    const runbooks = 'monitoring.prometheusRule.runbookUrl=https://docs.example.com/runbooks';
    const values = ['monitoring.prometheusRule.enabled=true', 'monitoring.prometheusRule.adoptionFloor=0.5', runbooks];
    const { groups } = find(parse(render(helm, values)), 'PrometheusRule')['spec'] as Spec;
    rules = groups.flatMap((group) => group.rules);
    writeFileSync(join(dir, 'rules.json'), JSON.stringify({ groups }));
    // promtool compares whole annotations; the summary is what people read first.
    const slim = groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({ ...rule, annotations: { summary: rule.annotations['summary'] } })),
    }));
    writeFileSync(join(dir, 'slim.json'), JSON.stringify({ groups: slim }));
  });

  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  const run = (...args: readonly string[]): { code: number | null; said: string } => {
    const { status, stdout, stderr } = spawnSync(promtool, args, { encoding: 'utf8', cwd: dir });
    return { code: status, said: `${stdout}${stderr}` };
  };

  test('are understood by promtool', () => {
    const { code, said } = run('check', 'rules', '--lint=all', '--lint-fatal', 'rules.json');
    expect([code, said]).toEqual([0, expect.stringContaining(`SUCCESS: ${rules.length} rules found`)]);
  });

  test('leave out the floor of the cluster where there is none', () => {
    const { groups } = find(parse(render(helm, ['monitoring.prometheusRule.enabled=true'])), 'PrometheusRule')[
      'spec'
    ] as Spec;
    expect(groups.flatMap((group) => group.rules.map(({ alert }) => alert))).not.toContain('UsernsAuditAdoptionLow');
  });

  test.each(SITUATIONS)('$alert fires for $fires', ({ alert, series, at, fires }) => {
    const rule = rules.find((one) => one.alert === alert);
    if (!rule) throw new Error(`no alert ${alert}`);
    const input = alert === 'UsernsAuditNoLeader' ? series : { ...LEADER, ...series };
    const tests = {
      rule_files: ['slim.json'],
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: Object.entries(input).map(([name, values]) => ({ series: name, values })),
          promql_expr_test: [],
          alert_rule_test: [
            { eval_time: `${at}m`, alertname: alert, exp_alerts: fires.map((labels) => expected(rule, labels)) },
          ],
        },
      ],
    };
    writeFileSync(join(dir, 'test.json'), JSON.stringify(tests));
    const { code, said } = run('test', 'rules', 'test.json');
    expect([code, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  test('have a situation each', () => {
    const tried = new Set(SITUATIONS.filter(({ fires }) => fires.length > 0).map(({ alert }) => alert));
    expect(rules.map(({ alert }) => alert).filter((alert) => !tried.has(alert))).toEqual([]);
  });

  test('have a runbook each, which tells what it means, how to look and what to do', () => {
    for (const { alert, annotations } of rules) {
      expect(annotations['runbook_url']).toBe(`https://docs.example.com/runbooks/${alert}.md`);
      const page = join(RUNBOOKS, `${alert}.md`);
      expect([alert, existsSync(page)]).toEqual([alert, true]);
      const headings = [...readFileSync(page, 'utf8').matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
      expect([alert, headings]).toEqual([alert, ['Meaning', 'Look', 'Do']]);
    }
    const names = readdirSync(RUNBOOKS).filter((name) => name !== 'README.md');
    expect(names.toSorted()).toEqual(rules.map(({ alert }) => `${alert}.md`).toSorted());
  });
});

interface Spec {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

/** The alert promtool is to find, with its summary as people get it. */
function expected(rule: Rule, labels: Readonly<Record<string, string>>): unknown {
  const summary = (rule.annotations['summary'] ?? '').replaceAll(
    /\{\{ \$labels\.(\w+) \}\}/g,
    (_, label: string) => labels[label] ?? '',
  );
  return { exp_labels: { ...labels, severity: rule.labels['severity'] }, exp_annotations: { summary } };
}
